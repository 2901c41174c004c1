//! Many rows for one table at once, where the backend has a statement for it.

use super::{Executed, PooledConnection};
use crate::error::Result;
use crate::sql::Value;

/// Rows on their way into a table by COPY.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "PostgreSQL alone has COPY"))]
pub(crate) struct CopyIn<'a> {
    /// The table as it stands in SQL, in quotes.
    pub(crate) table: &'a str,
    /// `COPY table (columns) FROM STDIN (FORMAT binary)`.
    pub(crate) sql: &'a str,
    /// The INSERT of one row: what it takes says of which types the columns are.
    pub(crate) insert: &'a str,
    /// How many columns are given.
    pub(crate) columns: usize,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// The value of a row, counted from 0, in a column that is given, likewise.
    pub(crate) value: &'a (dyn Fn(usize, usize) -> Value<'a> + Send + Sync),
}

impl PooledConnection {
    /// Inserts rows by COPY, in the open transaction: all or none. Nothing comes back, and nothing has happened, where
    /// the table or the values are for INSERT alone.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn copy_in(&mut self, copy: &CopyIn<'_>) -> Result<Option<Executed>> {
        let outcome = self.driver()?.copy_in(copy).await;
        if !matches!(outcome, Ok(None)) {
            self.lease()?.shared.log.statement(copy.sql);
        }
        outcome.map_err(|error| error.with_statement(copy.sql))
    }
}
