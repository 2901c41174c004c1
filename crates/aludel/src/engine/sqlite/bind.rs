//! Values on their way into a statement.

use std::ffi::{c_char, c_int};

use libsqlite3_sys as ffi;

use super::decimal::{self, Number};
use super::statement::Statement;
use super::temporal::Text;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// Whether text and bytes stay where they are while the statement runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// They do: SQLite reads them in place.
    Borrowed,
    /// They may go: SQLite copies them.
    Copied,
}

/// Binds one value at a position counted from 0; whether SQLite now points at the caller's memory.
///
/// # Safety
/// With `Lifetime::Borrowed` the value outlives the execution.
#[inline]
pub(super) unsafe fn value(statement: &Statement, index: usize, value: &Value<'_>, lifetime: Lifetime) -> Result<bool> {
    // The count of placeholders is an `int` of SQLite's, and was compared with the count of values.
    let place = index as c_int + 1;
    let raw = statement.as_ptr();
    let mut borrows = false;
    // SAFETY: the statement is valid and reset, the place is one of its placeholders; text lives as promised.
    let code = unsafe {
        match value {
            Value::Null => ffi::sqlite3_bind_null(raw, place),
            Value::Bool(v) => ffi::sqlite3_bind_int(raw, place, c_int::from(*v)),
            Value::Int(v) => ffi::sqlite3_bind_int64(raw, place, *v),
            Value::UInt(v) => match i64::try_from(*v) {
                Ok(v) => ffi::sqlite3_bind_int64(raw, place, v),
                Err(_) => return Err(too_large(place)),
            },
            Value::Float(v) => double(raw, place, f64::from(*v))?,
            Value::Double(v) => double(raw, place, *v)?,
            Value::Text(v) | Value::Json(v) => {
                borrows = lifetime == Lifetime::Borrowed;
                text(raw, place, v.as_bytes(), lifetime)
            }
            Value::Bytes(v) => {
                borrows = lifetime == Lifetime::Borrowed;
                ffi::sqlite3_bind_blob64(raw, place, v.as_ptr().cast(), v.len() as u64, destructor(lifetime))
            }
            Value::Uuid(v) => {
                let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
                let encoded = v.hyphenated().encode_lower(&mut buffer);
                text(raw, place, encoded.as_bytes(), Lifetime::Copied)
            }
            Value::Decimal(v) => match decimal::number(v).map_err(|error| at(error, place))? {
                Number::Integer(v) => ffi::sqlite3_bind_int64(raw, place, v),
                Number::Real(v) => ffi::sqlite3_bind_double(raw, place, v),
            },
            Value::Date(v) => text(raw, place, Text::date(*v).as_bytes(), Lifetime::Copied),
            Value::Time(v) => text(raw, place, Text::time(*v).as_bytes(), Lifetime::Copied),
            Value::DateTime(v) => text(raw, place, Text::datetime(*v).as_bytes(), Lifetime::Copied),
            Value::Timestamp(v) => text(raw, place, Text::timestamp(*v).as_bytes(), Lifetime::Copied),
            Value::PendingKey(_) => return Err(at(Error::new(ErrorKind::InvalidStatement, NO_KEY), place)),
            Value::Invalid(reason) => return Err(at(Error::new(ErrorKind::Decode, reason.to_string()), place)),
        }
    };
    if code == ffi::SQLITE_OK { Ok(borrows) } else { Err(at(statement.error(code), place)) }
}

/// # Safety
/// The statement is valid; with `Lifetime::Borrowed` the bytes outlive the execution.
#[inline]
unsafe fn text(raw: *mut ffi::sqlite3_stmt, place: c_int, bytes: &[u8], lifetime: Lifetime) -> c_int {
    let (start, length) = (bytes.as_ptr().cast::<c_char>(), bytes.len() as u64);
    // SAFETY: `length` bytes are readable, and live as long as promised or are copied now.
    unsafe { ffi::sqlite3_bind_text64(raw, place, start, length, destructor(lifetime), ffi::SQLITE_UTF8 as u8) }
}

/// # Safety
/// The statement is valid.
#[inline]
unsafe fn double(raw: *mut ffi::sqlite3_stmt, place: c_int, value: f64) -> Result<c_int> {
    if value.is_nan() {
        return Err(not_a_number(place));
    }
    // SAFETY: the statement is valid.
    Ok(unsafe { ffi::sqlite3_bind_double(raw, place, value) })
}

#[inline]
fn destructor(lifetime: Lifetime) -> ffi::sqlite3_destructor_type {
    match lifetime {
        Lifetime::Borrowed => ffi::SQLITE_STATIC(),
        Lifetime::Copied => ffi::SQLITE_TRANSIENT(),
    }
}

/// The session replaces such values before it sends a statement.
const NO_KEY: &str = "the key of a row that is not in the database yet";

#[cold]
fn at(error: Error, place: c_int) -> Error {
    error.with_parameter(place.unsigned_abs() as usize)
}

#[cold]
fn too_large(place: c_int) -> Error {
    at(
        Error::new(ErrorKind::Decode, format!("the integer is above {}, the largest that SQLite can store", i64::MAX)),
        place,
    )
}

#[cold]
fn not_a_number(place: c_int) -> Error {
    at(Error::new(ErrorKind::Decode, "SQLite cannot store NaN, it would become NULL; use an Option and None"), place)
}
