//! One connection: a database handle with its prepared statements.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::DatabaseFile;
use super::bind::Lifetime;
use super::cache::StatementCache;
use super::database::Database;
use super::execution::{Execution, Prepared, StepError};
use super::statement::Statement;
use crate::engine::row::Row;
use crate::engine::{CursorId, EngineOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// How many connections have been opened.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A connection. It runs one statement at a time, and any number of cursors beside it.
///
/// It runs nothing by itself: after each operation that fails or is left half-way, the next one ends the earlier
/// statement first.
pub(in crate::engine) struct Connection {
    // Statements go before their database: fields drop in this order.
    running: Option<Box<Execution>>,
    cursors: Vec<(CursorId, Box<Execution>)>,
    next_cursor: u64,
    /// This connection, of all that were ever opened.
    id: u64,
    /// Counts up with each statement that begins, and each time values are bound.
    executions: u64,
    cache: StatementCache,
    database: Database,
}

// SAFETY: SQLite's handles may move between threads as long as only one uses them at a time (NOMUTEX), and everything
// made from a handle lives in this struct and moves along. Nothing here is `Sync`, so that `&Connection` stays put.
unsafe impl Send for Connection {}

impl Connection {
    /// Opens a connection. It may wait for the disk and for locks: not to be called where futures are polled.
    pub(in crate::engine) fn open(file: &DatabaseFile, options: &EngineOptions) -> Result<Self> {
        let database = Database::open(&file.name, file.uri)?;
        database.refuse_double_quoted_strings();
        database.set_busy_timeout(options.busy_timeout);
        let connection = Self {
            running: None,
            cursors: Vec::new(),
            next_cursor: 0,
            id: OPENED.fetch_add(1, Ordering::Relaxed),
            executions: 0,
            cache: StatementCache::new(options.statement_cache_size),
            database,
        };
        connection.batch("PRAGMA foreign_keys = ON")?;
        if !file.memory {
            let synchronous = connection.batch(&format!("PRAGMA synchronous = {}", options.synchronous.sql()));
            synchronous.map_err(|error| connection.explain_read_only(error))?;
            if !connection.database.is_readonly() {
                connection.use_write_ahead_log(options.busy_timeout)?;
            }
        }
        // From here on locks are waited for without holding the thread.
        connection.database.set_busy_timeout(Duration::ZERO);
        Ok(connection)
    }

    /// A file in WAL mode can be read only where SQLite may write beside it: what it says then is that it cannot be opened.
    fn explain_read_only(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Connection || !self.database.is_readonly() {
            return error;
        }
        let message = format!(
            "the database `{}` is read-only, and so is its folder, where SQLite would have to write to read it; if nobody \
             else writes to it, add `?immutable=1` to its URL",
            self.path()
        );
        Error::new(ErrorKind::ReadOnly, message).with_source(error)
    }

    /// Switches the file to WAL, where it is not. SQLite does not wait for the lock that the switch needs: several
    /// connections that open a new file at once are told that it is busy.
    fn use_write_ahead_log(&self, busy_timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + busy_timeout;
        loop {
            match self.batch("PRAGMA journal_mode = WAL") {
                Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                outcome => return outcome,
            }
        }
    }

    /// The absolute path of the file; empty for a database in memory.
    pub(in crate::engine) fn path(&self) -> String {
        self.database.path()
    }

    /// Whether a transaction is open, as SQLite itself sees it.
    #[inline]
    pub(in crate::engine) fn in_transaction(&self) -> bool {
        !self.database.is_autocommit()
    }

    pub(in crate::engine) fn changes(&self) -> u64 {
        self.database.changes()
    }

    pub(in crate::engine) fn total_changes(&self) -> i64 {
        self.database.total_changes()
    }

    pub(in crate::engine) fn last_insert_rowid(&self) -> i64 {
        self.database.last_insert_rowid()
    }

    /// Makes a statement the one that runs next.
    #[inline]
    pub(in crate::engine) fn prepare(&mut self, sql: &str) -> Result<Prepared> {
        self.finish();
        let execution = self.cache.take(&self.database, sql)?;
        let prepared = execution.prepared();
        self.running = Some(execution);
        self.executions += 1;
        Ok(prepared)
    }

    /// Binds the values of the prepared statement, which are read in place while it runs.
    #[inline]
    pub(in crate::engine) fn bind<'c, 'p>(&'c mut self, params: &'p [Value<'p>]) -> Result<Running<'c, 'p>> {
        self.executions += 1;
        let execution = self.running.as_mut().ok_or_else(nothing_runs)?;
        // SAFETY: the statement is stepped through `Running` only, which cannot outlive the values; nor can `Paused`, by
        // which alone another `Running` is made of the same execution. If they are leaked, every other way to the
        // statement ends the execution first, which does not read the values.
        match unsafe { execution.bind(params, Lifetime::Borrowed) } {
            Ok(()) => Ok(Running { connection: self, params: PhantomData }),
            Err(error) => {
                self.finish();
                Err(error)
            }
        }
    }

    /// Binds copies of the values and takes the first step; the rest follows by [`resume`](Self::resume), possibly on
    /// another thread. With `commits` the first step waits for the disk, which says nothing of the statement.
    pub(in crate::engine) fn start_copied(&mut self, params: &[Value<'_>], commits: bool) -> Result<(), StepError> {
        let execution = self.running.as_mut().ok_or_else(|| StepError::Failed(nothing_runs()))?;
        // SAFETY: copied values may go.
        let bound = unsafe { execution.bind(params, Lifetime::Copied) };
        bound.map_err(StepError::Failed)?;
        execution.measured = !commits;
        execution.first_step()
    }

    /// Goes on with what [`start_copied`](Self::start_copied) has begun.
    pub(in crate::engine) fn resume(&mut self) -> Result<Running<'_, 'static>> {
        match &self.running {
            Some(execution) if !execution.borrows => Ok(Running { connection: self, params: PhantomData }),
            _ => Err(nothing_runs()),
        }
    }

    /// Goes on with a statement that was paused, unless it has ended meanwhile.
    pub(in crate::engine) fn go_on<'c, 'p>(&'c mut self, paused: &Paused<'p>) -> Result<Running<'c, 'p>> {
        // The same execution: its values live as long as `paused` says.
        match &self.running {
            Some(_) if (self.id, self.executions) == paused.execution => {
                Ok(Running { connection: self, params: PhantomData })
            }
            _ => Err(nothing_runs()),
        }
    }

    /// Ends what runs, if anything does.
    #[inline]
    pub(in crate::engine) fn finish(&mut self) {
        if let Some(mut execution) = self.running.take() {
            execution.finish();
            self.cache.give_back(execution);
        }
    }

    /// Runs several statements without values. A lock is waited for here, holding the thread for up to `busy_timeout`.
    pub(in crate::engine) fn execute_batch(&mut self, sql: &str, busy_timeout: Duration) -> Result<()> {
        self.finish();
        self.database.set_busy_timeout(busy_timeout);
        let outcome = self.batch(sql);
        self.database.set_busy_timeout(Duration::ZERO);
        outcome
    }

    fn batch(&self, sql: &str) -> Result<()> {
        let mut rest = sql;
        while !rest.is_empty() {
            let (statement, tail) = Statement::prepare_first(&self.database, rest)?;
            if let Some(mut statement) = statement {
                if statement.parameters > 0 {
                    return Err(Error::new(
                        ErrorKind::InvalidStatement,
                        "a statement of the batch has placeholders, and a batch takes no values",
                    ));
                }
                loop {
                    match statement.step() {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(code) => return Err(statement.error(code)),
                    }
                }
            }
            rest = tail;
        }
        Ok(())
    }

    /// Opens a cursor; its values are copied.
    pub(in crate::engine) fn open_cursor(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        self.prepare(sql)?;
        let Some(mut execution) = self.running.take() else {
            return Err(nothing_runs());
        };
        // SAFETY: copied values may go.
        if let Err(error) = unsafe { execution.bind(params, Lifetime::Copied) } {
            self.cache.give_back(execution);
            return Err(error);
        }
        let id = CursorId(self.next_cursor);
        self.next_cursor += 1;
        self.cursors.push((id, execution));
        Ok(id)
    }

    /// What is known of a cursor's statement; none when it is closed.
    pub(in crate::engine) fn cursor(&self, cursor: CursorId) -> Option<Prepared> {
        let (_, execution) = self.cursors.iter().find(|(id, _)| *id == cursor)?;
        Some(execution.prepared())
    }

    fn cursor_mut(&mut self, cursor: CursorId) -> Result<&mut Execution> {
        match self.cursors.iter_mut().find(|(id, _)| *id == cursor) {
            Some((_, execution)) => Ok(execution),
            None => Err(cursor_closed()),
        }
    }

    /// The first step of a cursor, if it has not been taken yet.
    pub(in crate::engine) fn start_cursor(&mut self, cursor: CursorId) -> Result<(), StepError> {
        let execution = self.cursor_mut(cursor).map_err(StepError::Failed)?;
        let outcome = execution.start();
        if let Err(StepError::Failed(_)) = outcome {
            execution.end();
        }
        outcome
    }

    /// The next rows of a cursor: how many, and whether there are more. At its end it frees its locks.
    pub(in crate::engine) fn cursor_rows(
        &mut self,
        cursor: CursorId,
        limit: usize,
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<(usize, bool)> {
        let execution = self.cursor_mut(cursor)?;
        let outcome = execution.rows(limit, sink);
        if !matches!(outcome, Ok((_, true))) {
            execution.end();
        }
        outcome
    }

    /// Closes a cursor; one that is closed already stays so.
    pub(in crate::engine) fn close_cursor(&mut self, cursor: CursorId) {
        if let Some(at) = self.cursors.iter().position(|(id, _)| *id == cursor) {
            let (_, mut execution) = self.cursors.swap_remove(at);
            execution.finish();
            self.cache.give_back(execution);
        }
    }

    /// Closes all cursors.
    pub(in crate::engine) fn close_cursors(&mut self) {
        while let Some((cursor, _)) = self.cursors.last() {
            let cursor = *cursor;
            self.close_cursor(cursor);
        }
    }

    /// Whether no statement and no cursor runs, and no transaction is open.
    #[inline]
    pub(in crate::engine) fn is_idle(&self) -> bool {
        self.running.is_none() && self.cursors.is_empty() && !self.in_transaction()
    }

    /// Ends a transaction that its owner left open; whether the connection is clean now.
    pub(in crate::engine) fn roll_back_now(&mut self) -> bool {
        self.finish();
        self.close_cursors();
        if self.in_transaction() {
            // A failure shows in the state below.
            let _ = self.prepare("ROLLBACK").and_then(|_| {
                self.start_copied(&[], false).map_err(|error| match error {
                    StepError::Busy(error) | StepError::Failed(error) => error,
                })
            });
            self.finish();
        }
        !self.in_transaction()
    }

    #[cfg(test)]
    pub(in crate::engine) fn cached_statements(&self) -> usize {
        self.cache.len()
    }
}

/// The right to go on with a statement that stands between two rows, while the values bound to it live.
pub(in crate::engine) struct Paused<'a> {
    /// Which connection it is, and which of its executions.
    execution: (u64, u64),
    params: PhantomData<&'a [Value<'a>]>,
}

/// A statement that runs on a connection; dropping it ends it.
pub(in crate::engine) struct Running<'c, 'p> {
    connection: &'c mut Connection,
    params: PhantomData<&'p [Value<'p>]>,
}

impl Running<'_, '_> {
    /// The first step; may be tried again when the database was busy.
    #[inline]
    pub(in crate::engine) fn first_step(&mut self) -> Result<(), StepError> {
        match &mut self.connection.running {
            Some(execution) => execution.first_step(),
            None => Err(StepError::Failed(nothing_runs())),
        }
    }

    /// Hands over at most so many rows: how many, and whether there are more.
    #[inline]
    pub(in crate::engine) fn rows(
        &mut self,
        limit: usize,
        sink: &mut (dyn FnMut(&Row<'_>) -> Result<()> + Send),
    ) -> Result<(usize, bool)> {
        match &mut self.connection.running {
            Some(execution) => execution.rows(limit, sink),
            None => Err(nothing_runs()),
        }
    }
}

impl<'p> Running<'_, 'p> {
    /// Lets go of the connection and leaves the statement where it is, to be gone on with.
    pub(in crate::engine) fn pause(self) -> Paused<'p> {
        let this = std::mem::ManuallyDrop::new(self);
        Paused { execution: (this.connection.id, this.connection.executions), params: PhantomData }
    }
}

impl Drop for Running<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.connection.finish();
    }
}

#[cold]
fn nothing_runs() -> Error {
    Error::new(ErrorKind::InvalidStatement, "the statement was ended before its rows were read")
}

#[cold]
fn cursor_closed() -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        "the stream has been ended by a commit, a rollback or its own close; read it to its end first",
    )
}
