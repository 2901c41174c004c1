//! A row of MariaDB or MySQL.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use uuid::Uuid;

use super::column::{Column, Field, Form, Kind, NULL};
use crate::engine::row::{out_of_range, unexpected_null, wrong_type};
use crate::error::{Error, ErrorKind, Result};

/// A row as it came over the wire. Statements without a binary form send all values as text, so that numbers and dates
/// are read from text too, where the column's type says that it is one.
pub(in crate::engine) struct MysqlRow<'a> {
    body: &'a [u8],
    fields: &'a [Field],
    columns: &'a [Column],
}

/// A value of a row.
enum Value<'a> {
    Null,
    Int(i64),
    UInt(u64),
    Float(f32),
    Double(f64),
    /// The year, month, day, hour, minute, second and microseconds.
    Date(u16, u8, u8, u8, u8, u8, u32),
    /// Whether it is negative, the days, hours, minutes, seconds and microseconds.
    Time(bool, u32, u8, u8, u8, u32),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The value in these bytes, whose number its form has settled.
    #[inline]
    fn read(column: Column, bytes: &'a [u8]) -> Option<Self> {
        let integer =
            |signed: i64, unsigned: u64| if column.unsigned { Self::UInt(unsigned) } else { Self::Int(signed) };
        Some(match column.form {
            Form::Bytes => Self::Bytes(bytes),
            Form::Long => {
                let bytes = bytes.try_into().ok()?;
                integer(i32::from_le_bytes(bytes).into(), u32::from_le_bytes(bytes).into())
            }
            Form::LongLong => {
                let bytes = bytes.try_into().ok()?;
                integer(i64::from_le_bytes(bytes), u64::from_le_bytes(bytes))
            }
            Form::Short => {
                let bytes = bytes.try_into().ok()?;
                integer(i16::from_le_bytes(bytes).into(), u16::from_le_bytes(bytes).into())
            }
            Form::Byte => {
                let bytes = bytes.try_into().ok()?;
                integer(i8::from_le_bytes(bytes).into(), u8::from_le_bytes(bytes).into())
            }
            Form::Float => Self::Float(f32::from_le_bytes(bytes.try_into().ok()?)),
            Form::Double => Self::Double(f64::from_le_bytes(bytes.try_into().ok()?)),
            Form::Date => Self::date(bytes)?,
            Form::Time => Self::time(bytes)?,
        })
    }

    /// What is zero at the end of a date and time is left out.
    fn date(bytes: &[u8]) -> Option<Self> {
        let mut all = [0; 11];
        all.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let [a, b, month, day, hour, minute, second, micros @ ..] = all;
        Some(Self::Date(u16::from_le_bytes([a, b]), month, day, hour, minute, second, u32::from_le_bytes(micros)))
    }

    fn time(bytes: &[u8]) -> Option<Self> {
        let mut all = [0; 12];
        all.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let [sign, a, b, c, d, hour, minute, second, micros @ ..] = all;
        let days = u32::from_le_bytes([a, b, c, d]);
        Some(Self::Time(sign != 0, days, hour, minute, second, u32::from_le_bytes(micros)))
    }
}

impl<'a> MysqlRow<'a> {
    /// The row whose values were found by [`split_binary`](super::column::split_binary).
    #[inline]
    pub(super) fn new(body: &'a [u8], fields: &'a [Field], columns: &'a [Column]) -> Self {
        Self { body, fields, columns }
    }

