//! What a session is made of, kept for the next one.
//!
//! A session that loads one row costs as much for itself as for the row: two allocations, and a dozen atomic changes to
//! count who has them. Where it goes with nobody else holding anything of it, its thread keeps it, emptied.
#![allow(unsafe_code, reason = "empties in place what nobody else has")]

use std::any::Any;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::entities::Entities;
use super::lock::Turns;
use super::shared::DbShared;
use super::{HAS_LISTENERS, Inner, Session};
use crate::entity::arena::Arena;

/// How many a thread keeps: as many as are commonly open at once on it.
const KEPT: usize = 8;

thread_local! {
    static SPARE: RefCell<Vec<Arc<Inner>>> = const { RefCell::new(Vec::new()) };
}

/// What a session is made of, used before or new.
pub(super) fn inner(db: Arc<DbShared>) -> Arc<Inner> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
    match spare {
        Some(inner) => {
            // SAFETY: what lies there was checked to be nobody else's, and has not been given to anybody since.
            unsafe { exclusive(&inner) }.db = Some(db);
            inner
        }
        None => Arc::new_cyclic(|session: &Weak<Inner>| {
            let session: Weak<dyn Any + Send + Sync> = Weak::clone(session) as Weak<dyn Any + Send + Sync>;
            Inner {
                db: Some(db),
                entities: Entities::new(Arena::new(session)),
                turns: Turns::new(),
                schemas: OnceLock::new(),
                tenant: OnceLock::new(),
                has_arena: AtomicBool::new(false),
                listeners: Mutex::default(),
                flags: AtomicU32::new(0),
            }
        }),
    }
}

impl Inner {
    #[inline]
    pub(super) fn db(&self) -> &Arc<DbShared> {
        match &self.db {
            Some(db) => db,
            None => unreachable!("it is some session's, which has its database"),
        }
    }

    /// Whether the one who asks has the only way to it and to its entities.
    fn is_unique(self: &Arc<Self>) -> bool {
        // One weak count is the arena's; an arena of before a `clear` would have another.
        let is_last = || Arc::strong_count(self) == 1 && Arc::weak_count(self) == 1;
        if !is_last() {
            return false;
        }
        // From here on an entity's owner who makes a session of it waits, with the entity, until this is decided.
        let Some(turn) = self.turns.try_end() else { return false };
        let last = is_last();
        // What others did before they let go is done, and seen.
        fence(Ordering::Acquire);
        let unique = last && self.entities.is_only(&turn);
        if unique {
            // `empty` ends it.
            std::mem::forget(turn);
        }
        unique
    }

    /// Makes it as new, but for its database.
    fn empty(&mut self) {
        if std::mem::take(self.flags.get_mut()) & HAS_LISTENERS != 0 {
            self.listeners.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        }
        self.turns.empty();
        self.schemas.take();
        self.tenant.take();
        if std::mem::take(self.has_arena.get_mut())
            && let Some(arena) = self.entities.get_mut()
        {
            arena.empty();
        }
    }
}

/// # Safety
/// Nobody else has a handle on it, weak ones included that somebody could use.
#[allow(clippy::mut_from_ref, reason = "it is as if the Arc were borrowed mutably")]
unsafe fn exclusive<T>(only: &Arc<T>) -> &mut T {
    // SAFETY: as the caller says.
    unsafe { &mut *Arc::as_ptr(only).cast_mut() }
}

impl Clone for Session {
    fn clone(&self) -> Self {
        Self { inner: ManuallyDrop::new(Arc::clone(&self.inner)) }
    }
}

impl Drop for Session {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: taken once, here.
        let inner = unsafe { ManuallyDrop::take(&mut self.inner) };
        if inner.is_unique() {
            keep(inner);
        }
    }
}

/// Empties what nobody else has, and keeps it for another session.
fn keep(inner: Arc<Inner>) {
    // SAFETY: it is unique.
    let own = unsafe { exclusive(&inner) };
    // First what its end does: an open transaction is rolled back, entities are dropped.
    own.empty();
    let db = own.db.take();
    // A thread that is ending keeps nothing.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < KEPT {
            spare.push(inner);
        }
    });
    drop(db);
}
