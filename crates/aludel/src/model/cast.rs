//! Which types are cast to which.

use super::ColumnType;

/// The types whose values can be cast to `T`.
///
/// Numbers are cast to numbers and texts; truth values to integers; texts to numbers; dates and times to one another, and
/// a date to a text.
#[diagnostic::on_unimplemented(
    message = "an expression of type `{Self}` is not cast to `{T}`",
    label = "no cast from `{Self}` to `{T}`",
    note = "what a database casts beyond this is written `func::sql_expr::<T>(\"CAST(? AS ..)\").bind(..)`"
)]
pub trait CastTo<T: ColumnType>: ColumnType {}

macro_rules! casts {
    ($($from:ty => $($to:ty),+;)*) => {$($(
        impl CastTo<$to> for $from {}
    )+)*};
}

/// Each of these to each of them.
macro_rules! among {
    ([$($from:ty),*] => $to:tt) => {
        $(among! { @ $from => $to })*
    };
    (@ $from:ty => [$($to:ty),*]) => {
        $(impl CastTo<$to> for $from {})*
    };
}

among! {
    [i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String] =>
        [i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String]
}
casts! { bool => i8, i16, i32, i64, u8, u16, u32, u64; }
casts! { uuid::Uuid => String; }

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

casts! {
    Date => Date, DateTime, Timestamp, String;
    Time => Time;
    DateTime => Date, Time, DateTime, Timestamp;
    Timestamp => Date, Time, DateTime, Timestamp;
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use chrono::{DateTime as Instant, NaiveDate, NaiveDateTime, NaiveTime, Utc};

    use super::{CastTo, Date, DateTime, Time, Timestamp};

    casts! {
        NaiveDate => NaiveDate, NaiveDateTime, Instant<Utc>, String, Date;
        NaiveTime => NaiveTime, Time;
        NaiveDateTime => NaiveDate, NaiveTime, NaiveDateTime, Instant<Utc>, DateTime;
        Instant<Utc> => NaiveDate, NaiveTime, NaiveDateTime, Instant<Utc>, Timestamp;
        Date => NaiveDate;
        Time => NaiveTime;
        DateTime => NaiveDateTime;
        Timestamp => Instant<Utc>, NaiveDate;
    }
}

#[cfg(feature = "decimal")]
among! { [i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String, rust_decimal::Decimal] => [rust_decimal::Decimal] }
#[cfg(feature = "decimal")]
casts! { rust_decimal::Decimal => i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, String; }
