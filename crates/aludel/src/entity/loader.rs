//! Rows on their way into the arena.
#![allow(unsafe_code, reason = "decodes rows in place")]

use super::arena::{Arena, Draft};
use super::arena_ref::{ArenaRef, Handles};
use super::chunk::ChunkPtr;
use super::def::ModelDef;
use super::deferred::is_unloaded;
use super::identity_map::{IdentityKey, IdentityMap};
use super::slot::{DIRTY, DOOMED, SlotPtr, State};
use super::tracker::changed_columns;
use super::{publish_columns, value_of_type};
use crate::engine::row::Row;
use crate::error::{Error, Result};
use crate::sql::Value;

/// Makes entities of the rows of one statement.
///
/// A row whose entity is in the session gives that entity, unchanged unless it is of an older epoch and has no changes
/// of its own, or unless `populate_existing` is asked for.
pub(crate) struct RowLoader<'a> {
    arena: &'a ArenaRef,
    handles: Handles<'a>,
    def: &'static ModelDef,
    query: u32,
    epoch: u32,
    mode: Mode,
    populate_existing: bool,
    alone: bool,
    chunk: Option<ChunkPtr>,
    capacity: usize,
    /// The first chunk, while the rows go past the identity map.
    first: Option<ChunkPtr>,
    /// Deferred columns that the row has too, and where.
    also: Option<Box<[(usize, usize)]>>,
}

/// How a loader tells the rows that the session has from those that it has not.
enum Mode {
    /// No row has come yet.
    Idle,
    /// Every row is new: an unjoined select of one table into a store without rows.
    Fresh,
    /// The store had no rows, so that only this statement's own can repeat.
    Own(OwnRows),
    /// By the session's identity map.
    Shared,
}

/// The rows that a statement has brought.
#[derive(Default)]
struct OwnRows {
    /// The last row, which a join repeats first of all.
    last: Option<(IdentityKey, SlotPtr)>,
    /// The greatest key: while keys ascend, a greater one is a new row.
    greatest: Option<i64>,
    /// All rows, once a key came that is neither the last nor the greatest.
    map: Option<IdentityMap>,
}

impl OwnRows {
    fn ascends(&self, key: &IdentityKey) -> bool {
        match (key, self.greatest) {
            (IdentityKey::Int(key), Some(greatest)) => self.map.is_none() && *key > greatest,
            (IdentityKey::Int(_), None) => self.map.is_none(),
            _ => false,
        }
    }
}

impl<'a> RowLoader<'a> {
    /// A loader for a statement. `alone` says that no row of the model can come twice in it.
    #[inline]
    pub(crate) fn new(arena: &'a ArenaRef, def: &'static ModelDef, alone: bool) -> Self {
        Self::with(arena, def, alone, false, None)
    }

    /// The same with what few statements ask for: to overwrite entities that are in the session and have no changes of
    /// their own; to read deferred columns too, as [`columns`](Self::columns) gives them.
    #[inline]
    pub(crate) fn with(
        arena: &'a ArenaRef,
        def: &'static ModelDef,
        alone: bool,
        populate_existing: bool,
        also: Option<Box<[(usize, usize)]>>,
    ) -> Self {
        Self {
            arena,
            handles: Handles::new(arena),
            def,
            query: 0,
            epoch: 0,
            mode: Mode::Idle,
            populate_existing,
            alone,
            chunk: None,
            capacity: 0,
            first: None,
            also,
        }
    }

    /// Deferred columns, if there are any, and where they are in a row, from a position on.
    pub(crate) fn columns(columns: &[usize], at: usize) -> Option<Box<[(usize, usize)]>> {
        (!columns.is_empty()).then(|| columns.iter().copied().zip(at..).collect())
    }

