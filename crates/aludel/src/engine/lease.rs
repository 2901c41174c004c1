//! A connection on loan from the pool.

use std::panic::Location;
use std::sync::Arc;

use super::driver::Driver;
use super::engine::Shared;
use super::pool::{Pooled, Times};
use super::retry::Retry;
use super::sqlite::Connection;
use super::writer::WriterPermit;
use crate::error::Result;
use crate::sql::Dialect;

/// A connection on loan, with all that has to go back: dropping it ends what runs, rolls back what is open, and gives
/// back the writer's permit and the connection, in this order and on whatever thread it happens.
pub(super) struct Lease {
    pub(super) shared: Arc<Shared>,
    pub(super) holder: &'static Location<'static>,
    pooled: Option<Pooled>,
    seat: usize,
    permit: Option<WriterPermit>,
}

impl Lease {
    pub(super) fn new(
        shared: Arc<Shared>,
        holder: &'static Location<'static>,
        seat: usize,
        pooled: Option<Pooled>,
    ) -> Self {
        Self { shared, holder, pooled, seat, permit: None }
    }

    /// Whether the database is on a server, and not in this process.
    #[inline]
    pub(super) fn is_server(&self) -> bool {
        self.shared.dialect != Dialect::Sqlite
    }

    /// Whether several statements can go in one request.
    pub(super) fn takes_several(&self) -> bool {
        self.pooled.as_ref().is_some_and(|pooled| pooled.driver.takes_several())
    }

    /// Whether a connection has still to be opened for this seat.
    pub(super) fn is_empty(&self) -> bool {
        self.pooled.is_none()
    }

    pub(super) fn fill(&mut self, pooled: Pooled) {
        self.pooled = Some(pooled);
    }

    /// Whether the server still answers.
    pub(super) async fn answers(&mut self) -> bool {
        match self.driver() {
            Some(driver) => driver.fetch("SELECT 1", &[], &mut |_| Ok(())).await.is_ok(),
            None => false,
        }
    }

    /// Closes the connection, whose seat is empty then.
    pub(super) fn discard(&mut self) {
        self.pooled = None;
    }

    /// When the connection was opened and last came back, of one to a server.
    #[inline]
    pub(super) fn times(&self) -> Option<Times> {
        self.pooled.as_ref().and_then(|pooled| pooled.times.as_deref().copied())
    }

    /// The connection. It is there from the end of `acquire` on.
    #[inline]
    pub(super) fn driver(&mut self) -> Option<&mut Driver> {
        self.pooled.as_mut().map(|pooled| &mut pooled.driver)
    }

    /// The connection, if it is one to SQLite.
    #[inline]
    pub(super) fn sqlite(&mut self) -> Option<&mut Connection> {
        match &mut self.pooled {
            Some(Pooled { driver: Driver::Sqlite(connection), .. }) => Some(connection),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn in_transaction(&self) -> bool {
        self.pooled.as_ref().is_some_and(|pooled| pooled.driver.in_transaction())
    }

    /// Takes the right to write, if it is not here already and the database has such a thing.
    ///
    /// # Errors
    /// `Busy`, naming the holder.
    #[inline]
    pub(super) async fn take_writer_permit(&mut self, retry: &mut Retry) -> Result<()> {
        if self.permit.is_none()
            && let Some(queue) = &self.shared.writers
        {
            self.permit = Some(queue.acquire(self.holder, retry).await?);
        }
        Ok(())
    }

    /// Takes the right to write where nobody else has it; whether it is here now, or there is no such thing.
    #[inline]
    pub(super) fn try_writer_permit(&mut self) -> bool {
        if self.permit.is_none()
            && let Some(queue) = &self.shared.writers
        {
            self.permit = queue.try_acquire(self.holder);
            return self.permit.is_some();
        }
        true
    }

    /// Gives the right to write back once no transaction is open: however it ended.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.permit.is_some() && !self.in_transaction() {
            self.permit = None;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let back = self.pooled.take().and_then(|mut pooled| self.shared.clean(&mut pooled).then_some(pooled));
        self.permit = None;
        self.shared.give_back(self.seat, back);
    }
}
