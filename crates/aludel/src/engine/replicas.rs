//! The read replicas of a database: which of them is read from next, and which are left out because they are down.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::pool::PoolStatus;
use super::{DatabaseUrl, Engine, EngineOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Dialect;

/// The read replicas of one database.
#[derive(Default)]
pub(crate) struct Replicas {
    all: Vec<Arc<Replica>>,
    /// Whose turn it is, counted on without end.
    next: AtomicUsize,
}

/// A server that has what is written to another, a moment later, and takes reads.
pub(crate) struct Replica {
    pub(crate) engine: Engine,
    /// Its URL, the password masked.
    label: String,
    /// After how long one that is down is asked again.
    probe_after: Duration,
    /// None where it is up.
    down: Mutex<Option<Down>>,
}

struct Down {
    since: Instant,
    /// Somebody is asking it now.
    probed: bool,
}

/// A read replica: where it is, whether it is read from, and its pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Its URL, the password masked.
    pub url: String,
    /// Whether reads go there; else it was down when it was asked last, and is asked again after
    /// [`EngineOptions::probe_after`].
    pub is_up: bool,
    /// Its connections.
    pub pool: PoolStatus,
}

impl Replicas {
    /// Opens the replicas of a database. One that is down now is left out until it is back.
    ///
    /// # Errors
    /// `Config` when a URL cannot be one of a replica.
    pub(crate) async fn open(urls: &[DatabaseUrl], options: &EngineOptions, dialect: Dialect) -> Result<Self> {
        let mut all = Vec::with_capacity(urls.len());
        for url in urls {
            all.push(Arc::new(Replica::open(url, options, dialect).await?));
        }
        Ok(Self { all, next: AtomicUsize::new(0) })
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that are up, in the order in which they are to be tried: each time another one comes first.
    pub(crate) fn in_turn(&self) -> impl Iterator<Item = &Arc<Replica>> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len().max(1);
        let (later, sooner) = self.all.split_at(first);
        sooner.iter().chain(later).filter(|replica| replica.is_up())
    }

    pub(crate) fn status(&self) -> Vec<ReplicaStatus> {
        self.all.iter().map(|replica| replica.status()).collect()
    }

    pub(crate) async fn close(&self) {
        for replica in &self.all {
            replica.engine.close().await;
        }
    }
}

impl Replica {
    async fn open(url: &DatabaseUrl, options: &EngineOptions, dialect: Dialect) -> Result<Self> {
        let label = url.to_string();
        let options = options.clone().of_replica(&label);
        let (engine, down) = match Engine::connect(url, &options).await {
            Ok(engine) if engine.dialect() == dialect => (engine, None),
            Ok(_) => return Err(another_backend(&label)),
            Err(error) if error.kind() == ErrorKind::Connection => {
                warn(&label, &error);
                (Engine::later(url, &options, dialect)?, Some(Down { since: Instant::now(), probed: false }))
            }
            Err(error) => return Err(error.with_message(|message| format!("the replica {label}: {message}"))),
        };
        Ok(Self { engine, label, probe_after: options.probe_interval(), down: Mutex::new(down) })
    }

    /// Whether reads go there. One that has been down for long enough is asked meanwhile, in a task of its own, so that
    /// nobody waits for it.
    fn is_up(self: &Arc<Self>) -> bool {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = &mut *down else { return true };
        if !state.probed
            && state.since.elapsed() >= self.probe_after
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            state.probed = true;
            let replica = Arc::clone(self);
            runtime.spawn(async move { replica.probe().await });
        }
        false
    }

    /// Asks it whether it is back.
    async fn probe(&self) {
        let asked = async {
            let mut connection = self.engine.acquire(Location::caller()).await?;
            connection.fetch("SELECT 1", &[], &mut |_| Ok(())).await
        };
        let asked = asked.await;
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            Ok(_) => {
                *down = None;
                tracing::info!(target: "aludel::replica", replica = %self.label, "the replica is back");
            }
            Err(_) => *down = Some(Down { since: Instant::now(), probed: false }),
        }
    }

    /// Leaves it out until it is back: it cannot be reached.
    #[cold]
    pub(crate) fn leave_out(&self, error: &Error) {
        self.engine.connection_lost();
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if down.is_none() {
            warn(&self.label, error);
            *down = Some(Down { since: Instant::now(), probed: false });
        }
    }

    fn status(&self) -> ReplicaStatus {
        let is_up = self.down.lock().unwrap_or_else(PoisonError::into_inner).is_none();
        ReplicaStatus { url: self.label.clone(), is_up, pool: self.engine.pool_status() }
    }
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Replica {}>", self.label)
    }
}

#[cold]
fn warn(label: &str, error: &Error) {
    tracing::warn!(target: "aludel::replica", replica = %label, %error, "the replica is left out until it is back");
}

#[cold]
fn another_backend(label: &str) -> Error {
    Error::new(
        ErrorKind::Config,
        format!("the replica {label} is another kind of database than the one that it is to be a replica of"),
    )
}
