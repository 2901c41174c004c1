//! The methods that send a query.
//!
//! Each reads its caller's place before anything else, checks and renders the query at once, and returns a future that
//! does the rest: no connection is taken for a query that cannot be sent.

use std::panic::Location;

use crate::engine::row::Row;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{Fetched, Session, StatementTurn, Unfinished};
use crate::sql::Statement;

use super::Query;
use super::draft::{self, Prepared};
use super::eager::Plan;
use super::fetch::{Fetch, Source};

impl<M: Model, R: Fetch> Query<M, R> {
    /// All rows. Pending changes of the session are flushed first, as before every query.
    ///
    /// # Errors
    /// `InvalidStatement` for what the types do not check, before anything is sent; `Decode` when a value does not fit
    /// its type; `MissingTable`, `Connection` and others as the database reports them; those of
    /// [`Session::flush`].
    #[track_caller]
    pub fn all(self, session: &Session) -> impl Future<Output = Result<Vec<R>>> + Send {
        let at = Location::caller();
        let prepared = self.draft.prepare(session.rendering_of(M::def()));
        rows(session, M::def(), prepared, at)
    }

    /// The first row, if there is one. Without an order it is any.
    ///
    /// # Errors
    /// As [`all`](Query::all).
    #[track_caller]
    pub fn first(self, session: &Session) -> impl Future<Output = Result<Option<R>>> + Send {
        let at = Location::caller();
        let prepared = self.draft.into_draft().at_most(1).prepare(session.rendering_of(M::def()));
        async move { Ok(rows(session, M::def(), prepared, at).await?.pop()) }
    }

    /// The first row; its absence is the response 404.
    ///
    /// # Errors
    /// `NotFound` when there is no row; otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn first_or_404(self, session: &Session) -> impl Future<Output = Result<R>> + Send {
        let first = self.first(session);
        async move { first.await?.ok_or_else(|| no_row::<M>().or_404()) }
    }

    /// The only row.
    ///
    /// # Errors
    /// `NotFound` when there is no row, `MultipleFound` when there is more than one; otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn one(self, session: &Session) -> impl Future<Output = Result<R>> + Send {
        let one = self.one_or_none(session);
        async move { one.await?.ok_or_else(no_row::<M>) }
    }

    /// The only row, if there is one.
    ///
    /// # Errors
    /// `MultipleFound` when there is more than one row; otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn one_or_none(self, session: &Session) -> impl Future<Output = Result<Option<R>>> + Send {
        let at = Location::caller();
        let prepared = self.draft.into_draft().at_most(2).prepare(session.rendering_of(M::def()));
        async move {
            let mut rows = rows(session, M::def(), prepared, at).await?;
            if rows.len() > 1 {
                let def = M::def();
                let message = format!("more than one row of `{}` where one was asked for", def.table);
                return Err(Error::new(ErrorKind::MultipleFound, message).with_table(def.table));
            }
            Ok(rows.pop())
        }
    }

    /// The only row; that there is none, or more than one, is the response 404.
    ///
    /// # Errors
    /// `NotFound` when there is not exactly one row; otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn one_or_404(self, session: &Session) -> impl Future<Output = Result<R>> + Send {
        let one = self.one(session);
        async move { one.await.map_err(Error::or_404) }
    }

    /// How many rows there are, without reading them. What is loaded along does not matter.
    ///
    /// # Errors
    /// As [`all`](Query::all).
    #[track_caller]
    pub fn count(self, session: &Session) -> impl Future<Output = Result<u64>> + Send {
        let at = Location::caller();
        let prepared = self.draft.into_draft().prepare_count(session.rendering_of(M::def()));
        async move { count(session, M::def(), prepared?, at).await }
    }

    /// Whether there is a row.
    ///
    /// # Errors
    /// As [`all`](Query::all).
    #[track_caller]
    pub fn exists(self, session: &Session) -> impl Future<Output = Result<bool>> + Send {
        let at = Location::caller();
        let prepared = self.draft.into_draft().prepare_exists(session.rendering_of(M::def()));
        async move {
            let Statement { sql, params, .. } = prepared?;
            session.autoflush(at).await?;
            let mut found = false;
            let mut sink = |row: &Row<'_>| {
                found = row.boolean(0)?;
                Ok(())
            };
            session.fetch(session.bind_of(M::def())?, &sql, &params, at, &mut sink).await?;
            Ok(found)
        }
    }
}

