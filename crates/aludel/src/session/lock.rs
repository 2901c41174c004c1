//! The session's statements run one after another.
#![allow(unsafe_code, reason = "the connection lies in a cell that only the statement whose turn it is looks into")]

mod lent;

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::connection::Link;
use super::hooks::inside;
use super::shared::DEFAULT;
use super::{Inner, Session};
use crate::entity::arena_ref::ArenaRef;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::Lock;

/// The session's connection, for one statement at a time.
///
/// A lock that tasks wait for; where nobody waits, to take it and to give it back are one atomic change each.
pub(super) struct Turns {
    state: AtomicU8,
    /// Only for the [`Turn`] that there is while the state is not `FREE`.
    link: UnsafeCell<Link>,
    /// Who took it last, for the message to those who wait too long; null before the first.
    holder: AtomicPtr<Location<'static>>,
    given_back: Notify,
    /// For the hooks of a flush: one of their statements has given the turn back.
    hooks: Notify,
    /// Arenas that the session has cleared while somebody had the turn, who may be using them.
    retired: Lock<Vec<ArenaRef>>,
    has_retired: AtomicBool,
}

/// Nobody has the turn.
const FREE: u8 = 0;
/// Somebody has it.
const TAKEN: u8 = 1;
/// Somebody has it, and others may be waiting.
const WANTED: u8 = 2;
/// Nobody has it, and it is kept for the hooks of a flush: see `lent`.
const KEPT: u8 = 3;
/// A statement of such a hook has it.
const LENT: u8 = 4;
/// Of a turn alone: it has been given away, and is none.
const GIVEN_AWAY: u8 = 5;
/// The session's last handle goes, and asks whether it is alone.
const ENDING: u8 = 6;

// SAFETY: the cell is only reached through the one `Turn` that there is at a time, and its content is Send.
unsafe impl Sync for Turns {}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(FREE),
            link: UnsafeCell::new(Link::default()),
            holder: AtomicPtr::new(std::ptr::null_mut()),
            given_back: Notify::new(),
            hooks: Notify::new(),
            retired: Lock::default(),
            has_retired: AtomicBool::new(false),
        }
    }

    /// The turn, for the session's last handle, which goes. Who makes a session of an entity meanwhile waits in
    /// [`wait_for_end`](Self::wait_for_end).
    #[inline]
    pub(super) fn try_end(&self) -> Option<Turn<'_>> {
        self.state.compare_exchange(FREE, ENDING, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(Turn { turns: self, after: FREE })
    }

    /// Waits until the last handle has seen that it is not alone, for whoever has made another of an entity.
    pub(super) fn wait_for_end(&self) {
        // A change and not a look: either it is seen with what was before it, the count of the new handle, by who tries to
        // end, or it sees what that one has changed.
        while self.state.fetch_add(0, Ordering::AcqRel) == ENDING {
            std::thread::yield_now();
        }
    }

    /// Keeps an arena that the session has cleared until the turn that somebody has is over.
    pub(super) fn retire(&self, arena: ArenaRef) {
        let mut retired = self.retired.lock();
        retired.push(arena);
        self.has_retired.store(true, Ordering::Release);
    }

    #[cold]
    fn take_retired(&self) -> Vec<ArenaRef> {
        let mut retired = self.retired.lock();
        self.has_retired.store(false, Ordering::Relaxed);
        std::mem::take(&mut *retired)
    }

    /// Drops the connections, and forgets who was here.
    pub(super) fn empty(&mut self) {
        *self.state.get_mut() = FREE;
        *self.holder.get_mut() = std::ptr::null_mut();
        let link = self.link.get_mut();
        if link.is_open() || link.transaction > 0 {
            *link = Link::default();
        }
    }

    #[inline]
    pub(super) fn try_take(&self, at: &'static Location<'static>) -> Option<Turn<'_>> {
        self.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(self.taken(at))
    }

    async fn take(&self, at: &'static Location<'static>) -> Turn<'_> {
        loop {
            // Before the state is looked at: who gives back after that is heard.
            let given_back = self.given_back.notified();
            // Whoever has it, or takes it here, is to say when it is given back: others may wait beside this one. A flush that
            // has lent it says so in any case.
            let want = |state| (!matches!(state, KEPT | LENT)).then_some(WANTED);
            if self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, want) == Ok(FREE) {
                return self.taken(at);
            }
            given_back.await;
        }
    }

    fn taken(&self, at: &'static Location<'static>) -> Turn<'_> {
        self.holder.store(std::ptr::from_ref(at).cast_mut(), Ordering::Relaxed);
        Turn { turns: self, after: FREE }
    }

    fn holder(&self) -> Option<&'static Location<'static>> {
        // SAFETY: null, or a `&'static` that `taken` stored.
        unsafe { self.holder.load(Ordering::Relaxed).as_ref() }
    }
}

