//! Things that are lent, and the tasks that queue for them.

use std::time::Duration;

use tokio::sync::Notify;

use crate::lock::{Lock, Locked};

/// Things that are lent, and the tasks that queue for them, first come first served.
///
/// It does what a semaphore beside a mutex would do, with one lock for both: to take a thing that is free and to give
/// it back cost one lock each.
pub(crate) struct Gate<S> {
    state: Lock<State<S>>,
    freed: Notify,
}

struct State<S> {
    /// What is lent, or what is known of it.
    store: S,
    /// How many things can be taken, those promised to waiting tasks included.
    free: usize,
    /// How many of them are promised to tasks that wait: nobody else may take these.
    promised: usize,
    waiting: usize,
    closed: bool,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Nothing came free in time.
    TimedOut,
    /// The gate is closed for good.
    Closed,
}

impl<S> Gate<S> {
    /// A gate to so many things.
    pub(crate) fn new(store: S, free: usize) -> Self {
        let state = State { store, free, promised: 0, waiting: 0, closed: false };
        Self { state: Lock::new(state), freed: Notify::new() }
    }

    #[inline]
    fn state(&self) -> Locked<'_, State<S>> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock()
    }

    /// Takes one of the things, if one is free that nobody waits for.
    #[inline]
    pub(crate) fn try_take<R>(&self, take: impl FnOnce(&mut S) -> R) -> Option<R> {
        let mut state = self.state();
        if state.closed || state.free == state.promised {
            return None;
        }
        state.free -= 1;
        Some(take(&mut state.store))
    }

    /// Waits for one of the things, in turn, and takes it.
    ///
    /// # Errors
    /// When none comes free within the limit, or the gate is closed.
    #[cold]
    pub(crate) async fn wait<R>(&self, limit: Duration, take: impl FnOnce(&mut S) -> R) -> Result<R, Refused> {
        match tokio::time::timeout(limit, self.queue(take)).await {
            Ok(taken) => taken,
            Err(_) => Err(Refused::TimedOut),
        }
    }

    async fn queue<R>(&self, take: impl FnOnce(&mut S) -> R) -> Result<R, Refused> {
        // Before the state is looked at: what is announced after that reaches it.
        let mut freed = std::pin::pin!(self.freed.notified());
        let place = {
            let mut state = self.state();
            if state.closed {
                return Err(Refused::Closed);
            }
            if state.free > state.promised {
                state.free -= 1;
                return Ok(take(&mut state.store));
            }
            state.waiting += 1;
            Place(self)
        };
        loop {
            freed.as_mut().await;
            freed.set(self.freed.notified());
            let mut state = self.state();
            if state.closed {
                return Err(Refused::Closed);
            }
            if state.promised > 0 {
                state.promised -= 1;
                state.free -= 1;
                let taken = take(&mut state.store);
                drop(state);
                drop(place);
                return Ok(taken);
            }
        }
    }

    /// Gives a thing back, to the next who waits.
    #[inline]
    pub(crate) fn give<R>(&self, put: impl FnOnce(&mut S) -> R) -> R {
        let mut state = self.state();
        let result = put(&mut state.store);
        state.free += 1;
        let closed = state.closed;
        let wanted = state.waiting > state.promised;
        if wanted {
            state.promised += 1;
        }
        drop(state);
        if closed {
            self.freed.notify_waiters();
        } else if wanted {
            self.freed.notify_one();
        }
        result
    }

    /// Waits until nothing is lent any more of a gate that is closed; whether that came within the limit.
    pub(crate) async fn drained(&self, things: usize, limit: Duration) -> bool {
        let all_back = async {
            loop {
                // Before the state is looked at: what is given back after that announces itself.
                let back = self.freed.notified();
                if self.state().free >= things {
                    return;
                }
                back.await;
            }
        };
        tokio::time::timeout(limit, all_back).await.is_ok()
    }

    /// How many things can be taken, and how many tasks wait for one.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.free, state.waiting)
    }

    /// Looks at what is known of the things, or changes it.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        look(&mut self.state().store)
    }

    /// Closes the gate: nothing can be taken any more, and who waits is refused. Things may still be given back.
    pub(crate) fn close<R>(&self, look: impl FnOnce(&mut S) -> R) -> R {
        let mut state = self.state();
        state.closed = true;
        let result = look(&mut state.store);
        drop(state);
        self.freed.notify_waiters();
        result
    }
}

/// A place in the queue, left by taking a thing or by giving up.
struct Place<'a, S>(&'a Gate<S>);

