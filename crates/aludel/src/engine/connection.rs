//! A connection of the pool, as sessions use it.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::BeginMode;
use super::lease::Lease;
use super::offload;
use super::retry::Retry;
use super::row::Row;
use super::sqlite::{Connection, CursorId, Paused, Prepared, Running, StepError};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// How many rows are read between two looks at the clock.
const BATCH: usize = 64;

/// How long rows are read before the other tasks of the thread have their turn.
const SLICE: Duration = Duration::from_micros(250);

const BEGIN_IMMEDIATE: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";

/// What a statement has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Executed {
    /// The rows that it inserted, updated or deleted itself, without those of triggers and cascades.
    pub(crate) rows_affected: u64,
    /// The rowid of the row last inserted on this connection, by whichever statement.
    pub(crate) last_insert_id: i64,
}

/// A connection of the pool. Dropping it rolls back an open transaction and brings it home.
///
/// A future of these methods may be dropped half-way: its statement ends. Where the statement was running on another
/// thread just then (see `offload`), it ends there and the connection goes home from there; this handle is then of no
/// use any more, and says so.
pub(crate) struct PooledConnection {
    /// `None` while, or after, a statement took it to another thread.
    lease: Option<Lease>,
    /// Ends when the connection that was taken to another thread is home.
    away: Option<oneshot::Receiver<()>>,
}

/// A lease on its way to another thread. The fields go in this order: first home, then the word that it is.
struct Away {
    lease: Lease,
    _home: oneshot::Sender<()>,
}

