//! A connection.

use std::sync::Arc;

use super::cursor::{Cursors, Failure};
use super::error;
use super::execution::{Stopped, begin, changes, check_length, is_command, run, run_all, without_last_comment};
use super::kill::{InFlight, Killer};
use super::link::Link;
use super::opening::{self, Opened};
use super::pace::Pace;
use super::startup::Door;
use crate::engine::EngineOptions;
use crate::engine::connection::{CursorId, Executed, Sink};
use crate::engine::driver::Fetched;
use crate::engine::url::ServerUrl;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Dialect, Value};

/// A connection to a MariaDB or MySQL server. It runs one statement at a time.
pub(in crate::engine) struct Connection {
    /// None once it is closed.
    link: Option<Link>,
    /// How the server is reached when a statement of this connection is to be ended.
    door: Arc<Door>,
    dialect: Dialect,
    /// How long a statement with its values may be.
    max_packet: usize,
    /// Whether a transaction is open, as the server's last answer had it.
    in_transaction: bool,
    /// A statement runs; or it ran when its future was dropped, and nothing else may run any more.
    busy: bool,
    cursors: Cursors,
}

impl Connection {
    /// Opens a connection to the first of the URL's servers that answers.
    ///
    /// # Errors
    /// `Connection` when none answers, or one does not let this program in; `Config` for what the URL may not have.
    pub(in crate::engine) async fn open(url: &ServerUrl, options: &EngineOptions) -> Result<Self> {
        let Opened { link, dialect, max_packet, door } = opening::open(url, options).await?;
        Ok(Self {
            link: Some(link),
            door,
            dialect,
            max_packet,
            in_transaction: false,
            busy: false,
            cursors: Cursors::new(),
        })
    }

    pub(in crate::engine) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether a transaction is open, as the server's last answer had it. One whose statement was dropped is not: it
    /// goes with the connection.
    #[inline]
    pub(in crate::engine) fn in_transaction(&self) -> bool {
        self.in_transaction && self.is_usable()
    }

    /// Whether the connection is fit for the next one who takes it. What its owner left open ends with it.
    pub(in crate::engine) fn abandon(&mut self) -> bool {
        self.cursors.close_all();
        self.is_usable() && !self.in_transaction && !self.cursors.wait_on_wire()
    }

    fn is_usable(&self) -> bool {
        !self.busy && self.link.as_ref().is_some_and(|link| !link.wire.is_broken())
    }

    /// Runs a statement and hands each of its rows to `sink`.
    ///
    /// # Errors
    /// What the server reports, with its kind; what `sink` returns; `Connection` when it is gone.
    pub(in crate::engine) async fn fetch(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        sink: Sink<'_>,
    ) -> Result<Fetched> {
        let in_flight = self.start().await?;
        let was_in_transaction = self.in_transaction;
        let outcome = run(open(&mut self.link)?, sql, params, self.max_packet, sink).await;
        let mut outcome = self.settle(outcome).await.map(|rows| Fetched { rows, executed: self.executed(sql, rows) });
        if outcome.is_ok() && was_in_transaction && !self.in_transaction && !is_command(sql) {
            outcome = self.begin_again().await.and(outcome);
        }
        self.busy = false;
        in_flight.land();
        outcome
    }

    /// After a statement that has committed the transaction by itself, as DDL does: what follows is in one again, else
    /// each further statement would be committed alone, and no rollback would find it.
    async fn begin_again(&mut self) -> Result<()> {
        let begun = run_all(open(&mut self.link)?, "BEGIN").await;
        self.settle(begun.map_err(Stopped::from)).await
    }

    /// Runs several statements without values.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch). The statements before the one that failed have taken effect, unless a transaction is
    /// open.
    pub(in crate::engine) async fn execute_batch(&mut self, sql: &str) -> Result<()> {
        let sql = without_last_comment(sql);
        check_length(sql.len(), self.max_packet)?;
        if sql.is_empty() {
            return Ok(());
        }
        let in_flight = self.start().await?;
        let outcome = match open(&mut self.link) {
            Ok(link) => run_all(link, sql).await.map_err(Stopped::from),
            Err(error) => Err(Stopped::Unsent(error)),
        };
        // A batch may have opened a transaction before it failed: so the server is asked.
        self.in_transaction |= outcome.is_err();
        self.busy = false;
        let outcome = self.settle(outcome).await;
        in_flight.land();
        outcome
    }