impl<S> Drop for Place<'_, S> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting -= 1;
        // What was promised to a task that gives up is free for all, unless another waits.
        state.promised = state.promised.min(state.waiting);
        let more = state.promised > 0;
        drop(state);
        // Two announcements at once may have been heard as one, and the one who gives up may have heard it.
        if more {
            self.0.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn what_is_taken_is_not_taken_twice() {
        let gate = Gate::new(7, 1);
        assert_eq!(gate.try_take(|store| *store), Some(7));
        assert_eq!(gate.try_take(|store| *store), None);
        assert_eq!(gate.wait(Duration::ZERO, |store| *store).await, Err(Refused::TimedOut));
        gate.give(|store| *store = 8);
        assert_eq!(gate.try_take(|store| *store), Some(8));
    }

    #[tokio::test]
    async fn who_waits_goes_before_who_comes_later() {
        let gate = Gate::new((), 1);
        gate.try_take(|()| ()).unwrap();
        let mut first = Box::pin(gate.wait(LIMIT, |()| ()));
        assert!(poll(&mut first).is_pending());
        gate.give(|()| ());
        assert_eq!(gate.try_take(|()| ()), None, "promised to the one who waits");
        first.await.unwrap();
    }

    #[tokio::test]
    async fn a_promise_to_a_task_that_gives_up_passes_to_the_next() {
        let gate = Gate::new((), 1);
        gate.try_take(|()| ()).unwrap();
        let (mut first, mut second) = (Box::pin(gate.wait(LIMIT, |()| ())), Box::pin(gate.wait(LIMIT, |()| ())));
        assert!(poll(&mut first).is_pending());
        assert!(poll(&mut second).is_pending());
        gate.give(|()| ());
        drop(first);
        second.await.unwrap();
        gate.give(|()| ());
        let mut third = Box::pin(gate.wait(LIMIT, |()| ()));
        assert!(poll(&mut third).is_ready());
        gate.give(|()| ());
        assert!(gate.try_take(|()| ()).is_some(), "nothing stays promised");
    }

    #[tokio::test]
    async fn who_waits_at_a_gate_that_closes_is_refused() {
        let gate = Gate::new((), 0);
        let mut waiting = Box::pin(gate.wait(LIMIT, |()| ()));
        assert!(poll(&mut waiting).is_pending());
        gate.close(|()| ());
        assert_eq!(waiting.await, Err(Refused::Closed));
        assert_eq!(gate.wait(LIMIT, |()| ()).await, Err(Refused::Closed));
        gate.give(|()| ());
        assert_eq!(gate.try_take(|()| ()), None);
    }

    #[tokio::test]
    async fn a_closed_gate_is_drained_when_everything_is_back() {
        let gate = Gate::new((), 2);
        gate.try_take(|()| ()).unwrap();
        gate.close(|()| ());
        assert!(!gate.drained(2, Duration::from_millis(1)).await);
        let mut drained = Box::pin(gate.drained(2, LIMIT));
        assert!(poll(&mut drained).is_pending());
        gate.give(|()| ());
        assert!(drained.await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_tasks_that_take_give_and_give_up_lose_nothing() {
        const THINGS: usize = 3;
        let gate = Arc::new(Gate::new((), THINGS));
        let (lent, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = Vec::new();
        for task in 0..32_u64 {
            let (gate, lent, done) = (Arc::clone(&gate), Arc::clone(&lent), Arc::clone(&done));
            tasks.push(tokio::spawn(async move {
                for turn in 0..300_u64 {
                    let limit = if (task + turn) % 5 == 0 { Duration::from_micros(turn * 7 % 90) } else { LIMIT };
                    let taken = match gate.try_take(|()| ()) {
                        Some(()) => Ok(()),
                        None => gate.wait(limit, |()| ()).await,
                    };
                    match taken {
                        Ok(()) => {
                            assert!(lent.fetch_add(1, Ordering::SeqCst) < THINGS);
                            tokio::task::yield_now().await;
                            lent.fetch_sub(1, Ordering::SeqCst);
                            gate.give(|()| ());
                            done.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(refused) => {
                            assert_eq!(refused, Refused::TimedOut);
                            assert!(limit < LIMIT, "a thing that was free did not come");
                        }
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert!(done.load(Ordering::SeqCst) > 0);
        for _ in 0..THINGS {
            assert!(gate.try_take(|()| ()).is_some());
        }
        assert_eq!(gate.try_take(|()| ()), None);
    }
}