    /// The value; NULL where the row has no such column.
    #[inline]
    fn value(&self, index: usize) -> Value<'a> {
        let (Some(&field), Some(&column)) = (self.fields.get(index), self.columns.get(index)) else {
            return Value::Null;
        };
        if field == NULL {
            return Value::Null;
        }
        let bytes = self.body.get(field.0 as usize..field.1 as usize).unwrap_or_default();
        // Of another length than its form a value is none of its type.
        Value::read(column, bytes).unwrap_or(Value::Bytes(bytes))
    }

    #[inline]
    fn kind(&self, index: usize) -> Kind {
        self.columns.get(index).map_or(Kind::Null, |column| column.kind)
    }

    #[inline]
    pub(in crate::engine) fn is_null(&self, index: usize) -> bool {
        matches!(self.fields.get(index), Some(&NULL) | None)
    }

    #[inline]
    pub(in crate::engine) fn integer(&self, index: usize) -> Result<i64> {
        match self.value(index) {
            Value::Int(value) => Ok(value),
            Value::UInt(value) => i64::try_from(value).map_err(|_| too_large(index, value)),
            value => self.integer_of_text(&value, index),
        }
    }

    /// An integer in digits: a sum of integers is a decimal number.
    fn integer_of_text(&self, value: &Value<'_>, index: usize) -> Result<i64> {
        match (value, self.kind(index)) {
            (Value::Bytes(bytes), Kind::Integer | Kind::Decimal) => match whole::<i64>(bytes) {
                Some(value) => Ok(value),
                None => Err(malformed(index, "an integer of 64 bits")),
            },
            _ => Err(self.mismatch(index, "an integer")),
        }
    }

    #[inline]
    pub(in crate::engine) fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        match self.value(index) {
            Value::Int(value) => Ok(Some(value)),
            Value::Null if index < self.len() => Ok(None),
            _ => self.integer(index).map(Some),
        }
    }

    #[inline]
    pub(in crate::engine) fn optional_text(&self, index: usize) -> Result<Option<&str>> {
        match self.value(index) {
            Value::Null if index < self.len() => Ok(None),
            _ => self.text(index).map(Some),
        }
    }

    pub(in crate::engine) fn unsigned(&self, index: usize) -> Result<u64> {
        match (self.value(index), self.kind(index)) {
            (Value::UInt(value), _) => Ok(value),
            (Value::Int(value), _) => u64::try_from(value).map_err(|_| out_of_range(index, value, "u64")),
            (Value::Bytes(bytes), Kind::Integer | Kind::Decimal) => {
                whole::<u64>(bytes).ok_or_else(|| malformed(index, "an unsigned integer of 64 bits"))
            }
            _ => Err(self.mismatch(index, "an integer")),
        }
    }

    pub(in crate::engine) fn boolean(&self, index: usize) -> Result<bool> {
        let value = match (self.value(index), self.kind(index)) {
            (Value::Int(value), _) => value,
            (Value::UInt(value), _) => i64::try_from(value).unwrap_or(i64::MAX),
            (Value::Bytes(bytes), Kind::Bits) => bytes.iter().fold(0, |all, byte| all << 8 | i64::from(*byte)),
            (Value::Bytes(bytes), Kind::Integer) => whole(bytes).unwrap_or(i64::MAX),
            _ => return Err(self.mismatch(index, "a boolean (0 or 1)")),
        };
        match value {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(malformed(index, "a boolean: the integer is neither 0 nor 1")),
        }
    }

    pub(in crate::engine) fn double(&self, index: usize) -> Result<f64> {
        match (self.value(index), self.kind(index)) {
            (Value::Double(value), _) => Ok(value),
            (Value::Float(value), _) => Ok(f64::from(value)),
            (Value::Int(value), _) => Ok(value as f64),
            (Value::UInt(value), _) => Ok(value as f64),
            (Value::Bytes(bytes), Kind::Decimal | Kind::Float | Kind::Integer) => {
                parse(bytes).ok_or_else(|| malformed(index, "a float"))
            }
            _ => Err(self.mismatch(index, "a float")),
        }
    }

    #[inline]
    pub(in crate::engine) fn text(&self, index: usize) -> Result<&str> {
        match (self.value(index), self.kind(index)) {
            (Value::Bytes(bytes), Kind::Text | Kind::Json) => utf8(bytes, index),
            _ => Err(self.mismatch(index, "text")),
        }
    }

    /// Bytes; those of a text too.
    #[inline]
    pub(in crate::engine) fn bytes(&self, index: usize) -> Result<&[u8]> {
        match (self.value(index), self.kind(index)) {
            (Value::Bytes(bytes), Kind::Bytes | Kind::Text | Kind::Json | Kind::Bits) => Ok(bytes),
            _ => Err(self.mismatch(index, "bytes")),
        }
    }

    /// A UUID: MariaDB's own type and text have it hyphenated or not, and bytes are its 16 bytes.
    pub(in crate::engine) fn uuid(&self, index: usize) -> Result<Uuid> {
        match (self.value(index), self.kind(index)) {
            (Value::Bytes(bytes), Kind::Text | Kind::Bytes) => {
                let uuid = match bytes.len() {
                    32 | 36 => Uuid::try_parse_ascii(bytes).ok(),
                    16 => Uuid::from_slice(bytes).ok(),
                    _ => None,
                };
                uuid.ok_or_else(|| malformed(index, "a UUID"))
            }
            _ => Err(self.mismatch(index, "a UUID")),
        }
    }

    pub(in crate::engine) fn decimal(&self, index: usize) -> Result<Cow<'_, str>> {
        match (self.value(index), self.kind(index)) {
            (Value::Bytes(bytes), Kind::Decimal | Kind::Integer) => utf8(bytes, index).map(Cow::Borrowed),
            (Value::Int(value), _) => Ok(Cow::Owned(value.to_string())),
            (Value::UInt(value), _) => Ok(Cow::Owned(value.to_string())),
            (Value::Double(value), _) if value.is_finite() => Ok(Cow::Owned(value.to_string())),
            (Value::Float(value), _) if value.is_finite() => Ok(Cow::Owned(value.to_string())),
            (Value::Bytes(bytes), Kind::Text) if is_decimal(bytes) => utf8(bytes, index).map(Cow::Borrowed),
            (Value::Bytes(_), Kind::Text) => Err(malformed(index, "a decimal number")),
            _ => Err(self.mismatch(index, "a decimal number")),
        }
    }

    pub(in crate::engine) fn date(&self, index: usize) -> Result<Date> {
        let read = match (self.value(index), self.kind(index)) {
            (Value::Date(year, month, day, ..), Kind::Date) => date(year, month, day),
            (Value::Bytes(bytes), Kind::Date | Kind::Text) => parse(bytes),
            _ => return Err(self.mismatch(index, "a date")),
        };
        read.ok_or_else(|| malformed(index, "a date (`YYYY-MM-DD`)"))
    }

    pub(in crate::engine) fn time(&self, index: usize) -> Result<Time> {
        let read = match (self.value(index), self.kind(index)) {
            (Value::Time(false, 0, hour, minute, second, micros), _) => time(hour, minute, second, micros),
            (Value::Time(..), _) => None,
            (Value::Bytes(bytes), Kind::Time | Kind::Text) => parse(bytes),
            _ => return Err(self.mismatch(index, "a time")),
        };
        read.ok_or_else(|| malformed(index, "a time of day (`HH:MM:SS.ffffff`, from 00:00:00 to 23:59:59.999999)"))
    }

    pub(in crate::engine) fn datetime(&self, index: usize) -> Result<DateTime> {
        let read = match (self.value(index), self.kind(index)) {
            (Value::Date(year, month, day, hour, minute, second, micros), _) => {
                date(year, month, day).and_then(|date| Some(date.to_datetime(time(hour, minute, second, micros)?)))
            }
            (Value::Bytes(bytes), Kind::DateTime | Kind::Date | Kind::Text) => parse(bytes),
            _ => return Err(self.mismatch(index, "a date and time")),
        };
        read.ok_or_else(|| malformed(index, "a date and time (`YYYY-MM-DD HH:MM:SS.ffffff`)"))
    }

    /// An instant: dates and times are in UTC, and the session's zone is UTC.
    pub(in crate::engine) fn timestamp(&self, index: usize) -> Result<Timestamp> {
        let datetime = match (self.value(index), self.kind(index)) {
            (Value::Date(..), _) | (Value::Bytes(_), Kind::DateTime | Kind::Date | Kind::Text) => {
                self.datetime(index)?
            }
            _ => return Err(self.mismatch(index, "a timestamp")),
        };
        Offset::UTC.to_timestamp(datetime).map_err(|_| malformed(index, "a timestamp that jiff can hold"))
    }

    /// A JSON document: MariaDB keeps it as text, MySQL as a type of its own.
    pub(in crate::engine) fn json(&self, index: usize) -> Result<&str> {
        match (self.value(index), self.kind(index)) {
            (Value::Bytes(bytes), Kind::Json | Kind::Text) => utf8(bytes, index),
            _ => Err(self.mismatch(index, "JSON")),
        }
    }

    pub(in crate::engine) fn len(&self) -> usize {
        self.columns.len()
    }

    #[cold]
    fn mismatch(&self, index: usize, expected: &str) -> Error {
        if index >= self.len() {
            return Error::new(
                ErrorKind::Decode,
                format!("the row has {} columns, and none at position {index}", self.len()),
            )
            .with_position(index);
        }
        match self.value(index) {
            Value::Null => unexpected_null(index),
            _ => wrong_type(index, expected, self.kind(index).name()),
        }
    }
}

