//! Commit, rollback and savepoints.

use std::panic::Location;

use super::lock::Turn;
use super::shared::{Bind, DEFAULT, DbShared};
use super::{NEEDS_ROLLBACK, Session};
use crate::entity::arena_ref::ArenaRef;
use crate::error::{Error, ErrorKind, Result};

/// Sets the session to "needs rollback" unless what it guards came to its end.
#[must_use = "it guards what is done until it is settled"]
pub(crate) struct Unsettled<'a> {
    session: &'a Session,
    settled: bool,
}

impl<'a> Unsettled<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        Self { session, settled: false }
    }

    pub(crate) fn settle(mut self) {
        self.settled = true;
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.session.set(NEEDS_ROLLBACK);
        }
    }
}

impl Session {
    /// Begins the transaction now, before the first read, so that everything read in it is still true when it
    /// writes. Without it, reads before the first write see each its own moment. It is the default database's; those of
    /// other binds begin with their first write.
    ///
    /// # Errors
    /// `Busy` when another writer holds the database for too long, `PoolTimeout`, `Connection`; `InvalidStatement`
    /// when the transaction is open already: use [`begin_nested`](Session::begin_nested).
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<()>> + Send + '_ {
        let at = Location::caller();
        async move {
            self.check()?;
            let mut turn = self.turn(at).await?;
            turn.switch(DEFAULT);
            if turn.connection.is_some() {
                return Err(Error::new(
                    ErrorKind::InvalidStatement,
                    "the session's transaction is open already; `begin_nested` makes a savepoint in it",
                ));
            }
            self.transaction(&mut turn, at).await?;
            Ok(())
        }
    }

    /// Flushes, and makes everything of this transaction permanent. Without changes it is free.
    ///
    /// With several binds each database commits by itself, one after the other: servers first, SQLite last, because the
    /// commit of a file hardly ever fails. With [`two_phase`](crate::DbBuilder::two_phase) all are prepared first, and then
    /// either all commit or none.
    ///
    /// # Errors
    /// Those of [`flush`](Session::flush). When the commit itself fails everything is rolled back; `PartialCommit` when
    /// another bind had committed before, which it names.
    #[track_caller]
    pub fn commit(&self) -> impl Future<Output = Result<()>> + Send + '_ {
        let at = Location::caller();
        async move {
            self.check()?;
            self.refuse_in_hook("commit")?;
            if self.has_listeners() {
                Box::pin(self.announce_commit()).await?;
            }
            let mut turn = self.turn(at).await?;
            self.flush_in(&mut turn, at).await?;
            if turn.is_open() {
                let unsettled = Unsettled::new(self);
                let committed = self.commit_in(&mut turn, at).await;
                if let Err(error) = committed {
                    self.forget_changes();
                    unsettled.settle();
                    drop(turn);
                    self.tell_of_rollback();
                    return Err(error);
                }
                unsettled.settle();
            }
            if let Some(arena) = self.existing_arena() {
                arena.tracker().commit();
            }
            drop(turn);
            self.tell_of_commit();
            Ok(())
        }
    }

    /// Commits the transactions of all binds, one after the other: servers first, whose commit is more likely to fail than
    /// a file's, then SQLite; among these the default database first, then in the order in which they were set. When the
    /// first fails all others are rolled back.
    async fn commit_in(&self, turn: &mut Turn<'_>, at: &'static Location<'static>) -> Result<()> {
        let db = self.db();
        let mut order = turn.open();
        if db.two_phase && order.len() > 1 {
            return Box::pin(self.commit_in_two_phases(turn, at)).await;
        }
        order.sort_by_key(|&bind| (!db.engine(bind).is_server(), bind));
        let mut committed = Vec::new();
        for bind in order {
            turn.switch(bind);
            // The connection stays where it is meanwhile: if this future is dropped, the rollback that the session then
            // wants waits for a commit that is still going on.
            let Some(connection) = &mut turn.connection else { continue };
            let outcome = connection.commit().await;
            turn.connection = None;
            if let Err(error) = outcome {
                // Dropping a connection rolls back what is open on it.
                drop(turn.take_all());
                let error = db.database(bind).explain(error);
                return Err(if committed.is_empty() { error } else { partial(db, bind, &committed, error) });
            }
            committed.push(bind);
        }
        Ok(())
    }

    /// Undoes everything since the last commit: in the database, and in the entities, which are again as they were
    /// then. Entities added since belong to no session any more.
    ///
    /// # Errors
    /// `Connection` when the connection broke; the database has rolled back by itself then, and so has the session.
    #[track_caller]
    pub fn rollback(&self) -> impl Future<Output = Result<()>> + Send + '_ {
        let at = Location::caller();
        async move {
            self.refuse_in_hook("rollback")?;
            let mut turn = self.turn(at).await?;
            let connections = turn.take_all();
            self.forget_changes();
            let mut outcome = Ok(());
            for (_, mut connection) in connections {
                // All of them, whatever becomes of one.
                outcome = outcome.and(connection.rollback().await);
            }
            drop(turn);
            self.tell_of_rollback();
            outcome
        }
    }

    /// The entities go back to the last commit, and the session is usable again.
    fn forget_changes(&self) {
        if let Some(arena) = self.existing_arena() {
            arena.tracker().rollback(&arena);
        }
        self.unset(NEEDS_ROLLBACK);
    }

    /// Flushes, and begins a savepoint: what follows can be undone by itself. Dropping the savepoint keeps what was
    /// done.
    ///
    /// # Errors
    /// Those of [`flush`](Session::flush) and [`begin`](Session::begin).
    #[track_caller]
    pub fn begin_nested(&self) -> impl Future<Output = Result<Savepoint>> + Send + '_ {
        let at = Location::caller();
        async move {
            self.check()?;
            self.refuse_in_flush("begin_nested")?;
            let mut turn = self.turn(at).await?;
            self.flush_in(&mut turn, at).await?;
            if !turn.is_open() {
                turn.switch(DEFAULT);
                self.transaction(&mut turn, at).await?;
            }
            turn.savepoints += 1;
            let name = format!("aludel_{}", turn.savepoints);
            let mut binds = Vec::new();
            for bind in turn.open() {
                turn.switch(bind);
                if let Some(connection) = &mut turn.connection {
                    connection.savepoint(&name).await?;
                    binds.push(bind);
                }
            }
            let arena = self.arena();
            let (mark, outer) = arena.tracker().begin_scope();
            Ok(Savepoint { session: self.clone(), name, binds, arena, mark, outer })
        }
    }
}

