//! Rows of models that inherit: in several tables, and seen as several models.

use std::collections::HashSet;

use super::Flush;
use super::inserts::{Batch, Inserted, Sent, returned_columns};
use super::order::Late;
use super::queue::{Queue, Then};
use super::updates::{Changes, Planned, Rendered};
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::inherit::Inheritance;
use crate::entity::publish_columns;
use crate::entity::slot::{DIRTY, SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::session::links::leave_collections;
use crate::sql::Value;

/// One of the tables that rows of a model are in.
#[derive(Clone, Copy)]
pub(super) struct Part {
    def: &'static ModelDef,
    inheritance: &'static Inheritance,
    level: usize,
}

impl Part {
    /// The first table, where the model inherits.
    pub(super) fn first(def: &'static ModelDef) -> Option<Self> {
        def.inheritance().map(|inheritance| Self { def, inheritance, level: 0 })
    }

    fn all(def: &'static ModelDef, inheritance: &'static Inheritance) -> impl Iterator<Item = Self> {
        (0..inheritance.levels.len()).map(move |level| Self { def, inheritance, level })
    }

    pub(super) fn is_last(self) -> bool {
        self.level == self.inheritance.last()
    }

    /// The column that tells the model's rows apart, and its value as SQL, where the rows do not give it themselves.
    pub(super) fn stamp(self) -> Option<(&'static str, String)> {
        if self.level == 0 { self.inheritance.stamp() } else { None }
    }

    /// The model that declares the table.
    pub(super) fn table(self) -> &'static ModelDef {
        self.inheritance.levels[self.level].def
    }

    pub(super) fn name(self, column: usize) -> &'static str {
        self.inheritance.name_in(self.def, self.level, column)
    }

    /// Whether the table has a column.
    pub(super) fn has(self, column: usize) -> bool {
        self.inheritance.is_in(self.def, self.level, column)
    }

    /// Whether the table's own INSERT returns a column that the database makes.
    fn makes(self, column: usize) -> bool {
        let home = if self.def.primary_key.contains(&column) { 0 } else { self.inheritance.homes[column] };
        home == self.level
    }
}

impl Batch {
    /// The model that declares the table that the rows go into.
    pub(super) fn table(&self) -> &'static ModelDef {
        self.part.map_or(self.def, Part::table)
    }

    /// The name of a column there.
    pub(super) fn name(&self, column: usize) -> &'static str {
        self.part.map_or(self.def.columns[column].name, |part| part.name(column))
    }
}

