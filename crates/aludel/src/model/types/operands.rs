//! What the values of each type may be compared with and written to. Literals find their type because each column type
//! takes exactly one type of plain values (and texts and bytes their borrowed forms).

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

use super::Json;
use crate::model::{ColumnType, Dated, Fractional, IntoValue, Number, Operand, PlainValue, Text, Timed, bound};
use crate::sql::{Node, Value};

macro_rules! operands {
    ($($rust:ty),* $(,)?) => {$(
        impl Operand<$rust> for $rust {
            fn into_operand(self) -> Node {
                bound(ColumnType::to_value(&self))
            }
        }

        impl Operand<$rust> for &$rust {
            fn into_operand(self) -> Node {
                bound(ColumnType::to_value(self))
            }
        }
    )*};
}

operands! { bool, i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String, Vec<u8> }
operands! { Date, Time, DateTime, Timestamp, Uuid, serde_json::Value, std::net::IpAddr, std::net::Ipv4Addr, std::net::Ipv6Addr }
#[cfg(feature = "decimal")]
operands! { rust_decimal::Decimal }
#[cfg(feature = "chrono")]
operands! { chrono::NaiveDate, chrono::NaiveTime, chrono::NaiveDateTime, chrono::DateTime<chrono::Utc> }

impl<T> Operand<Json<T>> for Json<T>
where
    Json<T>: ColumnType,
{
    fn into_operand(self) -> Node {
        bound(self.to_value())
    }
}

macro_rules! numbers {
    ($($sum:ty: $($rust:ty)*;)*) => {$($(
        impl Number for $rust {
            type Sum = $sum;
        }
    )*)*};
}

numbers! {
    i64: i8 i16 i32 i64 u8 u16 u32;
    u64: u64;
    f64: f32 f64;
}
#[cfg(feature = "decimal")]
numbers! {
    rust_decimal::Decimal: rust_decimal::Decimal;
}

impl Text for String {}

macro_rules! kinds {
    ($($kind:ident: $($rust:ty),*;)*) => {$($(
        impl $kind for $rust {}
    )*)*};
}

kinds! {
    Fractional: f32, f64;
    Dated: Date, DateTime, Timestamp;
    Timed: Time, DateTime, Timestamp;
}
#[cfg(feature = "decimal")]
kinds! {
    Fractional: rust_decimal::Decimal;
}
#[cfg(feature = "chrono")]
kinds! {
    Dated: chrono::NaiveDate, chrono::NaiveDateTime, chrono::DateTime<chrono::Utc>;
    Timed: chrono::NaiveTime, chrono::NaiveDateTime, chrono::DateTime<chrono::Utc>;
}

/// What [`IntoValue`] makes a value of is no expression.
macro_rules! plain_values {
    ($($given:ty),*) => {
        $(impl PlainValue for $given {})*
    };
}

plain_values! { &&str, Cow<'_, str>, &[u8], &String, &Vec<u8> }

/// The borrowed forms of an owned type: compared with it, and written to it. Not as `Option<&str>`: a column that may be
/// NULL takes one type of `Option` only, its own, so that `None` finds its type.
macro_rules! borrowed {
    ($($borrowed:ty => $owned:ty: $value:expr, $own:expr;)*) => {$(
        impl Operand<$owned> for $borrowed {
            fn into_operand(self) -> Node {
                $value(self)
            }
        }

        impl IntoValue<$owned> for $borrowed {
            fn into_value(self) -> $owned {
                $own(self)
            }
        }

        impl IntoValue<Option<$owned>> for $borrowed {
            fn into_value(self) -> Option<$owned> {
                Some($own(self))
            }
        }
    )*};
}

fn text(text: impl Into<String>) -> Node {
    Node::Value(Value::Text(Cow::Owned(text.into())))
}

fn bytes(bytes: &[u8]) -> Node {
    bound(Value::Bytes(bytes.into()))
}

borrowed! {
    &str => String: text, str::to_owned;
    &&str => String: |value: &&str| text(*value), |value: &&str| (*value).to_owned();
    Cow<'_, str> => String: text, Cow::into_owned;
    &[u8] => Vec<u8>: bytes, <[u8]>::to_vec;
}

macro_rules! owned_by_reference {
    ($($owned:ty),*) => {$(
        impl IntoValue<$owned> for &$owned {
            fn into_value(self) -> $owned {
                self.clone()
            }
        }

        impl IntoValue<Option<$owned>> for &$owned {
            fn into_value(self) -> Option<$owned> {
                Some(self.clone())
            }
        }
    )*};
}

owned_by_reference! { String, Vec<u8> }

impl<const N: usize> Operand<Vec<u8>> for &[u8; N] {
    fn into_operand(self) -> Node {
        bytes(self)
    }
}

impl<const N: usize> IntoValue<Vec<u8>> for &[u8; N] {
    fn into_value(self) -> Vec<u8> {
        self.to_vec()
    }
}
