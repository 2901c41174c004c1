//! The session's way to the database: a connection for a statement, or for a transaction.

use std::panic::Location;

use super::lock::Turn;
use super::transaction::Unsettled;
use super::{NEEDS_ROLLBACK, Session};
use crate::engine::row::Row;
use crate::engine::{BeginMode, Executed, PooledConnection};
use crate::error::{ErrorKind, Result};
use crate::sql::Value;

/// The connection of the open transaction, if there is one.
#[derive(Default)]
pub(super) struct Link {
    pub(super) connection: Option<PooledConnection>,
    /// Savepoints that were begun in this transaction, for their names.
    pub(super) savepoints: u32,
    /// The transactions that were begun: a cursor belongs to one of them.
    pub(super) transaction: u64,
}

/// What takes the rows of a statement.
pub(crate) type Sink<'a> = &'a mut (dyn FnMut(&Row<'_>) -> Result<()> + Send);

impl Session {
    /// A read: in the open transaction, or on a connection borrowed for the statement.
    pub(crate) async fn fetch(
        &self,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        // In the session's turn: a flush that was under way has made its keys.
        let params = self.with_keys(params)?;
        self.fetch_in(&mut turn, sql, &params, at, sink).await
    }

    pub(super) async fn fetch_in(
        &self,
        turn: &mut Turn<'_>,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        let result = match &mut turn.connection {
            Some(connection) => {
                self.check_open(connection)?;
                let result = connection.fetch(sql, params, sink).await;
                if result.is_err() && !connection.in_transaction() {
                    self.set(NEEDS_ROLLBACK);
                }
                result
            }
            None => self.inner.db.engine.acquire(at).await?.fetch(sql, params, sink).await,
        };
        result.map_err(|error| self.inner.db.explain(error))
    }

    /// A write of one statement: opens the transaction. Entities of the table are of an older epoch afterwards.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        params: &[Value<'_>],
        table: Option<&str>,
        at: &'static Location<'static>,
    ) -> Result<Executed> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        let params = self.with_keys(params)?;
        let executed = self.execute_in(&mut turn, sql, &params, at).await;
        let executed = executed.map_err(|error| match table {
            Some(table) if error.kind() == ErrorKind::ForeignKeyViolation && error.table().is_none() => {
                error.with_message(|message| format!("{message} (table `{table}`)")).with_table(table)
            }
            _ => error,
        })?;
        if let Some(arena) = self.existing_arena() {
            arena.tracker().raise_epoch(table);
        }
        Ok(executed)
    }

    pub(super) async fn execute_in(
        &self,
        turn: &mut Turn<'_>,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
    ) -> Result<Executed> {
        let connection = self.transaction(turn, at).await?;
        let unsettled = Unsettled::new(self);
        let result = connection.execute(sql, params).await;
        unsettled.settle();
        self.settle(turn, result)
    }

    /// Statements that return rows and may write: raw SQL, or INSERT .. RETURNING. What only reads does not open the
    /// transaction; what writes raises the epoch of all entities.
    pub(crate) async fn fetch_any(
        &self,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        let reads = match &mut turn.connection {
            Some(connection) => connection.is_readonly(sql)?,
            None => self.inner.db.engine.acquire(at).await?.is_readonly(sql)?,
        };
        if reads {
            return self.fetch_in(&mut turn, sql, params, at, sink).await;
        }
        let connection = self.transaction(&mut turn, at).await?;
        let unsettled = Unsettled::new(self);
        let result = connection.fetch(sql, params, sink).await;
        unsettled.settle();
        let rows = self.settle(&turn, result)?;
        if let Some(arena) = self.existing_arena() {
            arena.tracker().raise_epoch(None);
        }
        Ok(rows)
    }

    /// Rows of a statement that writes, within a flush.
    pub(super) async fn returning_in(
        &self,
        turn: &mut Turn<'_>,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        let connection = self.transaction(turn, at).await?;
        let result = connection.fetch(sql, params, sink).await;
        self.settle(turn, result)
    }

    /// The connection of the transaction, which begins if it has not yet.
    pub(super) async fn transaction<'a>(
        &self,
        turn: &'a mut Turn<'_>,
        at: &'static Location<'static>,
    ) -> Result<&'a mut PooledConnection> {
        if turn.connection.is_none() {
            let mut connection = self.inner.db.engine.acquire(at).await?;
            connection.begin(BeginMode::Immediate).await?;
            turn.connection = Some(connection);
            turn.savepoints = 0;
            turn.transaction += 1;
        }
        match &mut turn.connection {
            Some(connection) => {
                self.check_open(connection)?;
                Ok(connection)
            }
            None => unreachable!("opened above"),
        }
    }

    /// Whether the transaction is still there: the database may have ended it, or a statement whose future was dropped
    /// may have taken the connection with it. What followed would be committed by itself.
    ///
    /// # Errors
    /// `NeedsRollback`.
    fn check_open(&self, connection: &PooledConnection) -> Result<()> {
        if connection.in_transaction() {
            return Ok(());
        }
        self.set(NEEDS_ROLLBACK);
        self.check()
    }

    /// Completes an error, and takes note when the transaction ended by itself.
    fn settle<O>(&self, turn: &Turn<'_>, result: Result<O>) -> Result<O> {
        result.map_err(|error| {
            if turn.connection.as_ref().is_some_and(|connection| !connection.in_transaction()) {
                self.set(NEEDS_ROLLBACK);
            }
            self.inner.db.explain(error)
        })
    }
}
