//! The DEFAULT of a column.

use super::Dialect;

/// Writes a default, in parentheses where SQLite and MySQL ask for them: around all but a number, a string and a word. Those
/// stay bare, for reflection gives back what was written.
pub(super) fn write(dialect: Dialect, sql: &str, out: &mut String) {
    let sql = sql.trim();
    let mysql = matches!(dialect, Dialect::MariaDb | Dialect::MySql);
    if mysql && sql.eq_ignore_ascii_case("CURRENT_TIMESTAMP") {
        // MySQL asks for the same count of digits as the column has, which are those of a microsecond.
        out.push_str("CURRENT_TIMESTAMP(6)");
    } else if dialect == Dialect::Postgres || is_number(sql) || is_word(sql) || is_string(sql) || is_parenthesized(sql)
    {
        out.push_str(sql);
    } else {
        out.push('(');
        out.push_str(sql);
        out.push(')');
    }
}

fn is_number(sql: &str) -> bool {
    let digits = sql.strip_prefix(['+', '-']).unwrap_or(sql);
    digits.starts_with(|first: char| first.is_ascii_digit()) && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn is_word(sql: &str) -> bool {
    !sql.is_empty() && sql.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}

fn is_string(sql: &str) -> bool {
    let inner = sql.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.is_some_and(|inner| !inner.replace("''", "").contains('\''))
}

/// Whether the parenthesis at the beginning is closed by the one at the end.
fn is_parenthesized(sql: &str) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, byte) in sql.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if depth == 0 {
            return at > 0 && at + 1 == sql.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> String {
        let mut out = String::new();
        write(Dialect::Sqlite, sql, &mut out);
        out
    }

    #[test]
    fn numbers_words_strings_and_what_is_in_parentheses_stay_bare() {
        for sql in ["0", "-1.5", "TRUE", "NULL", "CURRENT_TIMESTAMP", "'new'", "''", "'it''s'", "(1 + 1)", "((1)+(2))"]
        {
            assert_eq!(written(sql), sql);
        }
        assert_eq!(written(" 1 "), "1");
    }

    #[test]
    fn every_other_default_is_put_in_parentheses() {
        let expressions = [
            "1 + 1",
            "lower('X')",
            "'a' || 'b'",
            "(1) + (2)",
            "(')') || '('",
            "datetime('now')",
            "1e5",
            "x'00'",
            "- 1",
        ];
        for sql in expressions {
            assert_eq!(written(sql), format!("({sql})"));
        }
    }
}
