//! The session's way to the database: a connection for a statement, or for a transaction.

use std::panic::Location;

use super::entities::StatementTurn;
use super::lock::Turn;
use super::pending_keys::has_pending_key;
use super::shared::Bind;
use super::transaction::Unsettled;
use super::{NEEDS_ROLLBACK, Session};
use crate::engine::row::Row;
use crate::engine::{BeginMode, Engine, Executed, Now, PooledConnection, Rest, Several, SinkOfSeveral};
use crate::error::{ErrorKind, Result};
use crate::sql::Value;

/// The connection of the open transaction, if there is one.
#[derive(Default)]
pub(crate) struct Link {
    /// That of the bind whose turn it is: see [`switch`](Link::switch).
    pub(super) connection: Option<PooledConnection>,
    /// Whose turn it is.
    pub(super) bind: Bind,
    /// The connections of the other binds with an open transaction.
    pub(super) parked: Vec<(Bind, PooledConnection)>,
    /// Savepoints that were begun in this transaction, for their names.
    pub(super) savepoints: u32,
    /// Whether hooks of the flush under way have written something.
    pub(super) hooks_wrote: bool,
    /// The transactions that were begun: a cursor belongs to one of them.
    pub(super) transaction: u64,
}

impl Link {
    /// Makes it a bind's turn: what follows is about its connection.
    #[inline]
    pub(super) fn switch(&mut self, bind: Bind) {
        if bind != self.bind {
            self.switch_to_another(bind);
        }
    }

    fn switch_to_another(&mut self, bind: Bind) {
        if let Some(connection) = self.connection.take() {
            self.parked.push((self.bind, connection));
        }
        let at = self.parked.iter().position(|(parked, _)| *parked == bind);
        self.connection = at.map(|at| self.parked.swap_remove(at).1);
        self.bind = bind;
    }

    /// Whether a transaction is open, of whatever bind.
    pub(super) fn is_open(&self) -> bool {
        self.connection.is_some() || !self.parked.is_empty()
    }

    /// The binds with an open transaction.
    pub(super) fn open(&self) -> Vec<Bind> {
        let mut open: Vec<Bind> = self.parked.iter().map(|(bind, _)| *bind).collect();
        open.extend(self.connection.is_some().then_some(self.bind));
        open.sort_unstable();
        open
    }

    /// Takes the connections of all binds.
    pub(super) fn take_all(&mut self) -> Vec<(Bind, PooledConnection)> {
        let mut all = std::mem::take(&mut self.parked);
        all.extend(self.connection.take().map(|connection| (self.bind, connection)));
        all.sort_by_key(|(bind, _)| *bind);
        all
    }
}

/// How far a read has got at once.
pub(crate) enum Fetched<'p> {
    Done(Result<u64>),
    /// The rest is [`finish_fetch`](Session::finish_fetch)'s.
    Unfinished(Unfinished<'p>),
}

/// What is left of a read: all of it, where the session's turn or a connection has to be waited for. It goes before the
/// turn does: a connection goes home before that.
pub(crate) struct Unfinished<'p> {
    begun: Option<Box<Begun<'p>>>,
    bind: Bind,
    sql: &'p str,
    params: &'p [Value<'p>],
    at: &'static Location<'static>,
}

/// A read that has to wait for something.
struct Begun<'p> {
    borrowed: Option<PooledConnection>,
    rest: Rest<'p>,
}

