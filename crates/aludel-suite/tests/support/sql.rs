//! The SQL of the tests themselves, which all backends understand.

use super::Backend;

/// The names of the tests' tables and columns that are key words of one of the backends.
const RESERVED: [&str; 2] = ["order", "user"];

/// Quotes the reserved words among the names: names are written lower-case in the tests' SQL, key words upper-case.
pub(crate) fn quoted(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            // A string or a quoted name, to its end. A doubled quote begins the next one.
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if first.is_alphabetic() || first == '_' => {
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len())
            }
            _ => first.len_utf8(),
        };
        let (word, tail) = rest.split_at(length);
        if RESERVED.contains(&word) {
            out.push('"');
            out.push_str(word);
            out.push('"');
        } else {
            out.push_str(word);
        }
        rest = tail;
    }
    out
}

/// A statement with `?` for values in the SQL of the backend at hand, as a program writes it for `session.sql`.
pub(crate) fn native(sql: &str) -> String {
    let sql = quoted(sql);
    match Backend::current() {
        Backend::Sqlite => sql,
        Backend::MariaDb => sql.replace('"', "`"),
        Backend::Postgres => {
            let mut parts = sql.split('?');
            let mut out = parts.next().unwrap_or_default().to_owned();
            for (at, part) in parts.enumerate() {
                out.push_str(&format!("${}{part}", at + 1));
            }
            out
        }
    }
}

/// A list of so many values in a statement of the library: PostgreSQL gets those of integers and UUIDs as one array.
pub(crate) fn one_of(count: usize) -> String {
    match Backend::current() {
        Backend::Postgres => "= ANY (?)".to_owned(),
        Backend::Sqlite | Backend::MariaDb => format!("IN ({})", vec!["?"; count].join(", ")),
    }
}

/// A statement of the library as SQLite has it: `"` around names, `?` for values.
pub(crate) fn neutral(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut letters = sql.replace('`', "\"").chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(letter) = letters.next() {
        if letter == '$' && letters.peek().is_some_and(char::is_ascii_digit) {
            out.push('?');
            while letters.peek().is_some_and(char::is_ascii_digit) {
                letters.next();
            }
        } else {
            out.push(letter);
        }
    }
    out
}
