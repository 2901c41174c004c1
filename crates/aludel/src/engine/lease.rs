//! A connection on loan from the pool.

use std::panic::Location;
use std::sync::Arc;

use super::driver::Driver;
use super::engine::Shared;
use super::retry::Retry;
use super::sqlite::Connection;
use super::writer::WriterPermit;
use crate::error::Result;

/// A connection on loan, with all that has to go back: dropping it ends what runs, rolls back what is open, and gives
/// back the writer's permit and the connection, in this order and on whatever thread it happens.
pub(super) struct Lease {
    pub(super) shared: Arc<Shared>,
    pub(super) holder: &'static Location<'static>,
    driver: Option<Driver>,
    seat: usize,
    permit: Option<WriterPermit>,
}

impl Lease {
    pub(super) fn new(
        shared: Arc<Shared>,
        holder: &'static Location<'static>,
        seat: usize,
        driver: Option<Driver>,
    ) -> Self {
        Self { shared, holder, driver, seat, permit: None }
    }

    /// Whether the database is on a server, and not in this process.
    #[inline]
    pub(super) fn is_server(&self) -> bool {
        !matches!(&self.driver, Some(Driver::Sqlite(_)) | None)
    }

    /// Whether a connection has still to be opened for this seat.
    pub(super) fn is_empty(&self) -> bool {
        self.driver.is_none()
    }

    pub(super) fn fill(&mut self, driver: Driver) {
        self.driver = Some(driver);
    }

    /// The connection. It is there from the end of `acquire` on.
    #[inline]
    pub(super) fn driver(&mut self) -> Option<&mut Driver> {
        self.driver.as_mut()
    }

    /// The connection, if it is one to SQLite.
    #[inline]
    pub(super) fn sqlite(&mut self) -> Option<&mut Connection> {
        match &mut self.driver {
            Some(Driver::Sqlite(connection)) => Some(connection),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn in_transaction(&self) -> bool {
        self.driver.as_ref().is_some_and(Driver::in_transaction)
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
        let mut clean = true;
        if let Some(driver) = &mut self.driver {
            if driver.in_transaction() {
                self.shared.log.statement("ROLLBACK");
            }
            clean = driver.abandon();
        }
        // An in-memory database lives in its one connection, which therefore goes back whatever its state.
        let back = self.driver.take().filter(|_| clean || self.shared.memory);
        self.permit = None;
        drop(self.shared.pool.check_in(self.seat, back));
    }
}
