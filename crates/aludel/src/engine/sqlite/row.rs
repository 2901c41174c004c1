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

    /// SQLite's type of the value; NULL where the row has no such column.
    #[inline]
    fn kind(&self, index: usize) -> c_int {
        // SAFETY: the statement is valid; SQLite checks the position itself.
        unsafe { ffi::sqlite3_column_type(self.raw, position(index)) }
    }

    #[inline]
    pub(crate) fn is_null(&self, index: usize) -> bool {
        self.kind(index) == ffi::SQLITE_NULL
    }

    #[inline]
    pub(crate) fn integer(&self, index: usize) -> Result<i64> {
        match self.kind(index) {
            ffi::SQLITE_INTEGER => Ok(self.raw_integer(index)),
            kind => Err(self.mismatch(index, "an integer", kind)),
        }
    }

    /// An integer or NULL, whose type SQLite is asked for once.
    #[inline]
    pub(crate) fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        match self.kind(index) {
            ffi::SQLITE_INTEGER => Ok(Some(self.raw_integer(index))),
            ffi::SQLITE_NULL => Ok(None),
            kind => Err(self.mismatch(index, "an integer", kind)),
        }
    }

    /// Text or NULL, whose type SQLite is asked for once.
    #[inline]
    pub(crate) fn optional_text(&self, index: usize) -> Result<Option<&str>> {
        match self.kind(index) {
            ffi::SQLITE_TEXT => self.raw_text(index).map(Some),
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
        match self.kind(index) {
            ffi::SQLITE_INTEGER => match self.raw_integer(index) {
                0 => Ok(false),
                1 => Ok(true),
                _ => Err(malformed(index, "a boolean: the integer is neither 0 nor 1")),
            },
            kind => Err(self.mismatch(index, "a boolean (0 or 1)", kind)),
        }
    }

    #[inline]
    pub(crate) fn double(&self, index: usize) -> Result<f64> {
        match self.kind(index) {
            ffi::SQLITE_FLOAT => Ok(self.raw_double(index)),
            ffi::SQLITE_INTEGER => Ok(self.raw_integer(index) as f64),
            kind => Err(self.mismatch(index, "a float", kind)),
        }
    }

    #[inline]
    pub(crate) fn text(&self, index: usize) -> Result<&str> {
        match self.kind(index) {
            ffi::SQLITE_TEXT => self.raw_text(index),
            kind => Err(self.mismatch(index, "text", kind)),
        }
    }

    /// Bytes; those of a text too.
    #[inline]
    pub(crate) fn bytes(&self, index: usize) -> Result<&[u8]> {
        match self.kind(index) {
            ffi::SQLITE_BLOB => self.raw_blob(index),
            ffi::SQLITE_TEXT => self.raw_text_bytes(index),
            kind => Err(self.mismatch(index, "bytes", kind)),
        }
    }

    /// A UUID: hyphenated or not, or its 16 bytes.
    pub(crate) fn uuid(&self, index: usize) -> Result<Uuid> {
        match self.kind(index) {
            ffi::SQLITE_TEXT => {
                let bytes = self.raw_text_bytes(index)?;
                // Uuid reads braces and URNs too; the database holds none of these.
                let uuid = matches!(bytes.len(), 32 | 36).then(|| Uuid::try_parse_ascii(bytes).ok()).flatten();
                uuid.ok_or_else(|| malformed(index, "a UUID"))
            }
            ffi::SQLITE_BLOB => {
                Uuid::from_slice(self.raw_blob(index)?).map_err(|_| malformed(index, "a UUID: it has not 16 bytes"))
            }
            kind => Err(self.mismatch(index, "a UUID", kind)),
        }
    }

    pub(crate) fn decimal(&self, index: usize) -> Result<Cow<'_, str>> {
        match self.kind(index) {
            ffi::SQLITE_INTEGER => Ok(Cow::Owned(self.raw_integer(index).to_string())),
            ffi::SQLITE_FLOAT => decimal::of_real(self.raw_double(index))
                .map(Cow::Owned)
                .ok_or_else(|| malformed(index, "a decimal number: it is infinite")),
            ffi::SQLITE_TEXT => {
                decimal::of_text(self.raw_text(index)?).ok_or_else(|| malformed(index, "a decimal number"))
            }
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
        match self.kind(index) {
            ffi::SQLITE_TEXT | ffi::SQLITE_INTEGER | ffi::SQLITE_FLOAT => self.raw_text(index),
            kind => Err(self.mismatch(index, "JSON", kind)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        // SAFETY: the statement is valid.
        usize::try_from(unsafe { ffi::sqlite3_data_count(self.raw) }).unwrap_or_default()
    }

    #[inline]
    fn temporal(&self, index: usize, expected: &str) -> Result<&str> {
        match self.kind(index) {
            ffi::SQLITE_TEXT => self.raw_text(index),
            kind => Err(self.mismatch(index, expected, kind)),
        }
    }

    #[inline]
    fn raw_integer(&self, index: usize) -> i64 {
        // SAFETY: the statement is valid; reading a number converts nothing in place.
        unsafe { ffi::sqlite3_column_int64(self.raw, position(index)) }
    }

    #[inline]
    fn raw_double(&self, index: usize) -> f64 {
        // SAFETY: as above.
        unsafe { ffi::sqlite3_column_double(self.raw, position(index)) }
    }

    #[inline]
    fn raw_text(&self, index: usize) -> Result<&str> {
        // SQLite stores what it was given as text, whatever it is.
        std::str::from_utf8(self.raw_text_bytes(index)?).map_err(|_| not_utf8(index))
    }

    #[inline]
    fn raw_text_bytes(&self, index: usize) -> Result<&[u8]> {
        // SAFETY: the statement is valid. The text stays where it is until the next step: the row borrows the
        // statement, and nothing here asks for another form of the same value. Asking for the text comes first, then
        // its length, as SQLite's manual wants it.
        unsafe {
            let start = ffi::sqlite3_column_text(self.raw, position(index));
            let length = ffi::sqlite3_column_bytes(self.raw, position(index));
            slice_of(start, length, index)
        }
    }

    #[inline]
    fn raw_blob(&self, index: usize) -> Result<&[u8]> {
        // SAFETY: as for text.
        unsafe {
            let start = ffi::sqlite3_column_blob(self.raw, position(index));
            let length = ffi::sqlite3_column_bytes(self.raw, position(index));
            slice_of(start.cast(), length, index)
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
