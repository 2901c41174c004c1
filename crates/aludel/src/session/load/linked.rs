//! Many-to-many collections.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::flush::value_of;
use super::children::{order_of, ordered};
use super::relations::{Loading, Planned};
use super::{MAX_KEYS, columns_of, lifted};
use crate::engine::row::Row;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::slot::SlotPtr;
use crate::error::Result;
use crate::model::{RelationLoad, SecondaryJoin, column_of, is_one_of};
use crate::sql::{FromClause, Join, JoinKind, Node, Select, SelectColumn};

/// The rows that a link model links to some, on their way.
struct Linked<'a> {
    arena: &'a ArenaRef,
    load: &'a RelationLoad,
    target: &'static ModelDef,
    join: SecondaryJoin,
    /// The rows that they are linked to, with their keys.
    owners: Vec<(SlotPtr, IdentityKey)>,
    found: HashMap<IdentityKey, Vec<SlotPtr>>,
}

/// Loads the rows that a link model links to these.
pub(super) fn plan<'a>(
    arena: &'a ArenaRef,
    def: &'static ModelDef,
    slots: Vec<SlotPtr>,
    load: &'a RelationLoad,
) -> Result<Planned<'a>> {
    let relationship = &def.relationships[load.relationship];
    let target = (relationship.target)();
    let Some(join) = relationship.secondary_join(def)? else {
        unreachable!("asked for relationships with a link model")
    };
    let order_by = order_of(relationship, load);
    let key_of = |slot: SlotPtr| IdentityKey::new(join.near.local.iter().map(|&column| arena.value(slot, column)));
    let owners: Vec<(SlotPtr, IdentityKey)> = slots.into_iter().map(|slot| (slot, key_of(slot))).collect();
    let select = |owners: &[(SlotPtr, IdentityKey)]| {
        let keys = owners.iter().map(|(_, key)| key);
        let select = lifted(select_linked(target, &join, keys, load.filter.as_ref()), load);
        ordered(target, select, near_columns(&join), &names(&join), &order_by, load.limit)
    };
    let selects = owners.chunks(MAX_KEYS / join.near.local.len()).map(select).collect();
    let loading = Box::new(Linked { arena, load, target, join, owners, found: HashMap::new() });
    Ok(Planned { target, selects, unique: false, loading })
}

impl Loading for Linked<'_> {
    /// Notes which owner the row belongs to.
    fn note(&mut self, row: &Row<'_>, slot: SlotPtr) -> Result<()> {
        let Self { target, join, .. } = self;
        let near = join.near.remote.iter().enumerate();
        let values = near
            .map(|(position, &column)| value_of(row, target.columns.len() + position, &join.link.columns[column]))
            .collect::<Result<Vec<_>>>()?;
        let members = self.found.entry(IdentityKey::new(values.into_iter())).or_default();
        // A link model may have no constraint against a pair that it has twice.
        if !members.contains(&slot) {
            members.push(slot);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, _rows: Vec<SlotPtr>) -> Result<()> {
        let Self { arena, load, owners, found, .. } = *self;
        // One row may stand for several, which the same link rows lead from.
        let (slots, rows): (Vec<SlotPtr>, Vec<Vec<SlotPtr>>) =
            owners.iter().map(|(slot, key)| (*slot, found.get(key).cloned().unwrap_or_default())).unzip();
        let mut tracker = arena.tracker();
        tracker.set_loaded_many(arena, load.relationship, &slots, &rows);
        if !load.is_whole() {
            slots.iter().for_each(|&slot| tracker.found_in_part(arena, slot, load.relationship));
        }
        Ok(())
    }
}

/// `SELECT` of the target's columns and of the owner's key for some owners.
fn select_linked<'k>(
    target: &'static ModelDef,
    join: &SecondaryJoin,
    keys: impl Iterator<Item = &'k IdentityKey>,
    filter: Option<&Node>,
) -> Select {
    let link = Cow::Borrowed(join.link.table);
    let mut columns = columns_of(target, target.table);
    let near = near_columns(join).into_iter().zip(names(join));
    columns.extend(near.map(|(node, name)| SelectColumn { node, alias: Some(name) }));
    let on = join.far.condition((join.link, &link), (target, &target.table.into()));
    Select {
        columns,
        from: FromClause::Table(target.table_ref()),
        joins: vec![Join { kind: JoinKind::Inner, table: join.link.table_ref(), on }],
        filter: std::iter::once(is_one_of(near_columns(join), keys.map(IdentityKey::values)))
            .chain(filter.cloned())
            .collect(),
        ..Select::default()
    }
}

/// The columns of the link model that are its key to the owner.
fn near_columns(join: &SecondaryJoin) -> Vec<Node> {
    join.near.remote.iter().map(|&column| column_of(join.link, join.link.table.into(), column)).collect()
}

/// The names of those columns in the result.
fn names(join: &SecondaryJoin) -> Vec<Cow<'static, str>> {
    (0..join.near.remote.len()).map(|position| Cow::Owned(format!("aludel_owner_{position}"))).collect()
}