impl Flush<'_, '_> {
    /// Inserts rows into all of their tables, one after the other: each needs the key that the first one makes.
    pub(super) async fn insert_parts<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        arena: &'v Arena,
        batch: Batch,
        late: &'v [Late],
    ) -> Result<()> {
        self.send(queue).await?;
        let Batch { def, columns, returning, slots, .. } = batch;
        self.turn_to(def)?;
        let Some(inheritance) = def.inheritance() else { return Ok(()) };
        for part in Part::all(def, inheritance) {
            let keys = def.primary_key.iter().filter(|key| part.level > 0 && !columns.contains(key));
            let given = keys.chain(columns.iter().filter(|&&column| part.has(column))).copied().collect();
            let made: Vec<usize> = returning.iter().copied().filter(|&column| part.makes(column)).collect();
            let batch = Batch {
                def,
                columns: given,
                returned: returned_columns(def, &made),
                returning: made,
                slots: slots.clone(),
                part: Some(part),
            };
            self.render_insert(&batch);
            let sent = {
                let tracker = arena.tracker();
                let version = |&slot: &SlotPtr| if part.level == 0 { slot.head() } else { tracker.flushed(slot) };
                Sent(slots.iter().map(|slot| version(slot).cast_const()).collect())
            };
            let params = self.insert_params(arena, &batch, &sent, late)?;
            self.insert_now(params, &Inserted { batch, sent, late }).await?;
        }
        Ok(())
    }

    /// Sends the changes of a row, a statement for each of its tables that has one of the columns.
    pub(super) async fn update_parts<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        arena: &'v Arena,
        changes: Changes<'v>,
        inheritance: &'static Inheritance,
    ) -> Result<()> {
        let def = changes.slot.def();
        if let Some(&column) = changes.columns.iter().find(|column| def.primary_key.contains(column)) {
            return Err(key_was_set(def, column));
        }
        let written: Vec<Part> =
            Part::all(def, inheritance).filter(|part| changes.written().any(|column| part.has(column))).collect();
        for (position, &part) in written.iter().enumerate() {
            let Rendered { made, places, params } = self.render_changes(arena, &changes, Some(part))?;
            let Changes { slot, sent, ref key, ref columns, .. } = changes;
            let (key, columns, settles) = (key.clone(), columns.clone(), position + 1 == written.len());
            let planned = Planned { slot, sent, key, columns, made, places, settles };
            self.enqueue(queue, params, Then::Updated(planned)).await?;
        }
        Ok(())
    }

    /// Whether the discriminator of a new row is its model's.
    pub(super) fn check_discriminator(&self, slot: SlotPtr, version: *const ()) -> Result<()> {
        let def = slot.def();
        if let Some(inheritance) = def.inheritance() {
            let Some(column) = inheritance.own_discriminator else { return Ok(()) };
            let value = self.arena.value_in(slot, version, column);
            return if value == inheritance.identity { Ok(()) } else { Err(other_identity(def, column, &value, None)) };
        }
        let Some(column) = def.options.discriminator else { return Ok(()) };
        let value = self.arena.value_in(slot, version, column);
        let heir = def.heirs().find(|heir| heir.options.identity.is_some_and(|identity| identity() == value));
        heir.map_or(Ok(()), |heir| Err(other_identity(def, column, &value, Some(heir))))
    }

    /// The other entities of a row: those of other models of the hierarchy with its key.
    fn other_views(&self, slot: SlotPtr, key: &IdentityKey) -> Vec<SlotPtr> {
        let def = slot.def();
        if !def.in_hierarchy() {
            return Vec::new();
        }
        let root = def.root();
        let mut tracker = self.arena.tracker();
        let mut views = Vec::new();
        for other in std::iter::once(root).chain(root.heirs()).filter(|other| !other.is(def)) {
            if tracker.find_store(other).is_none_or(|store| !store.occupied) {
                continue;
            }
            tracker.complete_identity_map(&self.arena, other);
            views.extend(tracker.identity_map(&self.arena, other).get(key));
        }
        views.retain(|view| view.state() == State::Persistent);
        views
    }

    /// Whether another entity of the row has changes of its own.
    pub(super) fn has_changed_view(&self, slot: SlotPtr) -> bool {
        if !slot.def().in_hierarchy() {
            return false;
        }
        let key = self.arena.tracker().committed_key(&self.arena, slot);
        self.other_views(slot, &key).into_iter().any(|view| view.has(DIRTY))
    }

    /// # Errors
    /// `InvalidStatement` where another entity of the row has been given another value.
    pub(super) fn check_views(&self, changes: &Changes<'_>) -> Result<()> {
        let slot = changes.slot;
        let def = slot.def();
        for view in self.other_views(slot, &changes.key).into_iter().filter(|view| view.has(DIRTY)) {
            let flushed = self.arena.tracker().flushed(view);
            for &column in &changes.columns {
                let Some(there) = view.def().column_like(def, column) else { continue };
                let other = self.arena.value(view, there);
                if other != self.arena.value_in(view, flushed, there)
                    && other != self.arena.value_in(slot, changes.sent.0, column)
                {
                    return Err(changed_twice(def, view.def(), column, &changes.key));
                }
            }
        }
        Ok(())
    }

    /// Writes what a row has got in the database onto the other entities of the row.
    pub(super) fn keep_in_step(&self, slot: SlotPtr, key: &IdentityKey, columns: &[usize]) -> Result<()> {
        let views = self.other_views(slot, key);
        if views.is_empty() {
            return Ok(());
        }
        let version = self.arena.tracker().flushed(slot);
        for view in views {
            let def = view.def();
            let flushed = self.arena.tracker().flushed(view);
            let values: Vec<(usize, Value<'_>)> = columns
                .iter()
                .filter_map(|&column| {
                    let there = def.column_like(slot.def(), column)?;
                    let value = self.arena.value_in(slot, version, column);
                    (value != self.arena.value_in(view, flushed, there)).then_some((there, value))
                })
                .collect();
            publish_columns(&self.arena, view, flushed, &values)?;
            let is_written = |column: usize| values.iter().any(|(written, _)| *written == column);
            for (index, relationship) in def.relationships.iter().enumerate() {
                // It leads elsewhere now.
                if relationship.foreign_key.iter().copied().any(is_written) {
                    self.arena.tracker().unload(&self.arena, view, index);
                }
            }
            if columns.iter().any(|column| slot.def().primary_key.contains(column)) {
                let mut tracker = self.arena.tracker();
                let new = tracker.committed_key(&self.arena, view);
                tracker.rekeyed(view, key.clone(), new);
            }
        }
        Ok(())
    }

    /// The other entities of a row that is gone are gone too.
    pub(super) fn remove_views(&self, slot: SlotPtr, key: &IdentityKey) {
        for view in self.other_views(slot, key) {
            leave_collections(&self.arena, view);
            self.arena.tracker().removed(view, key.clone());
        }
    }

    /// Leaves one entity of each row that is to be deleted.
    pub(super) fn retain_one_view(&self, doomed: &mut Vec<SlotPtr>) {
        if !doomed.iter().any(|slot| slot.def().in_hierarchy()) {
            return;
        }
        let tracker = self.arena.tracker();
        let mut seen = HashSet::new();
        doomed.retain(|&slot| {
            let key = || (slot.def().key_space(), tracker.committed_key(&self.arena, slot));
            !slot.def().in_hierarchy() || seen.insert(key())
        });
    }
}

#[cold]
fn key_was_set(def: &ModelDef, column: usize) -> Error {
    let column = &def.columns[column];
    let message = format!(
        "{}.{} is the key of a row in several tables, and was set: a row keeps its key; add a new row, and delete this one",
        def.table, column.name
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table).with_columns(vec![column.name.to_owned()])
}

#[cold]
fn other_identity(def: &ModelDef, column: usize, value: &Value<'_>, heir: Option<&ModelDef>) -> Error {
    let (name, column) = (def.name, &def.columns[column]);
    let field = column.field;
    let message = match heir {
        None => format!(
            "a `{name}` has an identity of its own, and `{field}` was set to {value}: leave `{field}` out, and it is written \
             by itself"
        ),
        Some(heir) => format!(
            "`{name}::{field}` is {value}, by which the rows of `{heir}` are told apart: add a `{heir}`",
            heir = heir.name
        ),
    };
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table).with_columns(vec![column.name.to_owned()])
}

#[cold]
fn changed_twice(def: &ModelDef, view: &ModelDef, column: usize, key: &IdentityKey) -> Error {
    let key = key.values().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the row of `{}` with the key {key} was changed as `{}` and as `{}`, which have another `{}` each: change it through \
         one of them, or flush between",
        def.root().table,
        def.name,
        view.name,
        def.columns[column].field
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table)
}
