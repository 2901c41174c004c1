//! What the session has to remember of its rows: which changed, what they were, and how to go back.

mod journal;
mod links;
mod relations;
mod states;

use hashbrown::HashMap;
use smallvec::SmallVec;

use journal::{Address, Undo};
use links::LinkChanges;
pub(crate) use links::{Link, LinkChange};

use super::arena::{Arena, Draft};
use super::arena_ref::ArenaRef;
use super::chunk::ChunkPtr;
use super::def::{Action, ConstraintDef, ModelDef};
use super::identity_map::{IdentityKey, IdentityMap};
use super::placeholder::is_placeholder;
use super::slot::{DIRTY, DOOMED, SlotPtr, State};
use crate::error::Error;
use crate::sql::Value;

/// The unit of work's record of one arena. It is changed under the arena's lock only.
#[derive(Default)]
pub(crate) struct Tracker {
    /// One for each model; many sessions know but one.
    stores: SmallVec<[Store; 1]>,
    /// Rows changed since the transaction began.
    changes: HashMap<SlotPtr, Change, foldhash::fast::FixedState>,
    /// Rows with changes that no flush has sent, in the order of their first change.
    pub(crate) dirty: Vec<SlotPtr>,
    /// Rows added and not yet inserted, in order.
    pub(crate) new: Vec<SlotPtr>,
    /// For each new row, the columns that were given.
    pub(crate) given: HashMap<SlotPtr, super::new::ColumnSet, foldhash::fast::FixedState>,
    /// Rows to be deleted, in order.
    pub(crate) doomed: Vec<SlotPtr>,
    /// Rows marked as deleted, of which no flush has followed the cascades.
    pub(crate) retired: Vec<SlotPtr>,
    /// Rows removed from a collection whose orphans are deleted, with the foreign key that led to its owner.
    pub(crate) orphans: Vec<(SlotPtr, usize)>,
    /// Rows of link models to be written and deleted.
    pub(crate) links: LinkChanges,
    /// How to go back, newest last.
    journal: Vec<Undo>,
    /// The number of the current savepoint, counting up; 0 outside any.
    scope: u32,
    scopes: u32,
    /// What was done wrong where no error could be returned; the next flush reports it.
    pub(crate) errors: Vec<Error>,
    /// The keys that the database made since the last commit, by the placeholders that stood for them: another task
    /// may have copied one while its row was being inserted.
    pub(crate) made_keys: MadeKeys,
    queries: u32,
}

