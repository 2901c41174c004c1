//! Handles on an arena.
#![allow(unsafe_code, reason = "counts who has the arena")]

use std::ops::Deref;
use std::ptr::NonNull;

use super::arena::Arena;
use super::sync::{Ordering, fence};

/// A handle on an arena, which keeps it: an `Arc` of which several can be counted at once (see [`Handles`]), and without
/// weak ones, so that whoever has the only handle knows that there will be no other.
#[repr(transparent)]
pub(crate) struct ArenaRef(NonNull<Arena>);

// SAFETY: as an `Arc<Arena>`; the arena is Send and Sync.
unsafe impl Send for ArenaRef {}
// SAFETY: as above.
unsafe impl Sync for ArenaRef {}

/// More handles than there can be without a leak: far from where the count would begin anew.
const MOST: usize = isize::MAX as usize;

impl ArenaRef {
    /// The first handle on an arena.
    pub(super) fn new(arena: Arena) -> Self {
        Self(NonNull::from(Box::leak(Box::new(arena))))
    }

    /// The arena's address, by which [`from_raw`](Self::from_raw) finds it again.
    pub(super) fn as_ptr(&self) -> *const Arena {
        self.0.as_ptr()
    }

    /// The handle that an address stands for.
    ///
    /// # Safety
    /// The address came from `as_ptr` or `into_raw`, and a handle that was counted for it is nobody else's.
    pub(crate) unsafe fn from_raw(arena: *const Arena) -> Self {
        // SAFETY: as the caller says; it is not null.
        Self(unsafe { NonNull::new_unchecked(arena.cast_mut()) })
    }

    /// Another handle on the arena at an address.
    ///
    /// # Safety
    /// The address came from `as_ptr` or `into_raw`, and somebody has a handle meanwhile.
    pub(crate) unsafe fn count_one(arena: *const Arena) -> Self {
        // SAFETY: as the caller says.
        unsafe {
            (*arena).count(1);
            Self::from_raw(arena)
        }
    }

    /// Gives the handle away as an address.
    pub(crate) fn into_raw(self) -> *const Arena {
        std::mem::ManuallyDrop::new(self).as_ptr()
    }

    /// Whether the two are handles on the same arena.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Whether it is the only handle. What others did before they let go of theirs is done.
    pub(crate) fn is_only(&self) -> bool {
        self.refs.load(Ordering::Acquire) == 1
    }

    /// The arena, where this is the only handle.
    pub(crate) fn get_mut(&mut self) -> Option<&mut Arena> {
        if !self.is_only() {
            return None;
        }
        // SAFETY: nobody else has a handle, and this one is borrowed exclusively.
        Some(unsafe { self.0.as_mut() })
    }
}

impl Arena {
    fn count(&self, handles: usize) {
        if self.refs.fetch_add(handles, Ordering::Relaxed) > MOST {
            // As an Arc: handles were leaked again and again.
            std::process::abort();
        }
    }
}

impl Deref for ArenaRef {
    type Target = Arena;

    #[inline]
    fn deref(&self) -> &Arena {
        // SAFETY: a handle keeps its arena.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for ArenaRef {
    #[inline]
    fn clone(&self) -> Self {
        self.count(1);
        Self(self.0)
    }
}

impl Drop for ArenaRef {
    #[inline]
    fn drop(&mut self) {
        if self.refs.fetch_sub(1, Ordering::Release) == 1 {
            free(self.0);
        }
    }
}

#[cold]
fn free(arena: NonNull<Arena>) {
    // What others did before they let go of theirs comes first.
    fence(Ordering::Acquire);
    // SAFETY: leaked by `new`, and the last handle is gone.
    drop(unsafe { Box::from_raw(arena.as_ptr()) });
}

/// Handles for the entities of a statement, counted some at a time.
pub(crate) struct Handles<'a> {
    arena: &'a ArenaRef,
    /// How many are counted and not handed out.
    ready: usize,
    batch: usize,
}

/// How many handles are counted at once at most.
const BATCH: usize = 256;

impl<'a> Handles<'a> {
    pub(crate) fn new(arena: &'a ArenaRef) -> Self {
        Self { arena, ready: 0, batch: 1 }
    }

    /// One more handle.
    #[inline]
    pub(crate) fn next(&mut self) -> ArenaRef {
        if self.ready == 0 {
            self.arena.count(self.batch);
            self.ready = self.batch;
            self.batch = (self.batch * 2).min(BATCH);
        }
        self.ready -= 1;
        ArenaRef(self.arena.0)
    }
}

impl Drop for Handles<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.ready > 0 {
            // Never the last one: the arena is borrowed.
            self.arena.refs.fetch_sub(self.ready, Ordering::Release);
        }
    }
}
