//! An engine: one database, and the connections to it.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::{Brief, PooledConnection};
use super::driver::Driver;
use super::lease::Lease;
use super::log::Log;
use super::offload;
use super::pool::{Pool, PoolStatus, Pooled, Times};
use super::url::Target;
use super::writer::WriterQueue;
use super::{DatabaseUrl, EngineOptions};
use crate::error::Result;
use crate::sql::Dialect;

/// One database, and the connections to it. Cheap to clone; the connections close with the last clone, or by
/// [`close`](Engine::close).
#[derive(Clone)]
pub(crate) struct Engine(Arc<Shared>);

/// What an engine's clones and its connections on loan have in common.
pub(super) struct Shared {
    pub(super) pool: Pool,
    pub(super) log: Log,
    /// The queue of those who write to the same file; none where one connection is all there is.
    pub(super) writers: Option<Arc<WriterQueue>>,
    /// The database lives in the memory of its one connection.
    pub(super) memory: bool,
    pub(super) options: EngineOptions,
    /// The SQL that the database understands.
    pub(super) dialect: Dialect,
    target: Target,
}

impl Shared {
    /// Ends what runs on a connection that comes back, and rolls back what is open; whether others may have it.
    #[inline]
    pub(super) fn clean(&self, Pooled { driver, times }: &mut Pooled) -> bool {
        if times.is_none() && driver.is_idle() {
            return true;
        }
        if driver.in_transaction() {
            self.log.statement("ROLLBACK");
        }
        let mut clean = driver.abandon();
        if let Some(times) = times {
            times.back = Instant::now();
            clean &= self.options.pool_recycle.is_none_or(|age| times.back - times.opened < age);
        }
        // An in-memory database lives in its one connection, which therefore goes back whatever its state.
        clean || self.memory
    }

    /// Frees a seat, and takes its connection back; one that the pool has no place for is closed.
    #[inline]
    pub(super) fn give_back(&self, seat: usize, pooled: Option<Pooled>) {
        drop(self.pool.check_in(seat, pooled));
    }

    /// Whether a commit waits for the disk.
    #[inline]
    pub(super) fn commits_are_slow(&self) -> bool {
        !self.memory && self.options.synchronous.waits_at_commit()
    }
}

impl Engine {
    /// Opens a database, with its first connection.
    ///
    /// # Errors
    /// `Connection` when the file cannot be opened or is no database, naming its path.
    pub(crate) async fn connect(url: &DatabaseUrl, options: &EngineOptions) -> Result<Self> {
        let target = url.target()?;
        let first = open(&target, options).await?;
        let memory = matches!(&target, Target::File(file) if file.memory);
        let (capacity, keep) =
            if memory { (1, 1) } else { (options.pool_size.saturating_add(options.max_overflow), options.pool_size) };
        Ok(Self(Arc::new(Shared {
            dialect: first.driver.dialect(),
            writers: writers(&first.driver, memory),
            pool: Pool::new(capacity, keep, Some(first)),
            log: Log::new(options),
            memory,
            options: options.clone(),
            target,
        })))
    }

