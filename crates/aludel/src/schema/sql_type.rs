//! The type of a column, as the database knows it.

use std::borrow::Cow;

/// The type of a column, independent of the backend; each dialect spells it in its own way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlType {
    /// A truth value.
    Boolean,
    /// A signed integer of 8 bits.
    TinyInt,
    /// A signed integer of 16 bits.
    SmallInt,
    /// A signed integer of 32 bits.
    Integer,
    /// A signed integer of 64 bits.
    BigInt,
    /// An unsigned integer of 8 bits.
    UnsignedTinyInt,
    /// An unsigned integer of 16 bits.
    UnsignedSmallInt,
    /// An unsigned integer of 32 bits.
    UnsignedInteger,
    /// An unsigned integer of 64 bits.
    UnsignedBigInt,
    /// A single-precision float.
    Float,
    /// A double-precision float.
    Double,
    /// An exact decimal number.
    Decimal {
        /// Digits in all; the database's own default where absent.
        precision: Option<u8>,
        /// Digits after the point.
        scale: Option<u8>,
    },
    /// Text of at most so many characters; without a limit it is the backend's longest plain text.
    String(Option<u32>),
    /// Text of any length.
    Text,
    /// Bytes, of at most so many where a limit is given.
    Binary(Option<u32>),
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A date and time without a zone.
    DateTime,
    /// An instant.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
    /// One of a fixed set of names.
    Enum {
        /// The type's own name, where the database gives such types names.
        name: Cow<'static, str>,
        /// The names, in their order.
        values: Cow<'static, [Cow<'static, str>]>,
    },
    /// An address of the internet; `INET` on PostgreSQL, text elsewhere.
    Inet,
    /// An address of the fourth version of the internet protocol.
    Inet4,
    /// An address of its sixth version.
    Inet6,
    /// A span of months, days and microseconds; PostgreSQL's alone.
    Interval,
    /// An array of elements of a type; PostgreSQL's alone.
    Array(&'static SqlType),
    /// A range with bounds of a type: `Integer`, `BigInt`, `Decimal`, `DateTime`, `Timestamp` or `Date`; PostgreSQL's alone.
    Range(&'static SqlType),
    /// A type that only one backend has, spelt as that backend spells it.
    Other(Cow<'static, str>),
}
