//! The tables of another schema than the connection's own.

use super::{PooledConnection, Reflected, optional_text, query};
use crate::engine::BeginMode;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Dialect, Value};

/// Reads the tables of a schema: on PostgreSQL, what asks for the current one is asked while that is it.
pub(super) async fn reflect(connection: &mut PooledConnection, schema: &str) -> Result<Reflected> {
    let dialect = connection.dialect();
    let own = match dialect {
        Dialect::Sqlite => return Err(unsupported(schema)),
        Dialect::Postgres => current(connection, "SELECT current_schema()::text").await?,
        Dialect::MariaDb | Dialect::MySql => current(connection, "SELECT database()").await?,
    };
    if !exists(connection, schema).await? {
        return Ok(Reflected::default());
    }
    let mut reflected = match dialect {
        Dialect::Postgres => in_search_path(connection, schema).await?,
        _ => super::read(connection, Some(schema)).await?,
    };
    for table in &mut reflected.tables {
        table.schema = Some(schema.to_owned());
        for key in &mut table.foreign_keys {
            key.target_schema = match key.target_schema.take() {
                None => Some(schema.to_owned()),
                Some(other) if Some(&other) == own.as_ref() => None,
                Some(other) => Some(other),
            };
        }
    }
    Ok(reflected)
}

/// The transaction's end takes the path back, whatever happens.
async fn in_search_path(connection: &mut PooledConnection, schema: &str) -> Result<Reflected> {
    connection.begin(BeginMode::Deferred).await?;
    connection.execute_batch(&format!("SET LOCAL search_path TO {}", quoted(schema))).await?;
    let reflected = super::read(connection, None).await?;
    connection.rollback().await?;
    Ok(reflected)
}

async fn current(connection: &mut PooledConnection, sql: &str) -> Result<Option<String>> {
    let names = query(connection, sql, &[], |row| optional_text(row, 0)).await?;
    Ok(names.into_iter().next().flatten())
}

async fn exists(connection: &mut PooledConnection, schema: &str) -> Result<bool> {
    let sql = match connection.dialect() {
        Dialect::Postgres => "SELECT 1::bigint FROM pg_catalog.pg_namespace WHERE nspname = $1",
        _ => "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?",
    };
    let rows = query(connection, sql, &[Value::Text(schema.into())], |row| row.integer(0)).await?;
    Ok(!rows.is_empty())
}

fn quoted(name: &str) -> String {
    let mut out = String::new();
    Dialect::Postgres.quote(name, &mut out);
    out
}

#[cold]
fn unsupported(schema: &str) -> Error {
    let message = format!(
        "the schema `{schema}` cannot be reflected on SQLite, where it is an attached database: give that database a bind, \
         and reflect the bind"
    );
    Error::new(ErrorKind::Unsupported, message)
}