    /// Opens a cursor: the server runs the statement now, and its rows are read as they are asked for.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub(in crate::engine) async fn open_cursor(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        let in_flight = self.start().await?;
        let outcome = match open(&mut self.link) {
            Ok(link) => begin(link, sql, params, self.max_packet).await,
            Err(error) => Err(Stopped::Unsent(error)),
        };
        self.busy = false;
        let outcome = match outcome {
            Ok(()) => Ok(self.cursors.open()),
            Err(stopped) => self.settle(Err(stopped)).await,
        };
        in_flight.land();
        outcome
    }

    /// Hands at most `limit` rows of a cursor to `sink`; whether there are more.
    ///
    /// # Errors
    /// `InvalidStatement` when the cursor was ended by a commit or rollback; as [`fetch`](Self::fetch).
    pub(in crate::engine) async fn fetch_some(
        &mut self,
        cursor: CursorId,
        limit: usize,
        sink: Sink<'_>,
    ) -> Result<bool> {
        if !self.is_usable() {
            return Err(lost());
        }
        let waited = self.cursors.wait_on_wire();
        let outcome = self.advance(cursor, limit, sink).await;
        match outcome {
            Err(Failure::Server(failure)) => {
                self.cursors.end(cursor);
                self.settle(Err(Stopped::Wire(failure))).await
            }
            Err(Failure::Ours(error)) => {
                self.cursors.end(cursor);
                Err(error)
            }
            Ok(more) => {
                if waited && !self.cursors.wait_on_wire() {
                    self.note_status();
                }
                Ok(more)
            }
        }
    }

    async fn advance(&mut self, cursor: CursorId, limit: usize, sink: Sink<'_>) -> Result<bool, Failure> {
        let link = open(&mut self.link).map_err(Failure::Ours)?;
        let mut pace = Pace::default();
        for _ in 0..limit {
            if !self.cursors.next(link, cursor, sink).await? {
                return Ok(false);
            }
            pace.row().await;
        }
        self.cursors.has_more(link, cursor).await
    }

    pub(in crate::engine) fn close_cursor(&mut self, cursor: CursorId) {
        self.cursors.close(cursor);
    }

    pub(in crate::engine) fn close_cursors(&mut self) {
        self.cursors.close_all();
    }

    /// Before a statement: the connection is taken for it, and what a cursor has still to get is read.
    async fn start(&mut self) -> Result<InFlight> {
        if !self.is_usable() {
            return Err(lost());
        }
        let link = open(&mut self.link)?;
        let in_flight = InFlight::new(&self.door, link);
        self.busy = true;
        if self.cursors.make_way(link).await {
            let asked = link.ping().await;
            let was_in_transaction = self.in_transaction;
            self.note_status();
            let failed = match asked {
                Err(failure) => Some(error::classify(failure)),
                // The next statement would be a transaction of its own.
                Ok(()) if was_in_transaction && !self.in_transaction => Some(ended()),
                Ok(()) => None,
            };
            if let Some(error) = failed {
                self.busy = false;
                in_flight.land();
                return Err(error);
            }
        }
        Ok(in_flight)
    }

    /// After a statement: learns from the server whether a transaction is open.
    async fn settle<T>(&mut self, outcome: Result<T, Stopped>) -> Result<T> {
        match outcome {
            Ok(done) => {
                self.note_status();
                Ok(done)
            }
            Err(Stopped::Unsent(error)) => Err(error),
            Err(Stopped::Ours(error)) => {
                self.note_status();
                Err(error)
            }
            Err(Stopped::Wire(failure)) => {
                // An error's packet does not say whether it ended the transaction.
                if self.in_transaction
                    && !failure.is_fatal()
                    && let Some(link) = &mut self.link
                {
                    // Where this fails, the connection is closed, and the transaction with it.
                    let _ = link.ping().await;
                }
                self.note_status();
                if error::ends_connection(&failure) {
                    self.close();
                }
                Err(error::classify(failure))
            }
        }
    }

    /// Reads the status in the server's last answer; an error has none, and then no transaction was open before.
    fn note_status(&mut self) {
        self.in_transaction = self.link.as_ref().is_some_and(Link::in_transaction);
    }

    fn executed(&self, sql: &str, rows: u64) -> Executed {
        let Some(link) = &self.link else { return Executed::default() };
        // What returns rows has no count of its own: those that RETURNING gives are those that were changed.
        let rows_affected = match link.affected_rows() {
            0 if rows > 0 && changes(sql) => rows,
            count => count,
        };
        Executed { rows_affected, last_insert_id: i64::try_from(link.last_insert_id()).unwrap_or_default() }
    }

    /// Closes the connection at once, whatever is under way.
    fn close(&mut self) {
        self.link = None;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(link) = &mut self.link else { return };
        if self.cursors.wait_on_wire() {
            Killer::new(&self.door, link).spawn();
        }
        // What is open ends when the server sees that nobody is there.
        if !self.busy && !self.cursors.wait_on_wire() && !link.wire.is_broken() {
            link.quit();
        }
    }
}

fn open(link: &mut Option<Link>) -> Result<&mut Link> {
    link.as_mut().ok_or_else(lost)
}

#[cold]
fn ended() -> Error {
    Error::new(
        ErrorKind::NeedsRollback,
        "the database ended the transaction by itself when the rest of a stream was read, and its changes are lost; run \
         it again",
    )
}

#[cold]
fn lost() -> Error {
    Error::new(
        ErrorKind::Connection,
        "the connection to the server is closed: it broke, or the future of one of its statements was dropped; what was \
         not committed is rolled back",
    )
}
