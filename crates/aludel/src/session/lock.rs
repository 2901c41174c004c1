//! The session's statements run one after another.

use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::PoisonError;

use tokio::sync::MutexGuard;

use super::Session;
use super::connection::Link;
use crate::error::{Error, ErrorKind, Result};

/// The turn of one statement, or of a flush.
pub(super) struct Turn<'a>(MutexGuard<'a, Link>);

impl Session {
    /// Waits for the session's other statements to end.
    ///
    /// # Errors
    /// `PoolTimeout`, naming the holder, when they do not end in the pool's time limit.
    pub(super) async fn turn(&self, at: &'static Location<'static>) -> Result<Turn<'_>> {
        let link = match self.inner.link.try_lock() {
            Ok(link) => link,
            Err(_) => {
                let limit = self.inner.db.engine.pool_timeout();
                match tokio::time::timeout(limit, self.inner.link.lock()).await {
                    Ok(link) => link,
                    Err(_) => return Err(self.stuck()),
                }
            }
        };
        // It stays there afterwards: only those read it who wait for the turn, and then it is the holder's.
        *self.inner.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        Ok(Turn(link))
    }

    #[cold]
    fn stuck(&self) -> Error {
        let holder = *self.inner.holder.lock().unwrap_or_else(PoisonError::into_inner);
        let holder = holder.map_or_else(
            || "another statement".to_owned(),
            |at| format!("the statement begun at {}:{}", at.file(), at.line()),
        );
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "this session is still busy with {holder}; a future of it that is no longer polled (as in `select!`) \
                 keeps its turn until it is dropped"
            ),
        )
    }
}

impl Deref for Turn<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.0
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.0
    }
}
