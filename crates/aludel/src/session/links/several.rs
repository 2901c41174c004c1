//! Foreign keys of several columns, written and followed. Such keys may share columns: a row's author and its blog are
//! both of its tenant.

use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{Generated, ModelDef, RelationshipDef};
use crate::entity::identity_map::IdentityKey;
use crate::entity::new::ColumnSet;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

use super::{cannot_be_null, note, write_column};

/// Writes a foreign key of several columns: the other row's key, or NULL into all of its columns that can be NULL, which
/// is enough for the key to lead nowhere.
pub(super) fn copy_key(
    arena: &ArenaRef,
    slot: SlotPtr,
    columns: &[usize],
    from: Option<(SlotPtr, &[usize])>,
) -> Result<()> {
    let def = slot.def();
    let Some((other, theirs)) = from else { return clear_key(arena, slot, columns) };
    for (&column, &referenced) in columns.iter().zip(theirs) {
        let value = arena.value(other, referenced).into_owned();
        if value.is_null() && !def.columns[column].nullable {
            return Err(cannot_be_null(def, column));
        }
        write_shared(arena, slot, column, value, columns)?;
    }
    Ok(())
}

/// Writes NULL into the columns of a foreign key that can be NULL.
///
/// # Errors
/// `NotNullViolation` where none of them can.
pub(in crate::session) fn clear_key(arena: &ArenaRef, slot: SlotPtr, columns: &[usize]) -> Result<()> {
    let def = slot.def();
    let mut nullable = columns.iter().copied().filter(|&column| def.columns[column].nullable).peekable();
    if nullable.peek().is_none() {
        return Err(cannot_be_null(def, columns[0]));
    }
    nullable.try_for_each(|column| write_shared(arena, slot, column, Value::Null, columns))
}

/// Writes a column of a key. The relationships of the other keys that have the column lead elsewhere then, and are looked
/// up when they are asked for.
fn write_shared(arena: &ArenaRef, slot: SlotPtr, column: usize, value: Value<'_>, key: &[usize]) -> Result<()> {
    let changes = arena.value(slot, column) != value;
    let def = slot.def();
    if def.columns[column].generated == Generated::Autoincrement {
        // The row's own key, which is the other row's too, or the two do not belong together.
        return if changes { Err(own_key(def, column)) } else { Ok(()) };
    }
    write_column(arena, slot, column, value)?;
    if changes {
        for (index, relationship) in def.relationships.iter().enumerate() {
            if relationship.foreign_key != key && relationship.foreign_key.contains(&column) {
                arena.tracker().unload(arena, slot, index);
            }
        }
    }
    Ok(())
}

/// The row of this session that a row's foreign key leads to.
pub(in crate::session) fn find_parent(
    arena: &Arena,
    slot: SlotPtr,
    relationship: &'static RelationshipDef,
) -> Option<SlotPtr> {
    let target = (relationship.target)();
    if let ([column], [_]) = (relationship.foreign_key, target.primary_key) {
        let key = IdentityKey::new(std::iter::once(arena.value(slot, *column)));
        return arena.tracker().identity_map(arena, target).get(&key);
    }
    let join = relationship.columns(slot.def()).ok()?;
    let values: Vec<Value<'_>> = join.local.iter().map(|&column| arena.value(slot, column)).collect();
    if values.iter().any(Value::is_null) {
        return None;
    }
    let leads_to =
        |parent: SlotPtr| join.remote.iter().zip(&values).all(|(&column, value)| arena.value(parent, column) == *value);
    if let Some(key) = primary_key(target, &join.remote, &values) {
        return arena.tracker().identity_map(arena, target).get(&key).filter(|&parent| leads_to(parent));
    }
    arena.slots(target, None).into_iter().find(|&parent| leads_to(parent))
}

/// The primary key of the row that a foreign key leads to, where the foreign key's columns tell it.
pub(in crate::session) fn primary_key(
    target: &ModelDef,
    remote: &[usize],
    values: &[Value<'_>],
) -> Option<IdentityKey> {
    let value = |column: &usize| Some(values[remote.iter().position(|remote| remote == column)?].as_borrowed());
    let values: Option<Vec<Value<'_>>> = target.primary_key.iter().map(value).collect();
    values.map(|values| IdentityKey::new(values.into_iter()))
}

/// Notes an error where a builder was given a row and, after it, another value for a column of the key to it.
pub(in crate::session) fn refuse_contradiction(
    arena: &ArenaRef,
    slot: SlotPtr,
    index: usize,
    other: SlotPtr,
    given: &ColumnSet,
) {
    let def = slot.def();
    let relationship = &def.relationships[index];
    if relationship.foreign_key.len() < 2 {
        return;
    }
    let Ok(join) = relationship.columns(def) else { return };
    let contradicts = |(local, remote): (usize, usize)| {
        given.contains(local) && arena.value(slot, local) != arena.value(other, remote)
    };
    let pairs = join.local.iter().copied().zip(join.remote.iter().copied());
    if let Some((column, _)) = pairs.into_iter().find(|&pair| contradicts(pair)) {
        note(arena, Err(contradiction(def, relationship, column)));
    }
}

#[cold]
fn own_key(def: &ModelDef, column: usize) -> Error {
    let column = &def.columns[column];
    let message = format!(
        "a row of `{model}` can only be linked to one that has its own `{field}`, which is part of the foreign key and \
         counted up by the database",
        model = def.name,
        field = column.field
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table).with_columns(vec![column.name.to_owned()])
}

#[cold]
pub(crate) fn contradiction(def: &ModelDef, relationship: &RelationshipDef, column: usize) -> Error {
    let column = &def.columns[column];
    let message = format!(
        "the new `{model}` was given `{field}`, and by `{model}::{link}` a row with another one: leave `{field}` out, it \
         is that row's",
        model = def.name,
        field = column.field,
        link = relationship.name
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table).with_columns(vec![column.name.to_owned()])
}