/// Real keys by model (the number of its keys) and placeholder.
pub(crate) type MadeKeys = HashMap<(usize, Value<'static>), Value<'static>, foldhash::fast::RandomState>;

/// The rows of one model.
pub(crate) struct Store {
    def: &'static ModelDef,
    /// Whether the store has rows of the database.
    pub(crate) occupied: bool,
    /// Built when it is first needed.
    keys: Option<IdentityMap>,
    /// Raised when the rows may have changed in the database without the entities knowing.
    pub(crate) epoch: u32,
    /// The first chunk of the statement whose rows went past the identity map, until a map has them all.
    unindexed: Option<ChunkPtr>,
    /// How many placeholder keys there are.
    pub(crate) placeholders: u64,
    /// The chunk that takes added rows.
    open: Option<ChunkPtr>,
    open_capacity: usize,
}

struct Change {
    /// The version that the database has.
    flushed: *mut (),
    /// The savepoint in which the journal last took note of the row.
    scope: u32,
}

#[allow(unsafe_code, reason = "addresses of versions in the arena that the tracker belongs to")]
// SAFETY: the addresses lead to memory of the same arena, whose rows are Send and Sync.
unsafe impl Send for Tracker {}

/// How many stores stay with a tracker that is emptied: the next session of its thread tends to ask for the same models.
const KEPT: usize = 4;

impl Store {
    fn new(def: &'static ModelDef) -> Self {
        Self {
            def,
            occupied: false,
            keys: None,
            epoch: 0,
            unindexed: None,
            placeholders: 0,
            open: None,
            open_capacity: 0,
        }
    }

    /// Makes it as new: field by field, which costs less than to write another over it.
    fn empty(&mut self) {
        self.occupied = false;
        self.keys = None;
        self.epoch = 0;
        self.unindexed = None;
        self.placeholders = 0;
        (self.open, self.open_capacity) = (None, 0);
    }
}

impl Tracker {
    pub(crate) fn store(&mut self, def: &'static ModelDef) -> &mut Store {
        let index = self.store_index(def);
        &mut self.stores[index]
    }

    fn store_index(&mut self, def: &'static ModelDef) -> usize {
        match self.stores.iter().position(|store| store.def.is(def)) {
            Some(index) => index,
            None => {
                self.stores.push(Store::new(def));
                self.stores.len() - 1
            }
        }
    }

    /// Forgets everything, for rows that are gone.
    pub(crate) fn empty(&mut self) {
        if self.stores.len() > KEPT {
            self.stores.clear();
        }
        self.stores.iter_mut().for_each(Store::empty);
        let used = self.scopes > 0 || !self.journal.is_empty() || self.journal.capacity() > 0;
        if used || self.made_keys.capacity() > 0 || self.needs_flush() {
            *self = Self::default();
        }
        self.queries = 0;
    }

    /// The store, when there is one already.
    pub(crate) fn find_store(&self, def: &'static ModelDef) -> Option<&Store> {
        self.stores.iter().find(|store| store.def.is(def))
    }

    /// A number for the rows that one query brings.
    pub(crate) fn next_query(&mut self) -> u32 {
        self.queries += 1;
        self.queries
    }

    /// A number for a placeholder key of a model, counting up from 0.
    pub(crate) fn next_placeholder(&mut self, def: &'static ModelDef) -> u64 {
        let store = self.store(def.root());
        store.placeholders += 1;
        store.placeholders - 1
    }

    /// Whether a value stands for the key of a row of a model (by the number of its keys) that `add` has made.
    pub(crate) fn is_placeholder(&self, model: usize, value: &Value<'_>) -> bool {
        let store = self.stores.iter().find(|store| store.def.key_space() == model && store.placeholders > 0);
        store.is_some_and(|store| match store.def.primary_key {
            [column] => is_placeholder(&store.def.columns[*column].ty, store.placeholders, value),
            _ => false,
        })
    }

    /// The identity map of a model, built from the rows that are there if it has not been needed before.
    pub(crate) fn identity_map(&mut self, arena: &Arena, def: &'static ModelDef) -> &mut IdentityMap {
        let store = self.store(def);
        if store.unindexed.is_some_and(|first| !first.is_loading()) {
            // A map that was built meanwhile learns of the rows that came after it.
            (store.keys, store.unindexed) = (None, None);
        }
        if store.keys.is_none() {
            if let Some(first) = store.unindexed {
                first.note_indexed();
            }
            let slots = arena.slots(def, None);
            let mut map = IdentityMap::default();
            map.reserve(slots.len());
            for slot in slots {
                if slot.state() == State::Persistent {
                    map.insert(self.committed_key(arena, slot), slot);
                }
            }
            self.store(def).keys = Some(map);
        }
        self.store(def).keys.get_or_insert_default()
    }

    /// The identity map with all rows that are there, also those of statements that have just ended.
    pub(crate) fn complete_identity_map(&mut self, arena: &Arena, def: &'static ModelDef) {
        let store = self.store(def);
        if store.unindexed.is_some() {
            store.keys = None;
        }
        self.identity_map(arena, def);
    }

    /// A statement brings rows of a model: their epoch, and where they are the first that the store has had, the chunk for
    /// them, past the identity map.
    pub(crate) fn begin_loading(
        &mut self,
        arena: &ArenaRef,
        def: &'static ModelDef,
        query: u32,
        capacity: usize,
    ) -> (u32, Option<ChunkPtr>) {
        let index = self.store_index(def);
        let Store { epoch, occupied, ref keys, .. } = self.stores[index];
        if occupied || keys.is_some() {
            return (epoch, None);
        }
        let first = Arena::chunk(arena, self, def, query, capacity);
        first.begin_loading();
        let store = &mut self.stores[index];
        (store.occupied, store.unindexed) = (true, Some(first));
        (epoch, Some(first))
    }

    /// The key by which the database knows the row: that of the version it has, whatever was set since.
    pub(crate) fn committed_key(&self, arena: &Arena, slot: SlotPtr) -> IdentityKey {
        let version = self.flushed(slot);
        IdentityKey::of(slot.def(), |column| arena.value_in(slot, version, column))
    }

    /// The version that the database has.
    pub(crate) fn flushed(&self, slot: SlotPtr) -> *mut () {
        self.changes.get(&slot).map_or_else(|| slot.head(), |change| change.flushed)
    }

    /// A row that a loader made: known to the identity map, if there is one.
    pub(crate) fn loaded(&mut self, key: impl FnOnce() -> IdentityKey, slot: SlotPtr) {
        let store = self.store(slot.def());
        store.occupied = true;
        if let Some(keys) = &mut store.keys {
            keys.insert(key(), slot);
        }
    }

    /// Publishes a user's change of a row.
    pub(crate) fn publish(&mut self, slot: SlotPtr, version: *mut ()) {
        self.note_version(slot);
        slot.set_head(version);
        if slot.state() == State::Persistent {
            self.mark_dirty(slot);
        }
    }

    /// Publishes a version that agrees with the database in `flushed`: after a flush or a refresh.
    pub(crate) fn publish_flushed(&mut self, slot: SlotPtr, head: *mut (), flushed: *mut ()) {
        self.note_version(slot).flushed = flushed;
        slot.set_head(head);
        if std::ptr::eq(head, flushed) && slot.has(DIRTY) {
            slot.set_flag(DIRTY, false);
            self.dirty.retain(|&dirty| dirty != slot);
        }
    }

    /// What a flush has sent is what the database has; rows changed meanwhile stay dirty.
    pub(crate) fn sent(&mut self, slot: SlotPtr, version: *mut ()) {
        if let Some(change) = self.changes.get_mut(&slot) {
            change.flushed = version;
        }
        if std::ptr::eq(slot.head(), version) {
            slot.set_flag(DIRTY, false);
        } else {
            self.mark_dirty(slot);
        }
    }

    /// Takes the rows with unsent changes; those that a flush does not settle are to be given back by `sent`.
    pub(crate) fn take_dirty(&mut self) -> Vec<SlotPtr> {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.retain(|slot| slot.state() == State::Persistent && slot.has(DIRTY));
        dirty
    }

    /// Rows that were changed while a flush was sending stay for the next one.
    pub(crate) fn keep_dirty(&mut self, slots: &[SlotPtr]) {
        self.dirty.extend(slots.iter().copied().filter(|slot| slot.has(DIRTY)));
    }

    /// A chunk with room for one more row that `add` makes.
    pub(crate) fn open_chunk(&mut self, arena: &ArenaRef, def: &'static ModelDef) -> ChunkPtr {
        let query = self.next_query();
        let store = self.store(def);
        if let Some(chunk) = store.open.filter(|chunk| !chunk.is_full()) {
            return chunk;
        }
        let capacity = ChunkPtr::next_capacity(def, store.open_capacity);
        let chunk = Arena::chunk(arena, self, def, query, capacity);
        let store = self.store(def);
        (store.open, store.open_capacity) = (Some(chunk), capacity);
        chunk
    }

    /// So many rows are about to be added, as far as is known.
    pub(crate) fn expect_new(&mut self, rows: usize) {
        let rows = rows.min(4_096);
        self.given.reserve(rows);
        self.new.reserve(rows);
        self.journal.reserve(rows);
    }

    /// A row that `add` made.
    pub(crate) fn add(&mut self, slot: SlotPtr, given: super::new::ColumnSet) {
        self.journal.push(Undo::State { slot, state: State::Detached });
        self.given.insert(slot, given);
    }

    /// A row that `add` made is complete, with what it is linked to: from now on a flush sends it, which another task
    /// may begin at any moment.
    pub(crate) fn enlist(&mut self, slot: SlotPtr) {
        if slot.state() == State::Pending {
            self.new.push(slot);
        }
    }

    /// Marks a row for deletion; a pending one is simply no longer the session's.
    pub(crate) fn delete(&mut self, slot: SlotPtr) {
        match slot.state() {
            State::Pending => {
                self.set_state(slot, State::Detached);
                self.new.retain(|&new| new != slot);
                self.given.remove(&slot);
                // Nothing is to be deleted; but what was linked to the row has to let go of it.
                self.doomed.push(slot);
            }
            State::Persistent if !slot.has(DOOMED) => {
                slot.set_flag(DOOMED, true);
                self.doomed.push(slot);
                // A flush that fails has taken the row off the list, and left the mark.
                self.journal.push(Undo::Doomed { slot });
            }
            State::Persistent | State::Deleted | State::Detached => {}
        }
    }

    pub(crate) fn set_state(&mut self, slot: SlotPtr, state: State) {
        self.journal.push(Undo::State { slot, state: slot.state() });
        slot.set_state(state);
    }

    /// The database has made a key.
    pub(crate) fn made_key(&mut self, def: &ModelDef, placeholder: Value<'static>, key: Value<'static>) {
        self.made_keys.insert((def.key_space(), placeholder), key);
    }

    /// So many rows of a model are in the database, and about to be settled.
    pub(crate) fn expect_inserted(&mut self, def: &'static ModelDef, rows: usize) {
        self.changes.reserve(rows);
        self.made_keys.reserve(rows);
        self.journal.reserve(2 * rows);
        if let Some(keys) = &mut self.store(def).keys {
            keys.reserve(rows);
        }
    }

    /// A new row is in the database under its key.
    pub(crate) fn inserted(&mut self, slot: SlotPtr, key: IdentityKey) {
        self.set_state(slot, State::Persistent);
        self.given.remove(&slot);
        self.key_added(slot.def(), key, slot);
    }

    /// A row has changes that no flush has sent, those that were made while its insert was under way among them.
    pub(crate) fn mark_dirty(&mut self, slot: SlotPtr) {
        if !slot.has(DIRTY) {
            slot.set_flag(DIRTY, true);
            self.dirty.push(slot);
        }
    }

    /// A row is gone from the database.
    pub(crate) fn removed(&mut self, slot: SlotPtr, key: IdentityKey) {
        self.set_state(slot, State::Deleted);
        slot.set_flag(DOOMED, false);
        self.key_removed(slot.def(), key);
    }

    /// The key of a row has changed in the database.
    pub(crate) fn rekeyed(&mut self, slot: SlotPtr, old: IdentityKey, new: IdentityKey) {
        self.key_removed(slot.def(), old);
        self.key_added(slot.def(), new, slot);
    }

    fn key_added(&mut self, def: &'static ModelDef, key: IdentityKey, slot: SlotPtr) {
        let store = self.store(def);
        store.occupied = true;
        if let Some(keys) = &mut store.keys {
            keys.insert(key, slot);
        }
    }

    fn key_removed(&mut self, def: &'static ModelDef, key: IdentityKey) {
        if let Some(keys) = &mut self.store(def).keys {
            keys.remove(&key);
        }
    }

    fn raise_epochs(&mut self) {
        for store in &mut self.stores {
            store.epoch = store.epoch.wrapping_add(1);
        }
    }

    /// Rows of a table may have changed behind the entities' back.
    pub(crate) fn raise_epoch(&mut self, table: Option<&str>) {
        for store in &mut self.stores {
            if table.is_none_or(|table| store.def.reads(table)) {
                store.epoch = store.epoch.wrapping_add(1);
            }
        }
    }

    /// Rows of a table were deleted, or their keys changed, past the entities: the database may have deleted or changed
    /// rows that point at them, and in turn rows that point at those.
    pub(crate) fn raise_followers(&mut self, def: &'static ModelDef) {
        for store in &mut self.stores {
            if follows(store.def, def, &mut Vec::new()) {
                store.epoch = store.epoch.wrapping_add(1);
            }
        }
    }

    /// Whether a model has hooks of which the session has rows.
    pub(crate) fn has_hooks(&self) -> bool {
        self.stores.iter().any(|store| store.def.options.hooks.is_some())
    }

    /// Whether rows are to be deleted, or may have to be.
    pub(crate) fn deletes(&self) -> bool {
        !(self.doomed.is_empty() && self.orphans.is_empty())
    }

    /// Whether anything waits for a flush.
    pub(crate) fn needs_flush(&self) -> bool {
        !(self.new.is_empty()
            && self.dirty.is_empty()
            && self.doomed.is_empty()
            && self.orphans.is_empty()
            && self.links.is_empty()
            && self.errors.is_empty())
    }
}

/// Whether the database changes rows of one model when rows of another are deleted or get other keys.
fn follows(def: &'static ModelDef, leader: &'static ModelDef, seen: &mut Vec<&'static ModelDef>) -> bool {
    if seen.iter().any(|known| known.is(def)) {
        return false;
    }
    seen.push(def);
    let acts = |action| !matches!(action, Action::NoAction | Action::Restrict);
    let single = def.columns.iter().filter_map(|column| column.references.as_ref());
    let single = single.map(|key| ((key.target)().0, key.on_delete, key.on_update));
    let several = def.constraints.iter().filter_map(|constraint| match constraint {
        ConstraintDef::ForeignKey(key) => Some(((key.target)(), key.on_delete, key.on_update)),
        _ => None,
    });
    single.chain(several).any(|(target, on_delete, on_update)| {
        (acts(on_delete) || acts(on_update)) && (target.root().is(leader.root()) || follows(target, leader, seen))
    })
}

/// The columns in which two versions of a row differ.
pub(crate) fn changed_columns(arena: &Arena, slot: SlotPtr, old: *const (), new: *const ()) -> Vec<usize> {
    (0..slot.def().columns.len())
        .filter(|&column| arena.value_in(slot, old, column) != arena.value_in(slot, new, column))
        .collect()
}

/// Writes onto a draft the columns in which `mine` differs from `base`.
pub(crate) fn merge(
    arena: &Arena,
    slot: SlotPtr,
    base: *const (),
    mine: &Draft,
    onto: &mut Draft,
) -> crate::Result<()> {
    for column in 0..slot.def().columns.len() {
        let value: Value<'_> = mine.value(column);
        if value != arena.value_in(slot, base, column) {
            onto.put(column, value)?;
        }
    }
    Ok(())
}