    pub(crate) fn def(&self) -> &'static ModelDef {
        self.def
    }

    /// A handle for an entity.
    #[inline]
    pub(crate) fn handle(&mut self) -> ArenaRef {
        self.handles.next()
    }

    /// The entity of a row whose columns of the model begin at `at`; `None` when its key is NULL, as the rows of an
    /// outer join are that found no partner.
    pub(crate) fn optional(&mut self, row: &Row<'_>, at: usize) -> Result<Option<SlotPtr>> {
        if self.def.primary_key.iter().all(|&column| row.is_null(at + column)) {
            return Ok(None);
        }
        self.slot(row, at).map(Some)
    }

    /// The entity of a row whose columns of the model begin at `at`.
    #[inline]
    pub(crate) fn slot(&mut self, row: &Row<'_>, at: usize) -> Result<SlotPtr> {
        match self.mode {
            Mode::Fresh => self.insert(row, at),
            Mode::Own(_) => self.insert_once(row, at),
            Mode::Shared => self.find_or_insert(row, at),
            Mode::Idle => {
                self.start();
                self.slot(row, at)
            }
        }
    }

    #[cold]
    fn start(&mut self) {
        let mut tracker = self.arena.tracker();
        self.query = tracker.next_query();
        let capacity = ChunkPtr::next_capacity(self.def, 0);
        (self.epoch, self.first) = tracker.begin_loading(self.arena, self.def, self.query, capacity);
        if self.first.is_none() {
            tracker.complete_identity_map(self.arena, self.def);
            self.mode = Mode::Shared;
            return;
        }
        (self.chunk, self.capacity) = (self.first, capacity);
        self.mode = if self.alone { Mode::Fresh } else { Mode::Own(OwnRows::default()) };
    }

    /// The row's entity, where only rows of this statement can be known.
    fn insert_once(&mut self, row: &Row<'_>, at: usize) -> Result<SlotPtr> {
        let key = self.key(row, at)?;
        let Mode::Own(own) = &mut self.mode else { unreachable!("called in this mode only") };
        if let Some((same, slot)) = &own.last
            && *same == key
        {
            return Ok(*slot);
        }
        let ascends = own.ascends(&key);
        if !ascends {
            let (arena, def, query) = (self.arena, self.def, self.query);
            let map = own.map.get_or_insert_with(|| {
                let slots = arena.slots(def, Some(query));
                let mut map = IdentityMap::default();
                map.reserve(slots.len());
                for slot in slots {
                    map.insert(IdentityKey::of(def, |column| arena.value_in(slot, slot.first(), column)), slot);
                }
                map
            });
            if let Some(slot) = map.get(&key) {
                own.last = Some((key, slot));
                return Ok(slot);
            }
        }
        if self.share() {
            return self.find_or_insert(row, at);
        }
        let slot = self.insert(row, at)?;
        if let Mode::Own(own) = &mut self.mode {
            if let IdentityKey::Int(key) = key {
                own.greatest = Some(own.greatest.map_or(key, |greatest| greatest.max(key)));
            }
            if let Some(map) = &mut own.map {
                map.insert(key.clone(), slot);
            }
            own.last = Some((key, slot));
        }
        Ok(slot)
    }

    /// Goes over to the session's identity map, when another loader of the same statement, which joins the table once
    /// more, has needed it meanwhile: what one of them has made is then known to the other.
    fn share(&mut self) -> bool {
        let shared = self.first.is_none_or(ChunkPtr::is_indexed);
        if shared {
            self.end_loading();
            self.mode = Mode::Shared;
        }
        shared
    }

    /// No row goes past the identity map any more.
    #[inline]
    fn end_loading(&mut self) {
        if let Some(first) = self.first.take() {
            first.end_loading();
        }
    }

    fn key(&self, row: &Row<'_>, at: usize) -> Result<IdentityKey> {
        match IdentityKey::in_row(self.def, row, at).map_err(|error| explain(error, self.def, at))? {
            Some(Some(key)) => Ok(key),
            // A NULL key: the decoding says so. A key that takes decoding: it is compared afterwards.
            None | Some(None) => {
                let draft = self.decode(row, at)?;
                Ok(IdentityKey::of(self.def, |column| draft.value(column).into_owned()))
            }
        }
    }

    fn insert(&mut self, row: &Row<'_>, at: usize) -> Result<SlotPtr> {
        let chunk = match self.chunk {
            Some(chunk) if !chunk.is_full() => chunk,
            _ => self.grow(),
        };
        let def = self.def;
        // SAFETY: this loader alone fills the chunk and keeps its arena; `decode` writes a whole value or fails.
        unsafe { chunk.push(State::Persistent, self.epoch, |to| self.decode_to(row, at, to)) }
            .map_err(|error| explain(error, def, at))
    }

    fn grow(&mut self) -> ChunkPtr {
        self.capacity = ChunkPtr::next_capacity(self.def, self.capacity);
        let chunk = Arena::chunk(self.arena, &mut self.arena.tracker(), self.def, self.query, self.capacity);
        self.chunk = Some(chunk);
        chunk
    }

    fn find_or_insert(&mut self, row: &Row<'_>, at: usize) -> Result<SlotPtr> {
        let key = self.key(row, at)?;
        let known = self.arena.tracker().identity_map(self.arena, self.def).get(&key);
        match known {
            Some(slot) => {
                self.refresh(slot, row, at)?;
                Ok(slot)
            }
            None => {
                let slot = self.insert(row, at)?;
                self.arena.tracker().loaded(|| key, slot);
                Ok(slot)
            }
        }
    }

    /// Writes the row's value, with the deferred columns that it has.
    ///
    /// # Safety
    /// `to` is memory of the model's layout. It holds a whole value afterwards, or none where this fails.
    #[inline]
    unsafe fn decode_to(&self, row: &Row<'_>, at: usize, to: *mut ()) -> Result<()> {
        // SAFETY: as the caller says.
        unsafe { (self.def.vtable.decode)(row, at, to)? };
        // SAFETY: a whole value.
        if self.also.is_none() { Ok(()) } else { unsafe { self.put_also(row, to) } }
    }

    /// # Safety
    /// `to` holds a value of the model, which is dropped where this fails.
    #[cold]
    unsafe fn put_also(&self, row: &Row<'_>, to: *mut ()) -> Result<()> {
        for (column, value) in self.also_in(row) {
            // SAFETY: a whole value.
            let put = value.and_then(|value| unsafe { (self.def.vtable.put)(to, column, value) });
            if let Err(error) = put {
                // SAFETY: a whole value, which nobody has seen.
                unsafe { (self.def.vtable.drop)(to) };
                return Err(error);
            }
        }
        Ok(())
    }

    /// The deferred columns that a row has.
    fn also_in<'r>(&'r self, row: &'r Row<'_>) -> impl Iterator<Item = (usize, Result<Value<'static>>)> + 'r {
        let also = self.also.iter().flatten();
        also.map(|&(column, at)| (column, value_of_type(row, at, &self.def.columns[column].ty)))
    }

    /// Gives an entity that the session has the deferred columns that it has not loaded.
    #[cold]
    fn fill(&self, slot: SlotPtr, row: &Row<'_>) -> Result<()> {
        let missing = |column: usize| is_unloaded(&self.arena.value(slot, column));
        let mut values = Vec::new();
        for (column, value) in self.also_in(row) {
            if missing(column) {
                values.push((column, value?));
            }
        }
        if values.is_empty() || slot.state() != State::Persistent {
            return Ok(());
        }
        let flushed = self.arena.tracker().flushed(slot);
        publish_columns(self.arena, slot, flushed, &values)
    }

    fn decode(&self, row: &Row<'_>, at: usize) -> Result<Draft> {
        // SAFETY: `decode` writes a whole value of the model or fails.
        Draft::new(self.def, |to| unsafe { self.decode_to(row, at, to) }).map_err(|error| explain(error, self.def, at))
    }

    /// Brings a known entity up to date, where it is old and has no changes of its own.
    fn refresh(&mut self, slot: SlotPtr, row: &Row<'_>, at: usize) -> Result<()> {
        let stale = self.populate_existing || slot.epoch() != self.epoch;
        if !stale || slot.has(DIRTY | DOOMED) || slot.state() != State::Persistent {
            return if self.also.is_none() { Ok(()) } else { self.fill(slot, row) };
        }
        let draft = self.decode(row, at)?;
        let head: *const () = slot.head();
        let changed = changed_columns(self.arena, slot, head, draft.as_ptr());
        let version = if changed.is_empty() { slot.head() } else { self.arena.keep(slot, draft) };
        let mut tracker = self.arena.tracker();
        // A change published meanwhile is newer than the row.
        if !std::ptr::eq(slot.head(), head) {
            return Ok(());
        }
        slot.set_epoch(self.epoch);
        if changed.is_empty() {
            return Ok(());
        }
        tracker.publish_flushed(slot, version, version);
        for (index, relationship) in self.def.relationships.iter().enumerate() {
            if relationship.foreign_key.iter().any(|column| changed.contains(column)) {
                tracker.unload(self.arena, slot, index);
            }
        }
        Ok(())
    }
}

impl Drop for RowLoader<'_> {
    fn drop(&mut self) {
        self.end_loading();
    }
}

/// Names the model and the column of a value that could not be decoded.
#[cold]
pub(crate) fn explain(error: Error, def: &ModelDef, at: usize) -> Error {
    let column =
        error.position().and_then(|position| position.checked_sub(at)).and_then(|index| def.columns.get(index));
    match column {
        Some(column) => error
            .with_message(|message| {
                format!("{}.{}: {message} (`{}::{}`)", def.table, column.name, def.name, column.field)
            })
            .with_table(def.table)
            .with_columns(vec![column.name.to_owned()]),
        None => error,
    }
}