/// What takes the rows of a statement.
pub(crate) type Sink<'a> = &'a mut (dyn FnMut(&Row<'_>) -> Result<()> + Send);

impl Session {
    /// A read: in the open transaction, or on a connection borrowed for the statement.
    #[inline]
    pub(crate) async fn fetch(
        &self,
        bind: Bind,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        // A loop over short statements has to give way now and then: none of them waits for anything.
        tokio::task::coop::consume_budget().await;
        let mut turn = self.inner.try_turn(at);
        match self.fetch_now(turn.as_mut(), bind, sql, params, at, sink) {
            Fetched::Done(result) => result,
            // In a box, which few need: else the future of every query would be larger, and it is moved around.
            Fetched::Unfinished(rest) => {
                Box::pin(async move {
                    let Unfinished { begun, bind, sql, params, at } = rest;
                    if let (Some(begun), Some(turn)) = (begun, &mut turn) {
                        return self.fetch_rest(turn, *begun, sink).await;
                    }
                    drop(turn);
                    self.fetch_patiently(bind, sql, params, at, sink).await
                })
                .await
            }
        }
    }

    /// Goes on with what [`fetch_now`](Self::fetch_now) has begun, of the same statement. The turn is over afterwards.
    #[cold]
    pub(crate) async fn finish_fetch(
        &self,
        turn: &mut StatementTurn<'_, '_>,
        rest: Unfinished<'_>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        let Unfinished { begun, bind, sql, params, at } = rest;
        if let (Some(begun), Some(turn)) = (begun, turn.get()) {
            return self.fetch_rest(turn, *begun, sink).await;
        }
        turn.end();
        self.fetch_patiently(bind, sql, params, at, sink).await
    }

    /// A read as far as it goes without waiting for anything, in the session's turn if nobody else has that.
    pub(crate) fn fetch_now<'p>(
        &self,
        turn: Option<&mut Turn<'_>>,
        bind: Bind,
        sql: &'p str,
        params: &'p [Value<'p>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Fetched<'p> {
        if let Err(error) = self.check() {
            return Fetched::Done(Err(error));
        }
        let unfinished = |begun| Fetched::Unfinished(Unfinished { begun, bind, sql, params, at });
        if has_pending_key(params) || self.inner.db().engine(bind).is_server() {
            return unfinished(None);
        }
        let Some(turn) = turn else { return unfinished(None) };
        turn.switch(bind);
        let (now, borrowed) = match &mut turn.connection {
            Some(connection) => match self.check_open(connection) {
                Ok(()) => (connection.fetch_now(sql, params, sink), None),
                Err(error) => return Fetched::Done(Err(error)),
            },
            None => match self.inner.db().engine(bind).try_borrow(at) {
                Some(connection) => connection.fetch_now(sql, params, sink),
                None => return unfinished(None),
            },
        };
        match now {
            Now::Done(Ok(rows)) => Fetched::Done(Ok(rows)),
            Now::Done(result) => Fetched::Done(self.settle(turn, result)),
            Now::Later(rest) => unfinished(Some(Box::new(Begun { borrowed, rest }))),
        }
    }

    #[cold]
    async fn fetch_rest(&self, turn: &mut Turn<'_>, begun: Begun<'_>, sink: Sink<'_>) -> Result<u64> {
        let Begun { mut borrowed, rest } = begun;
        let result = match (&mut borrowed, &mut turn.connection) {
            (Some(connection), _) | (None, Some(connection)) => connection.fetch_rest(rest, sink).await,
            (None, None) => unreachable!("begun on one of them"),
        };
        self.settle(turn, result)
    }

    #[cold]
    async fn fetch_patiently(
        &self,
        bind: Bind,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        self.check()?;
        // In the session's turn: a flush that was under way has made its keys.
        let params = self.with_keys(params)?;
        self.fetch_in(&mut turn, sql, &params, at, sink).await
    }

    /// A read in a turn that is there already.
    pub(super) async fn fetch_in(
        &self,
        turn: &mut Turn<'_>,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        if let Some(connection) = &mut turn.connection {
            self.check_open(connection)?;
            let result = connection.fetch(sql, params, sink).await;
            return self.settle(turn, result);
        }
        let result = self.fetch_outside(turn.bind, sql, params, at, sink).await;
        self.settle(turn, result)
    }

    /// A read on a connection borrowed for it. Where the server has cut that off and no row has come, it is read again on a
    /// new one: outside a transaction nothing is lost by it.
    async fn fetch_outside(
        &self,
        bind: Bind,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        let database = self.inner.db().database(bind);
        if self.reads_from_replicas(bind) {
            return Box::pin(self.fetch_from_replica(database, sql, params, at, sink)).await;
        }
        Self::fetch_on(&database.engine, sql, params, at, sink).await
    }

    /// A read on a connection of one server: see [`fetch_outside`](Self::fetch_outside).
    pub(super) async fn fetch_on(
        engine: &Engine,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        let mut handed = false;
        let mut noting = |row: &Row<'_>| {
            handed = true;
            sink(row)
        };
        let result = engine.acquire(at).await?.fetch(sql, params, &mut noting).await;
        match result {
            Err(error) if error.kind() == ErrorKind::Connection && engine.is_server() && !handed => {
                engine.connection_lost();
                engine.acquire(at).await?.fetch(sql, params, sink).await
            }
            result => result,
        }
    }

    /// A write of one statement: opens the transaction. Entities of the table are of an older epoch afterwards.
    pub(crate) async fn execute(
        &self,
        bind: Bind,
        sql: &str,
        params: &[Value<'_>],
        table: Option<&str>,
        at: &'static Location<'static>,
    ) -> Result<Executed> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
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

    /// Statements of a flush, sent together where the database takes several at once.
    pub(super) async fn execute_all_in(
        &self,
        turn: &mut Turn<'_>,
        statements: &[(&str, &[Value<'_>])],
        at: &'static Location<'static>,
        sink: SinkOfSeveral<'_>,
    ) -> Several {
        let connection = match self.transaction(turn, at).await {
            Ok(connection) => connection,
            Err(error) => return Several { done: Vec::new(), failed: Some((0, error)) },
        };
        let unsettled = Unsettled::new(self);
        let Several { done, failed } = connection.execute_all(statements, sink).await;
        unsettled.settle();
        let settled = |(at, error)| Some((at, self.settle::<()>(turn, Err(error)).err()?));
        Several { done, failed: failed.and_then(settled) }
    }

    /// Statements that return rows and may write: raw SQL, or INSERT .. RETURNING. What only reads does not open the
    /// transaction; what writes raises the epoch of all entities.
    pub(crate) async fn fetch_any(
        &self,
        bind: Bind,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        let reads = match &mut turn.connection {
            Some(connection) => connection.is_readonly(sql)?,
            None => self.inner.db().engine(bind).acquire(at).await?.is_readonly(sql)?,
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

    /// Rows of a statement that writes one table. Entities of it that were there before are of an older epoch, those that
    /// it brings are not.
    pub(crate) async fn fetch_written(
        &self,
        bind: Bind,
        sql: &str,
        params: &[Value<'_>],
        table: &str,
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        let params = self.with_keys(params)?;
        let connection = self.transaction(&mut turn, at).await?;
        if let Some(arena) = self.existing_arena() {
            arena.tracker().raise_epoch(Some(table));
        }
        let unsettled = Unsettled::new(self);
        let result = connection.fetch(sql, &params, sink).await;
        unsettled.settle();
        self.settle(&turn, result)
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

    /// Opens a database's transaction, if it is not open yet: for a read whose locks are to last.
    pub(crate) async fn begin_of(&self, bind: Bind, at: &'static Location<'static>) -> Result<()> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        self.transaction(&mut turn, at).await?;
        Ok(())
    }

    /// The connection of the transaction, which begins if it has not yet.
    pub(super) async fn transaction<'a>(
        &self,
        turn: &'a mut Turn<'_>,
        at: &'static Location<'static>,
    ) -> Result<&'a mut PooledConnection> {
        if turn.connection.is_none() {
            let connection = self.begin_on_any(turn.bind, at).await?;
            if !turn.is_open() {
                turn.savepoints = 0;
                turn.transaction += 1;
            }
            if self.reads_from_replicas(turn.bind) {
                self.on_primary();
            }
            turn.connection = Some(connection);
        }
        turn.hooks_wrote |= turn.is_lent();
        match &mut turn.connection {
            Some(connection) => {
                self.check_open(connection)?;
                Ok(connection)
            }
            None => unreachable!("opened above"),
        }
    }

    /// A connection with a transaction that has just begun. Where the server has cut the first one off, another is tried.
    async fn begin_on_any(&self, bind: Bind, at: &'static Location<'static>) -> Result<PooledConnection> {
        let engine = self.inner.db().engine(bind);
        let mut connection = engine.acquire(at).await?;
        match connection.begin(BeginMode::Immediate).await {
            Err(error) if error.kind() == ErrorKind::Connection && engine.is_server() => {
                drop(connection);
                engine.connection_lost();
                connection = engine.acquire(at).await?;
                connection.begin(BeginMode::Immediate).await?;
            }
            begun => begun?,
        }
        Ok(connection)
    }

    /// Whether the transaction is still there: the database may have ended it, or a statement whose future was dropped
    /// may have taken the connection with it. What followed would be committed by itself.
    ///
    /// # Errors
    /// `NeedsRollback`.
    pub(super) fn check_open(&self, connection: &PooledConnection) -> Result<()> {
        if connection.in_transaction() {
            return Ok(());
        }
        self.set(NEEDS_ROLLBACK);
        self.check()
    }

    /// Completes an error, and takes note when the transaction ended by itself.
    pub(super) fn settle<O>(&self, turn: &Turn<'_>, result: Result<O>) -> Result<O> {
        result.map_err(|error| {
            if turn.connection.as_ref().is_some_and(|connection| !connection.in_transaction()) {
                self.set(NEEDS_ROLLBACK);
            }
            self.inner.db().database(turn.bind).explain(error)
        })
    }
}
