//! The URL of a database.

mod server;
mod sqlite;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(any(feature = "postgres", feature = "mysql", test))]
pub(crate) use server::Host;
pub(crate) use server::{Backend, ServerUrl};
use sqlite::SqliteUrl;

use super::sqlite::DatabaseFile;
use crate::error::{Error, ErrorKind, Result};

/// The URL of a database, parsed.
///
/// `sqlite://`, `sqlite:///` and `sqlite:///:memory:` are a database in memory, `sqlite:///app.db` is a file in the
/// instance folder, `sqlite:////var/lib/app.db` (four slashes) is an absolute path, and `sqlite:///file:app.db?mode=ro`
/// is one of SQLite's own `file:` URIs.
///
/// `postgresql://user:password@host:5432/database` (or `postgres://`) and `mysql://..` (or `mariadb://`) are servers, as
/// libpq and SQLAlchemy write them: several hosts stand side by side with commas between them, a host that begins with a
/// slash is the folder of a Unix socket (`postgresql:///database?host=/run/postgresql`), and special characters are
/// written with `%` signs. Passwords never show in `Display` or `Debug`.
///
/// PostgreSQL's parameters are libpq's `sslmode`, `sslrootcert`, `target_session_attrs`, `connect_timeout` (in seconds; 10
/// by default, 0 for none), `application_name` and `options` (`options=-csearch_path%3Dapp` sets what the server calls
/// settings); `client_encoding`, which can only be UTF8; and `prepare=off`, for proxies that pool transactions. What is
/// missing is the user who runs the program, a database of the user's name, and `localhost:5432`. Any other parameter is
/// an error.
///
/// ```
/// use aludel::engine::DatabaseUrl;
///
/// let url = DatabaseUrl::parse("sqlite:///app.db")?;
/// assert_eq!(url.to_string(), "sqlite:///app.db");
/// assert!(!url.is_memory());
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Sqlite(SqliteUrl),
    Server(Box<ServerUrl>),
}

/// What an engine opens.
#[derive(Clone)]
pub(super) enum Target {
    /// A SQLite database.
    File(DatabaseFile),
    /// A server's database.
    Server(Box<ServerUrl>),
}

/// The schemes that there are, the backend that each stands for, and whether this build has it.
const SCHEMES: &[(&str, Backend, bool)] = &[
    ("sqlite", Backend::Sqlite, cfg!(feature = "sqlite")),
    ("postgresql", Backend::Postgres, cfg!(feature = "postgres")),
    ("postgres", Backend::Postgres, cfg!(feature = "postgres")),
    ("mysql", Backend::Mysql, cfg!(feature = "mysql")),
    ("mariadb", Backend::Mysql, cfg!(feature = "mysql")),
];

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// `Config`, saying what is wrong and how to write it.
    pub fn parse(url: &str) -> Result<Self> {
        let url = url.trim();
        if url.is_empty() {
            return Err(config("the database URL is empty; write for example sqlite:///app.db"));
        }
        let Some((scheme, rest)) = url.split_once(':') else {
            // Not shown: it may be anything, a password too.
            return Err(config("the database URL has no scheme; write for example sqlite:///app.db"));
        };
        // SQLAlchemy names a driver after a plus sign; here a backend has one.
        let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme).to_ascii_lowercase();
        match SCHEMES.iter().find(|(known, ..)| *known == scheme) {
            Some((_, Backend::Sqlite, true)) => Ok(Self(Kind::Sqlite(SqliteUrl::parse(rest)?))),
            Some((scheme, backend, true)) => {
                Ok(Self(Kind::Server(Box::new(ServerUrl::parse(*backend, scheme, rest)?))))
            }
            Some((scheme, backend, false)) => Err(config(format!(
                "the database URL has the scheme `{scheme}`, and this build has no backend for it; enable the feature \
                 `{}` of the crate `aludel`",
                backend.feature()
            ))),
            None => Err(unknown_scheme(&scheme)),
        }
    }

    /// The URL of a SQLite file, whatever characters its path has.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Sqlite(SqliteUrl { path: Some(path.into()), parameters: Vec::new() }))
    }

    /// The same URL with a relative path made absolute: it is taken from the instance folder, which is created. Folders
    /// below it are not. A server's URL stays as it is.
    ///
    /// # Errors
    /// `Config` when the folder cannot be created.
    pub fn in_folder(self, instance: &Path) -> Result<Self> {
        match self.0 {
            Kind::Sqlite(url) => Ok(Self(Kind::Sqlite(url.in_folder(instance)?))),
            Kind::Server(_) => Ok(self),
        }
    }

    /// The backend's name: `sqlite`, `postgresql` or `mysql`.
    pub fn backend(&self) -> &'static str {
        match &self.0 {
            Kind::Sqlite(_) => Backend::Sqlite.name(),
            Kind::Server(url) => url.backend.name(),
        }
    }

    /// Whether the database lives in memory.
    pub fn is_memory(&self) -> bool {
        matches!(&self.0, Kind::Sqlite(SqliteUrl { path: None, .. }))
    }

    /// Whether this is a database of SQLite, and none of a server.
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(&self.0, Kind::Sqlite(_))
    }

    /// The path of the database file; none for a database in memory or on a server.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(url) => url.path.as_deref(),
            Kind::Server(_) => None,
        }
    }

    /// What the engine is to open.
    pub(super) fn target(&self) -> Result<Target> {
        match &self.0 {
            Kind::Sqlite(url) => Ok(Target::File(url.to_open()?)),
            Kind::Server(url) => Ok(Target::Server(url.clone())),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(url) => url.fmt(f),
            Kind::Server(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        Self::parse(url)
    }
}

fn config(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn unknown_scheme(scheme: &str) -> Error {
    let built = || SCHEMES.iter().filter(|(.., built)| *built).map(|(scheme, ..)| *scheme);
    let list = built().collect::<Vec<_>>().join(", ");
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return config("the database URL does not begin with a scheme; write for example sqlite:///app.db");
    }
    match built().find(|backend| distance(scheme, backend) <= 2) {
        Some(backend) => config(format!(
            "the database URL has the unknown scheme `{scheme}`; did you mean `{backend}`? (this build has: {list})"
        )),
        None => config(format!(
            "the database URL has the scheme `{scheme}`, for which this build has no backend (it has: {list})"
        )),
    }
}

/// How many letters have to change between two words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
