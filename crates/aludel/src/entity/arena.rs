//! The memory of a session: rows at addresses that never change, freed all together.
#![allow(unsafe_code, reason = "raw memory of rows; the invariants stand at `Arena`")]

use std::alloc::{alloc, dealloc, handle_alloc_error};
use std::any::Any;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};

use super::arena_ref::ArenaRef;
use super::chunk::{ChunkHeader, ChunkPtr};
use super::def::ModelDef;
use super::list::List;
use super::relation_field::{RelationField, none};
use super::slot::{SlotHeader, SlotPtr, State};
use super::sync::{AtomicPtr, AtomicUsize, Ordering};
use super::tracker::Tracker;
use crate::lock::{Lock, Locked};
use crate::sql::Value;

/// The memory of a session.
///
/// Invariants:
/// - A slot, a version and a list stay where they are, valid and (but for atomics) unchanged, until the arena drops.
/// - The arena drops when the last strong handle on it goes; nothing that it owns is such a handle.
/// - What changes, changes under the tracker's lock; no user code (Clone, Drop, decoding) runs under that lock.
pub(crate) struct Arena {
    /// How many handles there are.
    pub(super) refs: AtomicUsize,
    /// The session, while it lives; erased, because the session's module is above this one.
    session: Weak<dyn Any + Send + Sync>,
    tracker: Lock<Tracker>,
    /// The newest chunk; each knows the one before it. Changed under the tracker's lock.
    chunks: AtomicPtr<ChunkHeader>,
    /// None while nothing was changed or linked.
    memory: Lock<Option<Box<Memory>>>,
}

/// All allocations of an arena but its chunks.
#[derive(Default)]
struct Memory {
    versions: Vec<(NonNull<()>, &'static ModelDef)>,
    lists: Vec<NonNull<[List]>>,
    links: Vec<NonNull<[AtomicPtr<SlotHeader>]>>,
}

// SAFETY: the rows are Send and Sync by the bound on `Model`; the pointers are to memory that the arena owns.
unsafe impl Send for Arena {}
// SAFETY: as above; every change is under a lock or atomic.
unsafe impl Sync for Arena {}

impl Arena {
    #[allow(clippy::new_ret_no_self, reason = "it is only had by handles")]
    pub(crate) fn new(session: Weak<dyn Any + Send + Sync>) -> ArenaRef {
        ArenaRef::new(Self {
            refs: AtomicUsize::new(1),
            session,
            tracker: Lock::default(),
            chunks: AtomicPtr::new(std::ptr::null_mut()),
            memory: Lock::default(),
        })
    }

    /// The session that the rows belong to, if it still lives.
    pub(crate) fn session(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.session.upgrade()
    }

    /// The unit of work's record. No user code may run while it is held; nothing panics half-way through a change.
    #[inline]
    pub(crate) fn tracker(&self) -> Locked<'_, Tracker> {
        self.tracker.lock()
    }

