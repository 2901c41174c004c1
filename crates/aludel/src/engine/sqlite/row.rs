//! A row of SQLite.

use std::borrow::Cow;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::slice;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use libsqlite3_sys as ffi;
use uuid::Uuid;

use super::statement::Statement;
use super::{decimal, temporal};
use crate::engine::row::{unexpected_null, wrong_type};
use crate::error::{Error, ErrorKind, Result};

/// The row that a statement stands on.
///
/// No method lets SQLite convert a value in place, except text from a number for JSON: a conversion may move a value
/// that was handed out before. A value of type TEXT is only ever asked for as text, a BLOB as a blob.
pub(crate) struct SqliteRow<'a> {
    raw: *mut ffi::sqlite3_stmt,
    statement: PhantomData<&'a Statement>,
}

impl<'a> SqliteRow<'a> {
    /// The row of a statement whose last step gave one. The statement is borrowed and not stepped meanwhile.
    #[inline]
    pub(super) fn new(statement: &'a Statement) -> Self {
        Self { raw: statement.as_ptr(), statement: PhantomData }
    }

    /// The value; NULL where the row has no such column.
    ///
    /// To look for it once is cheaper than to have each of `sqlite3_column_type`, `_text` and `_bytes` do so. SQLite calls
    /// such a value unprotected: it may be read where nobody else uses the connection, which the row's statement borrows.
    #[inline]
    fn value(&self, index: usize) -> SqliteValue<'_> {
        // SAFETY: the statement is valid; SQLite checks the position itself.
        SqliteValue { raw: unsafe { ffi::sqlite3_column_value(self.raw, position(index)) }, index, row: PhantomData }
    }

    #[inline]
    pub(crate) fn is_null(&self, index: usize) -> bool {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_column_type(self.raw, position(index)) == ffi::SQLITE_NULL }
    }

    #[inline]
    pub(crate) fn integer(&self, index: usize) -> Result<i64> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_INTEGER => Ok(value.integer()),
            kind => Err(self.mismatch(index, "an integer", kind)),
        }
    }

    /// An integer or NULL, whose type SQLite is asked for once.
    #[inline]
    pub(crate) fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_INTEGER => Ok(Some(value.integer())),
            ffi::SQLITE_NULL => Ok(None),
            kind => Err(self.mismatch(index, "an integer", kind)),
        }
    }

    /// Text or NULL, whose type SQLite is asked for once.
    #[inline]
    pub(crate) fn optional_text(&self, index: usize) -> Result<Option<&str>> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_TEXT => value.text().map(Some),
            ffi::SQLITE_NULL => Ok(None),
            kind => Err(self.mismatch(index, "text", kind)),
        }
    }

    #[inline]
    pub(crate) fn unsigned(&self, index: usize) -> Result<u64> {
        let value = self.integer(index)?;
        u64::try_from(value).map_err(|_| crate::engine::row::out_of_range(index, value, "u64"))
    }

    #[inline]
    pub(crate) fn boolean(&self, index: usize) -> Result<bool> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_INTEGER => match value.integer() {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(malformed(index, "a boolean: the integer is neither 0 nor 1")),
            },
            kind => Err(self.mismatch(index, "a boolean (0 or 1)", kind)),
        }
    }

    #[inline]
    pub(crate) fn double(&self, index: usize) -> Result<f64> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_FLOAT => Ok(value.double()),
            ffi::SQLITE_INTEGER => Ok(value.integer() as f64),
            kind => Err(self.mismatch(index, "a float", kind)),
        }
    }

    #[inline]
    pub(crate) fn text(&self, index: usize) -> Result<&str> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_TEXT => value.text(),
            kind => Err(self.mismatch(index, "text", kind)),
        }
    }

    /// Bytes; those of a text too.
    #[inline]
    pub(crate) fn bytes(&self, index: usize) -> Result<&[u8]> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_BLOB => value.blob(),
            ffi::SQLITE_TEXT => value.text_bytes(),
            kind => Err(self.mismatch(index, "bytes", kind)),
        }
    }

    /// A UUID: hyphenated or not, or its 16 bytes.
    pub(crate) fn uuid(&self, index: usize) -> Result<Uuid> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_TEXT => {
                let bytes = value.text_bytes()?;
                // Uuid reads braces and URNs too; the database holds none of these.
                let uuid = matches!(bytes.len(), 32 | 36).then(|| Uuid::try_parse_ascii(bytes).ok()).flatten();
                uuid.ok_or_else(|| malformed(index, "a UUID"))
            }
            ffi::SQLITE_BLOB => {
                Uuid::from_slice(value.blob()?).map_err(|_| malformed(index, "a UUID: it has not 16 bytes"))
            }
            kind => Err(self.mismatch(index, "a UUID", kind)),
        }
    }

    pub(crate) fn decimal(&self, index: usize) -> Result<Cow<'_, str>> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_INTEGER => Ok(Cow::Owned(value.integer().to_string())),
            ffi::SQLITE_FLOAT => decimal::of_real(value.double())
                .map(Cow::Owned)
                .ok_or_else(|| malformed(index, "a decimal number: it is infinite")),
            ffi::SQLITE_TEXT => decimal::of_text(value.text()?).ok_or_else(|| malformed(index, "a decimal number")),
            kind => Err(self.mismatch(index, "a decimal number", kind)),
        }
    }

    pub(crate) fn date(&self, index: usize) -> Result<Date> {
        let text = self.temporal(index, "a date")?;
        temporal::date(text).ok_or_else(|| malformed(index, "a date (`YYYY-MM-DD`)"))
    }

    pub(crate) fn time(&self, index: usize) -> Result<Time> {
        let text = self.temporal(index, "a time")?;
        temporal::time(text).ok_or_else(|| malformed(index, "a time (`HH:MM:SS.ffffff`)"))
    }

    pub(crate) fn datetime(&self, index: usize) -> Result<DateTime> {
        let text = self.temporal(index, "a date and time")?;
        temporal::datetime(text)
            .ok_or_else(|| malformed(index, "a date and time without a zone (`YYYY-MM-DD HH:MM:SS.ffffff`)"))
    }

    pub(crate) fn timestamp(&self, index: usize) -> Result<Timestamp> {
        let text = self.temporal(index, "a timestamp")?;
        temporal::timestamp(text).ok_or_else(|| malformed(index, "a timestamp (`YYYY-MM-DD HH:MM:SS.ffffff`, in UTC)"))
    }

    /// A JSON document. A column declared JSON has numeric affinity, so a document that is a number is stored as one.
    pub(crate) fn json(&self, index: usize) -> Result<&str> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_TEXT | ffi::SQLITE_INTEGER | ffi::SQLITE_FLOAT => value.text(),
            kind => Err(self.mismatch(index, "JSON", kind)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        // SAFETY: the statement is valid.
        usize::try_from(unsafe { ffi::sqlite3_data_count(self.raw) }).unwrap_or_default()
    }

    #[inline]
    fn temporal(&self, index: usize, expected: &str) -> Result<&str> {
        let value = self.value(index);
        match value.kind() {
            ffi::SQLITE_TEXT => value.text(),
            kind => Err(self.mismatch(index, expected, kind)),
        }
    }

    #[cold]
    fn mismatch(&self, index: usize, expected: &str, kind: c_int) -> Error {
        let found = match kind {
            ffi::SQLITE_NULL if index >= self.len() => {
                return Error::new(
                    ErrorKind::Decode,
                    format!("the row has {} columns, and none at position {index}", self.len()),
                )
                .with_position(index);
            }
            ffi::SQLITE_NULL => return unexpected_null(index),
            ffi::SQLITE_INTEGER => "an integer",
            ffi::SQLITE_FLOAT => "a float",
            ffi::SQLITE_TEXT => "text",
            _ => "bytes",
        };
        wrong_type(index, expected, found)
    }
}

