//! One committed primary key is one entity.

use hashbrown::HashMap;
use uuid::Uuid;

use super::def::ModelDef;
use super::slot::SlotPtr;
use crate::engine::row::Row;
use crate::error::Result;
use crate::schema::SqlType;
use crate::sql::Value;

/// A primary key as the identity map compares it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum IdentityKey {
    /// A single integer.
    Int(i64),
    /// A single UUID.
    Uuid(Uuid),
    /// Any other key, its columns in order.
    Values(Box<[Value<'static>]>),
}

impl IdentityKey {
    /// The key made of the values of the key's columns, in their order.
    pub(crate) fn new<'a>(mut values: impl ExactSizeIterator<Item = Value<'a>>) -> Self {
        if values.len() == 1 {
            match values.next() {
                Some(Value::Int(key)) => return Self::Int(key),
                Some(Value::Uuid(key)) => return Self::Uuid(key),
                first => return Self::Values(first.into_iter().map(Value::into_owned).collect()),
            }
        }
        Self::Values(values.map(Value::into_owned).collect())
    }

    /// The key of a value of a model.
    pub(crate) fn of<'a>(def: &ModelDef, value: impl Fn(usize) -> Value<'a>) -> Self {
        Self::new(def.primary_key.iter().map(|&column| value(column)))
    }

    /// The key's values again, in the order of the key's columns.
    pub(crate) fn values(&self) -> Vec<Value<'_>> {
        match self {
            Self::Int(key) => vec![Value::Int(*key)],
            Self::Uuid(key) => vec![Value::Uuid(*key)],
            Self::Values(values) => values.iter().map(Value::as_borrowed).collect(),
        }
    }

    /// The key in a row whose columns of the model begin at `at`; `None` when a part of it is NULL, as in an outer
    /// join, or (`Some(None)`) when a type takes the whole decoding to compare.
    pub(crate) fn in_row(def: &ModelDef, row: &Row<'_>, at: usize) -> Result<Option<Option<Self>>> {
        if let [column] = def.primary_key {
            let index = at + column;
            if is_integer(&def.columns[*column].ty) {
                return Ok(row.optional_integer(index)?.map(|key| Some(Self::Int(key))));
            }
            if row.is_null(index) {
                return Ok(None);
            }
            return Ok(Some(
                column_value(row, index, &def.columns[*column].ty)?.map(|value| Self::new(std::iter::once(value))),
            ));
        }
        let mut values = Vec::with_capacity(def.primary_key.len());
        for &column in def.primary_key {
            let index = at + column;
            if row.is_null(index) {
                return Ok(None);
            }
            match column_value(row, index, &def.columns[column].ty)? {
                Some(value) => values.push(value.into_owned()),
                None => return Ok(Some(None)),
            }
        }
        Ok(Some(Some(Self::Values(values.into()))))
    }
}

/// Whether a column's values are integers of at most 64 bits with a sign.
fn is_integer(ty: &SqlType) -> bool {
    matches!(
        ty,
        SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::Integer
            | SqlType::BigInt
            | SqlType::UnsignedTinyInt
            | SqlType::UnsignedSmallInt
            | SqlType::UnsignedInteger
    )
}

/// A key column's value, where it can be had without the Rust type.
fn column_value<'a>(row: &'a Row<'_>, index: usize, ty: &SqlType) -> Result<Option<Value<'a>>> {
    Ok(Some(match ty {
        ty if is_integer(ty) => Value::Int(row.integer(index)?),
        SqlType::Uuid => Value::Uuid(row.uuid(index)?),
        SqlType::String(_) | SqlType::Text => Value::Text(row.text(index)?.into()),
        SqlType::Date => Value::Date(row.date(index)?),
        _ => return Ok(None),
    }))
}

/// The rows of one model by their committed keys.
#[derive(Default)]
pub(crate) struct IdentityMap(HashMap<IdentityKey, SlotPtr, foldhash::fast::RandomState>);

impl IdentityMap {
    pub(crate) fn get(&self, key: &IdentityKey) -> Option<SlotPtr> {
        self.0.get(key).copied()
    }

    pub(crate) fn insert(&mut self, key: IdentityKey, slot: SlotPtr) -> Option<SlotPtr> {
        self.0.insert(key, slot)
    }

    pub(crate) fn remove(&mut self, key: &IdentityKey) -> Option<SlotPtr> {
        self.0.remove(key)
    }

    pub(crate) fn reserve(&mut self, rows: usize) {
        self.0.reserve(rows);
    }
}
