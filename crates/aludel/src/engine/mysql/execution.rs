//! Statements on their way to the server, and their rows on the way back.

use std::ops::Range;

use super::link::{Link, Step};
use super::pace::Pace;
use super::wire::WireError;
use crate::engine::connection::Sink;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// What a statement gives that the server cannot prepare: the number of its error.
const CANNOT_PREPARE: u16 = 1295;

/// How far a command stays below what the server allows.
const AROUND: usize = 16;

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
pub(super) async fn run_all(link: &mut Link, sql: &str) -> Result<(), WireError> {
    link.query(sql).await?;
    link.drain().await
}

/// Runs a statement; how many rows it gave.
pub(super) async fn run(
    link: &mut Link,
    sql: &str,
    params: &[Value<'_>],
    limit: usize,
    sink: Sink<'_>,
) -> Result<u64, Stopped> {
    if params.is_empty() && is_command(sql) {
        link.query(sql).await?;
        return read(link, sink).await;
    }
    match begin(link, sql, params, limit).await {
        Ok(()) => {}
        Err(Stopped::Wire(WireError::Server(error))) if error.code == CANNOT_PREPARE && params.is_empty() => {
            link.query(sql).await?;
        }
        Err(stopped) => return Err(stopped),
    }
    read(link, sink).await
}

/// Prepares a statement, unless the connection knows it, and sends it with its values.
pub(super) async fn begin(link: &mut Link, sql: &str, params: &[Value<'_>], limit: usize) -> Result<(), Stopped> {
    check_length(sql.len(), limit).map_err(Stopped::Unsent)?;
    let prepared = link.prepare(sql).await?;
    if usize::from(prepared.parameters) != params.len() {
        return Err(Stopped::Unsent(count_mismatch(prepared.parameters, params.len())));
    }
    link.write_execution(&prepared, params, |length| check_length(length, limit)).map_err(Stopped::Unsent)?;
    link.wire.send().await?;
    Ok(())
}

/// Hands over the rows of a result. A procedure gives further results, which are passed over.
async fn read(link: &mut Link, sink: Sink<'_>) -> Result<u64, Stopped> {
    let (mut rows, mut pace) = (0, Pace::default());
    let mut refused = None;
    let mut is_first = true;
    while link.is_owed() {
        let Some(packet) = link.wire.buffered()? else {
            if link.wire.fill().await? {
                pace.restart();
            }
            continue;
        };
        match link.take(packet)? {
            Step::Row(row) if is_first => {
                if refused.is_none() {
                    refused = link.hand_over(&row, sink)?.err();
                }
                rows += 1;
                pace.row().await;
            }
            Step::Row(_) => pace.row().await,
            Step::End => is_first = false,
            Step::Before => {}
        }
    }
    match refused {
        Some(error) => Err(Stopped::Ours(error)),
        None => Ok(rows),
    }
}

/// The next row of a result, for a cursor; none after its last one. May be dropped while it waits: no row is lost.
pub(super) async fn next_row(link: &mut Link) -> Result<Option<Range<usize>>, WireError> {
    loop {
        let Some(packet) = link.wire.buffered()? else {
            link.wire.fill().await?;
            continue;
        };
        match link.take(packet)? {
            Step::Row(row) => return Ok(Some(row)),
            Step::End => return Ok(None),
            Step::Before => {}
        }
    }
}

/// A command that is too long for the server would cost the connection.
pub(super) fn check_length(length: usize, limit: usize) -> Result<()> {
    if length + AROUND > limit { Err(too_long(length, limit)) } else { Ok(()) }
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

#[cold]
fn too_long(length: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "the statement, or its values, are {length} bytes long, and the server allows {limit} (its \
             `max_allowed_packet`); split it, or raise the limit"
        ),
    )
}
