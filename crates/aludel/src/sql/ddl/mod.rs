//! The statements that create and drop what a [`MetaData`] describes.

mod create_table;
mod server_default;
mod type_name;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ForeignKey, Index, MetaData, SqlType, Table};

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
    let sorted = metadata.sorted_tables()?;
    // Keys that close a cycle stand in their tables like all others on SQLite, which looks for a target when a row is
    // written. Elsewhere the target has to be there first.
    let mut late = sorted.cyclic;
    if dialect == Dialect::Sqlite {
        late.clear();
    }
    let exists = |table: &Table| existing.iter().any(|name| same_table(dialect, name.as_ref(), &table.name));
    if dialect == Dialect::Postgres {
        let new = sorted.tables.iter().filter(|table| !exists(table));
        statements.extend(enums(new.copied()).map(|(name, values)| create_enum(name, values)));
    }
    for table in sorted.tables {
        if exists(table) {
            continue;
        }
        let late: Vec<_> =
            late.iter().filter(|(holder, _)| std::ptr::eq(*holder, table)).map(|(_, key)| *key).collect();
        statements.push(create_table::create_table_without(dialect, table, &late)?);
        for index in &table.indexes {
            statements.push(create_index(dialect, table, index)?);
        }
    }
    for (table, key) in late.into_iter().filter(|(table, _)| !exists(table)) {
        let mut out = String::from("ALTER TABLE ");
        dialect.quote(&table.name, &mut out);
        out.push_str(" ADD ");
        create_table::write_foreign_key(dialect, key, &mut out);
        statements.push(out);
    }
    Ok(statements)
}

/// The enum types of tables, each once.
fn enums<'a>(tables: impl Iterator<Item = &'a Table>) -> impl Iterator<Item = (&'a str, &'a [Cow<'static, str>])> {
    let mut seen = HashSet::new();
    tables.flat_map(|table| &table.columns).filter_map(move |column| match &column.ty {
        SqlType::Enum { name, values } if seen.insert(name.as_ref()) => Some((name.as_ref(), values.as_ref())),
        _ => None,
    })
}

/// `CREATE TYPE .. AS ENUM`, unless there is such a type: PostgreSQL has no IF NOT EXISTS for it.
fn create_enum(name: &str, values: &[Cow<'static, str>]) -> String {
    let mut quoted = String::new();
    Dialect::Postgres.quote(name, &mut quoted);
    let mut list = String::new();
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            list.push_str(", ");
        }
        quote_text(value, &mut list);
    }
    format!("DO $$BEGIN CREATE TYPE {quoted} AS ENUM ({list}); EXCEPTION WHEN duplicate_object THEN NULL; END$$")
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
    let sorted = metadata.sorted_tables()?;
    let mut statements = match dialect {
        Dialect::Sqlite => vec!["PRAGMA defer_foreign_keys = ON".to_owned()],
        Dialect::Postgres | Dialect::MariaDb | Dialect::MySql => {
            sorted.cyclic.iter().filter_map(|(table, key)| drop_foreign_key(dialect, table, key)).collect()
        }
    };
    statements.extend(sorted.tables.iter().rev().map(|table| drop_table(dialect, &table.name)));
    if dialect == Dialect::Postgres {
        for (name, _) in enums(sorted.tables.into_iter()) {
            let mut out = String::from("DROP TYPE IF EXISTS ");
            dialect.quote(name, &mut out);
            statements.push(out);
        }
    }
    Ok(statements)
}

/// Drops a foreign key that closes a cycle, so that its table can go. Without a name it cannot be named: then the
/// database says what holds the table.
fn drop_foreign_key(dialect: Dialect, table: &Table, key: &ForeignKey) -> Option<String> {
    let name = key.name.as_deref()?;
    let mut out = String::from("ALTER TABLE ");
    // MySQL itself has no IF EXISTS here.
    let tolerant = dialect != Dialect::MySql;
    out.push_str(if tolerant { "IF EXISTS " } else { "" });
    dialect.quote(&table.name, &mut out);
    out.push_str(if dialect == Dialect::Postgres { " DROP CONSTRAINT " } else { " DROP FOREIGN KEY " });
    out.push_str(if tolerant { "IF EXISTS " } else { "" });
    dialect.quote(name, &mut out);
    Some(out)
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
        Dialect::Postgres => {
            "SELECT relname::text FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') \
             AND relnamespace = current_schema()::regnamespace ORDER BY relname"
        }
        Dialect::MariaDb | Dialect::MySql => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY table_name"
        }
    }
}

/// Whether two names are one table's. To SQLite the case of ASCII letters is nothing.
fn same_table(dialect: Dialect, one: &str, other: &str) -> bool {
    match dialect {
        Dialect::Sqlite => one.eq_ignore_ascii_case(other),
        Dialect::Postgres | Dialect::MariaDb | Dialect::MySql => one == other,
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
mod dialect_tests;
#[cfg(test)]
mod tests;
