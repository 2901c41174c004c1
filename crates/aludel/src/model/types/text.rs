//! Text.

use super::{given_key, mismatch};
use crate::engine::row::Row;
use crate::error::Result;
use crate::model::{ColumnType, KeyType};
use crate::schema::SqlType;
use crate::sql::Value;

impl ColumnType for String {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::String(None);

    #[inline]
    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        row.text(index).map(str::to_owned)
    }

    #[inline]
    fn decode_optional(row: &Row<'_>, index: usize) -> Result<Option<Self>> {
        Ok(row.optional_text(index)?.map(str::to_owned))
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Text(self.as_str().into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => Ok(text.into_owned()),
            other => Err(mismatch("text", &other)),
        }
    }
}

given_key! {
    String: String::new();
}
