//! Transactions that stayed prepared.

use std::panic::Location;

use jiff::Timestamp;

use super::Db;
use crate::engine::Finish;
use crate::error::{Error, ErrorKind, Result};
use crate::session::shared::Database;
use crate::session::two_phase::GID_PREFIX;
use crate::sql::Dialect;

/// A transaction that a two-phase commit has prepared and not ended: see [`Db::prepared_transactions`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreparedTransaction {
    /// The bind in whose database it is; none for the default one.
    pub bind: Option<String>,
    /// Its name on the server. The parts of one transaction in several databases differ in the number at the end.
    pub gid: String,
    /// When it was prepared.
    pub prepared_at: Timestamp,
}

impl Db {
    /// The transactions that two-phase commits of this library have prepared in the databases of PostgreSQL, and that have
    /// not ended, the oldest first of each database. One that is under way now is among them; one that is older than any
    /// commit takes was left by a server or program that went down in between, and keeps its locks until it is ended.
    ///
    /// # Errors
    /// `Connection`, `PoolTimeout`; what else the database reports.
    #[track_caller]
    pub fn prepared_transactions(&self) -> impl Future<Output = Result<Vec<PreparedTransaction>>> + Send {
        let at = Location::caller();
        async move {
            let mut all = Vec::new();
            for database in self.shared.databases().iter().filter(|database| is_able(database)) {
                let found = database.engine.acquire(at).await?.prepared_transactions(GID_PREFIX).await?;
                let prepared =
                    |(gid, prepared_at)| PreparedTransaction { bind: database.name.clone(), gid, prepared_at };
                all.extend(found.into_iter().map(prepared));
            }
            Ok(all)
        }
    }

    /// Commits a transaction that stayed prepared. So it is to be when another part of the same transaction was committed.
    ///
    /// # Errors
    /// `NotFound` when none has this name; what the database reports.
    #[track_caller]
    pub fn commit_prepared(&self, gid: &str) -> impl Future<Output = Result<()>> + Send {
        self.finish(gid, Finish::Commit, Location::caller())
    }

    /// Rolls back a transaction that stayed prepared, of which no part was committed.
    ///
    /// # Errors
    /// As [`commit_prepared`](Self::commit_prepared).
    #[track_caller]
    pub fn rollback_prepared(&self, gid: &str) -> impl Future<Output = Result<()>> + Send {
        self.finish(gid, Finish::Rollback, Location::caller())
    }

    async fn finish(&self, gid: &str, how: Finish, at: &'static Location<'static>) -> Result<()> {
        for database in self.shared.databases().iter().filter(|database| is_able(database)) {
            let mut connection = database.engine.acquire(at).await?;
            if connection.prepared_transactions(gid).await?.iter().any(|(known, _)| known == gid) {
                return connection.finish_prepared(gid, how).await;
            }
        }
        Err(Error::new(ErrorKind::NotFound, format!("no transaction is prepared by the name `{gid}`")))
    }
}

fn is_able(database: &Database) -> bool {
    database.engine.dialect() == Dialect::Postgres
}

/// Whether all databases can prepare transactions.
///
/// # Errors
/// `Unsupported` and `Config`, naming the first that cannot.
pub(super) async fn check(databases: &[Database], at: &'static Location<'static>) -> Result<()> {
    for database in databases {
        let name = match &database.name {
            Some(name) => format!("the bind `{name}`"),
            None => "the default database".to_owned(),
        };
        if !is_able(database) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "two-phase commit is there on PostgreSQL, and {name} is {:?}; without it each database commits by \
                     itself, one after the other",
                    database.engine.dialect()
                ),
            ));
        }
        if !database.engine.acquire(at).await?.prepares_transactions().await? {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "two-phase commit: the server of {name} prepares no transactions; set max_prepared_transactions there \
                     to as many as there are connections, and restart it"
                ),
            ));
        }
    }
    Ok(())
}