impl PooledConnection {
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease: Some(lease), away: None }
    }

    /// Whether a transaction is open: as the database sees it, whatever was sent.
    #[inline]
    pub(crate) fn in_transaction(&self) -> bool {
        self.lease.as_ref().is_some_and(Lease::in_transaction)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// `Busy` when another writer does not end in time.
    pub(crate) async fn begin(&mut self, mode: BeginMode) -> Result<()> {
        if self.in_transaction() {
            return Err(Error::new(ErrorKind::InvalidStatement, "a transaction is open already; use a savepoint"));
        }
        self.command(match mode {
            BeginMode::Deferred => "BEGIN",
            BeginMode::Immediate => BEGIN_IMMEDIATE,
        })
        .await
    }

    /// Commits the transaction; open cursors end.
    ///
    /// # Errors
    /// `NeedsRollback` when the database has ended the transaction by itself; a violation when a deferred constraint
    /// refuses it, and then it is still open.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.sqlite()?.close_cursors();
        if !self.in_transaction() {
            return Err(Error::new(
                ErrorKind::NeedsRollback,
                "no transaction is open: the database ended it by itself after an error, and its changes are lost; run \
                 it again",
            ));
        }
        self.command(COMMIT).await
    }

    /// Rolls the transaction back, if one is open; open cursors end. Where a statement whose future was dropped has the
    /// connection on another thread, this waits until it has rolled back there.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) async fn rollback(&mut self) -> Result<()> {
        if self.lease.is_none() {
            if let Some(away) = self.away.take() {
                // The sender says nothing, it only goes.
                let _ = away.await;
            }
            return Ok(());
        }
        self.sqlite()?.close_cursors();
        if !self.in_transaction() {
            self.settle();
            return Ok(());
        }
        self.command("ROLLBACK").await
    }

    /// Sets a savepoint.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn savepoint(&mut self, name: &str) -> Result<()> {
        self.command(&format!("SAVEPOINT {}", quoted(name))).await
    }

    /// Forgets a savepoint, keeping what happened since.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn release(&mut self, name: &str) -> Result<()> {
        self.command(&format!("RELEASE {}", quoted(name))).await
    }

    /// Undoes what happened since a savepoint, which stays.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn rollback_to(&mut self, name: &str) -> Result<()> {
        self.command(&format!("ROLLBACK TO {}", quoted(name))).await
    }

    /// Runs a statement and hands each of its rows to `sink`; how many there were.
    ///
    /// # Errors
    /// What the database reports, with its kind and the statement; what `sink` returns.
    #[inline]
    pub(crate) async fn fetch(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<u64> {
        match self.fetch_now(sql, params, sink) {
            Now::Done(outcome) => outcome,
            // In a box, which few need: else the future of every statement would be larger, and it is moved around.
            Now::Later(rest) => Box::pin(self.fetch_rest(rest, sink)).await,
        }
    }

    /// Runs a statement as far as it goes at once, without waiting for anything and within one slice of time.
    #[inline]
    pub(crate) fn fetch_now<'p>(
        &mut self,
        sql: &'p str,
        params: &'p [Value<'p>],
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Now<'p> {
        if let Some(lease) = &mut self.lease {
            lease.settle();
            lease.shared.log.statement(sql);
        }
        let outcome = match self.begin_now(sql, params, sink) {
            Ok(Begun::Done(rows)) => Ok(rows),
            Ok(Begun::Not) => return Now::Later(Rest { sql, params, paused: None }),
            Ok(Begun::Slice(running, rows)) => {
                return Now::Later(Rest { sql, params, paused: Some((running.pause(), rows)) });
            }
            Err(error) => Err(error),
        };
        self.settle();
        Now::Done(outcome.map_err(|error| error.with_statement(sql)))
    }

    /// Goes on with what [`fetch_now`](Self::fetch_now) has begun.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    #[cold]
    pub(crate) async fn fetch_rest(
        &mut self,
        rest: Rest<'_>,
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<u64> {
        let Rest { sql, params, paused } = rest;
        let outcome = match paused {
            Some((paused, rows)) => {
                // The others of the thread first.
                tokio::task::yield_now().await;
                match self.sqlite().and_then(|connection| connection.go_on(&paused)) {
                    Ok(running) => read(running, rows, sink).await,
                    Err(error) => Err(error),
                }
            }
            None => self.fetch_patiently(sql, params, sink).await,
        };
        self.settle();
        outcome.map_err(|error| error.with_statement(sql))
    }

    #[inline]
    fn begin_now<'c, 'p>(
        &'c mut self,
        sql: &str,
        params: &'p [Value<'p>],
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<Begun<'c, 'p>> {
        let lease = self.lease()?;
        let prepared = match lease.sqlite().ok_or_else(lost)?.prepare(sql) {
            Ok(prepared) => prepared,
            Err(error) if error.kind() == ErrorKind::Busy => return Ok(Begun::Not),
            Err(error) => return Err(error),
        };
        if prepared.slow || lease.waits_for_disk(sql, prepared) || !prepared.readonly && !lease.try_writer_permit() {
            return Ok(Begun::Not);
        }
        let mut running = lease.sqlite().ok_or_else(lost)?.bind(params)?;
        match running.first_step() {
            Ok(()) => {}
            Err(StepError::Failed(error)) => return Err(error),
            Err(StepError::Busy(_)) => return Ok(Begun::Not),
        }
        let (mut total, mut start) = (0, None);
        loop {
            let (rows, more) = running.rows(BATCH, sink)?;
            total += rows as u64;
            if !more {
                return Ok(Begun::Done(total));
            }
            // The clock is read here only, so that short results never read it.
            let now = Instant::now();
            if now - *start.get_or_insert(now) > SLICE {
                return Ok(Begun::Slice(running, total));
            }
        }
    }

    /// Runs a statement that has to wait for something.
    #[cold]
    async fn fetch_patiently(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<u64> {
        let running = self.start(sql, params).await?;
        read(running, 0, sink).await
    }

    /// Runs a statement to its end, passing over its rows.
    ///
    /// # Errors
    /// What the database reports, with its kind and the statement.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Executed> {
        let before = self.sqlite()?.total_changes();
        self.fetch(sql, params, &mut |_| Ok(())).await?;
        let connection = self.sqlite()?;
        // SQLite's count is that of the last statement that changed anything, perhaps an earlier one.
        let rows_affected = if connection.total_changes() == before { 0 } else { connection.changes() };
        Ok(Executed { rows_affected, last_insert_id: connection.last_insert_rowid() })
    }

    /// Runs several statements without values, DDL mostly, off the threads that poll futures.
    ///
    /// # Errors
    /// What the database reports, with its kind and the statements. Those before the failing one have taken effect,
    /// unless a transaction is open.
    pub(crate) async fn execute_batch(&mut self, sql: &str) -> Result<()> {
        let lease = self.lease()?;
        lease.shared.log.statement(sql);
        let limit = lease.shared.options.busy_timeout;
        let mut retry = Retry::new(limit);
        lease.settle();
        lease.take_writer_permit(&mut retry).await.map_err(|error| error.with_statement(sql))?;
        let statements: Box<str> = sql.into();
        let outcome = self.offload(move |connection| connection.execute_batch(&statements, limit)).await;
        self.settle();
        outcome.and_then(|outcome| outcome).map_err(|error| error.with_statement(sql))
    }

    /// Whether a statement leaves the database as it is.
    ///
    /// # Errors
    /// When the statement does not compile.
    pub(crate) fn is_readonly(&mut self, sql: &str) -> Result<bool> {
        let connection = self.sqlite()?;
        let prepared = connection.prepare(sql).map_err(|error| error.with_statement(sql))?;
        connection.finish();
        Ok(prepared.readonly)
    }

    /// Opens a cursor: a statement whose rows are asked for little by little, other statements running meanwhile. It
    /// sees the snapshot of its first row until its end, and a commit or rollback ends it.
    ///
    /// # Errors
    /// When the statement does not compile, or its values cannot be stored.
    pub(crate) fn open_cursor(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        let lease = self.lease()?;
        lease.shared.log.statement(sql);
        let connection = lease.sqlite().ok_or_else(lost)?;
        connection.open_cursor(sql, params).map_err(|error| error.with_statement(sql))
    }

    /// Hands at most `limit` rows of a cursor to `sink`; whether there are more.
    ///
    /// # Errors
    /// `InvalidStatement` when the cursor was ended by a commit or rollback; what the database reports.
    pub(crate) async fn fetch_some(
        &mut self,
        cursor: CursorId,
        limit: usize,
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<bool> {
        let outcome = self.advance(cursor, limit, sink).await;
        self.settle();
        outcome
    }

    async fn advance(
        &mut self,
        cursor: CursorId,
        limit: usize,
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<bool> {
        let prepared = self.sqlite()?.cursor(cursor);
        let mut retry = self.retry()?;
        if prepared.is_some_and(|prepared| !prepared.readonly) {
            self.lease()?.take_writer_permit(&mut retry).await?;
        }
        let slow = prepared.is_some_and(|prepared| prepared.slow);
        loop {
            let outcome = if slow {
                self.offload(move |connection| connection.start_cursor(cursor)).await?
            } else {
                self.sqlite()?.start_cursor(cursor)
            };
            match outcome {
                Ok(()) => break,
                Err(StepError::Failed(error)) => return Err(error),
                Err(StepError::Busy(error)) => {
                    if !retry.pause().await {
                        return Err(error);
                    }
                }
            }
        }
        let connection = self.sqlite()?;
        let mut pace = Pace::new();
        let mut left = limit;
        loop {
            let (rows, more) = connection.cursor_rows(cursor, pace.batch.min(left), sink)?;
            left -= rows;
            if !more || left == 0 {
                return Ok(more);
            }
            pace.turn().await;
        }
    }

    /// Closes a cursor. One that has ended by itself may be closed too.
    pub(crate) fn close_cursor(&mut self, cursor: CursorId) {
        if let Ok(connection) = self.sqlite() {
            connection.close_cursor(cursor);
        }
        self.settle();
    }

    /// A statement that has neither values nor rows.
    async fn command(&mut self, sql: &str) -> Result<()> {
        self.fetch(sql, &[], &mut |_| Ok(())).await.map(drop)
    }

    /// Starts a statement: writers queue, locks are waited for, and the first step is taken where it may take long.
    async fn start<'c, 'p>(&'c mut self, sql: &str, params: &'p [Value<'p>]) -> Result<Running<'c, 'p>> {
        let lease = self.lease()?;
        let mut retry = Retry::new(lease.shared.options.busy_timeout);
        let prepared = loop {
            match lease.sqlite().ok_or_else(lost)?.prepare(sql) {
                Ok(prepared) => break prepared,
                // Even to read the schema a lock may be needed.
                Err(error) if error.kind() == ErrorKind::Busy && retry.pause().await => {}
                Err(error) => return Err(error),
            }
        };
        if !prepared.readonly {
            lease.take_writer_permit(&mut retry).await?;
        }
        let waits_for_disk = lease.waits_for_disk(sql, prepared);
        if prepared.slow || waits_for_disk {
            self.start_elsewhere(params, waits_for_disk, &mut retry).await?;
            return self.sqlite()?.resume();
        }
        let mut running = self.sqlite()?.bind(params)?;
        loop {
            match running.first_step() {
                Ok(()) => return Ok(running),
                Err(StepError::Failed(error)) => return Err(error),
                Err(StepError::Busy(error)) => {
                    if !retry.pause().await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The first step off the threads that poll futures, with copies of the values: the caller's may go meanwhile.
    #[cold]
    async fn start_elsewhere(&mut self, params: &[Value<'_>], commits: bool, retry: &mut Retry) -> Result<()> {
        loop {
            let params: Vec<Value<'static>> = params.iter().map(|value| value.clone().into_owned()).collect();
            match self.offload(move |connection| connection.start_copied(&params, commits)).await? {
                Ok(()) => return Ok(()),
                Err(StepError::Failed(error)) => return Err(error),
                Err(StepError::Busy(error)) => {
                    if !retry.pause().await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Runs work on the connection that may hold the thread. The whole lease goes along, so that the connection comes
    /// home from there if this future is dropped.
    async fn offload<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> R + Send + 'static,
    ) -> Result<R> {
        let lease = self.lease.take().ok_or_else(lost)?;
        let (home, away) = oneshot::channel();
        self.away = Some(away);
        let going = Away { lease, _home: home };
        let (back, result) = offload::run(move || {
            let mut there = going;
            let result = there.lease.sqlite().map(work);
            (there, result)
        })
        .await?;
        self.away = None;
        self.lease = Some(back.lease);
        result.ok_or_else(lost)
    }

    fn retry(&self) -> Result<Retry> {
        let lease = self.lease.as_ref().ok_or_else(lost)?;
        Ok(Retry::new(lease.shared.options.busy_timeout))
    }

    #[inline]
    fn settle(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.settle();
        }
    }

    #[inline]
    fn lease(&mut self) -> Result<&mut Lease> {
        self.lease.as_mut().ok_or_else(lost)
    }

    #[cfg(test)]
    pub(super) fn lease_for_tests(&mut self) -> Option<&mut Lease> {
        self.lease.as_mut()
    }

    #[inline]
    fn sqlite(&mut self) -> Result<&mut Connection> {
        self.lease.as_mut().and_then(Lease::sqlite).ok_or_else(lost)
    }
}

/// What a statement has come to at once.
pub(crate) enum Now<'p> {
    /// It is over.
    Done(Result<u64>),
    /// It waits for something, or for its next slice of time.
    Later(Rest<'p>),
}

/// What is left of a statement.
pub(crate) struct Rest<'p> {
    sql: &'p str,
    params: &'p [Value<'p>],
    /// Where it stands, and how many rows were handed over; none where nothing has begun.
    paused: Option<(Paused<'p>, u64)>,
}

/// How far a statement has got at once.
enum Begun<'c, 'p> {
    /// To its end; so many rows were handed over.
    Done(u64),
    /// It has used up its slice of time, having handed over so many rows.
    Slice(Running<'c, 'p>, u64),
    /// Nowhere: it has to wait for something.
    Not,
}

impl Lease {
    /// Whether a statement's first step waits for the disk.
    #[inline]
    fn waits_for_disk(&self, sql: &str, prepared: Prepared) -> bool {
        // A COMMIT is read-only in SQLite's eyes, and a BEGIN IMMEDIATE is not.
        self.shared.commits_are_slow()
            && if self.in_transaction() { sql == COMMIT } else { !prepared.readonly && sql != BEGIN_IMMEDIATE }
    }
}

/// Hands over all rows from where the statement stands, giving way to other tasks now and then. `total` were handed over
/// before.
#[cold]
async fn read(
    mut running: Running<'_, '_>,
    mut total: u64,
    sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
) -> Result<u64> {
    let mut pace = Pace::new();
    loop {
        let (rows, more) = running.rows(pace.batch, sink)?;
        total += rows as u64;
        if !more {
            return Ok(total);
        }
        pace.turn().await;
    }
}

/// When to give way to the other tasks of the thread.
struct Pace {
    /// How many rows to read before the next turn: fewer where each of them takes long.
    batch: usize,
    clock: Option<Clock>,
}

struct Clock {
    slice: Instant,
    batch: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { batch: BATCH, clock: None }
    }

    /// After a batch. The clock is read here only, so that short results never read it.
    async fn turn(&mut self) {
        let now = Instant::now();
        let Some(clock) = &mut self.clock else {
            self.clock = Some(Clock { slice: now, batch: now });
            return;
        };
        self.batch = if now - clock.batch > SLICE / 2 { (self.batch / 2).max(1) } else { (self.batch * 2).min(BATCH) };
        clock.batch = now;
        if now - clock.slice > SLICE {
            tokio::task::yield_now().await;
            let now = Instant::now();
            self.clock = Some(Clock { slice: now, batch: now });
        }
    }
}

/// A name in double quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cold]
fn lost() -> Error {
    Error::new(
        ErrorKind::Connection,
        "the connection went away with a statement whose future was dropped; what was not committed is rolled back",
    )
}
