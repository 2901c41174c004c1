//! The handle of an open database.

use std::ffi::{CStr, CString, c_int};
use std::ptr::{self, NonNull};
use std::time::Duration;

use libsqlite3_sys as ffi;

use super::error;
use crate::error::{Error, ErrorKind, Result};

/// An open database. Whatever was made from it must go before it does.
pub(super) struct Database {
    raw: NonNull<ffi::sqlite3>,
}

impl Database {
    /// Opens a database by its path or, with `uri`, by a `file:` URI.
    ///
    /// Without SQLite's own mutex (NOMUTEX): a connection is exclusively owned.
    pub(super) fn open(name: &str, uri: bool) -> Result<Self> {
        let c_name = CString::new(name)
            .map_err(|_| Error::new(ErrorKind::Config, "the path of the database contains a NUL character"))?;
        let mut flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE | ffi::SQLITE_OPEN_NOMUTEX;
        if uri {
            flags |= ffi::SQLITE_OPEN_URI;
        }
        let mut raw = ptr::null_mut();
        // SAFETY: the name is NUL-terminated and outlives the call; `raw` is a place for the handle.
        let code = unsafe { ffi::sqlite3_open_v2(c_name.as_ptr(), &mut raw, flags, ptr::null()) };
        let Some(raw) = NonNull::new(raw) else {
            return Err(error::classify(ffi::SQLITE_NOMEM, "out of memory", name));
        };
        // A handle comes back even when opening failed, and wants to be closed.
        let database = Self { raw };
        // SAFETY: the handle is open or at least closable, as for all calls below.
        unsafe { ffi::sqlite3_extended_result_codes(raw.as_ptr(), 1) };
        if code != ffi::SQLITE_OK {
            return Err(error::classify(code, &message(raw.as_ptr(), code), name));
        }
        Ok(database)
    }

    pub(super) fn as_ptr(&self) -> *mut ffi::sqlite3 {
        self.raw.as_ptr()
    }

    /// Switches off that an unknown name in double quotes silently becomes a string: every name that the dialect
    /// writes is in double quotes, and a missing column must be an error.
    pub(super) fn refuse_double_quoted_strings(&self) {
        for option in [ffi::SQLITE_DBCONFIG_DQS_DML, ffi::SQLITE_DBCONFIG_DQS_DDL] {
            // SAFETY: these options take an int and a pointer that may be null.
            unsafe { ffi::sqlite3_db_config(self.as_ptr(), option, 0 as c_int, ptr::null_mut::<c_int>()) };
        }
    }

    /// How long SQLite itself waits for a lock, holding the thread.
    pub(super) fn set_busy_timeout(&self, limit: Duration) {
        let millis = c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_busy_timeout(self.as_ptr(), millis) };
    }

    /// Whether the next write would commit by itself: no transaction is open.
    #[inline]
    pub(super) fn is_autocommit(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_get_autocommit(self.as_ptr()) != 0 }
    }

    pub(super) fn is_readonly(&self) -> bool {
        // SAFETY: the handle is open, the name is NUL-terminated.
        unsafe { ffi::sqlite3_db_readonly(self.as_ptr(), c"main".as_ptr()) == 1 }
    }

    /// The absolute path of the file; empty for a database in memory.
    pub(super) fn path(&self) -> String {
        path(self.as_ptr())
    }

    /// The rows changed by the last INSERT, UPDATE or DELETE.
    pub(super) fn changes(&self) -> u64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_changes64(self.as_ptr()) }.unsigned_abs()
    }

    /// The rows changed since the connection was opened.
    pub(super) fn total_changes(&self) -> i64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_total_changes64(self.as_ptr()) }
    }

    pub(super) fn last_insert_rowid(&self) -> i64 {
        // SAFETY: the handle is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.as_ptr()) }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and used by nothing after this. Statements have gone before it; if one had not,
        // SQLite would refuse, and the handle would leak.
        unsafe { ffi::sqlite3_close(self.as_ptr()) };
    }
}

/// The error that the handle's last call reported.
#[cold]
pub(super) fn last_error(db: *mut ffi::sqlite3, code: c_int) -> Error {
    error::classify(code, &message(db, code), &path(db))
}

/// SQLite's message for a code; its generic words when the handle remembers another error meanwhile.
fn message(db: *mut ffi::sqlite3, code: c_int) -> String {
    // SAFETY: the handle is valid; both messages are NUL-terminated, and copied before another call is made.
    unsafe {
        let text =
            if ffi::sqlite3_extended_errcode(db) == code { ffi::sqlite3_errmsg(db) } else { ffi::sqlite3_errstr(code) };
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

fn path(db: *mut ffi::sqlite3) -> String {
    // SAFETY: the handle is open; the name that comes back is NUL-terminated or null, and copied at once.
    unsafe {
        let name = ffi::sqlite3_db_filename(db, c"main".as_ptr());
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}
