//! The arena's protocols under loom, which tries every interleaving and every value that the memory model allows.
//!
//! `cargo xtask loom` runs them. All values in the rows lie in loom's cells, so that a row that is read before it is
//! complete fails the test as a data race, even where the bytes happen to be right.
#![allow(unsafe_code, reason = "a model by hand, whose values loom watches")]

use std::convert::Infallible;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};

use loom::cell::UnsafeCell;
use loom::{model, thread};

use super::arena::Arena;
use super::arena_ref::{ArenaRef, Handles};
use super::def::{Cascade, ColumnDef, DefCache, Generated, ModelDef, ModelOptions, RelationshipDef, RelationshipKind};
use super::handle::Entity;
use super::identity_map::IdentityKey;
use super::list::List;
use super::model::Model;
use super::relation_field::RelationField;
use super::slot::{SlotHeader, SlotPtr, State};
use super::sync::AtomicPtr;
use super::vtable::VTable;
use crate::engine::row::Row;
use crate::error::Result;
use crate::schema::SqlType;
use crate::sql::Value;

// A list by itself

/// Rows that only lists see: their addresses count, and the cells show whether they were complete.
struct Rows {
    rows: [UnsafeCell<usize>; 4],
    links: [AtomicPtr<SlotHeader>; 4],
}

// SAFETY: loom's cells report what would be a race.
unsafe impl Send for Rows {}
// SAFETY: as above.
unsafe impl Sync for Rows {}

impl Rows {
    fn new() -> Arc<Self> {
        let links = std::array::from_fn(|_| AtomicPtr::new(std::ptr::null_mut()));
        Arc::new(Self { rows: std::array::from_fn(|_| UnsafeCell::new(0)), links })
    }

    /// Writes a row, as a loader does before anybody can reach it.
    fn write(&self, index: usize) -> SlotPtr {
        // SAFETY: loom's pointer, valid for the cell.
        self.rows[index].with_mut(|row| unsafe { *row = index + 10 });
        SlotPtr(NonNull::from(&self.rows[index]).cast())
    }

    fn list(&self) -> List {
        // SAFETY: the links are this list's alone, and each test keeps them as long as the list.
        unsafe { List::new(&self.links, 0) }
    }

    /// Reads what a list holds: the rows' numbers.
    fn read(&self, list: &List) -> Vec<usize> {
        let len = list.len();
        (0..len)
            .map(|position| {
                let slot = list.at(position);
                let row = self.rows.iter().position(|row| NonNull::from(row).cast() == slot.0);
                let row = row.expect("a list holds rows that were pushed");
                // SAFETY: loom's pointer, valid for the cell.
                self.rows[row].with(|value| unsafe { assert_eq!(*value, row + 10) });
                row
            })
            .collect()
    }
}

#[test]
fn a_reader_of_a_list_sees_only_rows_that_are_complete() {
    model(|| {
        let rows = Rows::new();
        let list = Arc::new(rows.list());
        let reader = {
            let (rows, list) = (Arc::clone(&rows), Arc::clone(&list));
            thread::spawn(move || rows.read(&list))
        };
        for row in 0..2 {
            assert!(list.push(rows.write(row)));
        }
        let seen = reader.join().unwrap();
        assert!([&[][..], &[0], &[0, 1]].contains(&&*seen), "{seen:?}");
    });
}

#[test]
fn a_reader_of_a_list_that_is_cut_and_appended_to_sees_one_of_the_rows() {
    model(|| {
        let rows = Rows::new();
        let list = Arc::new(rows.list());
        assert!(list.push(rows.write(0)) && list.push(rows.write(1)));
        let reader = {
            let (rows, list) = (Arc::clone(&rows), Arc::clone(&list));
            thread::spawn(move || rows.read(&list))
        };
        // A rollback, and then another row at the same position.
        list.truncate(1);
        assert!(list.push(rows.write(2)));
        let seen = reader.join().unwrap();
        assert!([&[0][..], &[0, 1], &[0, 2]].contains(&&*seen), "{seen:?}");
    });
}

