//! Relationships written: both sides are kept in step, and the foreign key with them.

mod secondary;
mod several;

use crate::entity::Entity;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{ModelDef, RelationshipDef, RelationshipKind};
use crate::entity::model::Model;
use crate::entity::slot::{SlotPtr, State};
use crate::entity::tracker::Tracker;
use crate::error::{Error, ErrorKind, Result};
use crate::model::JoinColumns;
use crate::sql::Value;

pub(super) use secondary::leave_all;
pub(crate) use several::contradiction;
use several::find_parent;
pub(super) use several::{clear_key, primary_key, refuse_contradiction};

/// Makes a to-one relationship lead to a row, or to none.
pub(super) fn set_one(arena: &ArenaRef, slot: SlotPtr, index: usize, target: Option<SlotPtr>) {
    let owner = slot.def();
    let relationship = &owner.relationships[index];
    let result = relationship.columns(owner).and_then(|join| {
        if !relationship.foreign_key.is_empty() {
            set_parent(arena, slot, index, &join, target)
        } else {
            set_only_child(arena, slot, index, &join, target)
        }
    });
    note(arena, result);
}

/// Adds a row to a collection.
pub(super) fn push(arena: &ArenaRef, parent: SlotPtr, index: usize, child: SlotPtr) {
    let owner = parent.def();
    let relationship = &owner.relationships[index];
    if relationship.secondary.is_some() {
        return note(arena, secondary::push(arena, parent, index, child));
    }
    let result = relationship.columns(owner).and_then(|join| match relationship.inverse {
        Some(inverse) => {
            let back = inverse();
            set_parent(arena, child, back, &join.reversed(), Some(parent))
        }
        None => {
            copy_key(arena, child, &join.remote, Some((parent, &join.local)))?;
            let mut tracker = arena.tracker();
            adopt(&mut tracker, child, &join.remote);
            tracker.link_many(arena, parent, index, child);
            Ok(())
        }
    });
    note(arena, result);
}

/// Makes a collection hold these rows, in this order.
pub(super) fn set_many(arena: &ArenaRef, parent: SlotPtr, index: usize, rows: &[SlotPtr]) {
    let owner = parent.def();
    let Some(list) = arena.relation(parent, index).many() else {
        return note(arena, Err(unknown_rows(owner, &owner.relationships[index])));
    };
    let before: Vec<SlotPtr> = list.into_iter().flat_map(|list| list.iter()).collect();
    before.iter().filter(|row| !rows.contains(row)).for_each(|&row| remove(arena, parent, index, row));
    rows.iter().filter(|row| !before.contains(row)).for_each(|&row| push(arena, parent, index, row));
    arena.tracker().arrange(arena, parent, index, rows);
}

/// Takes a row out of a collection.
pub(super) fn remove(arena: &ArenaRef, parent: SlotPtr, index: usize, child: SlotPtr) {
    let owner = parent.def();
    let relationship = &owner.relationships[index];
    if relationship.secondary.is_some() {
        return note(arena, secondary::remove(arena, parent, index, child));
    }
    let orphan = relationship.cascade.delete_orphan;
    let result = relationship.columns(owner).and_then(|join| {
        let belongs = join
            .remote
            .iter()
            .zip(&join.local)
            .all(|(&remote, &local)| arena.value(child, remote) == arena.value(parent, local));
        if !belongs {
            return Err(not_a_member(owner, relationship, child.def()));
        }
        arena.tracker().unlink_many(arena, parent, index, child);
        if let Some(inverse) = relationship.inverse {
            arena.tracker().link_one(arena, child, inverse(), None);
        }
        if orphan {
            arena.tracker().orphans.push((child, join.remote[0]));
            return Ok(());
        }
        copy_key(arena, child, &join.remote, None)
    });
    note(arena, result);
}

/// Sets the side that has the foreign key.
fn set_parent(
    arena: &ArenaRef,
    child: SlotPtr,
    index: usize,
    join: &JoinColumns,
    parent: Option<SlotPtr>,
) -> Result<()> {
    let relationship = &child.def().relationships[index];
    let old = arena.relation(child, index).one().flatten();
    let inverse = relationship.inverse.map(|inverse| (inverse(), (relationship.target)()));
    copy_key(arena, child, &join.local, parent.map(|parent| (parent, join.remote.as_slice())))?;
    let mut tracker = arena.tracker();
    tracker.link_one(arena, child, index, parent);
    if parent.is_some() {
        adopt(&mut tracker, child, &join.local);
    }
    let Some((back, target)) = inverse else { return Ok(()) };
    if target.relationships[back].kind == RelationshipKind::Many {
        if let Some(old) = old.filter(|&old| Some(old) != parent) {
            tracker.unlink_many(arena, old, back, child);
            if target.relationships[back].cascade.delete_orphan && parent.is_none() {
                tracker.orphans.push((child, join.local[0]));
            }
        }
        if let Some(parent) = parent {
            tracker.link_many(arena, parent, back, child);
        }
        return Ok(());
    }
    let leads_here = |old: SlotPtr| arena.relation(old, back).one().flatten() == Some(child);
    if let Some(old) = old.filter(|&old| Some(old) != parent && leads_here(old)) {
        tracker.link_one(arena, old, back, None);
    }
    if let Some(parent) = parent {
        tracker.link_one(arena, parent, back, Some(child));
    }
    Ok(())
}

/// A row is no orphan any more where the foreign key that led to its owner leads to another one. Parents of other
/// relationships do not own it.
fn adopt(tracker: &mut Tracker, child: SlotPtr, foreign_key: &[usize]) {
    tracker.orphans.retain(|(orphan, column)| *orphan != child || !foreign_key.contains(column));
}

