//! Collections, and one-to-one relationships whose foreign key is on the other side.

use std::borrow::Cow;
use std::sync::Arc;

use super::join_key::JoinKey;
use super::relations::{Loading, Planned};
use super::{ByKey, MAX_KEYS, column_node, columns_of, lifted, select_where};
use crate::entity::arena::Arena;
use crate::entity::def::{ModelDef, RelationshipDef, RelationshipKind};
use crate::entity::foreign_key::KeyValues;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{JoinColumns, RelationLoad};
use crate::sql::{BinaryOp, FromClause, Node, OrderBy, Select, SelectColumn, Value};

/// The name of the row's number among its siblings, where a load is limited for each parent.
const ROW: &str = "aludel_row";
/// The name of the subquery that numbers the rows.
const NUMBERED: &str = "aludel_numbered";

/// The rows whose foreign key points at some, on their way.
struct Children<'a, K> {
    arena: &'a Arc<Arena>,
    def: &'static ModelDef,
    load: &'a RelationLoad,
    /// The columns of the foreign key.
    remote: Vec<usize>,
    /// The rows that are pointed at, with what leads there.
    parents: Vec<(SlotPtr, Option<K>)>,
}

/// Loads the rows whose foreign key points at these.
pub(super) fn plan<'a>(
    arena: &'a Arc<Arena>,
    def: &'static ModelDef,
    slots: Vec<SlotPtr>,
    load: &'a RelationLoad,
) -> Result<Planned<'a>> {
    let join = def.relationships[load.relationship].columns(def)?;
    Ok(match join.local[..] {
        [_] => plan_by::<Value<'a>>(arena, def, slots, load, join),
        _ => plan_by::<KeyValues<'a>>(arena, def, slots, load, join),
    })
}

fn plan_by<'a, K: JoinKey<'a> + 'a>(
    arena: &'a Arc<Arena>,
    def: &'static ModelDef,
    slots: Vec<SlotPtr>,
    load: &'a RelationLoad,
    join: JoinColumns,
) -> Planned<'a> {
    let relationship = &def.relationships[load.relationship];
    let target = (relationship.target)();
    let JoinColumns { local, remote, .. } = join;
    let parents: Vec<(SlotPtr, Option<K>)> = slots.into_iter().map(|slot| (slot, K::of(arena, slot, &local))).collect();
    let order_by = order_of(relationship, load);
    let keys: Vec<K> = parents.iter().filter_map(|(_, key)| key.clone()).collect();
    let select = |keys: &[K]| {
        let select = lifted(select_where(target, K::condition(target, &remote, keys), load.filter.as_ref()), load);
        let parent = remote.iter().map(|&column| column_node(target, target.table, column)).collect();
        ordered(target, select, parent, &[], &order_by, load.limit)
    };
    let selects = keys.chunks(MAX_KEYS / remote.len()).map(select).collect();
    let loading = Box::new(Children { arena, def, load, remote, parents });
    Planned { target, selects, unique: true, loading }
}

impl<'a, K: JoinKey<'a>> Loading for Children<'a, K> {
    fn finish(self: Box<Self>, found: Vec<SlotPtr>) -> Result<()> {
        let Self { arena, def, load, remote, parents } = *self;
        let mut children: ByKey<K> = ByKey::default();
        for child in found {
            if let Some(key) = K::of(arena, child, &remote) {
                children.entry(key).or_default().push(child);
            }
        }
        let index = load.relationship;
        let relationship = &def.relationships[index];
        let back = relationship.inverse.map(|inverse| inverse());
        let mut slots: Vec<SlotPtr> = Vec::with_capacity(parents.len());
        let mut rows: Vec<Vec<SlotPtr>> = Vec::with_capacity(parents.len());
        for (slot, key) in parents {
            let members = key.and_then(|key| children.get(&key).cloned()).unwrap_or_default();
            if let Some(back) = back {
                let mut tracker = arena.tracker();
                for &child in &members {
                    tracker.set_loaded_one(arena, child, back, Some(slot));
                }
            }
            slots.push(slot);
            rows.push(members);
        }
        if relationship.kind == RelationshipKind::Many {
            let mut tracker = arena.tracker();
            tracker.set_loaded_many(arena, index, &slots, &rows);
            if !load.is_whole() {
                slots.iter().for_each(|&slot| tracker.found_in_part(arena, slot, index));
            }
            return Ok(());
        }
        set_only_children(arena, def, load, &slots, &rows)
    }
}

/// One-to-one: at most one row each.
fn set_only_children(
    arena: &Arena,
    def: &'static ModelDef,
    load: &RelationLoad,
    slots: &[SlotPtr],
    rows: &[Vec<SlotPtr>],
) -> Result<()> {
    let index = load.relationship;
    for (&slot, members) in slots.iter().zip(rows) {
        if members.len() > 1 {
            return Err(Error::new(
                ErrorKind::MultipleFound,
                format!(
                    "`{}::{}` leads to one row at most, and {} rows of `{}` point at this one; declare it `Many`, or put a \
                     unique constraint on the foreign key",
                    def.name,
                    def.relationships[index].name,
                    members.len(),
                    (def.relationships[index].target)().table,
                ),
            ));
        }
        let mut tracker = arena.tracker();
        tracker.set_loaded_one(arena, slot, index, members.first().copied());
        if !load.is_whole() {
            tracker.found_in_part(arena, slot, index);
        }
    }
    Ok(())
}

/// The order of a loaded collection: the load's own, or the relationship's.
pub(super) fn order_of(relationship: &RelationshipDef, load: &RelationLoad) -> Vec<OrderBy> {
    if !load.order_by.is_empty() {
        return load.order_by.clone();
    }
    let target = (relationship.target)();
    let declared = relationship.order_by.iter();
    declared
        .map(|(column, descending)| {
            let node = column_node(target, target.table, column());
            if *descending { OrderBy::desc(node) } else { OrderBy::asc(node) }
        })
        .collect()
}

/// The select with its order, and with at most so many rows for each parent. `also` are the names of columns that it
/// has after the target's.
pub(super) fn ordered(
    target: &'static ModelDef,
    mut select: Select,
    parent: Vec<Node>,
    also: &[Cow<'static, str>],
    order_by: &[OrderBy],
    limit: Option<u64>,
) -> Select {
    let Some(limit) = limit else {
        select.order_by = order_by.to_vec();
        return select;
    };
    let number = Node::RowNumber { partition_by: parent, order_by: order_by.to_vec() };
    select.columns.push(SelectColumn { node: number, alias: Some(ROW.into()) });
    let numbered = |name: Cow<'static, str>| Node::Column(crate::sql::ColumnRef::new(NUMBERED, name));
    let row = || numbered(ROW.into());
    let limit = Node::Value(Value::rows(limit));
    let also = also.iter().map(|name| numbered(name.clone()).into());
    Select {
        columns: columns_of(target, NUMBERED).into_iter().chain(also).collect(),
        from: FromClause::Select(Box::new(select), NUMBERED.into()),
        filter: vec![Node::binary(row(), BinaryOp::Le, limit)],
        order_by: vec![OrderBy::asc(row())],
        ..Select::default()
    }
}
