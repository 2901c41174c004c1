//! The answer to a request.

use std::time::{Duration, Instant};

use postgres_protocol::message::backend;

use super::connection::Connection;
use super::error::{self, Report};
use super::row::{PgRow, split};
use super::types::Type;
use super::wire::Message;
use crate::engine::connection::Sink;
use crate::engine::row::Row;
use crate::error::{Error, Result};

/// How many rows are read between two looks at the clock.
const BATCH: u32 = 64;

/// How long rows are read before the other tasks of the thread have their turn.
const SLICE: Duration = Duration::from_micros(250);

/// What a request has come to.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) rows: u64,
    pub(super) affected: u64,
    /// PostgreSQL rolled a transaction back.
    pub(super) rolled_back: bool,
    /// A portal has more rows.
    pub(super) suspended: bool,
    pub(super) copies: bool,
    /// There was no statement.
    pub(super) empty: bool,
    pub(super) failure: Option<Report>,
    /// What the sink returned.
    pub(super) sink: Option<Error>,
}

impl Connection {
    /// A report of the server's.
    ///
    /// # Errors
    /// The report itself when it is the last one, after which the connection is closed.
    pub(super) fn report(&mut self, message: &Message) -> Result<Report> {
        let report = Report::parse(self.wire.body(message));
        if report.is_fatal() {
            self.wire.goodbye(message);
            return Err(error::classify(report));
        }
        Ok(report)
    }

    /// Reads the answer to a request up to its end, and hands the rows to `sink`.
    pub(super) async fn answer(&mut self, columns: &[Type], sink: Sink<'_>) -> Result<Answer> {
        let mut answer = Answer::default();
        let mut pace = Pace::new();
        while self.wire.is_owed() {
            let Some(message) = self.wire.buffered()? else {
                if self.wire.fill().await? {
                    pace.restart();
                }
                continue;
            };
            if message.tag == backend::DATA_ROW_TAG {
                // An error of the sink's is not the end: the rest of the answer has still to be read.
                if answer.sink.is_none() && answer.failure.is_none() && !columns.is_empty() {
                    let body = self.wire.body(&message);
                    if !split(body, columns.len(), &mut self.fields) {
                        return Err(self.wire.garbled());
                    }
                    let row = Row::postgres(PgRow::new(body, &self.fields, columns));
                    answer.sink = sink(&row).err();
                }
                answer.rows += 1;
                pace.row().await;
                continue;
            }
            match message.tag {
                backend::COMMAND_COMPLETE_TAG => answer.complete(self.wire.body(&message)),
                backend::PORTAL_SUSPENDED_TAG => answer.suspended = true,
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    answer.failure.get_or_insert(report);
                }
                backend::EMPTY_QUERY_RESPONSE_TAG => answer.empty = true,
                backend::COPY_IN_RESPONSE_TAG => {
                    answer.copies = true;
                    self.wire.refuse_copy(&message).await?;
                }
                backend::COPY_OUT_RESPONSE_TAG => answer.copies = true,
                _ => {}
            }
        }
        if answer.copies {
            answer.failure = None;
        }
        Ok(answer)
    }
}

impl Answer {
    /// What the sink said.
    pub(super) fn into_sink_outcome(self) -> Result<()> {
        self.sink.map_or(Ok(()), Err)
    }

    /// `INSERT 0 2`, `UPDATE 3`, `SELECT 4`, `ROLLBACK`.
    pub(super) fn complete(&mut self, body: &[u8]) {
        let tag = std::str::from_utf8(body).unwrap_or_default().trim_end_matches('\0');
        let (command, count) = tag.rsplit_once(' ').unwrap_or((tag, ""));
        let command = command.split(' ').next().unwrap_or_default();
        self.rolled_back = command == "ROLLBACK" || tag == "ROLLBACK";
        if matches!(command, "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY") {
            self.affected = count.parse().unwrap_or_default();
        }
    }
}

/// When the other tasks of the thread have their turn.
pub(super) struct Pace {
    rows: u32,
    start: Option<Instant>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { rows: 0, start: None }
    }

    /// They had it just now.
    fn restart(&mut self) {
        *self = Self::new();
    }

    #[inline]
    pub(super) async fn row(&mut self) {
        self.rows += 1;
        if self.rows >= BATCH {
            self.rows = 0;
            let now = Instant::now();
            if now - *self.start.get_or_insert(now) > SLICE {
                tokio::task::yield_now().await;
                self.restart();
            }
        }
    }
}
