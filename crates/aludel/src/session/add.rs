//! Rows given to the session, and rows taken from it.

use uuid::Uuid;

use super::Session;
use crate::entity::Entity;
use crate::entity::arena_ref::{ArenaRef, Handles};
use crate::entity::def::{ColumnDef, Generated, ModelDef, RelationshipKind};
use crate::entity::new::{AnyNew, LinkTarget, New, NewLink, Target};
use crate::entity::placeholder::placeholder;
use crate::entity::slot::SlotPtr;
use crate::entity::tracker::Tracker;
use crate::error::{Error, ErrorKind};
use crate::sql::Value;

impl Session {
    /// Adds a new row, of a builder or a struct; the next flush inserts it. What it was built with is added too.
    ///
    /// The entity can be used at once: a UUID key is made here, and a generated integer key is a placeholder (see
    /// [`Entity::is_pending`]) that the flush replaces wherever a foreign key holds it.
    pub fn add<N: New>(&self, row: N) -> Entity<N::Model> {
        let arena = self.arena();
        let slot = add_row(&arena, Box::new(row.into_row()));
        Entity::new(arena, slot)
    }

    /// Adds several new rows: see [`add`](Session::add).
    pub fn add_all<N: New>(&self, rows: impl IntoIterator<Item = N>) -> Vec<Entity<N::Model>> {
        let rows = rows.into_iter();
        let arena = self.arena();
        arena.tracker().expect_new(rows.size_hint().0);
        let mut handles = Handles::new(&arena);
        rows.map(|row| {
            let slot = add_row(&arena, Box::new(row.into_row()));
            Entity::new(handles.next(), slot)
        })
        .collect()
    }
}

/// Adds a row of whatever model, and what it is linked to.
pub(super) fn add_row(arena: &ArenaRef, row: Box<dyn AnyNew>) -> SlotPtr {
    add_linked(arena, row, None)
}

/// Adds a row, links it to its parent by this relationship of that, and adds what it is linked to itself: its key may have
/// columns of the parent's, and its children's keys have them too.
fn add_linked(arena: &ArenaRef, mut row: Box<dyn AnyNew>, parent: Option<(SlotPtr, usize)>) -> SlotPtr {
    let def = row.def();
    super::tenant::stamp_added(arena, row.as_mut());
    for (column, column_def) in def.columns.iter().enumerate() {
        if row.given().contains(column) {
            continue;
        }
        let value = match column_def.generated {
            Generated::Autoincrement => {
                let number = arena.tracker().next_placeholder(def);
                let Some(key) = placeholder(&column_def.ty, number) else {
                    arena.tracker().errors.push(too_many(def, column_def));
                    continue;
                };
                key
            }
            Generated::Uuid => Value::Uuid(Uuid::now_v7()),
            // A row's first version is 1, unless the program says otherwise.
            Generated::No if def.options.version == Some(column) => Value::Int(1),
            Generated::No | Generated::Server | Generated::Computed => continue,
        };
        if column_def.generated != Generated::Autoincrement {
            row.given().insert(column);
        }
        if let Err(error) = row.put(column, value) {
            arena.tracker().errors.push(error);
        }
    }
    row.let_go();
    let mut tracker = arena.tracker();
    let (slot, mut links) = row.place(arena, &mut tracker);
    empty_relationships(arena, &mut tracker, slot);
    if links.is_empty() && parent.is_none() {
        tracker.enlist(slot);
        return slot;
    }
    drop(tracker);
    if let Some((parent, relationship)) = parent {
        join(arena, parent, relationship, slot);
    }
    // Its own parents before its children.
    links.sort_by_key(|link| !has_key(def, link.relationship));
    for link in links {
        follow(arena, slot, link);
    }
    arena.tracker().enlist(slot);
    slot
}

/// A new row's collections are empty, and its to-one relationships lead nowhere unless a foreign key was given.
fn empty_relationships(arena: &ArenaRef, tracker: &mut Tracker, slot: SlotPtr) {
    let def = slot.def();
    for (index, relationship) in def.relationships.iter().enumerate() {
        let is_given = |&column: &usize| {
            !arena.value(slot, column).is_null() && tracker.given.get(&slot).is_some_and(|given| given.contains(column))
        };
        let key_given = !relationship.foreign_key.is_empty() && relationship.foreign_key.iter().all(is_given);
        if key_given {
            tracker.unload(arena, slot, index);
        } else {
            tracker.set_loaded_none(arena, slot, index);
        }
    }
}

/// Adds what a row was built with, and links it.
fn follow(arena: &ArenaRef, slot: SlotPtr, link: NewLink) {
    let LinkTarget(target) = link.target;
    let other = match target {
        Target::None => return,
        Target::New(row) if has_key(slot.def(), link.relationship) => add_row(arena, row),
        Target::New(row) => {
            add_linked(arena, row, Some((slot, link.relationship)));
            return;
        }
        Target::Entity(entity) if entity.slot.is_in(arena) => entity.slot,
        Target::Entity(entity) => {
            let error = foreign(entity.slot.def());
            arena.tracker().errors.push(error);
            return;
        }
    };
    super::links::refuse_contradiction(arena, slot, link.relationship, other, &link.given);
    join(arena, slot, link.relationship, other);
}

/// Whether a relationship's foreign key is on its own side.
fn has_key(def: &ModelDef, relationship: usize) -> bool {
    !def.relationships[relationship].foreign_key.is_empty()
}

/// Links two rows.
fn join(arena: &ArenaRef, slot: SlotPtr, relationship: usize, other: SlotPtr) {
    match slot.def().relationships[relationship].kind {
        RelationshipKind::Many => super::links::push(arena, slot, relationship, other),
        RelationshipKind::One | RelationshipKind::OptionalOne => {
            super::links::set_one(arena, slot, relationship, Some(other));
        }
    }
}

#[cold]
fn too_many(def: &ModelDef, column: &ColumnDef) -> Error {
    let message = format!(
        "one session cannot add so many rows to `{}`, whose key `{}` has a small type: clear the session now and then, \
         or use a larger type",
        def.table, column.name
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table)
}

/// The error of an entity that belongs to another session.
#[cold]
pub(super) fn foreign(def: &ModelDef) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "an entity of `{}` belongs to another session (or to this one before `clear`); get it by its key in this \
             session first",
            def.name
        ),
    )
    .with_table(def.table)
}