// Whole rows in an arena

/// Columns `a` and `b`, and one relationship to many rows.
struct Pair {
    columns: [UnsafeCell<i64>; 2],
    related: RelationField,
}

// SAFETY: loom's cells report what would be a race.
unsafe impl Send for Pair {}
// SAFETY: as above.
unsafe impl Sync for Pair {}

impl Pair {
    fn new(a: i64, b: i64) -> Self {
        Self { columns: [UnsafeCell::new(a), UnsafeCell::new(b)], related: RelationField::in_loom() }
    }

    fn get(&self, column: usize) -> i64 {
        // SAFETY: loom's pointer, valid for the cell.
        self.columns[column].with(|value| unsafe { *value })
    }

    fn both(&self) -> (i64, i64) {
        (self.get(0), self.get(1))
    }

    fn set(&mut self, column: usize, to: i64) {
        // SAFETY: as above, and borrowed exclusively.
        self.columns[column].with_mut(|value| unsafe { *value = to });
    }
}

impl Clone for Pair {
    fn clone(&self) -> Self {
        let (a, b) = self.both();
        let related = self.related.clone_with(|list| self.related.first_of(list));
        Self { columns: [UnsafeCell::new(a), UnsafeCell::new(b)], related }
    }
}

static COLUMNS: [ColumnDef; 2] = [column("a"), column("b")];

const fn column(name: &'static str) -> ColumnDef {
    ColumnDef {
        name,
        field: name,
        ty: SqlType::BigInt,
        nullable: false,
        unique: false,
        index: false,
        generated: Generated::No,
        server_default: None,
        computed: None,
        sequence: None,
        identity: None,
        on_update: None,
        references: None,
        comment: None,
    }
}

static RELATIONSHIPS: [RelationshipDef; 1] = [RelationshipDef {
    owner: "Pair",
    name: "related",
    kind: RelationshipKind::Many,
    target: Pair::def,
    foreign_key: &[],
    target_key: &[],
    secondary: None,
    inverse: None,
    cascade: Cascade { delete: false, delete_orphan: false },
    passive_deletes: false,
    order_by: &[],
    serialize: true,
}];

static PAIR: ModelDef = ModelDef {
    comment: None,
    primary_key_name: None,
    name: "Pair",
    module: module_path!(),
    table: "pair",
    schema: None,
    bind: None,
    columns: &COLUMNS,
    primary_key: &[0],
    constraints: &[],
    relationships: &RELATIONSHIPS,
    options: ModelOptions::NONE,
    vtable: VTable::of::<Pair>(),
    cache: DefCache::new(),
};

// SAFETY: `relation` and `relation_mut` reach the one relationship field.
unsafe impl Model for Pair {
    type Key = i64;

    fn def() -> &'static ModelDef {
        &PAIR
    }

    fn decode(_row: &Row<'_>, _at: usize) -> Result<Self> {
        unreachable!("no test here reads from a database")
    }

    fn value(&self, column: usize) -> Value<'_> {
        Value::Int(self.get(column))
    }

    fn put(&mut self, column: usize, value: Value<'_>) -> Result<()> {
        let Value::Int(value) = value else { panic!("{value:?} in a column of integers") };
        self.set(column, value);
        Ok(())
    }

    fn relation(&self, _index: usize) -> &RelationField {
        &self.related
    }

    fn relation_mut(&mut self, _index: usize) -> &mut RelationField {
        &mut self.related
    }
}

/// An arena with as many rows, as a query would bring them.
fn arena(rows: i64) -> (ArenaRef, Vec<SlotPtr>) {
    let arena = Arena::new(Weak::<()>::new());
    let chunk = Arena::chunk(&arena, &mut arena.tracker(), &PAIR, 0, rows as usize);
    let slots = (0..rows)
        .map(|row| {
            // SAFETY: the value is written whole, and nobody else fills the chunk.
            let slot = unsafe {
                chunk.push(State::Persistent, 0, |to| {
                    to.cast::<Pair>().write(Pair::new(row, row));
                    Ok::<(), Infallible>(())
                })
            };
            slot.unwrap_or_else(|never| match never {})
        })
        .collect();
    (arena, slots)
}

