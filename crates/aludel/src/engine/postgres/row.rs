//! A row of PostgreSQL.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

use super::numeric::{self, Number};
use super::temporal;
use super::types::Type;
use crate::engine::row::{out_of_range, unexpected_null, wrong_type};
use crate::error::{Error, ErrorKind, Result};

/// A value's place in its row: none for NULL.
pub(super) type Field = Option<(u32, u32)>;

/// A row in the buffer of its connection.
pub(crate) struct PgRow<'a> {
    body: &'a [u8],
    fields: &'a [Field],
    types: &'a [Type],
}

/// Finds the values of a DataRow; whether it is one, of as many columns as the statement has.
#[inline]
pub(super) fn split(body: &[u8], columns: usize, fields: &mut Vec<Field>) -> bool {
    fields.clear();
    let Some((&count, mut rest)) = body.split_first_chunk::<2>() else { return false };
    let count = usize::from(u16::from_be_bytes(count));
    for _ in 0..count {
        let Some((&length, after)) = rest.split_first_chunk::<4>() else { return false };
        let start = (body.len() - after.len()) as u32;
        match u32::try_from(i32::from_be_bytes(length)) {
            Ok(length) => {
                let Some(after) = after.get(length as usize..) else { return false };
                fields.push(Some((start, length)));
                rest = after;
            }
            Err(_) => {
                fields.push(None);
                rest = after;
            }
        }
    }
    count == columns
}

impl<'a> PgRow<'a> {
    /// The row whose values were found with [`split`].
    #[inline]
    pub(super) fn new(body: &'a [u8], fields: &'a [Field], types: &'a [Type]) -> Self {
        Self { body, fields, types }
    }

    /// The value at a position and its type.
    #[inline]
    fn value(&self, index: usize) -> Result<(Type, &'a [u8])> {
        match self.optional(index)? {
            Some(value) => Ok(value),
            None => Err(unexpected_null(index)),
        }
    }

    #[inline]
    fn optional(&self, index: usize) -> Result<Option<(Type, &'a [u8])>> {
        match (self.fields.get(index), self.types.get(index)) {
            (Some(&Some((start, length))), Some(&kind)) => {
                let bytes = self.body.get(start as usize..start as usize + length as usize).unwrap_or_default();
                Ok(Some((kind, bytes)))
            }
            (Some(None), _) => Ok(None),
            _ => Err(self.no_column(index)),
        }
    }

    #[inline]
    pub(crate) fn is_null(&self, index: usize) -> bool {
        matches!(self.fields.get(index), Some(None) | None)
    }

    #[inline]
    pub(crate) fn integer(&self, index: usize) -> Result<i64> {
        let (kind, bytes) = self.value(index)?;
        integer(index, kind, bytes)
    }

    #[inline]
    pub(crate) fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        match self.optional(index)? {
            Some((kind, bytes)) => integer(index, kind, bytes).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    pub(crate) fn optional_text(&self, index: usize) -> Result<Option<&str>> {
        match self.optional(index)? {
            Some((kind, bytes)) => text(index, kind, bytes).map(Some),
            None => Ok(None),
        }
    }

    /// An unsigned integer; a NUMERIC holds those that a BIGINT cannot.
    #[inline]
    pub(crate) fn unsigned(&self, index: usize) -> Result<u64> {
        let (kind, bytes) = self.value(index)?;
        if kind == Type::Numeric
            && let Some(Number::Finite(number)) = numeric::read(bytes)
            && let Ok(value) = number.text().parse()
        {
            return Ok(value);
        }
        let value = integer(index, kind, bytes)?;
        u64::try_from(value).map_err(|_| out_of_range(index, value, "u64"))
    }

    #[inline]
    pub(crate) fn boolean(&self, index: usize) -> Result<bool> {
        match self.value(index)? {
            (Type::Bool, [value]) => Ok(*value != 0),
            (kind, _) => Err(wrong_type(index, "a boolean", kind.described())),
        }
    }

    #[inline]
    pub(crate) fn double(&self, index: usize) -> Result<f64> {
        match self.value(index)? {
            (Type::Float8, bytes) => fixed(index, bytes).map(f64::from_be_bytes),
            (Type::Float4, bytes) => fixed(index, bytes).map(|bytes| f64::from(f32::from_be_bytes(bytes))),
            (Type::Numeric, bytes) => match numeric::read(bytes) {
                Some(Number::Finite(number)) => number.text().parse().map_err(|_| malformed(index, "a float")),
                Some(Number::Nan) => Ok(f64::NAN),
                Some(Number::Infinite { negative }) => Ok(if negative { f64::NEG_INFINITY } else { f64::INFINITY }),
                None => Err(malformed(index, "a decimal number")),
            },
            (kind @ (Type::Int2 | Type::Int4 | Type::Int8), bytes) => {
                integer(index, kind, bytes).map(|value| value as f64)
            }
            (kind, _) => Err(wrong_type(index, "a float", kind.described())),
        }
    }

    /// Text; of the types that this library does not know, the form that PostgreSQL writes.
    #[inline]
    pub(crate) fn text(&self, index: usize) -> Result<&str> {
        let (kind, bytes) = self.value(index)?;
        text(index, kind, bytes)
    }

    /// Bytes; those of a text too.
    #[inline]
    pub(crate) fn bytes(&self, index: usize) -> Result<&[u8]> {
        match self.value(index)? {
            (Type::Bytea | Type::Text | Type::Other, bytes) => Ok(bytes),
            (kind, _) => Err(wrong_type(index, "bytes", kind.described())),
        }
    }

    /// A UUID; of a text too, hyphenated or not.
    pub(crate) fn uuid(&self, index: usize) -> Result<Uuid> {
        match self.value(index)? {
            (Type::Uuid, bytes) => fixed(index, bytes).map(Uuid::from_bytes),
            (Type::Text, bytes) => {
                // Uuid reads braces and URNs too; the database holds none of these.
                let uuid = matches!(bytes.len(), 32 | 36).then(|| Uuid::try_parse_ascii(bytes).ok()).flatten();
                uuid.ok_or_else(|| malformed(index, "a UUID"))
            }
            (kind, _) => Err(wrong_type(index, "a UUID", kind.described())),
        }
    }

    pub(crate) fn decimal(&self, index: usize) -> Result<Cow<'_, str>> {
        match self.value(index)? {
            (Type::Numeric, bytes) => match numeric::read(bytes) {
                Some(Number::Finite(number)) => Ok(Cow::Owned(number.text())),
                Some(Number::Nan) => Err(malformed(index, "a decimal number: it is NaN")),
                Some(Number::Infinite { .. }) => Err(malformed(index, "a decimal number: it is infinite")),
                None => Err(malformed(index, "a decimal number")),
            },
            (kind @ (Type::Int2 | Type::Int4 | Type::Int8), bytes) => {
                integer(index, kind, bytes).map(|value| Cow::Owned(value.to_string()))
            }
            (kind, _) => Err(wrong_type(index, "a decimal number", kind.described())),
        }
    }

