//! Deferred columns, loaded for an entity and its siblings or after a query.

use std::panic::Location;
use std::sync::Arc;

use hashbrown::HashMap;

use super::super::Session;
use super::super::flush::value_of;
use super::super::get::no_row;
use super::{MAX_KEYS, window_of};
use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::deferred::is_unloaded;
use crate::entity::identity_map::IdentityKey;
use crate::entity::publish_columns;
use crate::entity::slot::{SlotPtr, State};
use crate::error::Result;
use crate::model::{column_of, is_one_of};
use crate::sql::{FromClause, Select, SelectExtra, Statement, Value};

/// Loads a column of an entity, and of its siblings.
pub(super) async fn load_column(
    arena: &Arc<Arena>,
    slot: SlotPtr,
    column: usize,
    siblings: bool,
    at: &'static Location<'static>,
) -> Result<()> {
    let is_missing = |slot: SlotPtr| is_unloaded(&arena.value(slot, column));
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
        arena: &Arc<Arena>,
        def: &'static ModelDef,
        slots: &[SlotPtr],
        columns: &[usize],
        at: &'static Location<'static>,
    ) -> Result<()> {
        let lacks = |slot: SlotPtr, column: usize| is_unloaded(&arena.value(slot, column));
        let mut missing: HashMap<IdentityKey, SlotPtr> = HashMap::new();
        for &slot in slots {
            if slot.state() == State::Persistent && columns.iter().any(|&column| lacks(slot, column)) {
                missing.insert(arena.tracker().committed_key(arena, slot), slot);
            }
        }
        let keys: Vec<IdentityKey> = missing.keys().cloned().collect();
        for keys in keys.chunks(MAX_KEYS / def.primary_key.len()) {
            let mut statement = Statement::default();
            select_columns(def, columns, keys).render(self.rendering_of(def), &mut statement);
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
}

/// `SELECT` of the key and of some columns of rows with these keys. The rows are at hand, deleted or not.
fn select_columns(def: &'static ModelDef, columns: &[usize], keys: &[IdentityKey]) -> Select {
    let node = |&column: &usize| column_of(def, def.table.into(), column);
    let key = def.primary_key.iter().map(node).collect();
    Select {
        columns: def.primary_key.iter().chain(columns).map(|column| node(column).into()).collect(),
        from: FromClause::Table(def.table_ref()),
        filter: vec![is_one_of(key, keys.iter().map(IdentityKey::values))],
        extra: Some(Box::new(SelectExtra { with_deleted: true, ..SelectExtra::default() })),
        ..Select::default()
    }
}