#[test]
fn a_reader_sees_versions_whole_and_in_their_order() {
    model(|| {
        let (arena, slots) = arena(1);
        let entity = Entity::<Pair>::new(arena, slots[0]);
        let reader = {
            let entity = entity.clone();
            thread::spawn(move || [entity.both(), entity.both()])
        };
        for next in 1..3 {
            entity.edit(|pair| {
                pair.set(0, next);
                pair.set(1, next);
            });
        }
        let [(a, b), (later_a, later_b)] = reader.join().unwrap();
        assert_eq!((a, later_a), (b, later_b));
        assert!(a <= later_a);
        assert_eq!(entity.both(), (2, 2));
    });
}

#[test]
fn changes_of_two_columns_at_the_same_time_are_both_kept() {
    model(|| {
        let (arena, slots) = arena(1);
        let entity = Entity::<Pair>::new(arena, slots[0]);
        let other = {
            let entity = entity.clone();
            thread::spawn(move || entity.edit(|pair| pair.set(0, 7)))
        };
        entity.edit(|pair| pair.set(1, 8));
        other.join().unwrap();
        assert_eq!(entity.both(), (7, 8));
    });
}

#[test]
fn what_a_flush_reads_back_does_not_cover_a_change_made_meanwhile() {
    model(|| {
        let (arena, slots) = arena(1);
        let entity = Entity::<Pair>::new(arena.clone(), slots[0]);
        let sent: *const () = slots[0].head();
        let other = {
            let entity = entity.clone();
            thread::spawn(move || entity.edit(|pair| pair.set(0, 7)))
        };
        super::publish_columns(&arena, slots[0], sent, &[(1, Value::Int(8))]).unwrap();
        other.join().unwrap();
        assert_eq!(entity.both(), (7, 8));
        // The change is still to be sent, and only it.
        let flushed = arena.tracker().flushed(slots[0]);
        assert_eq!(arena.value_in(slots[0], flushed, 0), Value::Int(0));
        assert_eq!(arena.value_in(slots[0], flushed, 1), Value::Int(8));
    });
}

#[test]
fn a_reader_during_a_rollback_sees_the_row_before_or_after() {
    model(|| {
        let (arena, slots) = arena(1);
        let entity = Entity::<Pair>::new(arena.clone(), slots[0]);
        entity.edit(|pair| {
            pair.set(0, 1);
            pair.set(1, 1);
        });
        let reader = {
            let entity = entity.clone();
            thread::spawn(move || entity.both())
        };
        arena.tracker().rollback(&arena);
        let seen = reader.join().unwrap();
        assert!([(0, 0), (1, 1)].contains(&seen), "{seen:?}");
        assert_eq!(entity.both(), (0, 0));
    });
}

/// The numbers of the rows that a row's relationship leads to, if it is loaded.
fn related(entity: &Entity<Pair>) -> Option<Vec<i64>> {
    let list = entity.related.many()?;
    Some(list.into_iter().flat_map(List::iter).map(|slot| super::handle::head_of::<Pair>(slot).get(0)).collect())
}

#[test]
fn a_reader_sees_a_relationship_not_loaded_or_whole() {
    model(|| {
        let (arena, owners) = arena(1);
        let entity = Entity::<Pair>::new(arena.clone(), owners[0]);
        let reader = {
            let entity = entity.clone();
            thread::spawn(move || related(&entity))
        };
        let chunk = Arena::chunk(&arena, &mut arena.tracker(), &PAIR, 1, 1);
        // SAFETY: the value is written whole, and nobody else fills the chunk.
        let child = unsafe {
            chunk.push(State::Persistent, 0, |to| {
                to.cast::<Pair>().write(Pair::new(5, 5));
                Ok::<(), Infallible>(())
            })
        };
        let child = child.unwrap_or_else(|never| match never {});
        arena.tracker().set_loaded_many(&arena, 0, &owners, &[vec![child]]);
        let seen = reader.join().unwrap();
        assert!([None, Some(vec![5])].contains(&seen), "{seen:?}");
        assert_eq!(related(&entity), Some(vec![5]));
    });
}