    pub(crate) fn date(&self, index: usize) -> Result<Date> {
        match self.value(index)? {
            (Type::Date, bytes) => match fixed(index, bytes).map(i32::from_be_bytes)? {
                i32::MIN | i32::MAX => Err(infinite(index)),
                days => temporal::date(days).ok_or_else(|| too_far(index)),
            },
            (kind, _) => Err(wrong_type(index, "a date", kind.described())),
        }
    }

    pub(crate) fn time(&self, index: usize) -> Result<Time> {
        match self.value(index)? {
            (Type::Time, bytes) => {
                let micros = fixed(index, bytes).map(i64::from_be_bytes)?;
                temporal::time(micros).ok_or_else(|| malformed(index, "a time of day: it is 24:00"))
            }
            (kind, _) => Err(wrong_type(index, "a time", kind.described())),
        }
    }

    pub(crate) fn datetime(&self, index: usize) -> Result<DateTime> {
        match self.value(index)? {
            (Type::Timestamp, bytes) => match fixed(index, bytes).map(i64::from_be_bytes)? {
                i64::MIN | i64::MAX => Err(infinite(index)),
                micros => temporal::datetime(micros).ok_or_else(|| too_far(index)),
            },
            (kind, _) => Err(wrong_type(index, "a date and time without a zone", kind.described())),
        }
    }

    pub(crate) fn timestamp(&self, index: usize) -> Result<Timestamp> {
        match self.value(index)? {
            (Type::Timestamptz, bytes) => match fixed(index, bytes).map(i64::from_be_bytes)? {
                i64::MIN | i64::MAX => Err(infinite(index)),
                micros => temporal::timestamp(micros).ok_or_else(|| too_far(index)),
            },
            (kind, _) => Err(wrong_type(index, "a timestamp", kind.described())),
        }
    }

    /// A JSON document; of a text too.
    pub(crate) fn json(&self, index: usize) -> Result<&str> {
        match self.value(index)? {
            // The form's version goes first.
            (Type::Jsonb, [1, bytes @ ..]) | (Type::Json | Type::Text, bytes) => utf8(index, bytes),
            (Type::Jsonb, _) => Err(malformed(index, "JSON of a form that is known")),
            (kind, _) => Err(wrong_type(index, "JSON", kind.described())),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    #[cold]
    fn no_column(&self, index: usize) -> Error {
        Error::new(ErrorKind::Decode, format!("the row has {} columns, and none at position {index}", self.len()))
            .with_position(index)
    }
}

#[inline]
fn integer(index: usize, kind: Type, bytes: &[u8]) -> Result<i64> {
    match kind {
        Type::Int8 => fixed(index, bytes).map(i64::from_be_bytes),
        Type::Int4 => fixed(index, bytes).map(|bytes| i32::from_be_bytes(bytes).into()),
        Type::Int2 => fixed(index, bytes).map(|bytes| i16::from_be_bytes(bytes).into()),
        Type::Oid => fixed(index, bytes).map(|bytes| u32::from_be_bytes(bytes).into()),
        // The sum of a BIGINT is one.
        Type::Numeric => match numeric::read(bytes) {
            Some(Number::Finite(number)) => number.integer().ok_or_else(|| malformed(index, "an integer of 64 bits")),
            _ => Err(malformed(index, "an integer of 64 bits")),
        },
        kind => Err(wrong_type(index, "an integer", kind.described())),
    }
}

#[inline]
fn text(index: usize, kind: Type, bytes: &[u8]) -> Result<&str> {
    match kind {
        Type::Text | Type::Other => utf8(index, bytes),
        kind => Err(wrong_type(index, "text", kind.described())),
    }
}

#[inline]
fn utf8(index: usize, bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes)
        .map_err(|_| Error::new(ErrorKind::Decode, "the text is not UTF-8; read it as bytes").with_position(index))
}

#[inline]
fn fixed<const N: usize>(index: usize, bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| malformed(index, "of the length that its type has"))
}

#[cold]
fn malformed(index: usize, expected: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the value is not {expected}")).with_position(index)
}

#[cold]
fn infinite(index: usize) -> Error {
    Error::new(ErrorKind::Decode, "the value is infinity, and the Rust type has no such date").with_position(index)
}

#[cold]
fn too_far(index: usize) -> Error {
    Error::new(ErrorKind::Decode, "the date lies beyond the years -9999 and 9999, which the Rust type can hold")
        .with_position(index)
}