/// Sends a statement and reads its rows.
///
/// What can be done at once is done by a plain function, [`Reading::begin`]: what it needs meanwhile is not part of
/// the future, which is moved around.
#[allow(clippy::manual_async_fn, reason = "the future of an `async fn` would have what it is given twice")]
pub(super) fn rows<'s, R: Fetch>(
    session: &'s Session,
    def: &'static ModelDef,
    mut prepared: Result<Prepared>,
    at: &'static Location<'static>,
) -> impl Future<Output = Result<Vec<R>>> + Send + use<'s, R> {
    async move {
        let Ok(ready) = &mut prepared else { return prepared.map(|_| Vec::new()) };
        // A loop over short statements has to give way now and then: none of them waits for anything.
        tokio::task::coop::consume_budget().await;
        let mut statement = session.statement(at);
        if ready.locks || statement.has_changes() {
            drop(statement);
            // In a box, which few need: else the future of every query would be larger.
            Box::pin(make_ready(session, def, ready.locks, at)).await?;
            statement = session.statement(at);
        }
        let plan = ready.eager.take();
        let (arena, turn) = statement.parts();
        // Taken apart at once: else what was read would be written into the future, and read from there again.
        let rest = match Reading::begin(session, def, arena, turn, ready, plan, at)? {
            Progress::Done(rows) => return Ok(rows),
            Progress::Unfinished(rest) => rest,
        };
        // In a box, which few need: else the future of every query would be larger.
        Box::pin(rest.finish()).await
    }
}

/// What comes before a query that needs it: the flush, and the transaction for its locks.
#[cold]
async fn make_ready(
    session: &Session,
    def: &'static ModelDef,
    locks: bool,
    at: &'static Location<'static>,
) -> Result<()> {
    session.autoflush(at).await?;
    if locks {
        session.begin_of(session.bind_of(def)?, at).await?;
    }
    Ok(())
}

/// How far a query has got at once.
enum Progress<'a, 's, R: Fetch> {
    Done(Vec<R>),
    Unfinished(Box<Reading<'a, 's, R>>),
}

/// A query whose statement, or whose relationships, have to be waited for.
struct Reading<'a, 's, R: Fetch> {
    // Fields drop in this order: the statement ends before what takes its rows.
    statement: Option<Unfinished<'a>>,
    turn: StatementTurn<'a, 's>,
    session: &'a Session,
    reader: R::Reader<'a>,
    rows: Vec<R>,
    at: &'static Location<'static>,
}

impl<'a, 's, R: Fetch> Reading<'a, 's, R> {
    /// Reads what can be read without waiting for anything.
    fn begin(
        session: &'a Session,
        def: &'static ModelDef,
        arena: &'a ArenaRef,
        mut turn: StatementTurn<'a, 's>,
        prepared: &'a Prepared,
        plan: Option<Box<Plan>>,
        at: &'static Location<'static>,
    ) -> Result<Progress<'a, 's, R>> {
        let bind = session.bind_of(def)?;
        let Prepared { sql, params, alone, populate_existing, keys, .. } = prepared;
        let eager = draft::eager(session, arena, plan, *populate_existing);
        let loads = eager.is_some();
        let mut reader =
            R::reader(&mut Source { arena, alone: *alone, populate_existing: *populate_existing, eager, keys });
        let mut rows = Vec::new();
        let mut sink = |row: &Row<'_>| R::push(&mut reader, row, &mut rows);
        let statement = match session.fetch_now(turn.get(), bind, sql, params, at, &mut sink) {
            Fetched::Done(result) => {
                result.map_err(explain)?;
                if !loads {
                    trim(&mut rows);
                    return Ok(Progress::Done(rows));
                }
                None
            }
            Fetched::Unfinished(statement) => Some(statement),
        };
        Ok(Progress::Unfinished(Box::new(Self { statement, turn, session, reader, rows, at })))
    }

    #[cold]
    async fn finish(self: Box<Self>) -> Result<Vec<R>> {
        let Self { statement, mut turn, session, mut reader, mut rows, at } = *self;
        if let Some(statement) = statement {
            let mut sink = |row: &Row<'_>| R::push(&mut reader, row, &mut rows);
            session.finish_fetch(&mut turn, statement, &mut sink).await.map_err(explain)?;
        }
        // What is loaded along takes turns of its own.
        turn.end();
        if let Some(eager) = R::finish(reader) {
            eager.settle(at).await?;
        }
        trim(&mut rows);
        Ok(rows)
    }
}

/// Gives back what a long list has in reserve, which would stay as long as the list.
#[inline]
fn trim<R>(rows: &mut Vec<R>) {
    if rows.len() >= 256 && rows.capacity() > rows.len() + rows.len() / 8 {
        rows.shrink_to_fit();
    }
}

/// Sends a statement that counts.
pub(super) async fn count(
    session: &Session,
    def: &'static ModelDef,
    statement: Statement,
    at: &'static Location<'static>,
) -> Result<u64> {
    session.autoflush(at).await?;
    let mut found = 0;
    let mut sink = |row: &Row<'_>| {
        found = row.unsigned(0)?;
        Ok(())
    };
    session.fetch(session.bind_of(def)?, &statement.sql, &statement.params, at, &mut sink).await?;
    Ok(found)
}

/// Says which value of a row could not be decoded, where nobody closer to it has.
#[cold]
pub(super) fn explain(error: Error) -> Error {
    match error.position() {
        Some(position) if error.table().is_none() => {
            error.with_message(|message| format!("value {} of the row: {message}", position + 1))
        }
        _ => error,
    }
}

#[cold]
fn no_row<M: Model>() -> Error {
    let def = M::def();
    Error::new(ErrorKind::NotFound, format!("no row of `{}` where one was asked for", def.table)).with_table(def.table)
}
