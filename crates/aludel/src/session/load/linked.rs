//! Many-to-many collections.

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use super::super::Session;
use super::super::flush::value_of;
use super::children::{order_of, ordered};
use super::{MAX_KEYS, columns_of, lifted};
use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::loader::RowLoader;
use crate::entity::slot::SlotPtr;
use crate::error::Result;
use crate::model::{RelationLoad, SecondaryJoin, column_of, is_one_of};
use crate::sql::{FromClause, Join, JoinKind, Node, Select, SelectColumn, Statement};

impl Session {
    /// Loads the rows that a link model links to these.
    pub(super) async fn load_linked(
        &self,
        arena: &Arc<Arena>,
        def: &'static ModelDef,
        slots: &[SlotPtr],
        load: &RelationLoad,
        at: &'static Location<'static>,
    ) -> Result<()> {
        let index = load.relationship;
        let relationship = &def.relationships[index];
        let target = (relationship.target)();
        let Some(join) = relationship.secondary_join(def)? else { return Ok(()) };
        let order_by = order_of(relationship, load);
        let key_of = |slot: SlotPtr| IdentityKey::new(join.near.local.iter().map(|&column| arena.value(slot, column)));
        let keys: Vec<IdentityKey> = slots.iter().map(|&slot| key_of(slot)).collect();
        let mut found: HashMap<IdentityKey, Vec<SlotPtr>> = HashMap::new();
        for keys in keys.chunks(MAX_KEYS) {
            let select = lifted(select_linked(target, &join, keys, load.filter.as_ref()), load);
            let owner = near_columns(&join);
            let select = ordered(target, select, owner, &names(&join), &order_by, load.limit);
            self.select_linked_rows(arena, target, &join, select, &mut found, at).await?;
        }
        // One row may stand for several, which the same link rows lead from.
        let rows: Vec<Vec<SlotPtr>> = keys.iter().map(|key| found.get(key).cloned().unwrap_or_default()).collect();
        let mut tracker = arena.tracker();
        tracker.set_loaded_many(arena, index, slots, &rows);
        if !load.is_whole() {
            slots.iter().for_each(|&slot| tracker.found_in_part(arena, slot, index));
        }
        Ok(())
    }

    /// Runs the select, and notes which row belongs to which owner.
    async fn select_linked_rows(
        &self,
        arena: &Arc<Arena>,
        target: &'static ModelDef,
        join: &SecondaryJoin,
        select: Select,
        found: &mut HashMap<IdentityKey, Vec<SlotPtr>>,
        at: &'static Location<'static>,
    ) -> Result<()> {
        let mut statement = Statement::default();
        select.render(self.rendering_of(target), &mut statement);
        statement.check()?;
        let mut loader = RowLoader::new(arena, target, false);
        let mut sink = |row: &Row<'_>| {
            let slot = loader.slot(row, 0)?;
            let near = join.near.remote.iter().enumerate();
            let values = near
                .map(|(position, &column)| value_of(row, target.columns.len() + position, &join.link.columns[column]))
                .collect::<Result<Vec<_>>>()?;
            let members = found.entry(IdentityKey::new(values.into_iter())).or_default();
            // A link model may have no constraint against a pair that it has twice.
            if !members.contains(&slot) {
                members.push(slot);
            }
            Ok(())
        };
        self.fetch(self.bind_of(target)?, &statement.sql, &statement.params, at, &mut sink).await?;
        Ok(())
    }
}

/// `SELECT` of the target's columns and of the owner's key for some owners.
fn select_linked(
    target: &'static ModelDef,
    join: &SecondaryJoin,
    keys: &[IdentityKey],
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
        filter: std::iter::once(is_one_of(near_columns(join), keys.iter().map(IdentityKey::values)))
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
