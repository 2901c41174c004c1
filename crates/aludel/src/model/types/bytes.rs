//! Bytes.

use super::{given_key, mismatch};
use crate::engine::row::Row;
use crate::error::Result;
use crate::model::{ColumnType, KeyType};
use crate::schema::SqlType;
use crate::sql::Value;

impl ColumnType for Vec<u8> {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Binary(None);

    #[inline]
    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        row.bytes(index).map(<[u8]>::to_vec)
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self.as_slice().into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Bytes(bytes) => Ok(bytes.into_owned()),
            other => Err(mismatch("bytes", &other)),
        }
    }
}

given_key! {
    Vec<u8>: Vec::new();
}
