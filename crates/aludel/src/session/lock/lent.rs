//! A flush lends its turn to its hooks: their statements run one after another, and nobody else's run between them.
//!
//! The flush does not touch the connection meanwhile. What a hook has left running when it ends, a future that it put
//! somewhere, is waited for before the flush goes on; where the flush is dropped, that future keeps the turn as any
//! other statement would.

use std::panic::Location;
use std::sync::atomic::Ordering;

use super::{FREE, GIVEN_AWAY, KEPT, LENT, Turn, Turns, WANTED};
use crate::error::Result;
use crate::session::Session;

impl Turns {
    /// The turn, for a statement of a hook.
    pub(super) async fn take_lent(&self, at: &'static Location<'static>) -> Turn<'_> {
        loop {
            let returned = self.hooks.notified();
            if self.state.compare_exchange(KEPT, LENT, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                let mut turn = self.taken(at);
                turn.after = KEPT;
                return turn;
            }
            returned.await;
        }
    }

    /// Ends what a flush began that does not come back for its turn. Where a statement of the hook still has it, it is that
    /// statement's as any other's.
    fn end_lending(&self) {
        let end = |state| match state {
            KEPT => Some(FREE),
            LENT => Some(WANTED),
            _ => None,
        };
        if self.state.fetch_update(Ordering::AcqRel, Ordering::Relaxed, end) == Ok(KEPT) {
            self.given_back.notify_one();
        }
    }
}

impl<'a> Turn<'a> {
    /// Gives the turn to the hooks, until it is taken back.
    pub(in crate::session) fn lend(&mut self) -> Lent<'_, 'a> {
        assert_eq!(self.after, FREE, "a flush has the session's own turn");
        self.after = GIVEN_AWAY;
        // Those who wait for it are told when the flush gives it back, whoever they are.
        self.turns.state.store(KEPT, Ordering::Release);
        Lent { turn: self }
    }

    /// Whether it has come back, where it was lent.
    pub(in crate::session) fn is_here(&self) -> bool {
        self.after != GIVEN_AWAY
    }

    /// Whether it is a hook's.
    pub(in crate::session) fn is_lent(&self) -> bool {
        self.after == KEPT
    }

    #[cold]
    pub(super) fn return_lent(&mut self) {
        if self.after == GIVEN_AWAY {
            return;
        }
        let turns = self.turns;
        if turns.state.compare_exchange(LENT, KEPT, Ordering::Release, Ordering::Relaxed).is_ok() {
            turns.hooks.notify_one();
        } else {
            // The flush is no more.
            turns.state.store(FREE, Ordering::Release);
            turns.given_back.notify_one();
        }
    }
}

/// A turn that hooks have.
pub(in crate::session) struct Lent<'t, 'a> {
    turn: &'t mut Turn<'a>,
}

impl Lent<'_, '_> {
    /// The flush goes on, when no statement of the hook has the turn any more.
    ///
    /// # Errors
    /// `PoolTimeout` when one keeps it for longer than the pool's time limit.
    pub(in crate::session) async fn take_back(self, session: &Session, at: &'static Location<'static>) -> Result<()> {
        let turns = self.turn.turns;
        let taken = tokio::time::timeout(session.turn_limit(), turns.take_lent(at)).await;
        let lent = taken.map_err(|_| session.stuck())?;
        // As if somebody waited, which nobody has noted since.
        turns.state.store(WANTED, Ordering::Relaxed);
        std::mem::forget(lent);
        self.turn.after = FREE;
        Ok(())
    }
}

impl Drop for Lent<'_, '_> {
    fn drop(&mut self) {
        if !self.turn.is_here() {
            self.turn.turns.end_lending();
        }
    }
}
