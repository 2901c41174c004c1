//! Integers and truth values.

use super::{given_key, mismatch, out_of_range, plain, row};
use crate::engine::row::Row;
use crate::entity::def::Generated;
use crate::error::Result;
use crate::model::{ColumnType, KeyType, Set};
use crate::schema::SqlType;
use crate::sql::Value;

plain! {
    bool: SqlType::Boolean, Bool, boolean, "a boolean";
}

given_key! {
    bool: false;
}

macro_rules! integers {
    ($($rust:ident: $sql:ident;)*) => {$(
        impl ColumnType for $rust {
            type Base = Self;
            const SQL_TYPE: SqlType = SqlType::$sql;

            #[inline]
            fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
                let value = row.integer(index)?;
                Self::try_from(value).map_err(|_| row::out_of_range(index, value, stringify!($rust)))
            }

            #[inline]
            fn to_value(&self) -> Value<'_> {
                Value::Int((*self).into())
            }

            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::Int(value) => Self::try_from(value).map_err(|_| out_of_range(value, stringify!($rust))),
                    Value::UInt(value) => Self::try_from(value).map_err(|_| out_of_range(value, stringify!($rust))),
                    other => Err(mismatch("an integer", &other)),
                }
            }
        }

        counted_key!($rust);
    )*};
}

macro_rules! counted_key {
    ($rust:ident) => {
        impl KeyType for $rust {
            type Slot = Set;
            const GENERATED: Generated = Generated::Autoincrement;

            fn placeholder() -> Self {
                0
            }
        }
    };
}

integers! {
    i8: TinyInt;
    i16: SmallInt;
    i32: Integer;
    i64: BigInt;
    u8: UnsignedTinyInt;
    u16: UnsignedSmallInt;
    u32: UnsignedInteger;
}

impl ColumnType for u64 {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::UnsignedBigInt;

    #[inline]
    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        row.unsigned(index)
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        i64::try_from(*self).map_or(Value::UInt(*self), Value::Int)
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Int(value) => Self::try_from(value).map_err(|_| out_of_range(value, "u64")),
            Value::UInt(value) => Ok(value),
            other => Err(mismatch("an integer", &other)),
        }
    }
}

counted_key!(u64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_integer_that_its_type_cannot_hold_is_an_error_that_names_both() {
        let error = i16::from_value(Value::Int(40_000)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert_eq!(error.to_string(), "40000 is out of range for `i16`");
        assert_eq!(u64::from_value(Value::Int(-1)).unwrap_err().to_string(), "-1 is out of range for `u64`");
        let error = i64::from_value(Value::UInt(u64::MAX)).unwrap_err();
        assert_eq!(error.to_string(), "18446744073709551615 is out of range for `i64`");
    }

    #[test]
    fn the_ends_of_each_integer_come_back() {
        assert_eq!(i8::from_value(i8::MIN.to_value()).unwrap(), i8::MIN);
        assert_eq!(u32::from_value(u32::MAX.to_value()).unwrap(), u32::MAX);
        assert_eq!(i64::from_value(i64::MIN.to_value()).unwrap(), i64::MIN);
        assert_eq!(u64::from_value(u64::MAX.to_value()).unwrap(), u64::MAX);
        assert_eq!(u64::MAX.to_value(), Value::UInt(u64::MAX));
        assert_eq!(7_u64.to_value(), Value::Int(7));
    }

    #[test]
    fn a_value_of_another_kind_is_an_error() {
        let error = i64::from_value(Value::Text("7".into())).unwrap_err();
        assert_eq!(error.to_string(), "expected an integer, found text");
        let error = bool::from_value(Value::Null).unwrap_err();
        assert_eq!(error.to_string(), "the value is NULL, and the Rust type is not an Option");
    }
}