/// A savepoint: a part of the transaction that can be undone by itself.
#[must_use = "a savepoint that is not rolled back is kept"]
pub struct Savepoint {
    session: Session,
    name: String,
    /// The databases that have it: those that join the transaction later begin after it.
    binds: Vec<Bind>,
    arena: ArenaRef,
    mark: usize,
    outer: u32,
}

impl Savepoint {
    /// Undoes what was done since the savepoint, in the database and in the entities, also after a failed flush.
    ///
    /// # Errors
    /// `InvalidStatement` when the transaction has ended since.
    #[track_caller]
    pub fn rollback(self) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            self.session.refuse_in_flush("a savepoint's rollback")?;
            let mut turn = self.session.turn(at).await?;
            if self.binds.iter().any(|bind| !turn.open().contains(bind)) {
                return Err(ended());
            }
            for bind in turn.open() {
                turn.switch(bind);
                let Some(connection) = &mut turn.connection else { return Err(ended()) };
                if self.binds.contains(&bind) {
                    connection.rollback_to(&self.name).await?;
                } else {
                    // All that was done there was done since.
                    connection.rollback().await?;
                    turn.connection = None;
                }
            }
            self.arena.tracker().undo_scope(&self.arena, self.mark, self.outer);
            // After a `clear` the session has read rows since that are as they were before.
            if let Some(arena) = self.session.existing_arena().filter(|arena| !arena.is(&self.arena)) {
                arena.tracker().raise_epoch(None);
            }
            self.session.unset(NEEDS_ROLLBACK);
            Ok(())
        }
    }

    /// Flushes, and ends the savepoint; what was done since is a part of the transaction.
    ///
    /// # Errors
    /// Those of [`Session::flush`]; `InvalidStatement` when the transaction has ended since.
    #[track_caller]
    pub fn release(self) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            self.session.check()?;
            self.session.refuse_in_flush("a savepoint's release")?;
            let mut turn = self.session.turn(at).await?;
            self.session.flush_in(&mut turn, at).await?;
            for &bind in &self.binds {
                turn.switch(bind);
                let Some(connection) = &mut turn.connection else { return Err(ended()) };
                connection.release(&self.name).await?;
            }
            self.arena.tracker().end_scope(self.outer);
            Ok(())
        }
    }
}

/// Some databases have committed, and one could not.
#[cold]
fn partial(db: &DbShared, failed: Bind, committed: &[Bind], error: Error) -> Error {
    let committed: Vec<String> = committed.iter().map(|&bind| name_of(db, bind)).collect();
    let message = format!(
        "{} could not commit, after {} had committed: what was written there stays, all else is rolled back: {error}",
        name_of(db, failed),
        committed.join(" and ")
    );
    Error::new(ErrorKind::PartialCommit, message).with_source(error)
}

/// What messages call a database.
#[cold]
pub(super) fn name_of(db: &DbShared, bind: Bind) -> String {
    match &db.database(bind).name {
        Some(name) => format!("the bind `{name}`"),
        None => "the default database".to_owned(),
    }
}

#[cold]
fn ended() -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        "the savepoint's transaction has ended; a savepoint is released or rolled back before `commit`",
    )
}
