//! The settings of an engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::log::StatementObserver;

/// How much SQLite waits for the disk: its `PRAGMA synchronous`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Synchronous {
    /// Never waits. A power failure may corrupt the database.
    Off,
    /// Waits at checkpoints. In WAL mode a power failure may lose the last commits, but never corrupts.
    #[default]
    Normal,
    /// Waits at each commit.
    Full,
    /// Waits at each commit, for the directory too.
    Extra,
}

impl Synchronous {
    /// The word of the pragma.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
            Self::Extra => "EXTRA",
        }
    }

    /// Whether a commit waits for the disk.
    pub(super) fn waits_at_commit(self) -> bool {
        matches!(self, Self::Full | Self::Extra)
    }
}

/// The settings of an engine: its pool, its time limits, its caches.
///
/// ```
/// use std::time::Duration;
/// use aludel::engine::EngineOptions;
///
/// let options = EngineOptions::new().pool_size(2).busy_timeout(Duration::from_secs(1));
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct EngineOptions {
    pub(super) pool_size: usize,
    pub(super) max_overflow: usize,
    pub(super) pool_timeout: Duration,
    pub(super) pool_recycle: Option<Duration>,
    pub(super) ping_after: Duration,
    pub(super) busy_timeout: Duration,
    pub(super) statement_cache_size: usize,
    pub(super) synchronous: Synchronous,
    pub(super) echo: bool,
    pub(super) observer: Option<StatementObserver>,
    probe_after: Duration,
    /// The replica that these are the options of, for the log.
    pub(super) replica: Option<Arc<str>>,
}

impl EngineOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            pool_size: 5,
            max_overflow: 10,
            pool_timeout: Duration::from_secs(30),
            pool_recycle: None,
            ping_after: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            statement_cache_size: 128,
            synchronous: Synchronous::Normal,
            echo: false,
            observer: None,
            probe_after: Duration::from_secs(10),
            replica: None,
        }
    }

    /// How many connections stay open when nobody uses them; 5 by default. An in-memory database has exactly one.
    #[must_use]
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections;
        self
    }

    /// How many connections more may be open under load; 10 by default.
    #[must_use]
    pub fn max_overflow(mut self, connections: usize) -> Self {
        self.max_overflow = connections;
        self
    }

    /// How long to wait for a connection of the pool; 30 seconds by default.
    #[must_use]
    pub fn pool_timeout(mut self, limit: Duration) -> Self {
        self.pool_timeout = limit;
        self
    }

    /// How old a connection to a server may become: an older one is closed when it comes back or is asked for. `None`, the
    /// default, lets it live as long as it works. For servers and proxies that cut connections off by themselves.
    #[must_use]
    pub fn pool_recycle(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.pool_recycle = age.into();
        self
    }

    /// After how long without use a connection to a server is asked whether it still works before it is lent; 30 seconds
    /// by default. One that does not is replaced. What is used all the time is never asked.
    #[must_use]
    pub fn ping_after(mut self, idle: Duration) -> Self {
        self.ping_after = idle;
        self
    }

    /// How long to wait for another writer; 5 seconds by default.
    #[must_use]
    pub fn busy_timeout(mut self, limit: Duration) -> Self {
        self.busy_timeout = limit;
        self
    }

    /// How many prepared statements each connection keeps; 128 by default, and at least 1 on SQLite. 0 on PostgreSQL is as
    /// `prepare=off` in its URL: nothing is left on the server, for proxies that pool transactions.
    #[must_use]
    pub fn statement_cache_size(mut self, statements: usize) -> Self {
        self.statement_cache_size = statements;
        self
    }

    /// How much SQLite waits for the disk; [`Synchronous::Normal`] by default.
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// After how long a read replica that could not be reached is asked whether it is back; 10 seconds by default. Until
    /// then nobody waits for it.
    #[must_use]
    pub fn probe_after(mut self, down: Duration) -> Self {
        self.probe_after = down;
        self
    }

    pub(super) fn probe_interval(&self) -> Duration {
        self.probe_after
    }

    /// The same for a replica.
    pub(super) fn of_replica(mut self, label: &str) -> Self {
        self.replica = Some(label.into());
        self
    }

    /// Whether each statement is logged, through `tracing` at level INFO with target `aludel::sql`, without values.
    #[must_use]
    pub fn echo(mut self, echo: bool) -> Self {
        self.echo = echo;
        self
    }

    /// What is told of each statement sent, its SQL with placeholders, `BEGIN` and `COMMIT` among them: for tests that
    /// count statements, and for recording.
    #[doc(hidden)]
    #[must_use]
    pub fn on_statement(mut self, observer: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        self.observer = Some(observer);
        self
    }
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineOptions")
            .field("pool_size", &self.pool_size)
            .field("max_overflow", &self.max_overflow)
            .field("pool_timeout", &self.pool_timeout)
            .field("pool_recycle", &self.pool_recycle)
            .field("ping_after", &self.ping_after)
            .field("busy_timeout", &self.busy_timeout)
            .field("statement_cache_size", &self.statement_cache_size)
            .field("synchronous", &self.synchronous)
            .field("echo", &self.echo)
            .field("probe_after", &self.probe_after)
            .finish_non_exhaustive()
    }
}
