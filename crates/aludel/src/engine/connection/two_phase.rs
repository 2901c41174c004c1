//! Transactions that are prepared first and committed afterwards, by whichever connection: PostgreSQL's.

use jiff::Timestamp;

use super::PooledConnection;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// How a prepared transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Commit,
    Rollback,
}

impl PooledConnection {
    /// Prepares the transaction: it is on disk, and no longer the connection's.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); what cannot be prepared is rolled back.
    pub(crate) async fn prepare_transaction(&mut self, gid: &str) -> Result<()> {
        self.close_cursors()?;
        if !self.in_transaction() {
            return Err(Error::new(
                ErrorKind::NeedsRollback,
                "no transaction is open: the database ended it by itself after an error, and its changes are lost; run \
                 it again",
            ));
        }
        self.command(&format!("PREPARE TRANSACTION {}", literal(gid))).await
    }

    /// Commits a prepared transaction, or rolls it back.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) async fn finish_prepared(&mut self, gid: &str, how: Finish) -> Result<()> {
        let word = if how == Finish::Commit { "COMMIT" } else { "ROLLBACK" };
        self.command(&format!("{word} PREPARED {}", literal(gid))).await
    }

    /// The prepared transactions of this database whose names begin like this, the oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) async fn prepared_transactions(&mut self, prefix: &str) -> Result<Vec<(String, Timestamp)>> {
        let sql = "SELECT gid, prepared FROM pg_prepared_xacts WHERE database = current_database() \
                   AND starts_with(gid, $1) ORDER BY prepared, gid";
        let mut found = Vec::new();
        self.fetch(sql, &[Value::Text(prefix.into())], &mut |row| {
            found.push((row.text(0)?.to_owned(), row.timestamp(1)?));
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Whether the server can prepare transactions at all.
    ///
    /// # Errors
    /// What the database reports.
    pub(crate) async fn prepares_transactions(&mut self) -> Result<bool> {
        let mut most = 0;
        let sql = "SELECT current_setting('max_prepared_transactions')::bigint";
        self.fetch(sql, &[], &mut |row| {
            most = row.integer(0)?;
            Ok(())
        })
        .await?;
        Ok(most > 0)
    }
}

/// These statements take no parameters.
fn literal(gid: &str) -> String {
    format!("'{}'", gid.replace('\'', "''"))
}
