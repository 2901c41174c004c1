//! What is told of a session's flushes, commits and rollbacks.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};

use super::hooks::inside::{self, Of};
use super::{HAS_LISTENERS, Session};
use crate::entity::new::AnyEntity;
use crate::error::Result;

#[doc = include_str!("hooks/events.md")]
pub trait SessionEvents: Send + Sync + 'static {
    /// Before a flush that has something to write. [`new`](Session::new), [`dirty`](Session::dirty) and
    /// [`deleted`](Session::deleted) tell what; what is added, changed and deleted here is part of the flush.
    ///
    /// # Errors
    /// What stops the flush, before it has sent anything.
    fn before_flush(&self, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = session;
        async { Ok(()) }
    }

    /// After the statements of a flush and the models' own hooks. What is added or changed here is flushed next.
    ///
    /// # Errors
    /// What makes the flush fail, so that the session needs a rollback.
    fn after_flush(&self, session: &Session, flushed: &Flushed) -> impl Future<Output = Result<()>> + Send {
        let _ = (session, flushed);
        async { Ok(()) }
    }

    /// Before a commit's own flush. It may flush, query and write.
    ///
    /// # Errors
    /// What stops the commit.
    fn before_commit(&self, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = session;
        async { Ok(()) }
    }

    /// Everything is committed. Statements are the work of others here: this cannot wait, and cannot fail.
    fn after_commit(&self, session: &Session) {
        let _ = session;
    }

    /// Everything is rolled back, by [`Session::rollback`] or because the commit failed; not at the end of a session that
    /// was not committed, and not for a savepoint.
    fn after_rollback(&self, session: &Session) {
        let _ = session;
    }
}

/// The rows that a flush has written, of all models, each in the order in which they came to the session's notice.
///
/// Rows of link models that many-to-many relationships wrote, and what the database's own cascades did, are not among
/// them.
#[derive(Debug, Default)]
pub struct Flushed {
    pub(super) inserted: Vec<AnyEntity>,
    pub(super) updated: Vec<AnyEntity>,
    pub(super) deleted: Vec<AnyEntity>,
}

impl Flushed {
    /// The new rows.
    pub fn inserted(&self) -> &[AnyEntity] {
        &self.inserted
    }

    /// The changed rows.
    pub fn updated(&self) -> &[AnyEntity] {
        &self.updated
    }

    /// The deleted rows.
    pub fn deleted(&self) -> &[AnyEntity] {
        &self.deleted
    }
}

/// A listener, whatever its type.
pub(crate) type Listener = Arc<dyn Listens>;

type Told<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// `SessionEvents` in boxes.
pub(crate) trait Listens: Send + Sync {
    fn before_flush<'a>(&'a self, session: &'a Session) -> Told<'a>;
    fn after_flush<'a>(&'a self, session: &'a Session, flushed: &'a Flushed) -> Told<'a>;
    fn before_commit<'a>(&'a self, session: &'a Session) -> Told<'a>;
    fn after_commit(&self, session: &Session);
    fn after_rollback(&self, session: &Session);
}

impl<E: SessionEvents> Listens for E {
    fn before_flush<'a>(&'a self, session: &'a Session) -> Told<'a> {
        Box::pin(SessionEvents::before_flush(self, session))
    }

    fn after_flush<'a>(&'a self, session: &'a Session, flushed: &'a Flushed) -> Told<'a> {
        Box::pin(SessionEvents::after_flush(self, session, flushed))
    }

    fn before_commit<'a>(&'a self, session: &'a Session) -> Told<'a> {
        Box::pin(SessionEvents::before_commit(self, session))
    }

    fn after_commit(&self, session: &Session) {
        SessionEvents::after_commit(self, session);
    }

    fn after_rollback(&self, session: &Session) {
        SessionEvents::after_rollback(self, session);
    }
}

impl Session {
    /// Tells somebody of this session's flushes, commits and rollbacks, after those that
    /// [`DbBuilder::listen`](crate::DbBuilder::listen) has named for all sessions. A listener that keeps a clone of the
    /// session keeps it open.
    pub fn listen(&self, listener: impl SessionEvents) {
        self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listener));
        self.set(HAS_LISTENERS);
    }

    /// Whether anybody listens.
    #[inline]
    pub(super) fn has_listeners(&self) -> bool {
        self.has(HAS_LISTENERS) || !self.db().listeners.is_empty()
    }

    pub(super) fn listeners(&self) -> Vec<Listener> {
        let own = self.inner.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.db().listeners.iter().chain(own.iter()).cloned().collect()
    }

    /// Asks all before a commit.
    #[cold]
    pub(super) async fn announce_commit(&self) -> Result<()> {
        for listener in self.listeners() {
            inside::InHook::new(self, Of::Commit, listener.before_commit(self)).await?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn tell_of_commit(&self) {
        if self.has_listeners() {
            self.tell(|listener| listener.after_commit(self));
        }
    }

    #[inline]
    pub(super) fn tell_of_rollback(&self) {
        if self.has_listeners() {
            self.tell(|listener| listener.after_rollback(self));
        }
    }

    #[cold]
    fn tell(&self, event: impl Fn(&dyn Listens)) {
        self.listeners().iter().for_each(|listener| event(listener.as_ref()));
    }
}
