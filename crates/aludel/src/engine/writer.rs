//! The queue of one process's writers to one database file.
//!
//! SQLite allows one writer at a time and tells the others that it is busy. Writers of one process therefore queue
//! here, first come first served; only writers of other processes are met by trying again.

use std::collections::HashMap;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;

use super::retry::Retry;
use crate::error::{Error, ErrorKind, Result};

/// The queues by canonical path: engines on the same file share one.
static QUEUES: LazyLock<Mutex<HashMap<PathBuf, Weak<WriterQueue>>>> = LazyLock::new(Mutex::default);

/// The right to write to one database file.
pub(super) struct WriterQueue {
    gate: Semaphore,
    holder: Mutex<Option<&'static Location<'static>>>,
}

impl WriterQueue {
    /// The queue of a file, the same one for every engine of the process on this file.
    pub(super) fn of_file(path: PathBuf) -> Arc<Self> {
        let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(&path).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(Self { gate: Semaphore::new(1), holder: Mutex::new(None) });
        queues.insert(path, Arc::downgrade(&queue));
        queue
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
        match self.gate.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) => match tokio::time::timeout_at(retry.deadline(), self.gate.acquire()).await {
                Ok(Ok(permit)) => permit.forget(),
                _ => return Err(self.busy(retry)),
            },
        }
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(holder);
        Ok(WriterPermit { queue: Arc::clone(self) })
    }

    #[cold]
    fn busy(&self, retry: &Retry) -> Error {
        let holder = *self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        let holder = holder.map_or_else(
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
        *self.queue.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.queue.gate.add_permits(1);
    }
}