/// The turn of one statement, or of a flush. There is one at a time.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    /// The state that it leaves behind: `FREE`, or `KEPT` where it was lent; `GIVEN_AWAY` where it is no turn any more.
    after: u8,
}

impl Inner {
    /// The turn, where nobody has it: for what does not wait.
    #[inline]
    pub(super) fn try_turn(&self, at: &'static Location<'static>) -> Option<Turn<'_>> {
        self.turns.try_take(at)
    }
}

impl Session {
    /// Waits for the session's other statements to end.
    ///
    /// # Errors
    /// `PoolTimeout`, naming the holder, when they do not end in the pool's time limit.
    #[inline]
    pub(super) async fn turn(&self, at: &'static Location<'static>) -> Result<Turn<'_>> {
        match self.inner.try_turn(at) {
            Some(turn) => Ok(turn),
            // In a box, which few need: else the future of every statement would be larger.
            None => Box::pin(self.wait_for_turn(at)).await,
        }
    }

    #[cold]
    async fn wait_for_turn(&self, at: &'static Location<'static>) -> Result<Turn<'_>> {
        let turns = &self.inner.turns;
        let taken = if inside::is_in_flush(self) {
            tokio::time::timeout(self.turn_limit(), turns.take_lent(at)).await
        } else {
            tokio::time::timeout(self.turn_limit(), turns.take(at)).await
        };
        taken.map_err(|_| self.stuck())
    }

    /// How long a turn is waited for.
    pub(super) fn turn_limit(&self) -> Duration {
        self.inner.db().engine(DEFAULT).pool_timeout()
    }

    #[cold]
    pub(super) fn stuck(&self) -> Error {
        let holder = self.inner.turns.holder().map_or_else(
            || "another statement".to_owned(),
            |at| format!("the statement begun at {}:{}", at.file(), at.line()),
        );
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "this session is still busy with {holder}; a future of it that is no longer polled (as in `select!`) \
                 keeps its turn until it is dropped"
            ),
        )
    }
}

impl Deref for Turn<'_> {
    type Target = Link;

    #[inline]
    fn deref(&self) -> &Link {
        assert!(self.after != GIVEN_AWAY, "a turn that was lent and has not come back");
        // SAFETY: this is the only turn, and it is borrowed.
        unsafe { &*self.turns.link.get() }
    }
}

impl DerefMut for Turn<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Link {
        assert!(self.after != GIVEN_AWAY, "a turn that was lent and has not come back");
        // SAFETY: this is the only turn, and it is borrowed exclusively.
        unsafe { &mut *self.turns.link.get() }
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        let turns = self.turns;
        if self.after == GIVEN_AWAY {
            return;
        }
        // Dropped at the end of this, when the turn is over: what rows do when they are dropped may take it.
        let _retired = turns.has_retired.load(Ordering::Acquire).then(|| turns.take_retired());
        if self.after != FREE {
            self.return_lent();
        } else if turns.state.swap(FREE, Ordering::Release) == WANTED {
            turns.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Whose turn it is counts in the link without any other protection.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn turns_exclude_each_other_also_where_some_give_up() {
        const TASKS: u32 = 16;
        const ROUNDS: u32 = 400;
        let turns = Arc::new(Turns::new());
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move {
                    let mut taken = 0;
                    for round in 0..ROUNDS {
                        let at = Location::caller();
                        let waited = Duration::from_micros(u64::from((task * 7 + round * 13) % 50));
                        let turn = match turns.try_take(at) {
                            Some(turn) => Some(turn),
                            None if round % 3 == 0 => tokio::time::timeout(waited, turns.take(at)).await.ok(),
                            None => Some(turns.take(at).await),
                        };
                        if let Some(mut turn) = turn {
                            let before = turn.savepoints;
                            tokio::task::yield_now().await;
                            turn.savepoints = before + 1;
                            taken += 1;
                        }
                    }
                    taken
                })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            taken += task.await.unwrap();
        }
        let turn = turns.try_take(Location::caller()).expect("nobody has it any more");
        assert!(taken >= TASKS * ROUNDS / 2);
        assert_eq!(turn.savepoints, taken, "each turn saw what the one before it had done");
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_the_turn_is_given_back() {
        let turns = Arc::new(Turns::new());
        let turn = turns.try_take(Location::caller()).unwrap();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move { drop(turns.take(Location::caller()).await) })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(turn);
        for task in waiting {
            task.await.unwrap();
        }
    }
}