    fn memory(&self) -> Locked<'_, Option<Box<Memory>>> {
        self.memory.lock()
    }

    /// A chunk for rows of a model, which the arena frees at its end. Who has the tracker borrowed has its lock, so that
    /// nobody else adds one.
    pub(crate) fn chunk(
        arena: &ArenaRef,
        _locked: &mut Tracker,
        def: &'static ModelDef,
        query: u32,
        capacity: usize,
    ) -> ChunkPtr {
        let mut chunk = ChunkHeader::allocate(arena.as_ptr(), def, query, capacity);
        // SAFETY: nobody else has it yet.
        unsafe { chunk.as_mut() }.previous = arena.chunks.load(Ordering::Relaxed);
        arena.chunks.store(chunk.as_ptr(), Ordering::Release);
        ChunkPtr(chunk)
    }

    /// The chunks, newest first. One that was given out may be freed.
    fn chunks(&self) -> impl Iterator<Item = NonNull<ChunkHeader>> + Clone + use<> {
        let mut next = NonNull::new(self.chunks.load(Ordering::Acquire));
        std::iter::from_fn(move || {
            let chunk = next?;
            // SAFETY: a chunk of the arena, alive until it has been given out.
            next = NonNull::new(unsafe { chunk.as_ref() }.previous);
            Some(chunk)
        })
    }

    /// The value of a column, as the newest version has it.
    pub(crate) fn value<'a>(&'a self, slot: SlotPtr, column: usize) -> Value<'a> {
        self.value_in(slot, slot.head(), column)
    }

    /// The value of a column in some version of the row.
    pub(crate) fn value_in<'a>(&'a self, slot: SlotPtr, version: *const (), column: usize) -> Value<'a> {
        // SAFETY: a version of this slot's model, which lives as long as the arena is borrowed.
        unsafe { (slot.def().vtable.value)(version, column) }
    }

    /// A relationship's home field, shared by all versions of the row.
    pub(crate) fn relation(&self, slot: SlotPtr, index: usize) -> &RelationField {
        // SAFETY: the first version lives as long as the arena, and its fields with it.
        unsafe { &*(slot.def().vtable.relation)(slot.first(), index) }
    }

    /// A private copy of a version of a row.
    pub(crate) fn copy_of(&self, slot: SlotPtr, version: *const ()) -> Draft {
        let def = slot.def();
        // SAFETY: a version of this slot's model; the draft's memory has its layout.
        Draft::new(def, |to| unsafe {
            (def.vtable.clone_to)(version, to);
            Ok::<(), std::convert::Infallible>(())
        })
        .unwrap_or_else(|never| match never {})
    }

    /// A private copy of a version of a row, in which some columns have other values.
    ///
    /// # Errors
    /// `Decode` when a value does not fit its column.
    pub(crate) fn copy_with(
        &self,
        slot: SlotPtr,
        version: *const (),
        columns: &[(usize, Value<'_>)],
    ) -> crate::Result<Draft> {
        let mut draft = self.copy_of(slot, version);
        columns.iter().try_for_each(|(column, value)| draft.put(*column, value.as_borrowed()))?;
        Ok(draft)
    }

    /// Gives a draft to the arena as a version of the row, without publishing it: its relationship fields lead home.
    pub(crate) fn keep(&self, slot: SlotPtr, draft: Draft) -> *mut () {
        let version = self.adopt(slot, draft);
        self.memory().get_or_insert_default().versions.push((version, slot.def()));
        version.as_ptr()
    }

    /// The same for one draft of each row, where there is one.
    pub(crate) fn keep_all(&self, slots: &[SlotPtr], drafts: Vec<Option<Draft>>) -> Vec<Option<*mut ()>> {
        let adopt = |(&slot, draft): (&SlotPtr, Option<Draft>)| draft.map(|draft| self.adopt(slot, draft));
        let versions: Vec<Option<NonNull<()>>> = slots.iter().zip(drafts).map(adopt).collect();
        let kept = versions.iter().zip(slots).filter_map(|(version, slot)| Some(((*version)?, slot.def())));
        self.memory().get_or_insert_default().versions.extend(kept);
        versions.into_iter().map(|version| version.map(NonNull::as_ptr)).collect()
    }

    fn adopt(&self, slot: SlotPtr, draft: Draft) -> NonNull<()> {
        let def = slot.def();
        debug_assert!(def.is(draft.def));
        let version = draft.release();
        for index in 0..def.relationships.len() {
            // SAFETY: the draft is a valid value of the model, and nobody else has it yet.
            let field = unsafe { &mut *(def.vtable.relation_mut)(version.as_ptr(), index) };
            field.adopt(self.relation(slot, index));
        }
        version
    }

    /// Lists for the collections of several rows, made at once.
    pub(crate) fn lists(&self, collections: &[Vec<SlotPtr>]) -> NonNull<[List]> {
        let links: Box<[AtomicPtr<SlotHeader>]> =
            collections.iter().flatten().map(|slot| AtomicPtr::new(slot.0.as_ptr())).collect();
        let links = NonNull::from(Box::leak(links));
        let mut rest: &[AtomicPtr<SlotHeader>] =
            // SAFETY: leaked above, freed by the arena's drop.
            unsafe { links.as_ref() };
        let lists: Box<[List]> = collections
            .iter()
            .map(|collection| {
                let (mine, others) = rest.split_at(collection.len());
                rest = others;
                // SAFETY: the part is this list's alone and stays until the arena drops.
                unsafe { List::new(mine, mine.len()) }
            })
            .collect();
        let lists = NonNull::from(Box::leak(lists));
        let mut memory = self.memory();
        let memory = memory.get_or_insert_default();
        memory.links.push(links);
        memory.lists.push(lists);
        lists
    }

    /// One list with room for more.
    pub(crate) fn list(&self, slots: &[SlotPtr], capacity: usize) -> NonNull<List> {
        let links: Box<[AtomicPtr<SlotHeader>]> = slots
            .iter()
            .map(|slot| AtomicPtr::new(slot.0.as_ptr()))
            .chain(std::iter::repeat_with(|| AtomicPtr::new(std::ptr::null_mut())))
            .take(capacity.max(slots.len()))
            .collect();
        let links = NonNull::from(Box::leak(links));
        // SAFETY: leaked above for this list alone, freed by the arena's drop.
        let list: Box<[List]> = Box::new([unsafe { List::new(links.as_ref(), slots.len()) }]);
        let list = NonNull::from(Box::leak(list));
        let mut memory = self.memory();
        let memory = memory.get_or_insert_default();
        memory.links.push(links);
        memory.lists.push(list);
        list.cast()
    }

    /// The chunks of a model's rows, oldest first.
    pub(crate) fn slots(&self, def: &'static ModelDef, query: Option<u32>) -> Vec<SlotPtr> {
        let mut chunks: Vec<_> = self.chunks().collect();
        chunks.reverse();
        let mut slots = Vec::new();
        for chunk in chunks {
            // SAFETY: chunks live as long as the arena.
            let header = unsafe { chunk.as_ref() };
            if header.def.is(def) && query.is_none_or(|query| header.query == query) {
                // SAFETY: below the length.
                slots.extend((0..header.len()).map(|index| SlotPtr(unsafe { ChunkHeader::slot(chunk, index) })));
            }
        }
        slots
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.free();
    }
}

impl Arena {
    /// Drops all rows, and forgets all that is known of them.
    pub(crate) fn empty(&mut self) {
        self.free();
        self.tracker.get_mut().empty();
    }

    fn free(&mut self) {
        let memory = self.memory.get_mut().take();
        let versions = memory.as_deref().map_or(&[][..], |memory| &memory.versions);
        // Taken before any value is dropped, whose own Drop may panic: nothing is dropped twice then.
        let chunks = self.chunks();
        self.chunks = AtomicPtr::new(std::ptr::null_mut());
        for mut chunk in chunks.clone() {
            // SAFETY: nobody else has the arena any more, nor its rows.
            unsafe { chunk.as_mut() }.arena = std::ptr::null();
        }
        // First every value goes, while all memory is still there: a value's own Drop may look at what it likes, and
        // finds its relationships cut, so that it cannot carry a bare pointer away.
        for &(version, def) in versions {
            // SAFETY: kept by `keep`, dropped only here.
            unsafe { (def.vtable.drop)(version.as_ptr()) };
        }
        for chunk in chunks.clone() {
            // SAFETY: alive until `free` below.
            let header = unsafe { chunk.as_ref() };
            let (offset, drop) = (header.value as usize, header.def.vtable.drop);
            for index in 0..header.len() {
                // SAFETY: an initialised slot's value, dropped only here.
                unsafe { drop(ChunkHeader::slot(chunk, index).byte_add(offset).as_ptr().cast()) };
            }
        }
        for &(version, def) in versions {
            // SAFETY: allocated by `Draft::new` with this layout.
            unsafe { free_value(def, version) };
        }
        for chunk in chunks {
            // SAFETY: its values are dropped, and with the arena nothing points into it; the iterator has moved on.
            unsafe { ChunkHeader::free(chunk) };
        }
        let Some(memory) = memory else { return };
        for &lists in &memory.lists {
            // SAFETY: leaked by `lists` or `list`.
            drop(unsafe { Box::from_raw(lists.as_ptr()) });
        }
        for &links in &memory.links {
            // SAFETY: leaked by `lists` or `list`.
            drop(unsafe { Box::from_raw(links.as_ptr()) });
        }
    }
}

/// # Safety
/// `value` came from `Draft::new` for this model, and is dropped.
unsafe fn free_value(def: &ModelDef, value: NonNull<()>) {
    let layout = def.vtable.layout;
    if layout.size() != 0 {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(value.as_ptr().cast(), layout) };
    }
}

