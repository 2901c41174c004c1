//! How a connection is opened.

use std::sync::Arc;
use std::time::Duration;

use super::execution::next_row;
use super::link::Link;
use super::report::{Report, ServerError};
use super::settings::{Candidate, Settings};
use super::startup::{Door, enter};
use super::wire::WireError;
use crate::engine::EngineOptions;
use crate::engine::url::ServerUrl;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

/// An open connection, and what is known of it.
pub(super) struct Opened {
    pub(super) link: Link,
    pub(super) dialect: Dialect,
    /// How long a statement with its values may be.
    pub(super) max_packet: usize,
    /// How another connection to the same server is opened.
    pub(super) door: Arc<Door>,
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
    match (log_in(&candidate.door, lock_timeout).await, &candidate.plain) {
        (Err(WireError::Unencrypted), Some(plain)) => log_in(plain, lock_timeout).await,
        (outcome, _) => outcome,
    }
}

async fn log_in(door: &Arc<Door>, lock_timeout: Duration) -> Result<Opened, WireError> {
    let mut link = enter(door).await?;
    link.query(&session(lock_timeout)).await?;
    let mut told: Vec<String> = Vec::new();
    // The first result is that of SET, which has no rows.
    while link.is_owed() {
        if let Some(row) = next_row(&mut link).await? {
            let read = link.hand_over(&row, &mut |row| {
                told = (0..row.len()).map(|index| row.text(index).map(str::to_owned)).collect::<Result<_, _>>()?;
                Ok(())
            })?;
            if read.is_err() {
                return Err(WireError::Garbled);
            }
        }
    }
    let [version, max_packet] = told.as_slice() else { return Err(WireError::Garbled) };
    let max_packet = max_packet.parse().unwrap_or(SMALLEST_LIMIT);
    let dialect = if version.to_ascii_lowercase().contains("mariadb") { Dialect::MariaDb } else { Dialect::MySql };
    Ok(Opened { link, dialect, max_packet, door: Arc::clone(door) })
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
         NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO' /*M!100305 , ',SIMULTANEOUS_ASSIGNMENT' */); SELECT VERSION(), CAST(@@max_allowed_packet AS CHAR)"
    )
}

/// Whether a server has no place left: another one may.
fn is_full(code: u16) -> bool {
    matches!(code, 1040 | 1203)
}

#[cold]
fn refused(error: &ServerError, url: &ServerUrl, address: &str) -> Error {
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
            Some(WireError::Unencrypted) => message.push_str(&format!(
                "the server at {address} cannot encrypt the connection, and `ssl-mode` of the database URL asks for it"
            )),
            Some(error) => message.push_str(&format!("no server can be reached at {address}: {}", reason(error))),
            None => message.push_str(&format!("the server at {address} did not answer within {limit:?}")),
        }
    }
    let error = Error::new(ErrorKind::Connection, message);
    match source {
        Some(source) => error.with_source(source),
        None => error,
    }
}

/// The reason, without the words around it.
fn reason(error: WireError) -> String {
    match error {
        WireError::Broken(error) => error.to_string(),
        WireError::Refused(reason) => reason,
        WireError::Garbled => "what answers there does not speak MySQL's protocol".to_owned(),
        error => super::error::classify(error).to_string(),
    }
}
