//! The statements that create and drop what a [`MetaData`] describes.

mod create_table;
mod server_default;
mod type_name;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Index, MetaData, Table};

use super::Dialect;

pub use create_table::create_table;

/// The statements that create the tables that are not there yet, with their indexes, in an order that every foreign
/// key allows. `existing` names the tables and views of the database: those are left alone, and never altered.
///
/// Run them in one transaction.
///
/// ```
/// use aludel::schema::{Column, Index, MetaData, SqlType, Table};
/// use aludel::sql::{Dialect, ddl};
///
/// let mut metadata = MetaData::default();
/// let id = Column::new("id", SqlType::BigInt);
/// metadata.add_table(Table::new("post").with_column(id.clone()).with_primary_key(["id"]))?;
/// metadata.add_table(Table::new("tag").with_column(id).with_index(Index::new(["id"])))?;
/// assert_eq!(
///     ddl::create_all(Dialect::Sqlite, &metadata, &["post"])?,
///     ["CREATE TABLE \"tag\" (\n    \"id\" INTEGER NOT NULL\n)", "CREATE INDEX \"ix_tag_id\" ON \"tag\" (\"id\")"]
/// );
/// # Ok::<(), aludel::Error>(())
/// ```
///
/// # Errors
/// `Config` when [`MetaData::check`] finds something wrong; `Unsupported` for a column that the backend cannot have.
pub fn create_all<S: AsRef<str>>(dialect: Dialect, metadata: &MetaData, existing: &[S]) -> Result<Vec<String>> {
    metadata.check()?;
    let mut statements = Vec::new();
    // Keys that close a cycle stand in their tables like all others: SQLite looks for a target when a row is written.
    for table in metadata.sorted_tables()?.tables {
        if existing.iter().any(|name| same_table(dialect, name.as_ref(), &table.name)) {
            continue;
        }
        statements.push(create_table(dialect, table)?);
        for index in &table.indexes {
            statements.push(create_index(dialect, table, index)?);
        }
    }
    Ok(statements)
}

/// The statements that drop the tables that are there, those that hold a foreign key before what it points at.
///
/// Run them in one transaction, all of them: with `foreign_keys = ON`, dropping a table in SQLite deletes its rows
/// first. The first statement puts the check of what still points at them off to the commit, even for RESTRICT, so
/// that cycles and rows that point at themselves can go; the setting ends with the transaction. A table outside the
/// metadata that still holds such a row fails the commit, or the DROP before it, and nothing is dropped.
///
/// # Errors
/// `Config` when a foreign key points at a table or column that is not in the metadata.
pub fn drop_all(dialect: Dialect, metadata: &MetaData) -> Result<Vec<String>> {
    let tables = metadata.sorted_tables()?.tables;
    let mut statements = match dialect {
        Dialect::Sqlite => vec!["PRAGMA defer_foreign_keys = ON".to_owned()],
    };
    statements.extend(tables.iter().rev().map(|table| drop_table(dialect, &table.name)));
    Ok(statements)
}

/// `CREATE INDEX`.
///
/// # Errors
/// `Config` when the index has no name, which it gets when its table is added to a [`MetaData`].
pub fn create_index(dialect: Dialect, table: &Table, index: &Index) -> Result<String> {
    let Some(name) = &index.name else {
        let columns = index.columns.join(", ");
        let message =
            format!("the index on {}.{columns} has no name: name it, or add its table to a MetaData", table.name);
        return Err(Error::new(ErrorKind::Config, message).with_table(&table.name));
    };
    let mut out = String::from(if index.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " });
    dialect.quote(name, &mut out);
    out.push_str(" ON ");
    dialect.quote(&table.name, &mut out);
    out.push_str(" (");
    quote_list(dialect, &index.columns, &mut out);
    out.push(')');
    Ok(out)
}

/// `DROP TABLE IF EXISTS`.
pub fn drop_table(dialect: Dialect, table: &str) -> String {
    let mut out = String::from("DROP TABLE IF EXISTS ");
    dialect.quote(table, &mut out);
    out
}

/// The query for the names of the database's tables and views, one in each row: what [`create_all`] leaves alone.
pub fn existing_tables(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
    }
}

/// SQLite's names differ in no more than the case of ASCII letters.
fn same_table(dialect: Dialect, one: &str, other: &str) -> bool {
    match dialect {
        Dialect::Sqlite => one.eq_ignore_ascii_case(other),
    }
}

fn quote_list(dialect: Dialect, names: &[String], out: &mut String) {
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        dialect.quote(name, out);
    }
}

/// A string literal of the SQL standard: for DDL, which takes no parameters.
fn quote_text(text: &str, out: &mut String) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

#[cfg(test)]
mod tests;
