//! Deferred columns, loaded for an entity and its siblings or after a query.

use std::collections::HashMap;
use std::panic::Location;

use super::super::Session;
use super::super::flush::value_of;
use super::super::get::no_row;
use super::{MAX_KEYS, window_of};
use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::deferred::is_unloaded;
use crate::entity::identity_map::IdentityKey;
use crate::entity::loader::RowLoader;
use crate::entity::publish_columns;
use crate::entity::slot::{DIRTY, SlotPtr, State};
use crate::error::Result;
use crate::model::{column_of, is_one_of, listed};
use crate::sql::{FromClause, Select, SelectExtra, Statement, Value};

/// Loads a column of an entity, and of its siblings.
pub(super) async fn load_column(
    arena: &ArenaRef,
    slot: SlotPtr,
    column: usize,
    siblings: bool,
    at: &'static Location<'static>,
) -> Result<()> {
    let is_missing = |slot: SlotPtr| is_unloaded(&arena.value(slot, column)) || is_old(arena, slot);
    if !is_missing(slot) || slot.state() == State::Pending {
        return Ok(());
    }
    let session = Session::of(arena)?;
    session.check()?;
    session.autoflush(at).await?;
    let slots = if siblings { window_of(arena, slot, is_missing) } else { vec![slot] };
    session.load_columns(arena, slot.def(), &slots, &[column], at).await?;
    if is_missing(slot) {
        let key = arena.tracker().committed_key(arena, slot);
        return Err(no_row(slot.def(), &key.values()));
    }
    Ok(())
}

impl Session {
    /// Loads columns of rows that have them not loaded, with one statement for each [`MAX_KEYS`] rows.
    pub(crate) async fn load_columns(
        &self,
        arena: &ArenaRef,
        def: &'static ModelDef,
        slots: &[SlotPtr],
        columns: &[usize],
        at: &'static Location<'static>,
    ) -> Result<()> {
        let lacks = |slot: SlotPtr, column: usize| is_unloaded(&arena.value(slot, column));
        let (mut missing, mut old): (HashMap<IdentityKey, SlotPtr>, Vec<IdentityKey>) = Default::default();
        for &slot in slots.iter().filter(|slot| slot.state() == State::Persistent) {
            if is_old(arena, slot) {
                old.push(arena.tracker().committed_key(arena, slot));
            } else if columns.iter().any(|&column| lacks(slot, column)) {
                missing.insert(arena.tracker().committed_key(arena, slot), slot);
            }
        }
        let most = (MAX_KEYS / def.primary_key.len()).max(1);
        for keys in old.chunks(most) {
            self.read_rows(arena, def, columns, keys, at).await?;
        }
        let keys: Vec<IdentityKey> = missing.keys().cloned().collect();
        for keys in keys.chunks(most) {
            let mut statement = Statement::default();
            select_columns(def, def.primary_key, columns, keys).render(self.rendering_of(def), &mut statement);
            statement.check()?;
            let mut found: Vec<(SlotPtr, Vec<(usize, Value<'static>)>)> = Vec::new();
            let mut sink = |row: &Row<'_>| {
                let value = |(at, &column): (usize, &usize)| value_of(row, at, &def.columns[column]);
                let key = def.primary_key.iter().enumerate().map(value).collect::<Result<Vec<_>>>()?;
                let Some(&slot) = missing.get(&IdentityKey::new(key.into_iter())) else { return Ok(()) };
                let first = def.primary_key.len();
                let mut values = Vec::with_capacity(columns.len());
                for (position, &column) in columns.iter().enumerate() {
                    values.push((column, value((first + position, &column))?));
                }
                found.push((slot, values));
                Ok(())
            };
            self.fetch(self.bind_of(def)?, &statement.sql, &statement.params, at, &mut sink).await?;
            for (slot, mut values) in found {
                // What was set meanwhile stays.
                values.retain(|(column, _)| lacks(slot, *column));
                let flushed = arena.tracker().flushed(slot);
                publish_columns(arena, slot, flushed, &values)?;
            }
        }
        Ok(())
    }

    /// Reads rows anew that may have changed since they were read, with the columns.
    async fn read_rows(
        &self,
        arena: &ArenaRef,
        def: &'static ModelDef,
        columns: &[usize],
        keys: &[IdentityKey],
        at: &'static Location<'static>,
    ) -> Result<()> {
        let all: Vec<usize> = (0..def.columns.len()).collect();
        let mut statement = Statement::default();
        select_columns(def, &all, columns, keys).render(self.rendering_of(def), &mut statement);
        statement.check()?;
        let also = RowLoader::columns(columns, all.len());
        let mut loader = RowLoader::with(arena, def, false, false, also);
        let mut sink = |row: &Row<'_>| loader.slot(row, 0).map(drop);
        self.fetch(self.bind_of(def)?, &statement.sql, &statement.params, at, &mut sink).await?;
        Ok(())
    }
}

/// Whether a row without changes may have changed in the database since it was read: then what it has loaded is as old.
fn is_old(arena: &Arena, slot: SlotPtr) -> bool {
    !slot.has(DIRTY) && slot.state() == State::Persistent && slot.epoch() != arena.tracker().store(slot.def()).epoch
}

/// `SELECT` of what a row begins with, and of some deferred columns, of rows with these keys. The rows are at hand, deleted or not.
fn select_columns(def: &'static ModelDef, first: &[usize], columns: &[usize], keys: &[IdentityKey]) -> Select {
    let node = |&column: &usize| column_of(def, def.table.into(), column);
    let key = def.primary_key.iter().map(node).collect();
    Select {
        columns: first
            .iter()
            .map(|&column| listed(def, def.table.into(), column))
            .chain(columns.iter().map(|column| node(column).into()))
            .collect(),
        from: FromClause::Table(def.table_ref()),
        filter: vec![is_one_of(key, keys.iter().map(IdentityKey::values))],
        extra: Some(Box::new(SelectExtra { with_deleted: true, ..SelectExtra::default() })),
        ..Select::default()
    }
}
