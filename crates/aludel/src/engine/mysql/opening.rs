//! How a connection is opened.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error as WireError, Opts, QueryResult, Row, TextProtocol};

use super::report::Report;
use super::settings::{Candidate, Settings};
use crate::engine::EngineOptions;
use crate::engine::url::ServerUrl;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

/// An open connection, and what is known of it.
pub(super) struct Opened {
    pub(super) conn: Conn,
    pub(super) dialect: Dialect,
    /// How long a statement with its values may be.
    pub(super) max_packet: usize,
    /// How another connection to the same server is opened.
    pub(super) opts: Opts,
}

/// How long the statements are that every server takes, unless it tells otherwise: the default of MySQL 5.5.
const SMALLEST_LIMIT: usize = 1 << 20;

/// Opens a connection to the first server that answers.
pub(super) async fn open(url: &ServerUrl, options: &EngineOptions) -> Result<Opened> {
    let settings = Settings::new(url, options).await?;
    let mut unreachable = Vec::new();
    for candidate in &settings.candidates {
        match tokio::time::timeout(settings.connect_timeout, connect(candidate, options.busy_timeout)).await {
            Ok(Ok(opened)) => return Ok(opened),
            // It answers, and lets this program not in: so may the next one, but that would hide the mistake.
            Ok(Err(WireError::Server(error))) if !is_full(error.code) => {
                return Err(refused(&error, url, &candidate.address));
            }
            Ok(Err(error)) => unreachable.push((candidate, Some(error))),
            Err(_) => unreachable.push((candidate, None)),
        }
    }
    Err(nobody_answers(unreachable, settings.connect_timeout))
}

async fn connect(candidate: &Candidate, lock_timeout: Duration) -> Result<Opened, WireError> {
    match (log_in(&candidate.opts, lock_timeout).await, &candidate.plain) {
        (Err(WireError::Driver(DriverError::NoClientSslFlagFromServer)), Some(plain)) => {
            log_in(plain, lock_timeout).await
        }
        (outcome, _) => outcome,
    }
}

async fn log_in(opts: &Opts, lock_timeout: Duration) -> Result<Opened, WireError> {
    let mut conn = Conn::new(opts.clone()).await?;
    let mut result: QueryResult<'_, 'static, TextProtocol> = conn.query_iter(session(lock_timeout)).await?;
    // The first result is that of SET, which has no rows.
    let mut row = None;
    while row.is_none() && !result.is_empty() {
        row = result.next().await?;
    }
    result.drop_result().await?;
    let told = |index: usize| row.as_ref().and_then(|row: &Row| row.get::<String, _>(index)).unwrap_or_default();
    let version = told(0);
    let max_packet = told(1).parse().unwrap_or(SMALLEST_LIMIT);
    let dialect = if version.to_ascii_lowercase().contains("mariadb") { Dialect::MariaDb } else { Dialect::MySql };
    Ok(Opened { conn, dialect, max_packet, opts: opts.clone() })
}

/// What a session needs, in one round trip: all of Unicode, times in UTC, wrong values as errors and never cut to what
/// fits, each statement its own transaction where none is open, and an end to waiting for locks, those of DDL too.
fn session(lock_timeout: Duration) -> String {
    // In whole seconds, at least one.
    let seconds = lock_timeout.as_secs() + u64::from(lock_timeout.subsec_nanos() > 0);
    let seconds = seconds.clamp(1, 31_536_000);
    format!(
        "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, innodb_lock_wait_timeout = {seconds}, \
         lock_wait_timeout = {seconds}, sql_mode = CONCAT(@@sql_mode, \
         ',STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
         NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO' /*M!100305 , ',SIMULTANEOUS_ASSIGNMENT' */); SELECT VERSION(), @@max_allowed_packet"
    )
}

/// Whether a server has no place left: another one may.
fn is_full(code: u16) -> bool {
    matches!(code, 1040 | 1203)
}

#[cold]
fn refused(error: &mysql_async::ServerError, url: &ServerUrl, address: &str) -> Error {
    let user = url.user.as_deref().unwrap_or_default();
    let database = url.database.as_deref().unwrap_or_default();
    let message = match error.code {
        1045 | 1698 => format!(
            "the server at {address} does not let the user `{user}` in: the password is wrong, or there is no such \
             user for this machine"
        ),
        1044 => format!("the user `{user}` may not use the database `{database}` on the server at {address}"),
        1049 => format!("the database `{database}` does not exist on the server at {address}; create it"),
        _ => format!("the server at {address} refuses the connection: {}", error.message),
    };
    Error::new(ErrorKind::Connection, message).with_source(Report::of(error))
}

#[cold]
fn nobody_answers(tried: Vec<(&Candidate, Option<WireError>)>, limit: Duration) -> Error {
    let mut message = String::new();
    let mut source = None;
    for (candidate, error) in tried {
        if !message.is_empty() {
            message.push_str("; ");
        }
        let address = &candidate.address;
        match error {
            Some(WireError::Server(error)) => {
                message.push_str(&format!("the server at {address} has no connection free"));
                source =
                    Some(Error::new(ErrorKind::Connection, "too many connections").with_source(Report::of(&error)));
            }
            Some(WireError::Driver(DriverError::NoClientSslFlagFromServer)) => message.push_str(&format!(
                "the server at {address} cannot encrypt the connection, and `ssl-mode` of the database URL asks for it"
            )),
            Some(error) => message.push_str(&format!("no server can be reached at {address}: {}", reason(&error))),
            None => message.push_str(&format!("the server at {address} did not answer within {limit:?}")),
        }
    }
    let error = Error::new(ErrorKind::Connection, message);
    match source {
        Some(source) => error.with_source(source),
        None => error,
    }
}

/// The inmost reason, without the words around it.
fn reason(error: &WireError) -> String {
    let mut inmost: &dyn std::error::Error = error;
    while let Some(source) = inmost.source() {
        inmost = source;
    }
    inmost.to_string()
}
