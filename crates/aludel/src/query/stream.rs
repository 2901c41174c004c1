//! A query's rows one after another.

use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::engine::row::Row;
use crate::entity::model::Model;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::cursor::{Cursor, CursorSource};
use crate::sql::Value;

use super::Query;
use super::fetch::Fetch;
use super::scope::invalid;
use super::terminal::explain;

/// How many rows are asked for at a time.
const BATCH: usize = 256;

impl<M: Model, R: Fetch> Query<M, R> {
    /// The rows one after another, in constant memory: plain values of the model, of which the session keeps nothing;
    /// tuples and projections where `select` asked for them. The rows of a [`Polymorphic`](crate::query::Polymorphic) query
    /// are entities that no session knows: they can be read and detached, and what is set on them is not sent.
    ///
    /// The stream is owned, so that it can be a response's body, and works with the combinators of the `futures` crate.
    /// Outside a transaction it reads on a connection of its own, beginning with the first row, and does not end with
    /// the session. Begun in the session's transaction it sees that transaction's changes, other statements may run
    /// meanwhile, and a commit or rollback before its end is an error of the stream. A database in memory, which has
    /// one connection for everything, is read at once.
    ///
    /// Errors of [`all`](Query::all) are an item of the stream; `with` is one, for there are no entities.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    ///     karma: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// User::insert_all([User::build().username("ann").karma(3), User::build().username("bob").karma(7)])
    ///     .execute(&session)
    ///     .await?;
    /// let mut stream = User::query().stream(&session);
    /// let mut karma = 0;
    /// while let Some(user) = stream.next().await {
    ///     karma += user?.karma;
    /// }
    /// assert_eq!(karma, 10);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn stream(self, session: &Session) -> RowStream<R::Streamed> {
        let at = Location::caller();
        match self.prepare_stream(session) {
            Ok((source, sql, params)) => RowStream {
                buffer: VecDeque::new(),
                state: State::Reading(Box::pin(open(source, sql, params, at, R::streamed))),
                read: R::streamed,
                at,
            },
            Err(error) => RowStream { buffer: VecDeque::new(), state: State::Failed(error), read: R::streamed, at },
        }
    }

    fn prepare_stream(self, session: &Session) -> Result<(CursorSource, String, Vec<Value<'static>>)> {
        if let Some(name) = self.draft.load() {
            let def = M::def();
            return Err(invalid(format!(
                "with({}::{name}): a stream yields plain rows, which lead nowhere; use `all` or `paginate`, or stream a \
                 `select` of a join",
                def.name
            )));
        }
        if self.draft.locks() {
            return Err(invalid(
                "for_update(): a stream reads on a connection of its own, where a lock would not last; use `all`"
                    .to_owned(),
            ));
        }
        let prepared = self.draft.prepare(session.rendering_of(M::def()))?;
        Ok((session.cursor_source(session.bind_of(M::def())?)?, prepared.sql.into_owned(), prepared.params.into_vec()))
    }
}

/// A query's rows one after another: made by [`Query::stream`].
#[must_use = "a stream reads nothing until it is asked for rows"]
pub struct RowStream<T> {
    buffer: VecDeque<T>,
    state: State<T>,
    read: Read<T>,
    at: &'static Location<'static>,
}

/// Reads a row.
type Read<T> = fn(&Row<'_>, usize) -> Result<T>;

/// A batch of rows, and the cursor for the next ones if there are more.
type Batch<T> = Result<(VecDeque<T>, Option<Cursor>)>;

enum State<T> {
    Reading(Pin<Box<dyn Future<Output = Batch<T>> + Send>>),
    /// Between two batches.
    Open(Cursor),
    Failed(Error),
    Ended,
}

async fn open<T: Send>(
    source: CursorSource,
    sql: String,
    params: Vec<Value<'static>>,
    at: &'static Location<'static>,
    read: Read<T>,
) -> Batch<T> {
    let cursor = source.open(sql, params, at).await?;
    next_batch(cursor, at, read).await
}

async fn next_batch<T: Send>(mut cursor: Cursor, at: &'static Location<'static>, read: Read<T>) -> Batch<T> {
    let mut rows = VecDeque::new();
    let mut sink = |row: &Row<'_>| {
        rows.push_back(read(row, 0)?);
        Ok(())
    };
    let more = cursor.rows(BATCH, at, &mut sink).await.map_err(explain)?;
    Ok((rows, more.then_some(cursor)))
}

impl<T: Send + 'static> RowStream<T> {
    /// The next row; `None` after the last, or after an error.
    #[allow(clippy::should_implement_trait, reason = "a stream is no iterator: this is what `StreamExt::next` does")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<T>>> + Send + '_ {
        std::future::poll_fn(|context| self.poll_row(context))
    }

    fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(row) = self.buffer.pop_front() {
                return Poll::Ready(Some(Ok(row)));
            }
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Reading(mut batch) => {
                    let Poll::Ready(outcome) = batch.as_mut().poll(context) else {
                        self.state = State::Reading(batch);
                        return Poll::Pending;
                    };
                    match outcome {
                        Ok((rows, cursor)) => {
                            self.buffer = rows;
                            self.state = cursor.map_or(State::Ended, State::Open);
                        }
                        Err(error) => self.state = State::Failed(error),
                    }
                }
                State::Open(cursor) => self.state = State::Reading(Box::pin(next_batch(cursor, self.at, self.read))),
                State::Failed(error) => return Poll::Ready(Some(Err(error))),
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

/// Nothing in it is pinned: the future of a batch is in a box of its own.
impl<T> Unpin for RowStream<T> {}

impl<T: Send + 'static> Stream for RowStream<T> {
    type Item = Result<T>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        Poll::Ready(ready!(self.get_mut().poll_row(context)))
    }
}

impl<T> fmt::Debug for RowStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Reading(_) | State::Open(_) => "open",
            State::Failed(_) => "failed",
            State::Ended => "ended",
        };
        f.debug_struct("RowStream").field("buffered", &self.buffer.len()).field("state", &state).finish()
    }
}