fn date(year: u16, month: u8, day: u8) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn time(hour: u8, minute: u8, second: u8, micros: u32) -> Option<Time> {
    let nanos = i32::try_from(micros).ok()?.checked_mul(1000)?;
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, nanos).ok()
}

/// A value of a type that reads itself from text.
fn parse<T: FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// An integer in decimal digits; a fraction may follow if it is zero.
fn whole<T: FromStr>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().any(|digit| digit != b'0') {
        return None;
    }
    // The negative zero of a sum is an unsigned zero too.
    if whole == "-0" { "0".parse().ok() } else { whole.parse().ok() }
}

/// Whether text is digits, with a sign and a point at most.
fn is_decimal(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").or(bytes.strip_prefix(b"+")).unwrap_or(bytes);
    digits.iter().any(u8::is_ascii_digit)
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && digits.iter().filter(|byte| **byte == b'.').count() <= 1
}

#[inline]
fn utf8(bytes: &[u8], index: usize) -> Result<&str> {
    std::str::from_utf8(bytes)
        .map_err(|_| Error::new(ErrorKind::Decode, "the text is not UTF-8; read it as bytes").with_position(index))
}

#[cold]
fn malformed(index: usize, expected: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the value is not {expected}")).with_position(index)
}

#[cold]
fn too_large(index: usize, value: u64) -> Error {
    Error::new(ErrorKind::Decode, format!("{value} is out of range for `i64`")).with_position(index)
}