#[test]
fn a_reader_of_a_collection_sees_each_change_of_it_whole() {
    model(|| {
        let (arena, slots) = arena(3);
        let entity = Entity::<Pair>::new(arena.clone(), slots[0]);
        arena.tracker().set_loaded_many(&arena, 0, &slots[..1], &[vec![slots[1]]]);
        let reader = {
            let entity = entity.clone();
            thread::spawn(move || related(&entity))
        };
        // The list is full, so it is replaced by a longer one; what was read goes on to be valid.
        arena.tracker().link_many(&arena, slots[0], 0, slots[2]);
        arena.tracker().unlink_many(&arena, slots[0], 0, slots[1]);
        let seen = reader.join().unwrap();
        assert!([Some(vec![1]), Some(vec![1, 2]), Some(vec![2])].contains(&seen), "{seen:?}");
        assert_eq!(related(&entity), Some(vec![2]));
    });
}

#[test]
fn a_relationship_loaded_after_a_change_is_seen_by_all_versions() {
    model(|| {
        let (arena, slots) = arena(2);
        let entity = Entity::<Pair>::new(arena.clone(), slots[0]);
        let writer = {
            let entity = entity.clone();
            thread::spawn(move || entity.edit(|pair| pair.set(1, 9)))
        };
        arena.tracker().set_loaded_many(&arena, 0, &slots[..1], &[vec![slots[1]]]);
        writer.join().unwrap();
        assert_eq!(entity.both(), (0, 9));
        assert_eq!(related(&entity), Some(vec![1]));
    });
}

// Who has the arena, and what its identity maps know

#[test]
fn the_last_handle_frees_the_arena_after_all_others_are_done_with_it() {
    model(|| {
        let (arena, slots) = arena(1);
        let others: Vec<_> = {
            let mut handles = Handles::new(&arena);
            // Two batches, of which one handle is left over.
            (0..2).map(|_| Entity::<Pair>::new(handles.next(), slots[0])).collect()
        };
        let readers = others.into_iter().map(|entity| thread::spawn(move || entity.both()));
        let readers: Vec<_> = readers.collect();
        // The rows' cells show it where they are freed while somebody reads them.
        drop(arena);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), (0, 0));
        }
    });
}

#[test]
fn whoever_is_alone_with_the_arena_sees_what_others_have_done() {
    model(|| {
        let (mut arena, slots) = arena(1);
        let entity = Entity::<Pair>::new(arena.clone(), slots[0]);
        let other = thread::spawn(move || entity.edit(|pair| pair.set(0, 7)));
        if let Some(arena) = arena.get_mut() {
            arena.empty();
        }
        other.join().unwrap();
        assert!(arena.is_only());
    });
}

#[test]
fn an_identity_map_that_is_built_during_a_load_knows_the_rows_that_come_after_it() {
    model(|| {
        let arena = Arena::new(Weak::<()>::new());
        let (_, first) = arena.tracker().begin_loading(&arena, &PAIR, 1, 2);
        let first = first.expect("the first rows of the model");
        let asking = {
            let arena = arena.clone();
            thread::spawn(move || arena.tracker().identity_map(&arena, &PAIR).get(&IdentityKey::Int(1)).is_some())
        };
        for row in 0..2 {
            // SAFETY: the value is written whole, and nobody else fills the chunk.
            let pushed = unsafe {
                first.push(State::Persistent, 0, |to| {
                    to.cast::<Pair>().write(Pair::new(row, row));
                    Ok::<(), Infallible>(())
                })
            };
            pushed.unwrap_or_else(|never| match never {});
        }
        first.end_loading();
        asking.join().unwrap();
        let mut tracker = arena.tracker();
        let map = tracker.identity_map(&arena, &PAIR);
        assert!((0..2).all(|row| map.get(&IdentityKey::Int(row)).is_some()));
    });
}
