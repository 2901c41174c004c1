//! A value on its way to the database.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

/// A value on its way to the database, borrowed from the struct that holds it where possible.
///
/// Rows do not become `Value`s on their way back: they decode straight into the struct. Equality and hash compare
/// floats by their bits, so that a NaN is equal to itself and a changed column is found however it is spelt.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer above `i64::MAX`; smaller ones are `Int`.
    UInt(u64),
    /// A single-precision float.
    Float(f32),
    /// A double-precision float.
    Double(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A UUID.
    Uuid(Uuid),
    /// An exact decimal number, as its text: digits, an optional sign and point, no exponent.
    Decimal(Cow<'a, str>),
    /// A calendar date.
    Date(Date),
    /// A time of day.
    Time(Time),
    /// A date and time without a zone.
    DateTime(DateTime),
    /// An instant.
    Timestamp(Timestamp),
    /// A JSON document, as its text.
    Json(Cow<'a, str>),
    /// The key of a row that may not be in the database yet; the session puts the real one in its place.
    PendingKey(Box<PendingKey>),
    /// A value that its Rust type cannot express for a database, and why not; sending it is an error.
    Invalid(Cow<'a, str>),
}

/// What a key's column is compared with, where its value may be a new row's placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PendingKey {
    /// The address of the definition of the model whose key it is.
    pub(crate) model: usize,
    /// The model's name.
    pub(crate) name: &'static str,
    /// The placeholder; or a real key that looks like one.
    pub(crate) value: Value<'static>,
}

impl PendingKey {
    pub(crate) fn new(model: usize, name: &'static str, value: Value<'static>) -> Self {
        Self { model, name, value }
    }
}

impl Value<'_> {
    /// A number of rows, no larger than a backend takes.
    pub(crate) fn rows(rows: u64) -> Self {
        Self::Int(i64::try_from(rows).unwrap_or(i64::MAX))
    }

    /// The same value, owning what it borrowed.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(v),
            Self::Int(v) => Value::Int(v),
            Self::UInt(v) => Value::UInt(v),
            Self::Float(v) => Value::Float(v),
            Self::Double(v) => Value::Double(v),
            Self::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Self::Bytes(v) => Value::Bytes(Cow::Owned(v.into_owned())),
            Self::Uuid(v) => Value::Uuid(v),
            Self::Decimal(v) => Value::Decimal(Cow::Owned(v.into_owned())),
            Self::Date(v) => Value::Date(v),
            Self::Time(v) => Value::Time(v),
            Self::DateTime(v) => Value::DateTime(v),
            Self::Timestamp(v) => Value::Timestamp(v),
            Self::Json(v) => Value::Json(Cow::Owned(v.into_owned())),
            Self::PendingKey(v) => Value::PendingKey(v),
            Self::Invalid(v) => Value::Invalid(Cow::Owned(v.into_owned())),
        }
    }

    /// The same value, borrowed.
    pub fn as_borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(*v),
            Self::Int(v) => Value::Int(*v),
            Self::UInt(v) => Value::UInt(*v),
            Self::Float(v) => Value::Float(*v),
            Self::Double(v) => Value::Double(*v),
            Self::Text(v) => Value::Text(Cow::Borrowed(v)),
            Self::Bytes(v) => Value::Bytes(Cow::Borrowed(v)),
            Self::Uuid(v) => Value::Uuid(*v),
            Self::Decimal(v) => Value::Decimal(Cow::Borrowed(v)),
            Self::Date(v) => Value::Date(*v),
            Self::Time(v) => Value::Time(*v),
            Self::DateTime(v) => Value::DateTime(*v),
            Self::Timestamp(v) => Value::Timestamp(*v),
            Self::Json(v) => Value::Json(Cow::Borrowed(v)),
            Self::PendingKey(v) => Value::PendingKey(v.clone()),
            Self::Invalid(v) => Value::Invalid(Cow::Borrowed(v)),
        }
    }

    /// Whether this is SQL NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// What this value is, as messages name it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::UInt(_) => "integer",
            Self::Float(_) | Self::Double(_) => "float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "uuid",
            Self::Decimal(_) => "decimal",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "datetime",
            Self::Timestamp(_) => "timestamp",
            Self::Json(_) => "json",
            Self::PendingKey(_) => "a new row's key",
            Self::Invalid(_) => "a value that cannot be stored",
        }
    }
}

impl PartialEq<Value<'_>> for Value<'_> {
    fn eq(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::Int(a), Value::Int(b)) => a == b,
            (Self::UInt(a), Value::UInt(b)) => a == b,
            (Self::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Value::Text(b)) => a == b,
            (Self::Bytes(a), Value::Bytes(b)) => a == b,
            (Self::Uuid(a), Value::Uuid(b)) => a == b,
            (Self::Decimal(a), Value::Decimal(b)) => a == b,
            (Self::Date(a), Value::Date(b)) => a == b,
            (Self::Time(a), Value::Time(b)) => a == b,
            (Self::DateTime(a), Value::DateTime(b)) => a == b,
            (Self::Timestamp(a), Value::Timestamp(b)) => a == b,
            (Self::Json(a), Value::Json(b)) | (Self::Invalid(a), Value::Invalid(b)) => a == b,
            (Self::PendingKey(a), Value::PendingKey(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value<'_> {}

impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Bool(v) => v.hash(state),
            Self::Int(v) => v.hash(state),
            Self::UInt(v) => v.hash(state),
            Self::Float(v) => v.to_bits().hash(state),
            Self::Double(v) => v.to_bits().hash(state),
            Self::Text(v) | Self::Decimal(v) | Self::Json(v) | Self::Invalid(v) => v.hash(state),
            Self::Bytes(v) => v.hash(state),
            Self::Uuid(v) => v.hash(state),
            Self::Date(v) => v.hash(state),
            Self::Time(v) => v.hash(state),
            Self::DateTime(v) => v.hash(state),
            Self::Timestamp(v) => v.hash(state),
            Self::PendingKey(v) => v.hash(state),
        }
    }
}

/// The value in plain words: for `Debug` of rows and for messages about keys.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(v) => v.fmt(f),
            Self::Int(v) => v.fmt(f),
            Self::UInt(v) => v.fmt(f),
            Self::Float(v) => v.fmt(f),
            Self::Double(v) => v.fmt(f),
            Self::Text(v) | Self::Decimal(v) | Self::Json(v) => f.write_str(v),
            Self::Bytes(v) => write!(f, "<{} bytes>", v.len()),
            Self::Uuid(v) => v.fmt(f),
            Self::Date(v) => v.fmt(f),
            Self::Time(v) => v.fmt(f),
            Self::DateTime(v) => v.fmt(f),
            Self::Timestamp(v) => v.fmt(f),
            Self::PendingKey(_) | Self::Invalid(_) => f.write_str(self.type_name()),
        }
    }
}
