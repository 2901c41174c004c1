//! Comments of tables and columns.

use crate::schema::Table;

use super::{Dialect, quote_table};

/// The statements that give a table and its columns their comments, where those are statements of their own:
/// PostgreSQL. MariaDB and MySQL have them in `CREATE TABLE`, SQLite has none.
pub(super) fn statements(dialect: Dialect, table: &Table) -> Vec<String> {
    if dialect != Dialect::Postgres {
        return Vec::new();
    }
    let mut statements = Vec::new();
    if let Some(comment) = &table.comment {
        let mut out = String::from("COMMENT ON TABLE ");
        quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
        finish(dialect, comment, out, &mut statements);
    }
    for column in &table.columns {
        let Some(comment) = &column.comment else { continue };
        let mut out = String::from("COMMENT ON COLUMN ");
        quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
        out.push('.');
        dialect.quote(&column.name, &mut out);
        finish(dialect, comment, out, &mut statements);
    }
    statements
}

fn finish(dialect: Dialect, comment: &str, mut out: String, statements: &mut Vec<String>) {
    out.push_str(" IS ");
    literal(dialect, comment, &mut out);
    statements.push(out);
}

/// A comment as a literal. A backslash is a character of its own to PostgreSQL, and has to be doubled for MySQL.
pub(super) fn literal(dialect: Dialect, text: &str, out: &mut String) {
    if dialect.is_mysql() {
        super::quote_text(&text.replace('\\', "\\\\"), out);
    } else {
        super::quote_text(text, out);
    }
}
