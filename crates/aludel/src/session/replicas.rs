//! Reads that go to a replica.

use std::panic::Location;

use super::connection::Sink;
use super::shared::{Bind, Database};
use super::{ON_PRIMARY, Session};
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

impl Session {
    /// From now on all reads of this session go to the database itself and none to its replicas, as they do when it has
    /// written something or begun a transaction. For what has to be true now, and may have been written by somebody else
    /// a moment ago.
    pub fn on_primary(&self) {
        self.set(ON_PRIMARY);
    }

    /// Whether a read outside of a transaction may go to a replica.
    #[inline]
    pub(super) fn reads_from_replicas(&self, bind: Bind) -> bool {
        !self.inner.db().database(bind).replicas.is_empty() && !self.has(ON_PRIMARY)
    }

    /// A read on a replica; on the database itself where there is none to read from.
    #[cold]
    pub(super) async fn fetch_from_replica(
        &self,
        database: &Database,
        sql: &str,
        params: &[Value<'_>],
        at: &'static Location<'static>,
        sink: Sink<'_>,
    ) -> Result<u64> {
        for replica in database.replicas.in_turn() {
            let mut handed = false;
            let mut noting = |row: &Row<'_>| {
                handed = true;
                sink(row)
            };
            match Self::fetch_on(&replica.engine, sql, params, at, &mut noting).await {
                Err(error) if primary_may_know(&error) => {
                    if error.kind() == ErrorKind::Connection {
                        replica.leave_out(&error);
                    }
                    if handed {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
        Self::fetch_on(&database.engine, sql, params, at, sink).await
    }
}

/// Whether an error is the replica's own: it is down, it writes what the read would see, or the read writes.
pub(super) fn primary_may_know(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connection | ErrorKind::Serialization | ErrorKind::ReadOnly)
}
