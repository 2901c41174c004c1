//! The field behind `One` and `Many`.
#![allow(unsafe_code, reason = "a tagged pointer to the arena, and reads of the rows that it keeps")]

use std::ptr::NonNull;

use super::arena::Arena;
use super::arena_ref::ArenaRef;
use super::def::RelationshipDef;
use super::list::List;
use super::slot::{SlotHeader, SlotPtr};
use super::sync::{AtomicPtr, AtomicUsize, Ordering};

/// The field behind `One<T>` and `Many<T>`, of one type for all models.
///
/// It is in one of three places, told apart by the low bits of `link`:
/// - *home*: in the first version of a row in an arena, only ever behind `&`. `link` holds the epoch of the load.
/// - *a later version* of that row: `link` points at the home field, which all versions share.
/// - *free-standing*: cloned or moved out of an arena. `link` owns the arena.
///
/// `state` says what is loaded: the row (`One`), a `List` (`Many`), a sentinel for "nothing", or, with the low bit
/// set, the definition of the relationship that is not loaded; with the next bit set too, it is not to be.
#[derive(Debug)]
pub struct RelationField {
    state: AtomicPtr<()>,
    link: AtomicUsize,
}

const TAG: usize = 0b11;
const HOME: usize = 0b00;
const VERSION: usize = 0b01;
const OWNER: usize = 0b10;

/// Both low bits of a state: not loaded, and not to be.
const RAISED: usize = 0b11;

/// What "loaded, and there is no row" points at.
static NONE: u64 = 1;

