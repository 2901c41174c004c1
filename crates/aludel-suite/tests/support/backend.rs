//! Which backend a test runs on, and where.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{mariadb, postgres, sqlite};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    MariaDb,
}

impl Backend {
    /// What `ALUDEL_TEST_BACKEND` says.
    pub(crate) fn current() -> Self {
        match std::env::var("ALUDEL_TEST_BACKEND").as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok("mariadb") => Self::MariaDb,
            Ok(other) => panic!("ALUDEL_TEST_BACKEND is `{other}`: it is sqlite, postgres or mariadb"),
        }
    }

    /// The one of three values that is this backend's.
    pub(crate) fn pick<T>(self, sqlite: T, postgres: T, mariadb: T) -> T {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
            Self::MariaDb => mariadb,
        }
    }
}

/// A test's own file, schema or database.
pub(super) enum Place {
    Sqlite(sqlite::File),
    Postgres(postgres::Schema),
    MariaDb(mariadb::Database),
}

impl Place {
    pub(super) fn new(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite(sqlite::File::new()),
            Backend::Postgres => Self::Postgres(postgres::Schema::new(name())),
            Backend::MariaDb => Self::MariaDb(mariadb::Database::new(name())),
        }
    }

    pub(super) fn uri(&self) -> String {
        match self {
            Self::Sqlite(file) => file.uri(),
            Self::Postgres(schema) => schema.uri(),
            Self::MariaDb(database) => database.uri(),
        }
    }

    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(file) => file.rows(sql),
            Self::Postgres(schema) => schema.rows(sql),
            Self::MariaDb(database) => database.rows(sql),
        }
    }

    pub(super) fn change(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => file.change(sql),
            Self::Postgres(schema) => schema.change(sql),
            Self::MariaDb(database) => database.change(sql),
        }
    }
}

/// A name that nobody else on the server uses.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
    format!("aludel_test_{now:x}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a client of a server on a thread of its own: the test's thread may be polling futures.
pub(super) fn apart<O: Send>(run: impl AsyncFnOnce() -> O + Send) -> O {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run())
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A float as SQLite's client shows it.
pub(super) fn float(text: &str) -> String {
    format!("{:?}", text.parse::<f64>().expect("a float"))
}

/// A date and time without the zeros at the end of its fraction.
pub(super) fn instant(text: &str) -> String {
    match text.split_once('.') {
        Some((seconds, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            if fraction.is_empty() { seconds.to_owned() } else { format!("{seconds}.{fraction}") }
        }
        None => text.to_owned(),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
