//! A prepared statement.

use std::ffi::{c_char, c_int, c_uint};
use std::ptr::{self, NonNull};
use std::time::Duration;

use libsqlite3_sys as ffi;

use super::database::{self, Database};
use crate::error::{Error, ErrorKind, Result};

/// Above this a first step is slow: it belongs off the threads that poll futures.
const SLOW: u32 = 250_000;

/// A prepared statement, and what is known of it.
pub(super) struct Statement {
    raw: NonNull<ffi::sqlite3_stmt>,
    /// How many placeholders it has.
    pub(super) parameters: usize,
    /// Whether it leaves the database as it is.
    pub(super) readonly: bool,
    uses: u32,
    /// The moving average of the time of its first step, in nanoseconds.
    first_step: u32,
}

impl Statement {
    /// Compiles one statement, to be kept: SQLite then leaves its memory for small things, which it has without a lock, to
    /// what comes and goes with each run.
    pub(super) fn prepare(database: &Database, sql: &str) -> Result<Self> {
        let (statement, tail) = Self::compile(database, sql, ffi::SQLITE_PREPARE_PERSISTENT)?;
        let Some(statement) = statement else {
            return Err(Error::new(ErrorKind::InvalidStatement, "the statement is empty"));
        };
        // What follows may be a comment; only a second statement is a mistake.
        let tail = tail.trim_matches(|c: char| c.is_ascii_whitespace() || c == ';');
        if !tail.is_empty() && !matches!(Self::prepare_first(database, tail), Ok((None, ""))) {
            return Err(Error::new(
                ErrorKind::InvalidStatement,
                "these are several statements, and only one can be sent with values; send them one by one",
            ));
        }
        Ok(statement)
    }

    /// Compiles the first statement of a text, and gives the rest; none where only blanks and comments are left.
    pub(super) fn prepare_first<'s>(database: &Database, sql: &'s str) -> Result<(Option<Self>, &'s str)> {
        Self::compile(database, sql, 0)
    }

    fn compile<'s>(database: &Database, sql: &'s str, flags: c_uint) -> Result<(Option<Self>, &'s str)> {
        let Ok(length) = c_int::try_from(sql.len()) else {
            return Err(database::last_error(database.as_ptr(), ffi::SQLITE_TOOBIG));
        };
        let mut raw = ptr::null_mut();
        let mut tail: *const c_char = ptr::null();
        let start = sql.as_ptr().cast::<c_char>();
        // SAFETY: the text has `length` readable bytes and outlives the call; both others are places for results.
        let code = unsafe { ffi::sqlite3_prepare_v3(database.as_ptr(), start, length, flags, &mut raw, &mut tail) };
        if code != ffi::SQLITE_OK {
            return Err(database::last_error(database.as_ptr(), code));
        }
        let used = if tail.is_null() { sql.len() } else { (tail as usize).wrapping_sub(start as usize) };
        let tail = sql.get(used..).unwrap_or_default();
        let Some(raw) = NonNull::new(raw) else {
            return Ok((None, tail));
        };
        // SAFETY: the statement is valid from here to its drop, as for all calls below.
        let parameters = unsafe { ffi::sqlite3_bind_parameter_count(raw.as_ptr()) };
        // SAFETY: as above.
        let readonly = unsafe { ffi::sqlite3_stmt_readonly(raw.as_ptr()) } != 0;
        let parameters = usize::try_from(parameters).unwrap_or_default();
        Ok((Some(Self { raw, parameters, readonly, uses: 0, first_step: 0 }), tail))
    }

    #[inline]
    pub(super) fn as_ptr(&self) -> *mut ffi::sqlite3_stmt {
        self.raw.as_ptr()
    }

    /// Runs to the next row: whether there is one.
    #[inline]
    pub(super) fn step(&mut self) -> Result<bool, c_int> {
        // SAFETY: the statement is valid.
        match unsafe { ffi::sqlite3_step(self.as_ptr()) } {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => Ok(false),
            code => Err(code),
        }
    }

    /// Ends the execution and frees its locks. Its error is that of the last step, and known already.
    #[inline]
    pub(super) fn reset(&mut self) {
        // SAFETY: the statement is valid.
        unsafe { ffi::sqlite3_reset(self.as_ptr()) };
    }

    /// Forgets the bound values, so that nothing points at what the caller is about to free.
    #[inline]
    pub(super) fn clear_bindings(&mut self) {
        // SAFETY: the statement is valid and not running.
        unsafe { ffi::sqlite3_clear_bindings(self.as_ptr()) };
    }

    /// The error for a result code of this statement.
    #[cold]
    pub(super) fn error(&self, code: c_int) -> Error {
        // SAFETY: the statement is valid, and so is the database that it belongs to.
        database::last_error(unsafe { ffi::sqlite3_db_handle(self.as_ptr()) }, code)
    }

    /// Whether its first step tends to take long.
    #[inline]
    pub(super) fn is_slow(&self) -> bool {
        self.first_step > SLOW
    }

    /// Counts an execution, and says whether its first step should be timed: reading the clock costs a good part of a
    /// one-row load, so it is done for the first executions, then for every 16th, and while the statement is slow.
    #[inline]
    pub(super) fn count_use(&mut self) -> bool {
        self.uses = self.uses.wrapping_add(1);
        self.uses <= 4 || self.uses.is_multiple_of(16) || self.is_slow()
    }

    /// Enters the time of a first step into the average.
    pub(super) fn record_first_step(&mut self, time: Duration) {
        let time = u32::try_from(time.as_nanos()).unwrap_or(u32::MAX);
        self.first_step = self.first_step - self.first_step / 4 + time / 4;
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: the statement is ours and used by nothing after this.
        unsafe { ffi::sqlite3_finalize(self.as_ptr()) };
    }
}
