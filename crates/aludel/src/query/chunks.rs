//! A query's entities in chunks.

use std::fmt;
use std::panic::Location;

use crate::entity::Entity;
use crate::entity::model::Model;
use crate::error::Result;
use crate::session::Session;

use super::Query;
use super::fetch::Fetch;
use super::keyset::Walk;

impl<M: Model, R: Fetch> Query<M, R> {
    /// All entities, so many at a time, in constant memory: for jobs that go through a large table and change it.
    ///
    /// Each chunk is a statement of its own that begins after the last row of the one before, in the order of
    /// [`paginate_by_key`](Query::paginate_by_key), and it loads what [`with`](Query::with) asks for. Before the next chunk
    /// is read the session flushes and forgets all its entities ([`Session::clear`]): handles of earlier ones stay
    /// readable and belong to no session any more. What was changed is sent with the session's next commit; a long job
    /// commits between the chunks.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// # User::insert_all(["ann", "bob", "cas"].map(|name| User::build().username(name))).execute(&session).await?;
    /// let mut chunks = User::query().stream_entities(&session, 2);
    /// while let Some(users) = chunks.next().await? {
    ///     for user in &users {
    ///         user.set(User::username, user.username.to_uppercase());
    ///     }
    ///     session.commit().await?;
    /// }
    /// let names = User::query().order_by(User::id).select(User::username).all(&session).await?;
    /// assert_eq!(names, ["ANN", "BOB", "CAS"]);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn stream_entities<'a>(self, session: &'a Session, chunk: u64) -> EntityChunks<'a, M, R> {
        EntityChunks { session, query: Some(self), walk: Walk::new(chunk), at: Location::caller() }
    }
}

/// A query's entities in chunks: made by [`Query::stream_entities`].
#[must_use = "nothing is read until it is asked for a chunk"]
pub struct EntityChunks<'a, M: Model, R = Entity<M>> {
    session: &'a Session,
    /// None after the last chunk.
    query: Option<Query<M, R>>,
    walk: Walk,
    at: &'static Location<'static>,
}

impl<M: Model, R: Fetch> EntityChunks<'_, M, R> {
    /// The next chunk; `None` after the last, or after an error.
    ///
    /// # Errors
    /// As [`Query::paginate_by_key`], without its cursors, and those of [`Session::flush`].
    pub async fn next(&mut self) -> Result<Option<Vec<R>>> {
        let Some(query) = self.query.take() else { return Ok(None) };
        if self.walk.has_begun() {
            self.session.flush().await?;
            self.session.clear();
        }
        let rows = self.walk.next(query.clone(), self.session, self.at).await?;
        if !self.walk.has_ended() {
            self.query = Some(query);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}

impl<M: Model, R> fmt::Debug for EntityChunks<'_, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityChunks").field("query", &self.query).finish_non_exhaustive()
    }
}
