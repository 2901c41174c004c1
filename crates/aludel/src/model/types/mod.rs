//! The Rust types that columns can have.
//!
//! Nothing is lost on the way: an integer that its type cannot hold, a decimal with too many digits, a date beyond the
//! database's calendar are errors. The one exception is `f32`, whose nature it is to round.

mod array;
mod bytes;
#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "decimal")]
mod decimal;
mod float;
mod integer;
mod interval;
mod json;
mod key;
mod net;
mod operands;
mod option;
mod range;
mod scalar;
mod temporal;
mod text;
mod uuid;

pub use array::ArrayElement;
pub(super) use array::write as array_text;
pub use json::Json;
pub use range::{Range, RangeElement};

use crate::engine::row;
use crate::error::{Error, ErrorKind};
use crate::sql::Value;

/// The error for a value of another kind than the Rust type's.
#[cold]
fn mismatch(expected: &str, found: &Value<'_>) -> Error {
    match found {
        Value::Null => Error::new(ErrorKind::Decode, "the value is NULL, and the Rust type is not an Option"),
        found => Error::new(ErrorKind::Decode, format!("expected {expected}, found {}", found.type_name())),
    }
}

/// The error for a value that its Rust type cannot hold.
#[cold]
fn out_of_range(value: impl std::fmt::Display, rust: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("{value} is out of range for `{rust}`"))
}

/// A type whose values the row and `Value` have in its own form.
macro_rules! plain {
    ($($rust:ty: $sql:expr, $variant:ident, $method:ident, $name:literal;)*) => {$(
        impl ColumnType for $rust {
            type Base = Self;
            const SQL_TYPE: SqlType = $sql;

            #[inline]
            fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
                row.$method(index)
            }

            #[inline]
            fn to_value(&self) -> Value<'_> {
                Value::$variant(*self)
            }

            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::$variant(value) => Ok(value),
                    other => Err(mismatch($name, &other)),
                }
            }
        }
    )*};
}

/// A type that can be a key, and that has to be given where it is one.
macro_rules! given_key {
    ($($rust:ty: $placeholder:expr;)*) => {$(
        impl KeyType for $rust {
            type Slot = crate::model::Missing;
            const GENERATED: crate::entity::def::Generated = crate::entity::def::Generated::No;

            fn placeholder() -> Self {
                $placeholder
            }
        }
    )*};
}

use {given_key, plain};
