//! What is in a database, as tables of the schema.

mod create_table;
#[cfg(feature = "mysql")]
mod mariadb;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
mod sqlite;
mod type_name;

use super::PooledConnection;
use super::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Action, Index, Table, View};
use crate::sql::{Dialect, Value};

/// What is in a database.
#[derive(Default)]
pub(crate) struct Reflected {
    pub(crate) tables: Vec<Table>,
    pub(crate) views: Vec<View>,
}

/// Reads the tables and views of the database that a connection is at: of a server, those of its current schema or of the
/// one that is named.
///
/// # Errors
/// What the database reports.
pub(crate) async fn reflect(connection: &mut PooledConnection, schema: Option<&str>) -> Result<Reflected> {
    match schema {
        None => read(connection, None).await,
        Some(schema) => schema::reflect(connection, schema).await,
    }
}

/// The tables and views of the current schema; on MariaDB and MySQL, those of another database where one is named.
#[cfg_attr(not(feature = "mysql"), allow(unused_variables, reason = "only MariaDB and MySQL name another database"))]
async fn read(connection: &mut PooledConnection, database: Option<&str>) -> Result<Reflected> {
    let mut reflected = match connection.dialect() {
        Dialect::Sqlite => sqlite::reflect(connection).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => postgres::reflect(connection).await,
        #[cfg(feature = "mysql")]
        Dialect::MariaDb | Dialect::MySql => mysql::reflect(connection, database).await,
        #[allow(unreachable_patterns, reason = "a backend that is not compiled in has no connection")]
        _ => Err(Error::new(ErrorKind::Unsupported, "this build has no backend for this database")),
    }?;
    reflected.tables.iter_mut().for_each(sort);
    Ok(reflected)
}

/// Sorts what a database gives in the order in which it was made, so that equal tables are equal.
fn sort(table: &mut Table) {
    table.foreign_keys.sort_by(|a, b| (&a.columns, &a.name).cmp(&(&b.columns, &b.name)));
    table.uniques.sort_by(|a, b| (&a.columns, &a.name).cmp(&(&b.columns, &b.name)));
    table.checks.sort_by(|a, b| (&a.name, &a.sql).cmp(&(&b.name, &b.sql)));
    table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
}

/// All rows of a query, each read by `read`.
async fn query<T: Send>(
    connection: &mut PooledConnection,
    sql: &str,
    params: &[Value<'_>],
    read: impl Fn(&Row<'_>) -> Result<T> + Send + Sync,
) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    connection
        .fetch(sql, params, &mut |row| {
            rows.push(read(row)?);
            Ok(())
        })
        .await?;
    Ok(rows)
}

fn text(row: &Row<'_>, at: usize) -> Result<String> {
    row.text(at).map(str::to_owned)
}

fn optional_text(row: &Row<'_>, at: usize) -> Result<Option<String>> {
    Ok(row.optional_text(at)?.map(str::to_owned))
}

/// The action that a database names by the words of the standard.
fn action(words: &str) -> Action {
    [Action::Restrict, Action::Cascade, Action::SetNull, Action::SetDefault]
        .into_iter()
        .find(|action| words.eq_ignore_ascii_case(action.sql()))
        .unwrap_or_default()
}

/// The columns of an index that has nothing else.
fn column_names(index: &Index) -> Vec<String> {
    index.columns().into_iter().map(str::to_owned).collect()
}

/// An expression without the parentheses around the whole, if there are any.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn unwrapped(sql: &str) -> &str {
    let sql = sql.trim();
    let Some(inner) = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return sql };
    let (mut depth, mut quote) = (0_i32, None);
    for letter in inner.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        if depth < 0 {
            return sql;
        }
    }
    inner.trim()
}

/// The index that the elements belong to which come row by row, in their order: the last one, or a new one.
fn index_of(indexes: &mut Vec<Index>, name: String, unique: bool) -> &mut Index {
    if indexes.last().is_none_or(|index| index.name.as_deref() != Some(&*name)) {
        let index = Index::new::<String>([]).named(name);
        indexes.push(if unique { index.unique() } else { index });
    }
    let last = indexes.len() - 1;
    &mut indexes[last]
}
