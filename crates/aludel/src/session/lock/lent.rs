//! A flush lends its turn to its hooks: their statements run one after another, and nobody else's run between them.
//!
//! The flush does not touch the connection meanwhile. What a hook has left running when it ends, a future that it put
//! somewhere, is waited for before the flush goes on; where the flush is dropped, that future keeps the turn as any
//! other statement would.

use std::panic::Location;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::error::Elapsed;

use super::{FREE, GIVEN_AWAY, KEPT, LENT, Turn, Turns, WANTED};

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
    /// When one keeps it for longer than the limit.
    pub(in crate::session) async fn take_back(
        self,
        limit: Duration,
        at: &'static Location<'static>,
    ) -> Result<(), Elapsed> {
        let turns = self.turn.turns;
        let lent = tokio::time::timeout(limit, turns.take_lent(at)).await?;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn at() -> &'static Location<'static> {
        Location::caller()
    }

    #[tokio::test]
    async fn while_it_is_lent_only_hooks_get_it_one_after_another() {
        let turns = Turns::new();
        let mut flush = turns.try_take(at()).unwrap();
        flush.savepoints = 1;
        let lent = flush.lend();
        assert!(turns.try_take(at()).is_none());
        for _ in 0..2 {
            let mut hook = turns.take_lent(at()).await;
            assert!(hook.is_lent() && turns.try_take(at()).is_none());
            assert!(tokio::time::timeout(Duration::from_millis(1), turns.take_lent(at())).await.is_err());
            hook.savepoints += 1;
        }
        lent.take_back(LIMIT, at()).await.unwrap();
        assert_eq!((flush.savepoints, flush.is_lent()), (3, false));
        drop(flush);
        assert_eq!(turns.try_take(at()).unwrap().savepoints, 3);
    }

    #[tokio::test]
    async fn what_a_hook_leaves_running_is_waited_for() {
        let turns = Turns::new();
        let mut flush = turns.try_take(at()).unwrap();
        let lent = flush.lend();
        let stray = turns.take_lent(at()).await;
        let mut back = std::pin::pin!(lent.take_back(LIMIT, at()));
        assert!(tokio::time::timeout(Duration::from_millis(1), back.as_mut()).await.is_err());
        drop(stray);
        back.await.unwrap();
    }

    #[tokio::test]
    async fn a_flush_that_gives_up_leaves_the_turn_to_a_stray_statement() {
        let turns = Turns::new();
        let mut flush = turns.try_take(at()).unwrap();
        let lent = flush.lend();
        let mut stray = turns.take_lent(at()).await;
        assert!(lent.take_back(Duration::from_millis(1), at()).await.is_err());
        assert!(!flush.is_here());
        drop(flush);
        assert!(turns.try_take(at()).is_none(), "the stray statement has it");
        stray.savepoints = 5;
        let next = turns.take(at());
        drop(stray);
        assert_eq!(next.await.savepoints, 5);
    }

    #[tokio::test]
    async fn a_flush_that_is_dropped_ends_the_lending() {
        let turns = Turns::new();
        let mut flush = turns.try_take(at()).unwrap();
        drop(flush.lend());
        drop(flush);
        let turn = turns.try_take(at()).expect("nobody has it");
        assert!(!turn.is_lent());
    }

    #[tokio::test]
    #[should_panic(expected = "lent and has not come back")]
    async fn a_turn_that_is_away_is_not_to_be_used() {
        let turns = Turns::new();
        let mut flush = turns.try_take(at()).unwrap();
        drop(flush.lend());
        let _ = flush.savepoints;
    }

    /// Flushes that lend their turn to hooks, of which some are dropped, among statements of others.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn hooks_flushes_and_statements_exclude_each_other() {
        const TASKS: u32 = 12;
        const ROUNDS: u32 = 150;
        async fn count(mut turn: Turn<'_>) {
            let before = turn.savepoints;
            tokio::task::yield_now().await;
            turn.savepoints = before + 1;
        }
        let turns = Arc::new(Turns::new());
        let tasks = (0..TASKS).map(|task| {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move {
                let mut done = 0;
                for round in 0..ROUNDS {
                    let mut turn = turns.take(at()).await;
                    if task % 3 == 0 {
                        count(turn).await;
                        done += 1;
                        continue;
                    }
                    let lent = turn.lend();
                    let hooks = tokio::join!(turns.take_lent(at()), async { tokio::task::yield_now().await });
                    count(hooks.0).await;
                    done += 1;
                    if (task + round) % 5 == 0 {
                        drop(lent);
                        continue;
                    }
                    lent.take_back(LIMIT, at()).await.unwrap();
                    count(turn).await;
                    done += 1;
                }
                done
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut done = 0;
        for task in tasks {
            done += task.await.unwrap();
        }
        assert_eq!(turns.try_take(at()).expect("nobody has it").savepoints, done);
    }
}
