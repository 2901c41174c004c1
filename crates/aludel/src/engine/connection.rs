//! A connection of the pool, as sessions use it.

mod brief;
mod copy;
mod embedded;
mod two_phase;

use tokio::sync::oneshot;

use super::BeginMode;
use super::driver::Driver;
use super::lease::Lease;
use super::retry::Retry;
use super::row::Row;
use super::sqlite::{Connection, Paused};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Dialect, Value};
pub(crate) use brief::Brief;
pub(crate) use copy::CopyIn;
use embedded::{BEGIN_IMMEDIATE, Begun, COMMIT, read};
pub(crate) use two_phase::Finish;

/// The name of a cursor of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CursorId(pub(super) u64);

/// What takes the rows of a statement.
pub(crate) type Sink<'a> = &'a mut (dyn FnMut(&Row<'_>) -> Result<()> + Send);

/// What takes the rows of several statements, each with the place of its statement.
pub(crate) type SinkOfSeveral<'a> = &'a mut (dyn FnMut(usize, &Row<'_>) -> Result<()> + Send);

/// What a statement has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Executed {
    /// The rows that it inserted, updated or deleted itself, without those of triggers and cascades.
    pub(crate) rows_affected: u64,
    /// SQLite's rowid of the row last inserted on this connection, by whichever statement; MySQL's LAST_INSERT_ID() of
    /// the statement; 0 on PostgreSQL, which has no such thing.
    pub(crate) last_insert_id: i64,
}

/// What several statements have come to.
pub(crate) struct Several {
    /// Of those that succeeded, in their order.
    pub(crate) done: Vec<Executed>,
    /// Why another did not, and which.
    pub(crate) failed: Option<(usize, Error)>,
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
    /// What the last statement on a server has changed.
    executed: Executed,
}

/// A lease on its way to another thread. The fields go in this order: first home, then the word that it is.
struct Away {
    lease: Lease,
    _home: oneshot::Sender<()>,
}

impl PooledConnection {
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease: Some(lease), away: None, executed: Executed::default() }
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
        let lease = self.lease()?;
        if lease.driver().is_some_and(Driver::begin_with_next) {
            lease.shared.log.statement("BEGIN");
            return Ok(());
        }
        self.command(match (mode, self.dialect()) {
            (BeginMode::Immediate, Dialect::Sqlite) => BEGIN_IMMEDIATE,
            (BeginMode::Deferred | BeginMode::Immediate, _) => "BEGIN",
        })
        .await
    }

    /// Commits the transaction; open cursors end.
    ///
    /// # Errors
    /// `NeedsRollback` when the database has ended the transaction by itself; a violation when a deferred constraint
    /// refuses it, and then it is still open.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        self.close_cursors()?;
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
        self.close_cursors()?;
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
        self.savepoint_command("SAVEPOINT ", name).await
    }

    /// Forgets a savepoint, keeping what happened since.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn release(&mut self, name: &str) -> Result<()> {
        self.savepoint_command(if self.dialect() == Dialect::Sqlite { "RELEASE " } else { "RELEASE SAVEPOINT " }, name)
            .await
    }

    /// Undoes what happened since a savepoint, which stays.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn rollback_to(&mut self, name: &str) -> Result<()> {
        self.savepoint_command("ROLLBACK TO ", name).await
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
            if lease.is_server() {
                return Now::Later(Rest { sql, params, paused: None });
            }
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
            None if self.lease.as_ref().is_some_and(Lease::is_server) => self.fetch_remotely(sql, params, sink).await,
            None => self.fetch_patiently(sql, params, sink).await,
        };
        self.settle();
        outcome.map_err(|error| error.with_statement(sql))
    }

    async fn fetch_remotely(&mut self, sql: &str, params: &[Value<'_>], sink: Sink<'_>) -> Result<u64> {
        let fetched = self.driver()?.fetch(sql, params, sink).await?;
        self.executed = fetched.executed;
        Ok(fetched.rows)
    }

    /// Runs a statement to its end, passing over its rows.
    ///
    /// # Errors
    /// What the database reports, with its kind and the statement.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Executed> {
        self.execute_returning(sql, params, &mut |_| Ok(())).await
    }

    async fn execute_returning(&mut self, sql: &str, params: &[Value<'_>], sink: Sink<'_>) -> Result<Executed> {
        let before = match self.driver()? {
            Driver::Sqlite(connection) => connection.total_changes(),
            #[allow(unreachable_patterns, reason = "there are servers with their features")]
            _ => {
                self.fetch(sql, params, sink).await?;
                return Ok(self.executed);
            }
        };
        self.fetch(sql, params, sink).await?;
        let connection = self.sqlite()?;
        // SQLite's count is that of the last statement that changed anything, perhaps an earlier one.
        let rows_affected = if connection.total_changes() == before { 0 } else { connection.changes() };
        Ok(Executed { rows_affected, last_insert_id: connection.last_insert_rowid() })
    }

    /// Runs statements one after the other, in one round trip where the backend takes several at once. Their rows are
    /// handed to `sink` with the place of their statement. The first that fails is the last.
    pub(crate) async fn execute_all(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
        sink: SinkOfSeveral<'_>,
    ) -> Several {
        if let Some(lease) = &mut self.lease
            && lease.takes_several()
        {
            statements.iter().for_each(|(sql, _)| lease.shared.log.statement(sql));
            if let Some(driver) = lease.driver() {
                return driver.execute_all(statements, sink).await;
            }
        }
        let mut several = Several { done: Vec::with_capacity(statements.len()), failed: None };
        for (at, (sql, params)) in statements.iter().enumerate() {
            match self.execute_returning(sql, params, &mut |row| sink(at, row)).await {
                Ok(executed) => several.done.push(executed),
                Err(error) => {
                    several.failed = Some((at, error));
                    break;
                }
            }
        }
        several
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
        if lease.is_server() {
            return self.driver()?.execute_batch(sql).await.map_err(|error| error.with_statement(sql));
        }
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
        let connection = match self.driver()? {
            Driver::Sqlite(connection) => connection,
            #[allow(unreachable_patterns, reason = "there are servers with their features")]
            _ => return Ok(super::driver::reads_only(sql)),
        };
        let prepared = connection.prepare(sql).map_err(|error| error.with_statement(sql))?;
        connection.finish();
        Ok(prepared.readonly)
    }

    /// Opens a cursor: a statement whose rows are asked for little by little, other statements running meanwhile. It
    /// sees the snapshot of its first row until its end, and a commit or rollback ends it.
    ///
    /// # Errors
    /// When the statement does not compile, or its values cannot be stored.
    pub(crate) async fn open_cursor(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        let lease = self.lease()?;
        lease.shared.log.statement(sql);
        let opened = match lease.driver().ok_or_else(lost)? {
            Driver::Sqlite(connection) => connection.open_cursor(sql, params),
            #[allow(unreachable_patterns, reason = "there are servers with their features")]
            server => server.open_cursor(sql, params).await,
        };
        opened.map_err(|error| error.with_statement(sql))
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
        if self.lease()?.is_server() {
            return self.driver()?.fetch_some(cursor, limit, sink).await;
        }
        let outcome = self.advance(cursor, limit, sink).await;
        self.settle();
        outcome
    }

    /// Closes a cursor. One that has ended by itself may be closed too.
    pub(crate) fn close_cursor(&mut self, cursor: CursorId) {
        match self.driver() {
            Ok(Driver::Sqlite(connection)) => connection.close_cursor(cursor),
            #[allow(unreachable_patterns, reason = "there are servers with their features")]
            Ok(server) => server.close_cursor(cursor),
            Err(_) => {}
        }
        self.settle();
    }

    async fn savepoint_command(&mut self, command: &str, name: &str) -> Result<()> {
        let mut sql = String::from(command);
        self.dialect().quote(name, &mut sql);
        self.command(&sql).await
    }

    /// The SQL that the database understands.
    pub(crate) fn dialect(&self) -> Dialect {
        self.lease.as_ref().map_or(Dialect::Sqlite, |lease| lease.shared.dialect)
    }

    fn close_cursors(&mut self) -> Result<()> {
        match self.driver()? {
            Driver::Sqlite(connection) => connection.close_cursors(),
            #[allow(unreachable_patterns, reason = "there are servers with their features")]
            server => server.close_cursors(),
        }
        Ok(())
    }

    /// A statement that has neither values nor rows.
    async fn command(&mut self, sql: &str) -> Result<()> {
        self.fetch(sql, &[], &mut |_| Ok(())).await.map(drop)
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
    fn driver(&mut self) -> Result<&mut Driver> {
        self.lease.as_mut().and_then(Lease::driver).ok_or_else(lost)
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

#[cold]
fn lost() -> Error {
    Error::new(
        ErrorKind::Connection,
        "the connection went away with a statement whose future was dropped; what was not committed is rolled back",
    )
}
