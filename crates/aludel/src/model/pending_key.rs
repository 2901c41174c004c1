//! Values that may be the keys of rows that no flush has inserted.

use crate::entity::def::{Generated, ModelDef};
use crate::entity::placeholder::may_be_placeholder;
use crate::sql::{Node, PendingKey, Value};

/// Marks the values that a key's column is compared with, and that may be placeholders.
#[inline]
pub(super) fn mark(column: Option<(&'static ModelDef, usize)>, operand: &mut Node) {
    let Some((def, index)) = column else { return };
    match operand {
        Node::Value(value @ (Value::Int(_) | Value::UInt(_))) => mark_value(def, index, value),
        Node::In { list, .. } => list.iter_mut().for_each(|node| {
            if let Node::Value(value @ (Value::Int(_) | Value::UInt(_))) = node {
                mark_value(def, index, value);
            }
        }),
        // A list with NULL in it: `IN (..) OR IS NULL`.
        Node::Or(any) => any.iter_mut().for_each(|node| {
            if matches!(node, Node::In { .. }) {
                mark(column, node);
            }
        }),
        _ => {}
    }
}

#[inline]
fn mark_value(def: &'static ModelDef, index: usize, value: &mut Value<'static>) {
    if may_be_placeholder(&def.columns[index].ty, value) {
        mark_key(def, index, value);
    }
}

#[cold]
fn mark_key(def: &'static ModelDef, index: usize, value: &mut Value<'static>) {
    let counted = |&(model, column): &(&'static ModelDef, usize)| {
        model.primary_key == [column] && model.columns[column].generated == Generated::Autoincrement
    };
    let Some((model, _)) = std::iter::once((def, index)).chain(def.sources(index)).find(counted) else { return };
    let key = std::mem::replace(value, Value::Null);
    *value = Value::PendingKey(Box::new(PendingKey::new(model.key_space(), model.name, key)));
}
