//! The statements that create and drop what a [`MetaData`] describes.

mod comment;
mod create_table;
mod index;
mod sequence;
mod server_default;
mod type_name;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::error::Result;
use crate::schema::{ForeignKey, MetaData, SqlType, Table};

use super::{Dialect, Rendering};

pub use create_table::create_table;
pub use index::create_index;
pub(crate) use sequence::next_value;

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
/// `Config` when [`MetaData::check`] finds something wrong; `Unsupported` for a column
/// or an index that the backend cannot have.
pub fn create_all<S: AsRef<str>>(dialect: Dialect, metadata: &MetaData, existing: &[S]) -> Result<Vec<String>> {
    if dialect.is_mysql() {
        metadata.check_with_index_names_per_table()?;
    } else {
        metadata.check()?;
    }
    let mut statements = Vec::new();
    let sorted = metadata.sorted_tables()?;
    // Keys that close a cycle stand in their tables like all others on SQLite, which looks for a target when a row is
    // written. Elsewhere the target has to be there first.
    let mut late = sorted.cyclic;
    if dialect == Dialect::Sqlite {
        late.clear();
    }
    let exists = |table: &Table| existing.iter().any(|name| same_table(dialect, name.as_ref(), &table.key()));
    let new: Vec<&Table> = sorted.tables.iter().copied().filter(|table| !exists(table)).collect();
    let mut schemas: Vec<&str> = new.iter().filter_map(|table| table.schema.as_deref()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    statements.extend(schemas.into_iter().filter_map(|schema| create_schema(dialect, schema)));
    if dialect == Dialect::Postgres {
        statements.extend(enums(new.iter().copied()).map(|(schema, name, values)| create_enum(schema, name, values)));
    }
    if dialect.capabilities().sequences {
        let sequences = sequence::of(new.into_iter());
        statements.extend(sequences.map(|(schema, sequence)| sequence::create(dialect, schema, sequence)));
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
        statements.extend(comment::statements(dialect, table));
    }
    for (table, key) in late.into_iter().filter(|(table, _)| !exists(table)) {
        let mut out = String::from("ALTER TABLE ");
        quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
        out.push_str(" ADD ");
        create_table::write_foreign_key(dialect, table, key, &mut out)?;
        statements.push(out);
    }
    Ok(statements)
}

/// `CREATE SCHEMA`, unless it is there; on MariaDB and MySQL that is a database. SQLite has none: there a schema is a
/// database that is attached to the connection.
pub fn create_schema(dialect: Dialect, schema: &str) -> Option<String> {
    if dialect == Dialect::Sqlite {
        return None;
    }
    let mut out = String::from("CREATE SCHEMA IF NOT EXISTS ");
    dialect.quote(schema, &mut out);
    Some(out)
}

/// An enum type: its schema, its name and its values.
type EnumType<'a> = (Option<&'a str>, &'a str, &'a [Cow<'static, str>]);

/// The enum types of tables, each once in a schema.
fn enums<'a>(tables: impl Iterator<Item = &'a Table>) -> impl Iterator<Item = EnumType<'a>> {
    let mut seen = HashSet::new();
    let columns = tables.flat_map(|table| table.columns.iter().map(|column| (table.schema.as_deref(), column)));
    columns.filter_map(move |(schema, column)| match &column.ty {
        SqlType::Enum { name, values } if seen.insert((schema, name.as_ref())) => {
            Some((schema, name.as_ref(), values.as_ref()))
        }
        _ => None,
    })
}

/// `CREATE TYPE .. AS ENUM`, unless there is such a type: PostgreSQL has no IF NOT EXISTS for it.
fn create_enum(schema: Option<&str>, name: &str, values: &[Cow<'static, str>]) -> String {
    let mut quoted = String::new();
    quote_table(Dialect::Postgres, schema, name, &mut quoted);
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
    statements.extend(sorted.tables.iter().rev().map(|table| drop_table(dialect, table)));
    if dialect.capabilities().sequences {
        let sequences = sequence::of(sorted.tables.iter().copied());
        statements.extend(sequences.map(|(schema, sequence)| sequence::drop(dialect, schema, sequence)));
    }
    if dialect == Dialect::Postgres {
        for (schema, name, _) in enums(sorted.tables.into_iter()) {
            let mut out = String::from("DROP TYPE IF EXISTS ");
            quote_table(dialect, schema, name, &mut out);
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
    quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
    out.push_str(if dialect == Dialect::Postgres { " DROP CONSTRAINT " } else { " DROP FOREIGN KEY " });
    out.push_str(if tolerant { "IF EXISTS " } else { "" });
    dialect.quote(name, &mut out);
    Some(out)
}

/// `DROP TABLE IF EXISTS`.
pub fn drop_table(dialect: Dialect, table: &Table) -> String {
    let mut out = String::from("DROP TABLE IF EXISTS ");
    quote_table(dialect, table.schema.as_deref(), &table.name, &mut out);
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

/// The query for the names of the schemas that a server has, or of the databases that are attached to SQLite.
pub fn existing_schemas(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SELECT name FROM pragma_database_list ORDER BY name",
        Dialect::Postgres => "SELECT nspname::text FROM pg_catalog.pg_namespace ORDER BY nspname",
        Dialect::MariaDb | Dialect::MySql => "SELECT schema_name FROM information_schema.schemata ORDER BY schema_name",
    }
}

/// The query for the names of the tables and views of a schema, one in each row: see [`existing_tables`].
pub fn existing_tables_in(dialect: Dialect, schema: &str) -> String {
    let mut name = String::new();
    match dialect {
        Dialect::Sqlite => {
            dialect.quote(schema, &mut name);
            existing_tables(dialect).replace("sqlite_schema", &format!("{name}.sqlite_schema"))
        }
        Dialect::Postgres => {
            quote_text(schema, &mut name);
            existing_tables(dialect)
                .replace("current_schema()::regnamespace", &format!("to_regnamespace(quote_ident({name}))"))
        }
        Dialect::MariaDb | Dialect::MySql => {
            quote_text(&schema.replace('\\', "\\\\"), &mut name);
            existing_tables(dialect).replace("database()", &name)
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

/// Writes a name, with its schema where it has one.
fn quote_table(dialect: Dialect, schema: Option<&str>, name: &str, out: &mut String) {
    Rendering::from(dialect).quote_table(schema, name, out);
}

/// Writes a type's name, for casts.
pub(super) fn write_type(dialect: Dialect, ty: &SqlType, out: &mut String) {
    type_name::write(dialect, None, ty, out);
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
pub(super) fn quote_text(text: &str, out: &mut String) {
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod tests;
