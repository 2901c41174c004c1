//! A connection for one statement that waits for nothing.

use std::panic::Location;
use std::sync::Arc;

use super::embedded::{Begun, run_now};
use super::{Now, PooledConnection, Rest, Sink};
use crate::engine::driver::Driver;
use crate::engine::engine::Shared;
use crate::engine::lease::Lease;
use crate::engine::pool::Pooled;
use crate::error::{ErrorKind, Result};
use crate::sql::Value;

/// A connection of the pool for one statement outside of a transaction, which runs at once or goes on with a
/// [`PooledConnection`]. It borrows the engine, which a `PooledConnection` counts: that costs as much as a lock.
pub(crate) struct Brief<'e> {
    shared: &'e Arc<Shared>,
    holder: &'static Location<'static>,
    seat: usize,
    /// `None` when it went on.
    pooled: Option<Pooled>,
}

impl<'e> Brief<'e> {
    pub(in crate::engine) fn new(
        shared: &'e Arc<Shared>,
        holder: &'static Location<'static>,
        seat: usize,
        pooled: Pooled,
    ) -> Self {
        Self { shared, holder, seat, pooled: Some(pooled) }
    }

    /// Runs a statement as far as it goes at once, without waiting for anything and within one slice of time. What
    /// writes does not begin here. With what is left to be done comes the connection for it.
    #[inline]
    pub(crate) fn fetch_now<'p>(
        mut self,
        sql: &'p str,
        params: &'p [Value<'p>],
        sink: Sink<'_>,
    ) -> (Now<'p>, Option<PooledConnection>) {
        self.shared.log.statement(sql);
        let paused = match self.begin(sql, params, sink) {
            Ok(Begun::Done(rows)) => return (Now::Done(Ok(rows)), None),
            Ok(Begun::Not) => None,
            Ok(Begun::Slice(running, rows)) => Some((running.pause(), rows)),
            Err(error) => return (Now::Done(Err(error.with_statement(sql))), None),
        };
        (Now::Later(Rest { sql, params, paused }), Some(self.into_connection()))
    }

    #[inline]
    fn begin<'p>(&mut self, sql: &str, params: &'p [Value<'p>], sink: Sink<'_>) -> Result<Begun<'_, 'p>> {
        let Some(Pooled { driver: Driver::Sqlite(connection), .. }) = &mut self.pooled else { return Ok(Begun::Not) };
        match connection.prepare(sql) {
            Ok(prepared) if prepared.slow || !prepared.readonly => Ok(Begun::Not),
            Ok(_) => run_now(connection, params, sink),
            Err(error) if error.kind() == ErrorKind::Busy => Ok(Begun::Not),
            Err(error) => Err(error),
        }
    }

    #[cold]
    fn into_connection(mut self) -> PooledConnection {
        let pooled = self.pooled.take();
        PooledConnection::new(Lease::new(Arc::clone(self.shared), self.holder, self.seat, pooled))
    }
}

impl Drop for Brief<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut pooled) = self.pooled.take() {
            let clean = self.shared.clean(&mut pooled);
            self.shared.give_back(self.seat, clean.then_some(pooled));
        }
    }
}
