//! The SQL of one backend.

use std::fmt::Write;

/// The backend whose SQL is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL, and what understands its SQL.
    Postgres,
    /// MariaDB.
    MariaDb,
    /// MySQL, and what understands its SQL.
    MySql,
}

/// What a backend can do, asked before SQL is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How many parameters one statement may have.
    pub max_parameters: usize,
    /// Whether INSERT knows RETURNING.
    pub returning: bool,
    /// Whether UPDATE and DELETE know RETURNING too.
    pub update_returning: bool,
    /// Whether placeholders carry their number (`$1`) or stand in order (`?`).
    pub numbered_placeholders: bool,
    /// The LIMIT that means "all rows", where OFFSET may not stand alone.
    pub unlimited: Option<&'static str>,
    /// Whether ORDER BY knows NULLS FIRST and NULLS LAST.
    pub nulls_ordering: bool,
    /// Whether a statement's foreign keys are looked at when it has written all its rows; else after each row.
    pub checks_after_statement: bool,
    /// Whether several statements go in one round trip.
    pub several_at_once: bool,
    /// Whether there are sequences.
    pub sequences: bool,
    /// From how many rows on COPY is faster than INSERT, where there is one.
    pub copy_rows: Option<usize>,
}

impl Capabilities {
    /// How many rows of so many values one statement takes, up to `most`. It is one at least.
    pub(crate) fn rows_of(&self, values: usize, most: usize) -> usize {
        (self.max_parameters / values).clamp(1, most)
    }
}

/// `SQLITE_MAX_VARIABLE_NUMBER` of SQLite since 3.32, see <https://www.sqlite.org/limits.html>.
const SQLITE: Capabilities = Capabilities {
    max_parameters: 32_766,
    returning: true,
    update_returning: true,
    numbered_placeholders: false,
    unlimited: Some("-1"),
    nulls_ordering: true,
    checks_after_statement: true,
    several_at_once: false,
    sequences: false,
    copy_rows: None,
};

/// The count of parameters is a 16-bit number in the protocol's Bind message, see
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
const POSTGRES: Capabilities = Capabilities {
    max_parameters: 65_535,
    returning: true,
    update_returning: true,
    numbered_placeholders: true,
    unlimited: None,
    nulls_ordering: true,
    checks_after_statement: true,
    several_at_once: true,
    sequences: true,
    copy_rows: Some(2_000),
};

/// The count of placeholders is a 16-bit number in COM_STMT_PREPARE's answer, see
/// <https://mariadb.com/kb/en/com_stmt_prepare/>.
const MARIADB: Capabilities = Capabilities {
    max_parameters: 65_535,
    returning: true,
    update_returning: false,
    numbered_placeholders: false,
    // The manual's own number for it: <https://dev.mysql.com/doc/refman/8.4/en/select.html>.
    unlimited: Some("18446744073709551615"),
    nulls_ordering: false,
    // InnoDB: <https://dev.mysql.com/doc/refman/8.4/en/ansi-diff-foreign-keys.html>
    checks_after_statement: false,
    several_at_once: false,
    sequences: true,
    // LOAD DATA LOCAL needs a setting of the server's that is off where people are careful.
    copy_rows: None,
};

const MYSQL: Capabilities = Capabilities { returning: false, sequences: false, ..MARIADB };

impl Dialect {
    /// How many dialects there are, for tables of what is rendered once for each.
    pub(crate) const COUNT: usize = 4;

    /// The dialect's place in such a table.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Sqlite => 0,
            Self::Postgres => 1,
            Self::MariaDb => 2,
            Self::MySql => 3,
        }
    }

    /// What the backend can do.
    pub const fn capabilities(self) -> &'static Capabilities {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
            Self::MariaDb => &MARIADB,
            Self::MySql => &MYSQL,
        }
    }

    /// What an INSERT says of a row that gives no column.
    pub(crate) const fn default_values(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => " DEFAULT VALUES",
            Self::MariaDb | Self::MySql => " () VALUES ()",
        }
    }

    /// Whether this is MariaDB or MySQL, where most of their SQL is the same.
    pub(crate) const fn is_mysql(self) -> bool {
        matches!(self, Self::MariaDb | Self::MySql)
    }

    /// Writes a quoted identifier.
    pub fn quote(self, ident: &str, out: &mut String) {
        let quote = match self {
            Self::Sqlite | Self::Postgres => '"',
            Self::MariaDb | Self::MySql => '`',
        };
        out.push(quote);
        // Hardly any identifier has the quote in it.
        if !ident.as_bytes().contains(&(quote as u8)) {
            out.push_str(ident);
            out.push(quote);
            return;
        }
        let mut rest = ident;
        while let Some(at) = rest.find(quote) {
            out.push_str(&rest[..=at]);
            out.push(quote);
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        out.push(quote);
    }

    /// Writes the placeholder of the parameter with this number, the first being 1.
    pub fn placeholder(self, number: usize, out: &mut String) {
        if self.capabilities().numbered_placeholders {
            write!(out, "${number}").expect("a String takes all that is written");
        } else {
            out.push('?');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_an_identifier_is_doubled() {
        for (ident, quoted) in [("user", r#""user""#), (r#"a"b"#, r#""a""b""#), (r#"""#, r#""""""#), ("", r#""""#)] {
            let mut out = String::new();
            Dialect::Sqlite.quote(ident, &mut out);
            assert_eq!(out, quoted);
        }
    }
}
