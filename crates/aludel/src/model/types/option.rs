//! Values that may be NULL.

use crate::engine::row::Row;
use crate::error::Result;
use crate::model::ColumnType;
use crate::schema::SqlType;
use crate::sql::Value;

impl<T: ColumnType> ColumnType for Option<T> {
    type Base = T::Base;
    const SQL_TYPE: SqlType = T::SQL_TYPE;
    const NULLABLE: bool = true;

    #[inline]
    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        T::decode_optional(row, index)
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_null_and_some_is_the_value_itself() {
        assert_eq!(None::<i64>.to_value(), Value::Null);
        assert_eq!(Some(7_i64).to_value(), Value::Int(7));
        assert_eq!(Option::<i64>::from_value(Value::Null).unwrap(), None);
        assert_eq!(Option::<i64>::from_value(Value::Int(7)).unwrap(), Some(7));
        assert_eq!((Option::<String>::NULLABLE, String::NULLABLE), (true, false));
    }
}
