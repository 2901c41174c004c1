//! What is in a database, as tables of the schema.

mod create_table;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;
mod type_name;

use super::PooledConnection;
use super::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Action, Index, Table};
use crate::sql::{Dialect, Value};

/// Reads the tables of the database that a connection is at: of a server, those of its current schema. Views are left out.
///
/// # Errors
/// What the database reports.
pub(crate) async fn reflect(connection: &mut PooledConnection) -> Result<Vec<Table>> {
    match connection.dialect() {
        Dialect::Sqlite => sqlite::reflect(connection).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => postgres::reflect(connection).await,
        #[cfg(feature = "mysql")]
        Dialect::MariaDb | Dialect::MySql => mysql::reflect(connection).await,
        #[allow(unreachable_patterns, reason = "a backend that is not compiled in has no connection")]
        _ => Err(Error::new(ErrorKind::Unsupported, "this build has no backend for this database")),
    }
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

/// An index whose parts are expressions, which a [`Table`] has no place for.
#[cold]
fn passed_over(table: &str, index: &str) {
    tracing::warn!(
        target: "aludel::schema",
        table,
        index,
        "an index over expressions or with a condition is not reflected"
    );
}

/// Adds the columns of constraints that come row by row, in their order: to the last one of the same name, or to a new
/// one.
fn index_of(indexes: &mut Vec<Index>, name: String, unique: bool) -> &mut Index {
    if indexes.last().is_none_or(|index| index.name.as_deref() != Some(&*name)) {
        let index = Index::new::<String>([]).named(name);
        indexes.push(if unique { index.unique() } else { index });
    }
    let last = indexes.len() - 1;
    &mut indexes[last]
}
