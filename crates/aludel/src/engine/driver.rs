//! A connection of one of the backends.

use super::connection::{CopyIn, CursorId, Executed, Several, Sink, SinkOfSeveral};
#[cfg(feature = "mysql")]
use super::mysql;
#[cfg(feature = "postgres")]
use super::postgres;
use super::sqlite;
use super::url::Target;
use super::{EngineOptions, offload};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Dialect, Value};

/// A connection of one of the backends that are compiled in.
pub(super) enum Driver {
    /// In this process: its statements run at once, on the thread that asks.
    Sqlite(Box<sqlite::Connection>),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Connection>),
    #[cfg(feature = "mysql")]
    Mysql(Box<mysql::Connection>),
}

impl Driver {
    /// Opens a connection.
    ///
    /// # Errors
    /// `Connection` when there is no database, or it does not let this program in.
    pub(super) async fn open(target: &Target, options: &EngineOptions) -> Result<Self> {
        match target {
            Target::File(file) => {
                let (file, options) = (file.clone(), options.clone());
                let connection = offload::run(move || sqlite::Connection::open(&file, &options)).await??;
                Ok(Self::Sqlite(Box::new(connection)))
            }
            Target::Server(url) => match url.backend {
                #[cfg(feature = "postgres")]
                super::url::Backend::Postgres => {
                    Ok(Self::Postgres(Box::new(postgres::Connection::open(url, options).await?)))
                }
                #[cfg(feature = "mysql")]
                super::url::Backend::Mysql => Ok(Self::Mysql(Box::new(mysql::Connection::open(url, options).await?))),
                #[allow(unreachable_patterns, reason = "a URL of a backend that is not compiled in does not parse")]
                _ => unreachable!("a URL of this backend does not parse"),
            },
        }
    }

    /// The SQL that the database understands.
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.dialect(),
        }
    }

    /// Whether a transaction is open: as the database sees it, whatever was sent.
    #[inline]
    pub(super) fn in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.in_transaction(),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.in_transaction(),
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.in_transaction(),
        }
    }

    /// Whether nothing runs on it and nothing is open, where that is known without more ado.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.is_idle(),
            #[allow(unreachable_patterns, reason = "other backends may not be compiled in")]
            _ => false,
        }
    }

    /// Ends what its owner left open, without waiting; whether the connection is fit for the next one.
    pub(super) fn abandon(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.roll_back_now(),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.abandon(),
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.abandon(),
        }
    }

    /// Begins a transaction where BEGIN goes along with the first statement; whether it does.
    pub(super) fn begin_with_next(&mut self) -> bool {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => {
                connection.begin();
                true
            }
            _ => false,
        }
    }

    /// Whether several statements can go in one request: see [`execute_all`](Self::execute_all).
    pub(super) fn takes_several(&self) -> bool {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
            _ => false,
        }
    }

    /// Runs several statements in one request; the first that fails is the last. Only where
    /// [`takes_several`](Self::takes_several) says so.
    #[allow(unused_variables, reason = "used with the features of the servers")]
    pub(super) async fn execute_all(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
        sink: SinkOfSeveral<'_>,
    ) -> Several {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.execute_all(statements, sink).await,
            _ => unreachable!("asked for by `takes_several`"),
        }
    }

    /// Runs a statement on a server and hands each of its rows to `sink`.
    ///
    /// # Errors
    /// What the server reports, with its kind; what `sink` returns; `Connection` when it is gone.
    #[allow(unused_variables, reason = "used with the features of the servers")]
    pub(super) async fn fetch(&mut self, sql: &str, params: &[Value<'_>], sink: Sink<'_>) -> Result<Fetched> {
        match self {
            Self::Sqlite(_) => Err(embedded()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.fetch(sql, params, sink).await,
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.fetch(sql, params, sink).await,
        }
    }

    /// Inserts rows by COPY, where the backend has it and the table and the values are for it: see
    /// [`copy_in`](super::PooledConnection::copy_in).
    #[allow(unused_variables, reason = "PostgreSQL alone has COPY")]
    pub(super) async fn copy_in(&mut self, copy: &CopyIn<'_>) -> Result<Option<Executed>> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.copy_in(copy).await,
            _ => Ok(None),
        }
    }

    /// Runs several statements without values on a server.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    #[allow(unused_variables, reason = "used with the features of the servers")]
    pub(super) async fn execute_batch(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(_) => Err(embedded()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.execute_batch(sql).await,
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.execute_batch(sql).await,
        }
    }

    /// Opens a cursor on a server.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    #[allow(unused_variables, reason = "used with the features of the servers")]
    pub(super) async fn open_cursor(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        match self {
            Self::Sqlite(_) => Err(embedded()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.open_cursor(sql, params).await,
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.open_cursor(sql, params).await,
        }
    }

    /// Hands at most `limit` rows of a server's cursor to `sink`; whether there are more.
    ///
    /// # Errors
    /// `InvalidStatement` when the cursor was ended by a commit or rollback; as [`fetch`](Self::fetch).
    #[allow(unused_variables, reason = "used with the features of the servers")]
    pub(super) async fn fetch_some(&mut self, cursor: CursorId, limit: usize, sink: Sink<'_>) -> Result<bool> {
        match self {
            Self::Sqlite(_) => Err(embedded()),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.fetch_some(cursor, limit, sink).await,
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.fetch_some(cursor, limit, sink).await,
        }
    }

    /// Closes a cursor on a server, without waiting.
    #[allow(unused_variables, reason = "used with the features of the servers")]
    pub(super) fn close_cursor(&mut self, cursor: CursorId) {
        match self {
            Self::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.close_cursor(cursor),
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.close_cursor(cursor),
        }
    }

    /// Forgets the cursors of a transaction that is about to end.
    pub(super) fn close_cursors(&mut self) {
        match self {
            Self::Sqlite(connection) => connection.close_cursors(),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.close_cursors(),
            #[cfg(feature = "mysql")]
            Self::Mysql(connection) => connection.close_cursors(),
        }
    }
}

/// What a statement on a server has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    /// How many rows were handed over.
    pub(super) rows: u64,
    pub(super) executed: Executed,
}

/// Whether a statement that the program wrote leaves the database of a server as it is, as far as its words tell: a
/// SELECT may call a function that writes, but whoever writes that in raw SQL can begin the transaction.
pub(super) fn reads_only(sql: &str) -> bool {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let reads = |word: &str| {
        ["select", "values", "show", "explain", "table", "with", "describe", "desc"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    };
    // `for update`, `into`, data-modifying WITH, and `explain analyze` of any of them.
    let writes = |word: &str| {
        ["update", "share", "into", "insert", "delete", "merge", "lock", "nextval", "setval"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    };
    words.next().is_some_and(reads) && !words.any(writes)
}

#[cold]
fn embedded() -> Error {
    Error::new(ErrorKind::InvalidStatement, "SQLite's statements run in this process")
}

#[cfg(test)]
mod tests {
    use super::reads_only;

    #[test]
    fn what_may_write_does_not_only_read() {
        for sql in [
            "SELECT 1",
            "  select * from t",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "(VALUES (1))",
            "EXPLAIN SELECT 1",
        ] {
            assert!(reads_only(sql), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES (1)",
            "SELECT * FROM t FOR UPDATE",
            "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
            "SELECT * INTO u FROM t",
            "CREATE TABLE t (a int)",
            "",
        ] {
            assert!(!reads_only(sql), "{sql}");
        }
    }
}
