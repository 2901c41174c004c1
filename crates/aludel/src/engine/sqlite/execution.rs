//! A statement that is being executed.

use std::time::Instant;

use libsqlite3_sys as ffi;

use super::bind::{self, Lifetime};
use super::cache::Home;
use super::row::SqliteRow;
use super::statement::Statement;
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// Why a first step did not succeed.
#[derive(Debug)]
pub(in crate::engine) enum StepError {
    /// Another connection holds a lock: try again.
    Busy(Error),
    /// Anything else.
    Failed(Error),
}

/// What is known of a statement about to run.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Prepared {
    /// It leaves the database as it is.
    pub(in crate::engine) readonly: bool,
    /// Its first step tends to hold the thread for long.
    pub(in crate::engine) slow: bool,
}

/// A statement that is executed, again and again: its values are bound, its rows are asked for.
pub(super) struct Execution {
    pub(super) statement: Statement,
    pub(super) home: Home,
    state: State,
    /// Values of the caller's are bound without a copy.
    pub(super) borrows: bool,
    /// The time of the first step says something of the statement, and not of the disk.
    pub(super) measured: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not stepped yet.
    Ready,
    /// Standing on a row that has not been handed over.
    AtRow,
    /// At its end.
    Done,
}

impl From<bool> for State {
    fn from(at_row: bool) -> Self {
        if at_row { Self::AtRow } else { Self::Done }
    }
}

impl Execution {
    pub(super) fn new(statement: Statement, home: Home) -> Self {
        Self { statement, home, state: State::Ready, borrows: false, measured: true }
    }

    #[inline]
    pub(super) fn prepared(&self) -> Prepared {
        Prepared { readonly: self.statement.readonly, slow: self.statement.is_slow() }
    }

    /// Takes the first step, unless it was taken before.
    pub(super) fn start(&mut self) -> Result<(), StepError> {
        if self.state == State::Ready { self.first_step() } else { Ok(()) }
    }

    /// Binds all values, by position.
    ///
    /// # Safety
    /// With `Lifetime::Borrowed` the values must outlive the execution: it is not stepped after they have gone.
    #[inline]
    pub(super) unsafe fn bind(&mut self, params: &[Value<'_>], lifetime: Lifetime) -> Result<()> {
        if params.len() != self.statement.parameters {
            return Err(count_mismatch(self.statement.parameters, params.len()));
        }
        for (index, value) in params.iter().enumerate() {
            // SAFETY: as promised by the caller.
            self.borrows |= unsafe { bind::value(&self.statement, index, value, lifetime)? };
        }
        Ok(())
    }

    /// The first step, timed now and then.
    #[inline]
    pub(super) fn first_step(&mut self) -> Result<(), StepError> {
        let timed = (self.measured && self.statement.count_use()).then(Instant::now);
        let outcome = self.statement.step();
        if let Some(start) = timed {
            self.statement.record_first_step(start.elapsed());
        }
        match outcome {
            Ok(at_row) => {
                self.state = at_row.into();
                Ok(())
            }
            Err(code) => Err(self.step_failed(code)),
        }
    }

    #[cold]
    fn step_failed(&mut self, code: i32) -> StepError {
        self.state = State::Ready;
        let error = self.statement.error(code);
        self.statement.reset();
        if code & 0xff == ffi::SQLITE_BUSY && code != ffi::SQLITE_BUSY_SNAPSHOT {
            StepError::Busy(error)
        } else {
            StepError::Failed(error)
        }
    }

    /// Hands over at most so many rows: how many, and whether there are more.
    #[inline]
    pub(super) fn rows(
        &mut self,
        limit: usize,
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<(usize, bool)> {
        let mut rows = 0;
        while self.state == State::AtRow {
            if rows == limit {
                return Ok((rows, true));
            }
            sink(&Row::sqlite(SqliteRow::new(&self.statement)))?;
            rows += 1;
            match self.statement.step() {
                Ok(at_row) => self.state = at_row.into(),
                Err(code) => {
                    return Err(match self.step_failed(code) {
                        StepError::Busy(error) | StepError::Failed(error) => error,
                    });
                }
            }
        }
        Ok((rows, false))
    }

    /// Ends the execution: the statement is as if just prepared.
    #[inline]
    pub(super) fn finish(&mut self) {
        self.state = State::Ready;
        self.statement.reset();
        if self.borrows {
            self.statement.clear_bindings();
            self.borrows = false;
        }
        self.measured = true;
    }

    /// Ends the execution for good: a further step gives no row.
    pub(super) fn end(&mut self) {
        self.finish();
        self.state = State::Done;
    }
}

#[cold]
fn count_mismatch(expected: usize, given: usize) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!("the statement has {expected} placeholders, and {given} values were given"),
    )
}