    /// A server's database that cannot be reached now: its first connection is opened when it is asked for.
    ///
    /// # Errors
    /// `Config` when the URL cannot be used.
    pub(crate) fn later(url: &DatabaseUrl, options: &EngineOptions, dialect: Dialect) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            dialect,
            writers: None,
            pool: Pool::new(options.pool_size.saturating_add(options.max_overflow), options.pool_size, None),
            log: Log::new(options),
            memory: false,
            options: options.clone(),
            target: url.target()?,
        })))
    }

    /// A connection of the pool, if one is idle that need not be asked first whether it still works.
    #[inline]
    pub(crate) fn try_borrow(&self, holder: &'static Location<'static>) -> Option<Brief<'_>> {
        match self.0.pool.try_check_out(holder)? {
            (seat, Some(pooled)) if pooled.times.is_none() => Some(Brief::new(&self.0, holder, seat, pooled)),
            (seat, pooled) => {
                self.0.give_back(seat, pooled);
                None
            }
        }
    }

    /// A connection of the pool, opened where none is idle.
    ///
    /// # Errors
    /// `PoolTimeout` when none comes free in time, naming who has them; `Connection` when the engine is closed, or
    /// when a connection cannot be opened.
    #[inline]
    pub(crate) async fn acquire(&self, holder: &'static Location<'static>) -> Result<PooledConnection> {
        let mut lease = match self.0.pool.try_check_out(holder) {
            Some((seat, pooled)) => Lease::new(Arc::clone(&self.0), holder, seat, pooled),
            // In a box, which few need: else the future of every statement would be larger, and it is moved around.
            None => Box::pin(self.wait_for_lease(holder)).await?,
        };
        if lease.is_empty() || lease.times().is_some() {
            Box::pin(self.make_ready(&mut lease)).await?;
        }
        Ok(PooledConnection::new(lease))
    }

    #[cold]
    async fn wait_for_lease(&self, holder: &'static Location<'static>) -> Result<Lease> {
        let (seat, pooled) = self.0.pool.check_out(holder, self.0.options.pool_timeout).await?;
        Ok(Lease::new(Arc::clone(&self.0), holder, seat, pooled))
    }

    /// Opens the connection of a seat that has none, or whose one is too old or does not answer any more.
    async fn make_ready(&self, lease: &mut Lease) -> Result<()> {
        if let Some(Times { opened, back }) = lease.times() {
            let options = &self.0.options;
            let now = Instant::now();
            let too_old = options.pool_recycle.is_some_and(|age| now - opened >= age);
            let unsure = now - back >= options.ping_after;
            if too_old || unsure && !lease.answers().await {
                lease.discard();
            }
        }
        if lease.is_empty() {
            lease.fill(open(&self.0.target, &self.0.options).await?);
        }
        Ok(())
    }

    /// The server has cut a connection off: those that are idle are closed too, because they will not work either.
    #[cold]
    pub(crate) fn connection_lost(&self) {
        drop(self.0.pool.forget_idle());
    }

    /// Whether the database is on a server, and not in this process.
    pub(crate) fn is_server(&self) -> bool {
        self.0.dialect != Dialect::Sqlite
    }

    /// How many connections there are, and what they are doing.
    pub(crate) fn pool_status(&self) -> PoolStatus {
        self.0.pool.status()
    }

    /// Whether the database lives in the memory of its one connection.
    pub(crate) fn is_memory(&self) -> bool {
        self.0.memory
    }

    /// The SQL that the database understands.
    pub(crate) fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// How long to wait for a connection.
    pub(crate) fn pool_timeout(&self) -> Duration {
        self.0.options.pool_timeout
    }

    /// Closes the pool: idle connections now, those on loan when they come back, for which this waits as long as for a
    /// connection of the pool. Later calls of [`acquire`](Engine::acquire) are errors.
    pub(crate) async fn close(&self) {
        let idle = self.0.pool.close();
        // Closing the last connection to a file writes its log back. Where the runtime is shutting down, the
        // connections are closed all the same.
        let _ = offload::run(move || drop(idle)).await;
        if !self.0.pool.drained(self.0.options.pool_timeout).await {
            let status = self.0.pool.status();
            tracing::warn!(
                target: "aludel::pool",
                in_use = status.in_use,
                "connections are still in use after the pool was closed; they close when they come back"
            );
        }
    }
}

/// Opens a connection.
async fn open(target: &Target, options: &EngineOptions) -> Result<Pooled> {
    let driver = Driver::open(target, options).await?;
    let now = (driver.dialect() != Dialect::Sqlite).then(Instant::now);
    Ok(Pooled { driver, times: now.map(|now| Box::new(Times { opened: now, back: now })) })
}

/// The queue of the writers to a SQLite file. A database without a file (in memory, or a temporary one) is its
/// connection's own, and servers have their own.
fn writers(first: &Driver, memory: bool) -> Option<Arc<WriterQueue>> {
    match first {
        Driver::Sqlite(connection) if !memory => {
            let path = connection.path();
            (!path.is_empty()).then(|| {
                let path = std::path::PathBuf::from(path);
                WriterQueue::of_file(std::fs::canonicalize(&path).unwrap_or(path))
            })
        }
        _ => None,
    }
}
