//! Which connections are open, who has them, and who waits for one.

use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, TryAcquireError};

use super::engine::Driver;
use crate::error::{Error, ErrorKind, Result};

/// A pool of connections: at most `capacity` are open, `keep` of them stay open when nobody uses them.
pub(super) struct Pool {
    /// One permit for each connection that may be lent now; whoever waits is served in turn.
    permits: Semaphore,
    state: Mutex<State>,
    capacity: usize,
    keep: usize,
}

struct State {
    /// The last one back goes out first: its caches are warm.
    idle: Vec<Driver>,
    /// Who has the connection of each seat.
    holders: Vec<Option<&'static Location<'static>>>,
    free_seats: Vec<usize>,
    closed: bool,
}

impl Pool {
    pub(super) fn new(capacity: usize, keep: usize, first: Driver) -> Self {
        let capacity = capacity.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let keep = keep.clamp(0, capacity);
        Self {
            permits: Semaphore::new(capacity),
            state: Mutex::new(State { idle: vec![first], holders: Vec::new(), free_seats: Vec::new(), closed: false }),
            capacity,
            keep,
        }
    }

    /// Waits for a seat, and takes an idle connection for it where there is one.
    ///
    /// # Errors
    /// `PoolTimeout`, naming the holders; `Connection` when the pool is closed.
    #[inline]
    pub(super) async fn check_out(
        &self,
        holder: &'static Location<'static>,
        limit: Duration,
    ) -> Result<(usize, Option<Driver>)> {
        match self.permits.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => match tokio::time::timeout(limit, self.permits.acquire()).await {
                Ok(Ok(permit)) => permit.forget(),
                Ok(Err(_)) => return Err(closed()),
                Err(_) => return Err(self.timed_out(limit)),
            },
        }
        let mut state = self.state();
        let seat = match state.free_seats.pop() {
            Some(seat) => seat,
            None => {
                state.holders.push(None);
                state.holders.len() - 1
            }
        };
        state.holders[seat] = Some(holder);
        Ok((seat, state.idle.pop()))
    }

    /// Frees a seat, and takes its connection back. What is given back to the caller is to be dropped: the pool has
    /// enough connections, or is closed.
    #[inline]
    pub(super) fn check_in(&self, seat: usize, driver: Option<Driver>) -> Option<Driver> {
        let mut state = self.state();
        state.holders[seat] = None;
        state.free_seats.push(seat);
        let surplus = match driver {
            Some(driver) if state.closed || state.idle.len() >= self.keep => Some(driver),
            Some(driver) => {
                state.idle.push(driver);
                None
            }
            None => None,
        };
        drop(state);
        self.permits.add_permits(1);
        surplus
    }

    /// Closes the pool for good: nobody gets a connection any more, and whoever waits for one gets an error. The idle
    /// connections are the caller's to drop.
    pub(super) fn close(&self) -> Vec<Driver> {
        self.permits.close();
        let mut state = self.state();
        state.closed = true;
        std::mem::take(&mut state.idle)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn timed_out(&self, limit: Duration) -> Error {
        let mut holders: Vec<(String, usize)> = Vec::new();
        for holder in self.state().holders.iter().flatten() {
            let place = format!("{}:{}", holder.file(), holder.line());
            match holders.iter_mut().find(|(known, _)| *known == place) {
                Some((_, count)) => *count += 1,
                None => holders.push((place, 1)),
            }
        }
        let holders: Vec<String> = holders
            .into_iter()
            .map(|(place, count)| if count == 1 { place } else { format!("{place} ({count} times)") })
            .collect();
        let holders = holders.join(", ");
        Error::new(
            ErrorKind::PoolTimeout,
            if self.capacity == 1 {
                format!(
                    "the one connection of the pool did not come free within {limit:?}; it is held by {holders}: end \
                     that transaction or stream first"
                )
            } else {
                format!(
                    "no connection came free within {limit:?}; all {} are held, by {holders}: end transactions and \
                     streams sooner, or raise `pool_size` or `max_overflow`",
                    self.capacity
                )
            },
        )
    }
}

#[cold]
fn closed() -> Error {
    Error::new(ErrorKind::Connection, "the database was closed by `db.close()`; connect again")
}