impl SlotPtr {
    fn header(&self) -> &SlotHeader {
        // SAFETY: see `SlotPtr`: whoever holds one keeps its arena alive.
        unsafe { self.0.as_ref() }
    }

    fn chunk(&self) -> &ChunkHeader {
        // SAFETY: a slot's chunk lives as long as the slot, and begins so far before it in the same allocation.
        unsafe { self.0.byte_sub(self.header().back()).cast().as_ref() }
    }

    pub(crate) fn def(self) -> &'static ModelDef {
        self.chunk().def
    }

    pub(crate) fn query(self) -> u32 {
        self.chunk().query
    }

    /// The arena, unless it is being dropped.
    pub(crate) fn arena(self) -> Option<ArenaRef> {
        let arena = self.chunk().arena;
        if arena.is_null() {
            return None;
        }
        // SAFETY: a handle's address, and whoever holds a slot keeps its arena alive.
        Some(unsafe { ArenaRef::count_one(arena) })
    }

    pub(crate) fn is_in(self, arena: &ArenaRef) -> bool {
        std::ptr::eq(self.chunk().arena, arena.as_ptr())
    }

    /// The value that lies in the chunk.
    pub(super) fn first(self) -> *mut () {
        let offset = self.chunk().value as usize;
        // SAFETY: the value's place within the slot.
        unsafe { self.0.byte_add(offset) }.as_ptr().cast()
    }

    pub(crate) fn head(self) -> *mut () {
        let head = self.header().head.load(Ordering::Acquire);
        if head.is_null() { self.first() } else { head }
    }

    /// Publishes a version. Only under the tracker's lock.
    pub(super) fn set_head(self, version: *mut ()) {
        let head = if std::ptr::eq(version, self.first()) { std::ptr::null_mut() } else { version };
        self.header().head.store(head, Ordering::Release);
    }

    pub(crate) fn state(self) -> State {
        self.header().state()
    }

    pub(super) fn set_state(self, state: State) {
        self.header().set_state(state);
    }

    pub(crate) fn has(self, flag: u64) -> bool {
        self.header().has(flag)
    }

    pub(super) fn set_flag(self, flag: u64, on: bool) {
        self.header().set(flag, on);
    }

    pub(crate) fn epoch(self) -> u32 {
        self.header().epoch()
    }

    pub(super) fn set_epoch(self, epoch: u32) {
        self.header().set_epoch(epoch);
    }
}