/// Sets the side of a one-to-one relationship that has no foreign key: the child's key is written.
fn set_only_child(
    arena: &ArenaRef,
    parent: SlotPtr,
    index: usize,
    join: &JoinColumns,
    child: Option<SlotPtr>,
) -> Result<()> {
    let owner = parent.def();
    let relationship = &owner.relationships[index];
    let Some(old) = arena.relation(parent, index).one() else { return Err(unknown_rows(owner, relationship)) };
    if let Some(old) = old.filter(|&old| Some(old) != child) {
        if relationship.cascade.delete_orphan {
            arena.tracker().orphans.push((old, join.remote[0]));
        } else {
            copy_key(arena, old, &join.remote, None)?;
        }
        if let Some(inverse) = relationship.inverse {
            arena.tracker().link_one(arena, old, inverse(), None);
        }
    }
    match (child, relationship.inverse) {
        (Some(child), Some(inverse)) => set_parent(arena, child, inverse(), &join.clone().reversed(), Some(parent)),
        (Some(child), None) => {
            copy_key(arena, child, &join.remote, Some((parent, &join.local)))?;
            arena.tracker().link_one(arena, parent, index, Some(child));
            Ok(())
        }
        (None, _) => {
            arena.tracker().link_one(arena, parent, index, None);
            Ok(())
        }
    }
}

/// Writes a foreign key: the other row's key, be it a placeholder, or NULL.
pub(super) fn copy_key(
    arena: &ArenaRef,
    slot: SlotPtr,
    columns: &[usize],
    from: Option<(SlotPtr, &[usize])>,
) -> Result<()> {
    let def = slot.def();
    if columns.len() > 1 {
        return several::copy_key(arena, slot, columns, from);
    }
    for (position, &column) in columns.iter().enumerate() {
        let value = match from {
            Some((other, theirs)) => arena.value(other, theirs[position]).into_owned(),
            None => Value::Null,
        };
        if value.is_null() && !def.columns[column].nullable {
            return Err(cannot_be_null(def, column));
        }
        write_column(arena, slot, column, value)?;
    }
    Ok(())
}

/// Writes a column as a change of the session.
pub(super) fn write_column(arena: &ArenaRef, slot: SlotPtr, column: usize, value: Value<'_>) -> Result<()> {
    if slot.state() == State::Pending
        && let Some(given) = arena.tracker().given.get_mut(&slot)
    {
        given.insert(column);
    }
    loop {
        let head = slot.head();
        if arena.value_in(slot, head, column) == value {
            return Ok(());
        }
        let mut draft = arena.copy_of(slot, head);
        draft.put(column, value.as_borrowed())?;
        let version = arena.keep(slot, draft);
        let mut tracker = arena.tracker();
        if std::ptr::eq(slot.head(), head) {
            tracker.publish(slot, version);
            return Ok(());
        }
    }
}

/// A row that is deleted is in no loaded collection any more.
pub(super) fn leave_collections(arena: &Arena, slot: SlotPtr) {
    let def = slot.def();
    for (index, relationship) in def.relationships.iter().enumerate() {
        if let (Some(_), Some(inverse)) = (relationship.secondary, relationship.inverse) {
            secondary::leave(arena, slot, index, inverse());
            continue;
        }
        let Some(inverse) = relationship.inverse.filter(|_| !relationship.foreign_key.is_empty()) else { continue };
        let parent = match arena.relation(slot, index).one() {
            Some(parent) => parent,
            None => find_parent(arena, slot, relationship),
        };
        let Some(parent) = parent else { continue };
        let mut tracker = arena.tracker();
        if parent.def().relationships[inverse()].kind == RelationshipKind::Many {
            tracker.unlink_many(arena, parent, inverse(), slot);
        } else if arena.relation(parent, inverse()).one().flatten() == Some(slot) {
            tracker.link_one(arena, parent, inverse(), None);
        }
    }
}

/// What goes wrong where no error can be returned is reported by the next flush.
pub(super) fn note(arena: &ArenaRef, result: Result<()>) {
    if let Err(error) = result {
        arena.tracker().errors.push(error);
    }
}

#[cold]
fn unknown_rows(owner: &ModelDef, relationship: &RelationshipDef) -> Error {
    let (owner, name) = (owner.name, relationship.name);
    let what = if relationship.kind == RelationshipKind::Many { "rows" } else { "row" };
    Error::new(
        ErrorKind::NotLoaded,
        format!(
            "`{owner}::{name}` is not loaded, so that the {what} to be replaced cannot be known; \
             `.load({owner}::{name}).await` first"
        ),
    )
}

#[cold]
fn cannot_be_null(def: &ModelDef, column: usize) -> Error {
    let column = def.columns[column].name;
    Error::new(
        ErrorKind::NotNullViolation,
        format!(
            "{}.{column} may not be NULL, so that a row of `{}` cannot be left without its parent; delete the row, give \
             it another parent, or declare the parent's relationship with cascade = \"all, delete-orphan\"",
            def.table, def.name
        ),
    )
    .with_table(def.table)
    .with_columns(vec![column.to_owned()])
}

#[cold]
fn not_a_member(owner: &ModelDef, relationship: &RelationshipDef, child: &ModelDef) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "the row of `{}` to be removed from `{}::{}` does not belong to it",
            child.name, owner.name, relationship.name
        ),
    )
}

impl<T: Model> Entity<T> {
    /// Checks that another entity is of the same session, and notes the error if it is not.
    pub(super) fn shares_session<U: Model>(&self, other: &Entity<U>) -> bool {
        let same = other.slot().is_in(self.arena());
        if !same {
            note(self.arena(), Err(super::add::foreign(U::def())));
        }
        same
    }
}
