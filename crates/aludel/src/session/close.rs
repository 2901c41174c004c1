//! The end of a session.

use std::panic::Location;

use super::{CLOSED, Session};

impl Session {
    /// Closes the session, for all its clones: what is not committed is rolled back, and the connection goes back to
    /// the pool. A statement under way ends first. Entities stay readable.
    #[track_caller]
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let at = Location::caller();
        let session = self.clone();
        async move {
            session.set(CLOSED);
            match session.turn(at).await {
                Ok(mut turn) => {
                    let connection = turn.connection.take();
                    if let Some(mut connection) = connection
                        && let Err(error) = connection.rollback().await
                    {
                        tracing::warn!(target: "aludel::session", %error, "the rollback at the session's end failed");
                    }
                }
                Err(error) => {
                    tracing::warn!(target: "aludel::session", %error, "the session could not be closed in time");
                }
            }
        }
    }

    /// Closes the session where nothing can be waited for: in a `Drop`.
    pub(crate) fn close_in_background(&self) {
        self.set(CLOSED);
        if let Ok(mut link) = self.inner.link.try_lock() {
            // Dropping the connection rolls back and gives it to the pool.
            drop(link.connection.take());
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let session = self.clone();
            runtime.spawn(async move { session.close().await });
        }
    }

    /// Whether there is work that a rollback would lose.
    pub(crate) fn has_uncommitted(&self) -> bool {
        // A statement under way may be the one that opens the transaction.
        let begun = self.inner.link.try_lock().map_or(true, |link| link.connection.is_some());
        begun || self.existing_arena().is_some_and(|arena| arena.tracker().needs_flush())
    }
}