/// What a relationship field holds.
#[derive(Clone, Copy)]
pub(crate) enum Loaded<'a> {
    /// Not loaded; the definition where it is known.
    No(Option<&'static RelationshipDef>),
    /// Loaded, and there is no row (or an empty collection).
    Nothing,
    /// A pointer to a slot or a list, as the field's kind says.
    Row(*mut (), std::marker::PhantomData<&'a ()>),
}

impl RelationField {
    /// A field that is not loaded.
    pub const fn unloaded(def: &'static RelationshipDef) -> Self {
        // The definition's alignment leaves the low bit free; `wrapping_byte_add` keeps the provenance in a const.
        let state = std::ptr::from_ref(def).cast::<()>().cast_mut().wrapping_byte_add(1);
        Self::with_state(state)
    }

    /// A field that is not loaded and does not know its relationship: of a struct literal.
    pub const fn unknown() -> Self {
        Self::with_state(std::ptr::null_mut())
    }

    #[cfg(not(aludel_loom))]
    const fn with_state(state: *mut ()) -> Self {
        Self { state: AtomicPtr::new(state), link: AtomicUsize::new(HOME) }
    }

    #[cfg(aludel_loom)]
    const fn with_state(_state: *mut ()) -> Self {
        panic!("loom's atomics are not made in constants: a test's model makes its fields with `in_loom`")
    }

    /// A field that is not loaded, of a test's model.
    #[cfg(all(test, aludel_loom))]
    pub(super) fn in_loom() -> Self {
        Self { state: AtomicPtr::new(std::ptr::null_mut()), link: AtomicUsize::new(HOME) }
    }

    /// The field that holds the state: the home field, for a later version of a row.
    fn home(&self) -> &Self {
        let link = self.link.load(Ordering::Relaxed);
        if link & TAG == VERSION {
            // SAFETY: a version lies in the same arena as its home field, and whoever borrows one keeps both.
            unsafe { &*std::ptr::with_exposed_provenance::<Self>(link & !TAG) }
        } else {
            self
        }
    }

    pub(crate) fn loaded(&self) -> Loaded<'_> {
        let state = self.home().state.load(Ordering::Acquire);
        if state.is_null() {
            Loaded::No(None)
        } else if state.addr() & 1 == 1 {
            let def = state.wrapping_byte_sub(state.addr() & RAISED).cast::<RelationshipDef>();
            // SAFETY: `unloaded` or `raised` put the `&'static` there.
            Loaded::No(Some(unsafe { &*def }))
        } else if std::ptr::eq(state, none()) {
            Loaded::Nothing
        } else {
            Loaded::Row(state, std::marker::PhantomData)
        }
    }

    pub(crate) fn is_loaded(&self) -> bool {
        !matches!(self.loaded(), Loaded::No(_))
    }

    /// Whether the query that brought the row asked with `.raise()` not to load this.
    pub(crate) fn is_raised(&self) -> bool {
        self.home().state.load(Ordering::Acquire).addr() & RAISED == RAISED
    }

    /// The row that a to-one field leads to: outer `None` when it is not loaded.
    pub(crate) fn one(&self) -> Option<Option<SlotPtr>> {
        match self.loaded() {
            Loaded::No(_) => None,
            Loaded::Nothing => Some(None),
            Loaded::Row(slot, _) => Some(NonNull::new(slot.cast::<SlotHeader>()).map(SlotPtr)),
        }
    }

    /// The rows that a to-many field leads to; `None` when it is not loaded. An empty collection may be no list.
    pub(crate) fn many(&self) -> Option<Option<&List>> {
        match self.loaded() {
            Loaded::No(_) => None,
            Loaded::Nothing => Some(None),
            // SAFETY: lists are freed with their arena, which whoever borrows this field keeps.
            Loaded::Row(list, _) => Some(Some(unsafe { &*list.cast::<List>() })),
        }
    }

    /// A loaded to-one field's row, from its state.
    pub(super) fn slot_of(&self, state: *mut ()) -> Option<SlotPtr> {
        NonNull::new(state.cast::<SlotHeader>()).map(SlotPtr)
    }

    /// The first row of a loaded to-many field, from its state.
    pub(super) fn first_of(&self, state: *mut ()) -> Option<SlotPtr> {
        // SAFETY: the field's state is a list of an arena that the borrower of this field keeps.
        let list = unsafe { &*state.cast::<List>() };
        (list.len() > 0).then(|| list.at(0))
    }

    /// The raw state, for the journal.
    pub(super) fn state(&self) -> *mut () {
        self.state.load(Ordering::Relaxed)
    }

    /// The epoch in which a home field was loaded.
    pub(crate) fn epoch(&self) -> u32 {
        let link = self.home().link.load(Ordering::Relaxed);
        if link & TAG == HOME { (link >> 2) as u32 } else { u32::MAX }
    }

    /// Sets a home field. Only under the tracker's lock.
    pub(super) fn store(&self, state: *mut (), epoch: u32) {
        debug_assert_eq!(self.link.load(Ordering::Relaxed) & TAG, HOME);
        self.link.store((epoch as usize) << 2 | HOME, Ordering::Relaxed);
        self.state.store(state, Ordering::Release);
    }

    /// Makes a private copy's field a later version's, leading to its home field.
    pub(super) fn adopt(&mut self, home: &Self) {
        self.release();
        self.state.store(std::ptr::null_mut(), Ordering::Relaxed);
        self.link.store(std::ptr::from_ref(home).expose_provenance() | VERSION, Ordering::Relaxed);
    }

    /// Turns a field into one that is not loaded, before its value is dropped or given away.
    pub(crate) fn clear(&mut self) {
        self.release();
        self.state.store(std::ptr::null_mut(), Ordering::Relaxed);
    }

    fn is_owned(&self) -> bool {
        self.link.load(Ordering::Relaxed) & TAG == OWNER
    }

    fn release(&mut self) {
        // Not a swap, which costs as much as a lock: the field is borrowed exclusively.
        let link = self.link.load(Ordering::Relaxed);
        self.link.store(HOME, Ordering::Relaxed);
        if link & TAG == OWNER {
            // SAFETY: `clone` put a handle there, and it was taken out for good.
            drop(unsafe { ArenaRef::from_raw(std::ptr::with_exposed_provenance::<Arena>(link & !TAG)) });
        }
    }

    /// A copy that keeps the arena alive by itself. `slot` finds a row of the loaded state, and through it the arena.
    pub(super) fn clone_with(&self, slot: impl FnOnce(*mut ()) -> Option<SlotPtr>) -> Self {
        let home = self.home();
        let state = home.state.load(Ordering::Acquire);
        let Loaded::Row(row, _) = home.loaded() else {
            return Self { state: AtomicPtr::new(state), link: AtomicUsize::new(HOME) };
        };
        let arena = if self.is_owned() {
            let link = self.link.load(Ordering::Relaxed);
            // SAFETY: the field owns a handle; the copy takes another.
            Some(unsafe { ArenaRef::count_one(std::ptr::with_exposed_provenance::<Arena>(link & !TAG)) })
        } else {
            slot(row).and_then(|slot| slot.arena())
        };
        match arena {
            Some(arena) => Self {
                state: AtomicPtr::new(state),
                link: AtomicUsize::new(arena.into_raw().expose_provenance() | OWNER),
            },
            // The arena is being dropped: its values are, one by one, and may no longer lead anywhere.
            None => Self { state: AtomicPtr::new(std::ptr::null_mut()), link: AtomicUsize::new(HOME) },
        }
    }
}

/// What the state of "loaded, and nothing there" points at.
pub(super) fn none() -> *mut () {
    std::ptr::from_ref(&NONE).cast::<()>().cast_mut()
}

/// The state of "not loaded, and not to be".
pub(super) fn raised(def: &'static RelationshipDef) -> *mut () {
    const { assert!(align_of::<RelationshipDef>() > RAISED, "the definition's alignment leaves two bits free") };
    std::ptr::from_ref(def).cast::<()>().cast_mut().wrapping_byte_add(RAISED)
}

impl Drop for RelationField {
    fn drop(&mut self) {
        self.release();
    }
}