/// A private copy of a row, or a new version of it, that nobody else has seen yet.
pub(crate) struct Draft {
    value: NonNull<()>,
    def: &'static ModelDef,
}

// SAFETY: it owns a value of a model, which is Send and Sync.
unsafe impl Send for Draft {}
// SAFETY: as above.
unsafe impl Sync for Draft {}

impl Draft {
    /// Memory for a value of the model, filled in by `init`.
    pub(crate) fn new<E>(def: &'static ModelDef, init: impl FnOnce(*mut ()) -> Result<(), E>) -> Result<Self, E> {
        /// Gives the memory back when `init` fails or panics.
        struct Guard(NonNull<()>, &'static ModelDef);
        impl Drop for Guard {
            fn drop(&mut self) {
                // SAFETY: allocated below, and holds no value.
                unsafe { free_value(self.1, self.0) };
            }
        }
        let layout = def.vtable.layout;
        let value = if layout.size() == 0 {
            NonNull::<u64>::dangling().cast()
        } else {
            // SAFETY: the size is not zero.
            match NonNull::new(unsafe { alloc(layout) }) {
                Some(memory) => memory.cast(),
                None => handle_alloc_error(layout),
            }
        };
        let guard = Guard(value, def);
        init(value.as_ptr())?;
        std::mem::forget(guard);
        Ok(Self { value, def })
    }

    pub(crate) fn as_ptr(&self) -> *const () {
        self.value.as_ptr()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut () {
        self.value.as_ptr()
    }

    /// The value of a column.
    pub(crate) fn value(&self, column: usize) -> Value<'_> {
        // SAFETY: a valid value, borrowed with `self`.
        unsafe { (self.def.vtable.value)(self.value.as_ptr(), column) }
    }

    /// Writes a column.
    pub(crate) fn put(&mut self, column: usize, value: Value<'_>) -> crate::Result<()> {
        // SAFETY: a valid value, borrowed exclusively.
        unsafe { (self.def.vtable.put)(self.value.as_ptr(), column, value) }
    }

    /// What its relationship fields lead to now, to be compared later.
    pub(crate) fn relation_states(&self) -> Vec<*mut ()> {
        (0..self.def.relationships.len())
            // SAFETY: a valid value, borrowed with `self`.
            .map(|index| unsafe { &*(self.def.vtable.relation)(self.value.as_ptr(), index) }.state())
            .collect()
    }

    pub(super) fn def(&self) -> &'static ModelDef {
        self.def
    }

    /// Makes its relationship fields lead nowhere.
    pub(super) fn clear_relations(&mut self) {
        for index in 0..self.def.relationships.len() {
            // SAFETY: a valid value, borrowed exclusively.
            unsafe { (*(self.def.vtable.relation_mut)(self.value.as_ptr(), index)).clear() };
        }
    }

    /// Moves the value to another place.
    ///
    /// # Safety
    /// `to` is memory of the model's layout, with no value in it.
    pub(super) unsafe fn move_to(self, to: *mut ()) {
        let def = self.def;
        let value = self.release();
        // SAFETY: as the caller says; the value is in one place only, for its own memory is freed without dropping it.
        unsafe {
            std::ptr::copy_nonoverlapping(value.as_ptr().cast::<u8>(), to.cast::<u8>(), def.vtable.layout.size());
            free_value(def, value);
        }
    }

    fn release(self) -> NonNull<()> {
        let value = self.value;
        std::mem::forget(self);
        value
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // SAFETY: a valid value that nobody else has; its fields are free-standing and release what they own.
        unsafe {
            (self.def.vtable.drop)(self.value.as_ptr());
            free_value(self.def, self.value);
        }
    }
}

/// The state of a to-one field that leads to a row, or to none.
pub(super) fn one_state(target: Option<SlotPtr>) -> *mut () {
    target.map_or_else(none, |slot| slot.0.as_ptr().cast())
}
