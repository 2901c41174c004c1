//! Which connections are open, who has them, and who waits for one.

use std::panic::Location;
use std::time::Duration;

use super::driver::Driver;
use super::gate::{Gate, Refused};
use crate::error::{Error, ErrorKind, Result};

/// A pool of connections: at most `capacity` are open, `keep` of them stay open when nobody uses them.
pub(super) struct Pool {
    /// One connection for each that may be lent now; whoever waits is served in turn.
    gate: Gate<State>,
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

impl State {
    /// A seat, and an idle connection for it where there is one.
    fn check_out(&mut self, holder: &'static Location<'static>) -> (usize, Option<Driver>) {
        let seat = match self.free_seats.pop() {
            Some(seat) => seat,
            None => {
                self.holders.push(None);
                self.holders.len() - 1
            }
        };
        self.holders[seat] = Some(holder);
        (seat, self.idle.pop())
    }
}

impl Pool {
    pub(super) fn new(capacity: usize, keep: usize, first: Driver) -> Self {
        let capacity = capacity.max(1);
        let keep = keep.clamp(0, capacity);
        let state = State { idle: vec![first], holders: Vec::new(), free_seats: Vec::new(), closed: false };
        Self { gate: Gate::new(state, capacity), capacity, keep }
    }

    /// A seat, and an idle connection for it where there is one, if a seat is free that nobody waits for.
    #[inline]
    pub(super) fn try_check_out(&self, holder: &'static Location<'static>) -> Option<(usize, Option<Driver>)> {
        self.gate.try_take(|state| state.check_out(holder))
    }

    /// Waits for a seat, and takes an idle connection for it where there is one.
    ///
    /// # Errors
    /// `PoolTimeout`, naming the holders; `Connection` when the pool is closed.
    pub(super) async fn check_out(
        &self,
        holder: &'static Location<'static>,
        limit: Duration,
    ) -> Result<(usize, Option<Driver>)> {
        match self.gate.wait(limit, |state| state.check_out(holder)).await {
            Ok(seat) => Ok(seat),
            Err(Refused::Closed) => Err(closed()),
            Err(Refused::TimedOut) => Err(self.timed_out(limit)),
        }
    }

    /// Frees a seat, and takes its connection back. What is given back to the caller is to be dropped: the pool has
    /// enough connections, or is closed.
    #[inline]
    pub(super) fn check_in(&self, seat: usize, driver: Option<Driver>) -> Option<Driver> {
        let keep = self.keep;
        self.gate.give(|state| {
            state.holders[seat] = None;
            state.free_seats.push(seat);
            match driver {
                Some(driver) if state.closed || state.idle.len() >= keep => Some(driver),
                Some(driver) => {
                    state.idle.push(driver);
                    None
                }
                None => None,
            }
        })
    }

    /// Closes the pool for good: nobody gets a connection any more, and whoever waits for one gets an error. The idle
    /// connections are the caller's to drop.
    pub(super) fn close(&self) -> Vec<Driver> {
        self.gate.close(|state| {
            state.closed = true;
            std::mem::take(&mut state.idle)
        })
    }

    #[cold]
    fn timed_out(&self, limit: Duration) -> Error {
        let mut holders: Vec<(String, usize)> = Vec::new();
        let places = self.gate.with(|state| state.holders.iter().flatten().copied().collect::<Vec<_>>());
        for holder in places {
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
