//! Values on their way into a statement.

use jiff::civil::{DateTime, Time};
use jiff::tz::Offset;
use mysql_common::constants::ColumnType;

use super::words::write_text;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// The flag of a type whose numbers have no sign.
const UNSIGNED: u8 = 0x80;

/// Writes the values of a statement: which are NULL, their types, and then themselves.
///
/// # Errors
/// `Decode` for a value that the server cannot hold, with its position.
pub(super) fn write(params: &[Value<'_>], out: &mut Vec<u8>) -> Result<()> {
    let nulls = out.len();
    out.resize(nulls + params.len().div_ceil(8), 0);
    // The types follow.
    out.push(1);
    for (index, param) in params.iter().enumerate() {
        if matches!(param, Value::Null) {
            out[nulls + index / 8] |= 1 << (index % 8);
        }
        let (kind, flags) = kind(param);
        out.extend_from_slice(&[kind as u8, flags]);
    }
    for (index, param) in params.iter().enumerate() {
        value(param, out).map_err(|error| error.with_parameter(index + 1))?;
    }
    Ok(())
}

fn kind(value: &Value<'_>) -> (ColumnType, u8) {
    match value {
        Value::Null => (ColumnType::MYSQL_TYPE_NULL, 0),
        Value::Bool(_) | Value::Int(_) => (ColumnType::MYSQL_TYPE_LONGLONG, 0),
        Value::UInt(_) => (ColumnType::MYSQL_TYPE_LONGLONG, UNSIGNED),
        Value::Float(_) => (ColumnType::MYSQL_TYPE_FLOAT, 0),
        Value::Double(_) => (ColumnType::MYSQL_TYPE_DOUBLE, 0),
        Value::Time(_) => (ColumnType::MYSQL_TYPE_TIME, 0),
        Value::Date(_) | Value::DateTime(_) | Value::Timestamp(_) => (ColumnType::MYSQL_TYPE_DATETIME, 0),
        _ => (ColumnType::MYSQL_TYPE_VAR_STRING, 0),
    }
}

fn value(value: &Value<'_>, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Null => {}
        Value::Bool(v) => out.extend_from_slice(&i64::from(*v).to_le_bytes()),
        Value::Int(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::UInt(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::Float(v) if v.is_finite() => out.extend_from_slice(&v.to_le_bytes()),
        Value::Double(v) if v.is_finite() => out.extend_from_slice(&v.to_le_bytes()),
        Value::Float(_) | Value::Double(_) => return Err(not_finite()),
        // A decimal goes as text, which the protocol has for it in the other direction too.
        Value::Text(v) | Value::Json(v) | Value::Decimal(v) => write_text(v.as_bytes(), out),
        Value::Bytes(v) => write_text(v, out),
        Value::Uuid(v) => {
            let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
            write_text(v.hyphenated().encode_lower(&mut buffer).as_bytes(), out);
        }
        Value::Date(v) => datetime(v.to_datetime(Time::midnight()), out)?,
        Value::Time(v) => time(*v, out),
        Value::DateTime(v) => datetime(*v, out)?,
        Value::Timestamp(v) => datetime(Offset::UTC.to_datetime(*v), out)?,
        Value::PendingKey(_) => return Err(Error::new(ErrorKind::InvalidStatement, NO_KEY)),
        Value::Invalid(reason) => return Err(Error::new(ErrorKind::Decode, reason.to_string())),
    }
    Ok(())
}

/// The session replaces such values before it sends a statement.
const NO_KEY: &str = "the key of a row that is not in the database yet";

/// A date and time, with whole microseconds: the server has no finer ones. What is zero at its end is left out.
fn datetime(v: DateTime, out: &mut Vec<u8>) -> Result<()> {
    let year = u16::try_from(v.year()).map_err(|_| before_the_common_era())?;
    let [month, day] = [v.month(), v.day()].map(i8::unsigned_abs);
    let (clock, micros) = clock(v.time());
    let length = if micros > 0 {
        11
    } else if clock != [0; 3] {
        7
    } else {
        4
    };
    let start = out.len() + 1;
    out.push(length);
    out.extend_from_slice(&year.to_le_bytes());
    out.extend_from_slice(&[month, day]);
    out.extend_from_slice(&clock);
    out.extend_from_slice(&micros.to_le_bytes());
    out.truncate(start + usize::from(length));
    Ok(())
}

fn time(v: Time, out: &mut Vec<u8>) {
    let (clock, micros) = clock(v);
    let length = if micros > 0 { 12 } else { 8 };
    let start = out.len() + 1;
    out.push(length);
    // The sign, and no days.
    out.extend_from_slice(&[0; 5]);
    out.extend_from_slice(&clock);
    out.extend_from_slice(&micros.to_le_bytes());
    out.truncate(start + usize::from(length));
}

/// The hour, minute and second, and the microseconds.
fn clock(v: Time) -> ([u8; 3], u32) {
    ([v.hour(), v.minute(), v.second()].map(i8::unsigned_abs), v.subsec_nanosecond().unsigned_abs() / 1000)
}

#[cold]
fn not_finite() -> Error {
    Error::new(ErrorKind::Decode, "MariaDB and MySQL store neither NaN nor infinity; use an Option and None")
}

#[cold]
fn before_the_common_era() -> Error {
    Error::new(ErrorKind::Decode, "MariaDB and MySQL store no dates before the year 0")
}
