//! Statements on a database in this process: they run on the thread that asks, and give way now and then.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Away, CursorId, PooledConnection, lost};
use crate::engine::lease::Lease;
use crate::engine::offload;
use crate::engine::retry::Retry;
use crate::engine::row::Row;
use crate::engine::sqlite::{Connection, Prepared, Running, StepError};
use crate::error::{ErrorKind, Result};
use crate::sql::Value;

/// How many rows are read between two looks at the clock.
const BATCH: usize = 64;

/// How long rows are read before the other tasks of the thread have their turn.
const SLICE: Duration = Duration::from_micros(250);

pub(super) const BEGIN_IMMEDIATE: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";

impl PooledConnection {
    #[inline]
    pub(super) fn begin_now<'c, 'p>(
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
        run_now(lease.sqlite().ok_or_else(lost)?, params, sink)
    }

    /// Runs a statement that has to wait for something.
    #[cold]
    pub(super) async fn fetch_patiently(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<u64> {
        let running = self.start(sql, params).await?;
        read(running, 0, sink).await
    }

    /// Hands at most `limit` rows of a cursor to `sink`; whether there are more.
    pub(super) async fn advance(
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
    pub(super) async fn offload<R: Send + 'static>(
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
}

/// Runs a statement that is prepared, for at most one slice of time.
#[inline]
pub(super) fn run_now<'c, 'p>(
    connection: &'c mut Connection,
    params: &'p [Value<'p>],
    sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
) -> Result<Begun<'c, 'p>> {
    let mut running = connection.bind(params)?;
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

/// How far a statement has got at once.
pub(super) enum Begun<'c, 'p> {
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
pub(super) async fn read(
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
