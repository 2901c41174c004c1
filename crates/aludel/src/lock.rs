//! A lock for a few instructions.
#![allow(unsafe_code, reason = "the value lies in a cell that only the holder of the lock looks into")]

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

#[cfg(aludel_loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(aludel_loom))]
use std::sync::atomic::{AtomicBool, Ordering};

/// A lock that is held for a few instructions at a time, nobody's own code and no wait among them.
///
/// It is given back by a plain store, where a `Mutex` has to ask whether anybody sleeps: of two atomic changes for each
/// time that it is held one is left, and a one-row query takes several locks. Who finds it held looks again and again, at
/// longer and longer intervals, in which its thread sleeps.
#[derive(Default)]
pub(crate) struct Lock<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by the holder of the lock only, one thread at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock.
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        if !self.try_take() {
            self.wait();
        }
        Locked { lock: self, stays: PhantomData }
    }

    #[inline]
    fn try_take(&self) -> bool {
        self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The value, which nobody else can reach.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[cold]
    fn wait(&self) {
        for looks in 0_u32.. {
            pause(looks);
            if !self.seems_held() && self.try_take() {
                return;
            }
        }
    }

    /// A look that leaves the word to the holder's core. Under loom it could see what was long ago for ever.
    fn seems_held(&self) -> bool {
        !cfg!(aludel_loom) && self.held.load(Ordering::Relaxed)
    }
}

/// Who holds the lock may be on another core, or wait for this one, or have a lower priority than this thread.
#[cfg(not(aludel_loom))]
fn pause(looks: u32) {
    match looks {
        0..64 => std::hint::spin_loop(),
        64..72 => std::thread::yield_now(),
        _ => std::thread::sleep(std::time::Duration::from_micros(20 << (looks - 72).min(5))),
    }
}

#[cfg(aludel_loom)]
fn pause(_looks: u32) {
    loom::thread::yield_now();
}

/// The lock, held until this is dropped.
///
/// It stays on its thread, so that the compiler refuses to hold it where a future waits.
pub(crate) struct Locked<'a, T> {
    lock: &'a Lock<T>,
    stays: PhantomData<*const ()>,
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held, and the value borrowed with it.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and the value borrowed with it, exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.held.store(false, Ordering::Release);
    }
}

#[cfg(all(test, not(aludel_loom)))]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn who_holds_it_is_alone() {
        const THREADS: u64 = 6;
        const ROUNDS: u64 = 20_000;
        let lock = Arc::new(Lock::new((0, 0)));
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || {
                    for round in 0..ROUNDS {
                        let mut both = lock.lock();
                        both.0 += 1;
                        // Now and then somebody waits for long.
                        if (thread + round) % 5_000 == 0 {
                            thread::yield_now();
                        }
                        both.1 += 1;
                        assert_eq!(both.0, both.1);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), (THREADS * ROUNDS, THREADS * ROUNDS));
    }

    #[test]
    fn a_panic_gives_it_back() {
        let lock = Arc::new(Lock::new(1));
        let other = Arc::clone(&lock);
        let panicked = thread::spawn(move || {
            let _held = other.lock();
            panic!("with the lock");
        });
        assert!(panicked.join().is_err());
        assert_eq!(*lock.lock(), 1);
    }
}

#[cfg(all(test, aludel_loom))]
mod loom_tests {
    use std::sync::Arc;

    use loom::cell::UnsafeCell;
    use loom::{model, thread};

    use super::*;

    #[test]
    fn what_the_holder_wrote_is_seen_by_the_next() {
        model(|| {
            // Loom's cell, so that two holders at once fail the test as a data race.
            let lock = Arc::new(Lock::new(UnsafeCell::new(0)));
            let add = |lock: &Lock<UnsafeCell<i32>>| {
                let value = lock.lock();
                // SAFETY: loom's pointer, valid for the cell.
                value.with_mut(|value| unsafe { *value += 1 });
            };
            let other = {
                let lock = Arc::clone(&lock);
                thread::spawn(move || add(&lock))
            };
            add(&lock);
            other.join().unwrap();
            // SAFETY: as above.
            lock.lock().with(|value| unsafe { assert_eq!(*value, 2) });
        });
    }
}