/// A value of a row.
struct SqliteValue<'r> {
    raw: *mut ffi::sqlite3_value,
    /// Where it stands.
    index: usize,
    row: PhantomData<&'r Statement>,
}

impl<'r> SqliteValue<'r> {
    /// SQLite's type of it.
    #[inline]
    fn kind(&self) -> c_int {
        // SAFETY: the value is the row's, on which its statement stands.
        unsafe { ffi::sqlite3_value_type(self.raw) }
    }

    #[inline]
    fn integer(&self) -> i64 {
        // SAFETY: as above; reading a number converts nothing in place.
        unsafe { ffi::sqlite3_value_int64(self.raw) }
    }

    #[inline]
    fn double(&self) -> f64 {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_value_double(self.raw) }
    }

    #[inline]
    fn text(&self) -> Result<&'r str> {
        // SQLite stores what it was given as text, whatever it is.
        std::str::from_utf8(self.text_bytes()?).map_err(|_| not_utf8(self.index))
    }

    #[inline]
    fn text_bytes(&self) -> Result<&'r [u8]> {
        // SAFETY: as above. The text stays where it is until the next step: the row borrows the statement, and nothing
        // here asks for another form of the same value. Asking for the text comes first, then its length, as SQLite's
        // manual wants it.
        unsafe {
            let start = ffi::sqlite3_value_text(self.raw);
            let length = ffi::sqlite3_value_bytes(self.raw);
            slice_of(start, length, self.index)
        }
    }

    #[inline]
    fn blob(&self) -> Result<&'r [u8]> {
        // SAFETY: as for text.
        unsafe {
            let start = ffi::sqlite3_value_blob(self.raw);
            let length = ffi::sqlite3_value_bytes(self.raw);
            slice_of(start.cast(), length, self.index)
        }
    }
}

/// A position as SQLite counts it. One too large for it is past every row's end too.
#[inline]
fn position(index: usize) -> c_int {
    c_int::try_from(index).unwrap_or(c_int::MAX)
}

/// # Safety
/// `start` is null or has `length` bytes that stay for `'a`.
#[inline]
unsafe fn slice_of<'a>(start: *const u8, length: c_int, index: usize) -> Result<&'a [u8]> {
    let length = usize::try_from(length).unwrap_or_default();
    if !start.is_null() {
        // SAFETY: as promised by the caller.
        return Ok(unsafe { slice::from_raw_parts(start, length) });
    }
    if length == 0 {
        return Ok(&[]);
    }
    Err(Error::new(ErrorKind::Database, "SQLite ran out of memory").with_position(index))
}

#[cold]
fn malformed(index: usize, expected: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the value is not {expected}")).with_position(index)
}

#[cold]
fn not_utf8(index: usize) -> Error {
    Error::new(ErrorKind::Decode, "the text is not UTF-8; read it as bytes").with_position(index)
}
