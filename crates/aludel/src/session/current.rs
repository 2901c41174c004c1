//! The session of a request or scope: opened when it is first asked for, found without being handed on, and closed with
//! all its clones at the end.

use std::future::Future;
use std::panic::Location;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, ErrorKind, Result};

use super::Session;
use super::close::Ending;
use super::shared::DbShared;

tokio::task_local! {
    static CURRENT: Scope;
}

/// One request's, or one `db.scope`'s, place for its session.
#[derive(Clone)]
pub(crate) struct Scope(Arc<Inner>);

struct Inner {
    db: Arc<DbShared>,
    /// Empty: nobody asked yet. `None`: ended before anybody asked.
    session: OnceLock<Option<Session>>,
}

impl Scope {
    pub(crate) fn new(db: Arc<DbShared>) -> Self {
        Self(Arc::new(Inner { db, session: OnceLock::new() }))
    }

    /// The session, opened if nobody asked before.
    ///
    /// # Errors
    /// `Detached` when the request or scope has ended.
    pub(crate) fn session(&self) -> Result<Session> {
        let session = self.0.session.get_or_init(|| Some(Session::open(Arc::clone(&self.0.db))));
        session.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::Detached,
                "the request whose session this is has ended; take `db.session()` for work that goes on after it",
            )
        })
    }

    /// The session, if one was opened; from now on none will be.
    fn end(&self) -> Option<Session> {
        self.0.session.get_or_init(|| None).clone()
    }

    /// Runs a future whose code finds the session as [`Session::current`].
    pub(crate) fn run<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), future)
    }

    /// Runs a function whose code finds the session as [`Session::current`].
    pub(crate) fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self.clone(), work)
    }
}

/// Ends a scope, also when its future is dropped or panics.
pub(crate) struct ScopeGuard(Option<Scope>);

impl ScopeGuard {
    pub(crate) fn new(scope: &Scope) -> Self {
        Self(Some(scope.clone()))
    }

    /// Ends the scope; the session, if there is one, is still open.
    pub(crate) fn end(mut self) -> Option<Ending> {
        self.0.take().and_then(|scope| scope.end()).map(Ending::of)
    }

    /// Ends the scope and closes its session.
    pub(crate) async fn close(self) {
        if let Some(ending) = self.end() {
            ending.close(Location::caller()).await;
        }
    }
}

impl Drop for ScopeGuard {
    fn drop(&mut self) {
        if let Some(session) = self.0.take().and_then(|scope| scope.end()) {
            drop(Ending::of(session));
        }
    }
}

impl Session {
    /// The session of the request, `db.scope` or `db.transaction` that this code runs in, for code that is handed none.
    ///
    /// It is found in the task of the request itself: not in tasks that the handler spawns, and not while the body of
    /// the response is streamed.
    ///
    /// # Errors
    /// `Config` when there is none; `Detached` when the request has ended.
    pub fn current() -> Result<Session> {
        let scope = CURRENT.try_with(Scope::clone).map_err(|_| {
            Error::new(
                ErrorKind::Config,
                "no session here: add `.layer(db.layer())` to the router or run this in `db.scope(..)`; a spawned task \
                 and the body of a response have none and take `db.session()`",
            )
        })?;
        scope.session()
    }
}
