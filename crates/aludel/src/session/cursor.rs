//! Rows of a query little by little: for streams.

use std::panic::Location;
use std::sync::Arc;

use super::connection::Sink;
use super::pending_keys::with_keys;
use super::replicas::primary_may_know;
use super::shared::{Bind, DbShared};
use super::{Session, detached};
use crate::engine::{CursorId, Engine, PooledConnection};
use crate::entity::arena_ref::ArenaRef;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// Where a stream's rows will come from.
///
/// Outside a transaction that is a connection of the stream's own, and the session may end before the stream does. In
/// a transaction, or where changes wait to be flushed, it is the session's.
pub(crate) struct CursorSource {
    db: Arc<DbShared>,
    bind: Bind,
    session: Option<Session>,
    /// Whether the rows may come from a replica.
    from_replica: bool,
    /// What knows the keys of rows that were new when the query was written.
    arena: Option<ArenaRef>,
}

/// A statement whose rows are asked for little by little.
pub(crate) enum Cursor {
    /// On a connection of its own.
    Own { db: Arc<DbShared>, bind: Bind, connection: PooledConnection, id: CursorId },
    /// On the connection of the session's transaction.
    Shared { session: Session, bind: Bind, transaction: u64, id: CursorId },
    /// All at once: of a database in memory, whose one connection nobody may keep.
    Whole { session: Session, bind: Bind, sql: String, params: Vec<Value<'static>> },
    /// At its end.
    Ended,
}

impl Session {
    /// Where the rows of a stream that begins now will come from.
    ///
    /// # Errors
    /// `Detached` when the session is closed, `NeedsRollback` after a failed flush.
    pub(crate) fn cursor_source(&self, bind: Bind) -> Result<CursorSource> {
        self.check()?;
        let idle = self.inner.try_turn(Location::caller()).is_some_and(|turn| !turn.is_open());
        let pending = self.existing_arena().is_some_and(|arena| arena.tracker().needs_flush());
        let alone = idle && !pending && !self.db().engine(bind).is_memory();
        let arena = self.existing_arena();
        let from_replica = alone && self.reads_from_replicas(bind);
        let session = (!alone).then(|| self.clone());
        Ok(CursorSource { db: Arc::clone(self.db()), bind, session, from_replica, arena })
    }
}

impl CursorSource {
    /// Opens the cursor.
    ///
    /// # Errors
    /// `PoolTimeout`, `Connection`; when the statement does not compile; those of a flush.
    pub(crate) async fn open(
        self,
        sql: String,
        params: Vec<Value<'static>>,
        at: &'static Location<'static>,
    ) -> Result<Cursor> {
        let Self { db, bind, session, from_replica, arena } = self;
        if let Some(session) = session {
            session.autoflush(at).await?;
            session.check()?;
            let mut turn = session.turn(at).await?;
            turn.switch(bind);
            let transaction = turn.transaction;
            if let Some(connection) = &mut turn.connection {
                let id = connection.open_cursor(&sql, &with_keys(arena.as_ref(), &params)?).await?;
                drop(turn);
                return Ok(Cursor::Shared { session, bind, transaction, id });
            }
            drop(turn);
            if db.engine(bind).is_memory() {
                return Ok(Cursor::Whole { session, bind, sql, params });
            }
        }
        if from_replica {
            let params = with_keys(arena.as_ref(), &params)?;
            for replica in db.database(bind).replicas.in_turn() {
                match open_on(&replica.engine, &sql, &params, at).await {
                    Ok((connection, id)) => return Ok(Cursor::Own { db: Arc::clone(&db), bind, connection, id }),
                    Err(error) if error.kind() == ErrorKind::Connection => replica.leave_out(&error),
                    Err(error) if primary_may_know(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let params = with_keys(arena.as_ref(), &params)?;
        let (connection, id) = open_on(db.engine(bind), &sql, &params, at).await?;
        Ok(Cursor::Own { db, bind, connection, id })
    }
}

impl Cursor {
    /// Hands at most `limit` rows to `sink` (all of them where they come all at once); whether there are more.
    ///
    /// # Errors
    /// `InvalidStatement` when the transaction of the cursor has ended; what the database reports.
    pub(crate) async fn rows(&mut self, limit: usize, at: &'static Location<'static>, sink: Sink<'_>) -> Result<bool> {
        match self {
            Self::Own { db, bind, connection, id } => {
                connection.fetch_some(*id, limit, sink).await.map_err(|error| db.database(*bind).explain(error))
            }
            Self::Shared { session, bind, transaction, id } => {
                if session.is_closed() {
                    return Err(detached());
                }
                let mut turn = session.turn(at).await?;
                if turn.transaction != *transaction {
                    return Err(ended());
                }
                turn.switch(*bind);
                let Some(connection) = &mut turn.connection else { return Err(ended()) };
                let more = connection.fetch_some(*id, limit, sink).await;
                more.map_err(|error| session.db().database(*bind).explain(error))
            }
            Self::Whole { session, bind, sql, params } => {
                let (session, bind) = (session.clone(), *bind);
                let (sql, params) = (std::mem::take(sql), std::mem::take(params));
                *self = Self::Ended;
                session.fetch(bind, &sql, &params, at, sink).await?;
                Ok(false)
            }
            Self::Ended => Ok(false),
        }
    }
}

impl Drop for Cursor {
    /// A cursor in a transaction is closed at once where nobody holds the session's turn, else with the transaction.
    fn drop(&mut self) {
        if let Self::Shared { session, bind, transaction, id } = self
            && let Some(mut turn) = session.inner.try_turn(Location::caller())
            && turn.transaction == *transaction
        {
            turn.switch(*bind);
            if let Some(connection) = &mut turn.connection {
                connection.close_cursor(*id);
            }
        }
    }
}

/// A cursor on a connection of one server.
async fn open_on(
    engine: &Engine,
    sql: &str,
    params: &[Value<'_>],
    at: &'static Location<'static>,
) -> Result<(PooledConnection, CursorId)> {
    let mut connection = engine.acquire(at).await?;
    let id = connection.open_cursor(sql, params).await?;
    Ok((connection, id))
}

#[cold]
fn ended() -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        "the transaction that this stream reads in was committed or rolled back before its end; read it to its end \
         first, or begin it outside a transaction",
    )
}
