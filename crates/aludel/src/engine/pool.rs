//! Which connections are open, who has them, and who waits for one.

use std::panic::Location;
use std::time::{Duration, Instant};

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

/// A connection that is open, and what the pool knows of it.
pub(super) struct Pooled {
    pub(super) driver: Driver,
    /// When it was opened and when it last came back, of connections to servers: for SQLite nobody looks at the clock. In a
    /// box, because connections are moved with each statement.
    pub(super) times: Option<Box<Times>>,
}

#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) opened: Instant,
    pub(super) back: Instant,
}

/// How many connections a pool has, and what they are doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// How many connections may be open at once: `pool_size` and `max_overflow` together.
    pub capacity: usize,
    /// How many are lent now.
    pub in_use: usize,
    /// How many are open and not lent.
    pub idle: usize,
    /// How many tasks wait for one.
    pub waiting: usize,
}

struct State {
    /// The last one back goes out first: its caches are warm.
    idle: Vec<Pooled>,
    /// Who has the connection of each seat.
    holders: Vec<Option<&'static Location<'static>>>,
    free_seats: Vec<usize>,
    closed: bool,
}

impl State {
    /// A seat, and an idle connection for it where there is one.
    fn check_out(&mut self, holder: &'static Location<'static>) -> (usize, Option<Pooled>) {
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
    pub(super) fn new(capacity: usize, keep: usize, first: Option<Pooled>) -> Self {
        let capacity = capacity.max(1);
        let keep = keep.clamp(0, capacity);
        let state =
            State { idle: first.into_iter().collect(), holders: Vec::new(), free_seats: Vec::new(), closed: false };
        Self { gate: Gate::new(state, capacity), capacity, keep }
    }

    /// A seat, and an idle connection for it where there is one, if a seat is free that nobody waits for.
    #[inline]
    pub(super) fn try_check_out(&self, holder: &'static Location<'static>) -> Option<(usize, Option<Pooled>)> {
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
    ) -> Result<(usize, Option<Pooled>)> {
        match self.gate.wait(limit, |state| state.check_out(holder)).await {
            Ok(seat) => Ok(seat),
            Err(Refused::Closed) => Err(closed()),
            Err(Refused::TimedOut) => Err(self.timed_out(limit)),
        }
    }

    /// Frees a seat, and takes its connection back. What is given back to the caller is to be dropped: the pool has
    /// enough connections, or is closed.
    #[inline]
    pub(super) fn check_in(&self, seat: usize, pooled: Option<Pooled>) -> Option<Pooled> {
        let keep = self.keep;
        self.gate.give(|state| {
            state.holders[seat] = None;
            state.free_seats.push(seat);
            match pooled {
                Some(pooled) if state.closed || state.idle.len() >= keep => Some(pooled),
                Some(pooled) => {
                    state.idle.push(pooled);
                    None
                }
                None => None,
            }
        })
    }

    /// Closes the pool for good: nobody gets a connection any more, and whoever waits for one gets an error. The idle
    /// connections are the caller's to drop.
    pub(super) fn close(&self) -> Vec<Pooled> {
        self.gate.close(|state| {
            state.closed = true;
            std::mem::take(&mut state.idle)
        })
    }

    /// Takes all idle connections out, to be dropped: a server that has cut one off has cut off the others.
    #[cold]
    pub(super) fn forget_idle(&self) -> Vec<Pooled> {
        self.gate.with(|state| std::mem::take(&mut state.idle))
    }

    /// Waits until no connection is lent any more, of a pool that is closed; whether that came within the limit.
    pub(super) async fn drained(&self, limit: Duration) -> bool {
        self.gate.drained(self.capacity, limit).await
    }

    pub(super) fn status(&self) -> PoolStatus {
        let (free, waiting) = self.gate.counts();
        let idle = self.gate.with(|state| state.idle.len());
        PoolStatus { capacity: self.capacity, in_use: self.capacity - free, idle, waiting }
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
