//! The queue of one process's writers to one database file.
//!
//! SQLite allows one writer at a time and tells the others that it is busy. Writers of one process therefore queue
//! here, first come first served; only writers of other processes are met by trying again.

use std::collections::HashMap;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::gate::Gate;
use super::retry::Retry;
use crate::error::{Error, ErrorKind, Result};

/// The queues by canonical path: engines on the same file share one.
static QUEUES: LazyLock<Mutex<HashMap<PathBuf, Weak<WriterQueue>>>> = LazyLock::new(Mutex::default);

/// The right to write to one database file.
pub(super) struct WriterQueue {
    /// One right, and who had it last.
    gate: Gate<Option<&'static Location<'static>>>,
}

impl WriterQueue {
    /// The queue of a file, the same one for every engine of the process on this file.
    pub(super) fn of_file(path: PathBuf) -> Arc<Self> {
        let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(&path).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(Self { gate: Gate::new(None, 1) });
        queues.insert(path, Arc::downgrade(&queue));
        queue
    }

    /// The right to write, where nobody has it or waits for it.
    #[inline]
    pub(super) fn try_acquire(self: &Arc<Self>, holder: &'static Location<'static>) -> Option<WriterPermit> {
        self.gate.try_take(|known| *known = Some(holder))?;
        Some(WriterPermit { queue: Arc::clone(self) })
    }

    /// Waits for the right to write.
    ///
    /// # Errors
    /// `Busy`, naming the holder, when it does not come in time.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        holder: &'static Location<'static>,
        retry: &mut Retry,
    ) -> Result<WriterPermit> {
        if let Some(permit) = self.try_acquire(holder) {
            return Ok(permit);
        }
        let left = retry.deadline().saturating_duration_since(tokio::time::Instant::now());
        if self.gate.wait(left, |known| *known = Some(holder)).await.is_err() {
            return Err(self.busy(retry));
        }
        Ok(WriterPermit { queue: Arc::clone(self) })
    }

    #[cold]
    fn busy(&self, retry: &Retry) -> Error {
        let holder = self.gate.with(|holder| *holder).map_or_else(
            || "another transaction of this program".to_owned(),
            |at| format!("the transaction begun at {}:{}", at.file(), at.line()),
        );
        Error::new(
            ErrorKind::Busy,
            format!(
                "the database is being written by {holder}, which did not end within {:?}; end it before beginning \
                 another, or raise the busy timeout",
                retry.limit()
            ),
        )
    }
}

/// The right to write, given back on drop.
pub(super) struct WriterPermit {
    queue: Arc<WriterQueue>,
}

impl Drop for WriterPermit {
    fn drop(&mut self) {
        self.queue.gate.give(|holder| *holder = None);
    }
}
