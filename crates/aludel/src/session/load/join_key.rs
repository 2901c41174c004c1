//! The values that join rows: of one column, nearly always, or of several.

use std::hash::Hash;

use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::foreign_key::{KeyValues, without_null};
use crate::entity::identity_map::IdentityKey;
use crate::entity::slot::SlotPtr;
use crate::model::is_one_of;
use crate::session::links::primary_key;
use crate::sql::{Node, Value};

use super::column_node;

/// The values of the columns that join two tables; none of them is NULL.
pub(super) trait JoinKey<'a>: Clone + Eq + Hash + Send + Sync {
    /// The values in a row; none where one of them is NULL, which joins nothing.
    fn of(arena: &'a Arena, slot: SlotPtr, columns: &[usize]) -> Option<Self>;

    /// The condition that columns have the values of one of the keys.
    fn condition(target: &'static ModelDef, columns: &[usize], keys: &[Self]) -> Node;

    /// The primary key of the row that has these values in these columns, if they tell it.
    fn primary_key(&self, target: &ModelDef, columns: &[usize]) -> Option<IdentityKey>;
}

impl<'a> JoinKey<'a> for Value<'a> {
    #[inline]
    fn of(arena: &'a Arena, slot: SlotPtr, columns: &[usize]) -> Option<Self> {
        let value = arena.value(slot, columns[0]);
        (!value.is_null()).then_some(value)
    }

    fn condition(target: &'static ModelDef, columns: &[usize], keys: &[Self]) -> Node {
        let list = keys.iter().map(|key| Node::Value(key.clone().into_owned())).collect();
        Node::in_list(column_node(target, target.table, columns[0]), list)
    }

    fn primary_key(&self, target: &ModelDef, columns: &[usize]) -> Option<IdentityKey> {
        (target.primary_key == columns).then(|| IdentityKey::new(std::iter::once(self.as_borrowed())))
    }
}

impl<'a> JoinKey<'a> for KeyValues<'a> {
    fn of(arena: &'a Arena, slot: SlotPtr, columns: &[usize]) -> Option<Self> {
        without_null(columns.iter().map(|&column| arena.value(slot, column)))
    }

    fn condition(target: &'static ModelDef, columns: &[usize], keys: &[Self]) -> Node {
        let columns = columns.iter().map(|&column| column_node(target, target.table, column)).collect();
        is_one_of(columns, keys.iter().map(|key| key.to_vec()))
    }

    fn primary_key(&self, target: &ModelDef, columns: &[usize]) -> Option<IdentityKey> {
        primary_key(target, columns, self)
    }
}
