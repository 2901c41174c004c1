//! Statements on their way to the server, and their rows on the way back.

use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{BinaryProtocol, Conn, Error as WireError, Params, QueryResult, TextProtocol, Value};

use super::pace::Pace;
use super::row::MysqlRow;
use crate::engine::connection::Sink;
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};

/// What a statement gives that the server cannot prepare: the number of its error.
const CANNOT_PREPARE: u16 = 1295;

/// Why a statement came to no good end.
pub(super) enum Stopped {
    /// It was not sent.
    Unsent(Error),
    /// The server or the connection.
    Wire(WireError),
    /// What took the rows, or this driver. What was still to come of the result has been read.
    Ours(Error),
}

impl From<WireError> for Stopped {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// Runs several statements, passing over their rows.
pub(super) async fn run_all(conn: &mut Conn, sql: &str) -> Result<(), Stopped> {
    Ok(conn.query_iter(sql).await?.drop_result().await?)
}

/// Runs a statement; how many rows it gave.
pub(super) async fn run(conn: &mut Conn, sql: &str, values: Vec<Value>, sink: Sink<'_>) -> Result<u64, Stopped> {
    if values.is_empty() && is_command(sql) {
        return read(conn.query_iter(sql).await?, sink).await;
    }
    let without_values = values.is_empty();
    match begin(conn, sql, values).await {
        Ok(()) => read(QueryResult::<'_, 'static, BinaryProtocol>::new(conn), sink).await,
        Err(Stopped::Wire(WireError::Server(error))) if error.code == CANNOT_PREPARE && without_values => {
            read::<TextProtocol>(conn.query_iter(sql).await?, sink).await
        }
        Err(stopped) => Err(stopped),
    }
}

/// Prepares a statement, unless it is in the connection's cache, and sends it with its values.
pub(super) async fn begin(conn: &mut Conn, sql: &str, values: Vec<Value>) -> Result<(), Stopped> {
    let statement = conn.prep(sql).await?;
    if usize::from(statement.num_params()) != values.len() {
        return Err(Stopped::Unsent(count_mismatch(statement.num_params(), values.len())));
    }
    let params = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
    // The result stays with the connection, from which it is read afterwards.
    drop(conn.exec_iter(&statement, params).await?);
    Ok(())
}

/// Hands over the rows of a result.
async fn read<P: Protocol>(mut result: QueryResult<'_, 'static, P>, sink: Sink<'_>) -> Result<u64, Stopped> {
    let (mut rows, mut pace) = (0, Pace::default());
    while let Some(row) = result.next().await? {
        if let Err(error) = hand_over(&row, sink) {
            result.drop_result().await?;
            return Err(Stopped::Ours(error));
        }
        rows += 1;
        pace.row().await;
    }
    // A procedure gives further results.
    result.drop_result().await?;
    Ok(rows)
}

/// Apart from the futures, because the row handed over cannot move between threads.
#[inline]
pub(super) fn hand_over(row: &mysql_async::Row, sink: Sink<'_>) -> Result<()> {
    sink(&Row::mysql(MysqlRow::new(row)))
}

/// Whether a statement is one of those around transactions, which MySQL does not prepare.
pub(super) fn is_command(sql: &str) -> bool {
    let first = sql.split_ascii_whitespace().next().unwrap_or_default();
    let known = ["begin", "start", "commit", "rollback", "savepoint", "release", "set"];
    known.iter().any(|word| first.eq_ignore_ascii_case(word)) && !sql.contains([';', '?'])
}

/// Whether a statement with rows changes some.
pub(super) fn changes(sql: &str) -> bool {
    let first = sql.split_ascii_whitespace().next().unwrap_or_default();
    ["insert", "replace", "update", "delete"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// A batch without comments on lines of their own after its last statement: the server would take them for an empty
/// statement, which is an error.
pub(super) fn without_last_comment(sql: &str) -> &str {
    let mut rest = sql.trim();
    loop {
        let start = rest.rfind('\n').map_or(0, |end| end + 1);
        let line = rest[start..].trim_start();
        // With a quote in it, it may be the end of a text.
        if !(line.starts_with("-- ") || line == "--" || line.starts_with('#')) || line.contains(['\'', '"', '`']) {
            return rest;
        }
        rest = rest[..start].trim_end();
    }
}

#[cold]
fn count_mismatch(expected: u16, given: usize) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!("the statement has {expected} placeholders, and {given} values were given"),
    )
}
