//! The end of a session.

use std::panic::Location;

use super::{CLOSED, Session};

/// A session that is to be closed whatever happens: when this is dropped, if not before by [`close`](Self::close).
pub(crate) struct Ending(Option<Session>);

impl Ending {
    pub(crate) fn of(session: Session) -> Self {
        Self(Some(session))
    }

    /// The session, which is open until the end.
    pub(crate) fn session(&self) -> &Session {
        match &self.0 {
            Some(session) => session,
            None => unreachable!("only `close` takes it, and with it `self`"),
        }
    }

    /// Waits for a statement under way, rolls back, and gives the connection back.
    pub(crate) async fn close(mut self, at: &'static Location<'static>) {
        let session = self.session();
        session.set(CLOSED);
        match session.turn(at).await {
            Ok(mut turn) => {
                for (_, mut connection) in turn.take_all() {
                    if let Err(error) = connection.rollback().await {
                        tracing::warn!(target: "aludel::session", %error, "the rollback at the session's end failed");
                    }
                }
            }
            Err(error) => {
                tracing::warn!(target: "aludel::session", %error, "the session could not be closed in time");
            }
        }
        // From here on there is nothing left for the drop to do.
        self.0 = None;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.close_in_background();
        }
    }
}

impl Session {
    /// Closes the session, for all its clones: what is not committed is rolled back, and the connection goes back to
    /// the pool. A statement under way ends first. Entities stay readable.
    #[track_caller]
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let at = Location::caller();
        let session = self.clone();
        async move { Ending::of(session).close(at).await }
    }

    /// Closes the session where nothing can be waited for: in a `Drop`.
    fn close_in_background(&self) {
        self.set(CLOSED);
        if let Some(mut turn) = self.inner.try_turn(Location::caller()) {
            // Dropping the connection rolls back and gives it to the pool.
            drop(turn.take_all());
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let session = self.clone();
            runtime.spawn(async move { session.close().await });
        }
    }

    /// Whether there is work that a rollback would lose. A statement under way may be what begins it, and ends first;
    /// one that does not end counts as such.
    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "the web layer asks for it"))]
    pub(crate) async fn has_uncommitted(&self, at: &'static Location<'static>) -> bool {
        let begun = self.turn(at).await.map_or(true, |turn| turn.is_open());
        begun || self.existing_arena().is_some_and(|arena| arena.tracker().needs_flush())
    }
}
