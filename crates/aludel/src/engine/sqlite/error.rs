//! What SQLite reports, as errors of the library.

use std::ffi::c_int;
use std::fmt;

use libsqlite3_sys as ffi;

use crate::error::{Error, ErrorKind};

/// SQLite's own report, the source of the error made of it.
#[derive(Debug)]
struct Report {
    code: c_int,
    message: Box<str>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLite's result code {})", self.message, self.code)
    }
}

impl std::error::Error for Report {}

/// The error for a result code and the message beside it; `path` names the database, empty for one in memory.
#[cold]
pub(super) fn classify(code: c_int, message: &str, path: &str) -> Error {
    let error = match code {
        ffi::SQLITE_BUSY_SNAPSHOT => Error::new(
            ErrorKind::Serialization,
            "the database was written since this transaction first read it, so that it cannot write any more; run it \
             again, beginning it for writing",
        ),
        _ => match code & 0xff {
            ffi::SQLITE_CONSTRAINT => constraint(code, message),
            ffi::SQLITE_ERROR => statement(message),
            ffi::SQLITE_BUSY => Error::new(
                ErrorKind::Busy,
                "the database stayed locked by another connection for the whole busy timeout; run the transaction \
                 again, or raise the timeout",
            ),
            ffi::SQLITE_LOCKED => Error::new(
                ErrorKind::Busy,
                "a statement of this connection that has not ended yet locks the table; end its stream first",
            ),
            ffi::SQLITE_READONLY => {
                Error::new(ErrorKind::ReadOnly, format!("the database{} is read-only", named(path)))
            }
            ffi::SQLITE_FULL => {
                Error::new(ErrorKind::DiskFull, format!("the disk is full: the database{} cannot grow", named(path)))
            }
            ffi::SQLITE_CANTOPEN => {
                Error::new(ErrorKind::Connection, format!("the database{} cannot be opened: {message}", named(path)))
            }
            ffi::SQLITE_NOTADB => {
                Error::new(ErrorKind::Connection, format!("the file{} is not a SQLite database", named(path)))
            }
            ffi::SQLITE_CORRUPT => Error::new(
                ErrorKind::Connection,
                format!("the database{} is damaged: {message}; restore it from a backup", named(path)),
            ),
            ffi::SQLITE_IOERR => Error::new(
                ErrorKind::Connection,
                format!("the database{} cannot be read or written: {message}", named(path)),
            ),
            ffi::SQLITE_INTERRUPT => Error::new(ErrorKind::Database, "the statement was interrupted"),
            ffi::SQLITE_NOMEM => Error::new(ErrorKind::Database, "SQLite ran out of memory"),
            ffi::SQLITE_MISMATCH => {
                Error::new(ErrorKind::Decode, "the value does not fit the column: an integer key takes integers only")
            }
            ffi::SQLITE_TOOBIG => Error::new(
                ErrorKind::InvalidStatement,
                "the statement or one of its values is longer than SQLite allows",
            ),
            ffi::SQLITE_AUTH => {
                Error::new(ErrorKind::InvalidStatement, format!("SQLite refuses the statement: {message}"))
            }
            _ => Error::new(ErrorKind::Database, format!("SQLite reports: {message}")),
        },
    };
    error.with_source(Report { code, message: message.into() })
}

/// The path after a noun, or nothing for a database that has none.
fn named(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" `{path}`") }
}

/// A constraint that refused a row. SQLite names the columns of a unique constraint, and the name of a check.
fn constraint(code: c_int, message: &str) -> Error {
    let subject = message.split_once(" constraint failed: ").map(|(_, subject)| subject);
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            unique(subject.unwrap_or_default())
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => {
            let (table, columns) = columns(subject.unwrap_or_default());
            Error::new(
                ErrorKind::NotNullViolation,
                format!("`{}` of `{table}` may not be NULL; give it a value", columns.join("`, `")),
            )
            .with_table(table)
            .with_columns(columns)
        }
        ffi::SQLITE_CONSTRAINT_CHECK => {
            let name = subject.unwrap_or_default();
            Error::new(ErrorKind::CheckViolation, format!("the check constraint `{name}` refused the row"))
                .with_constraint(name)
        }
        ffi::SQLITE_CONSTRAINT_DATATYPE => Error::new(ErrorKind::Decode, message.to_owned()),
        // A foreign key with RESTRICT is a trigger inside SQLite, and reports itself as one.
        _ if message.starts_with("FOREIGN KEY constraint failed") => Error::new(
            ErrorKind::ForeignKeyViolation,
            "a foreign key refused the row: its parent does not exist, or rows still point at it",
        ),
        _ => Error::new(ErrorKind::Database, format!("the database refused the row: {message}")),
    }
}

fn unique(subject: &str) -> Error {
    if let Some(index) = subject.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        return Error::new(ErrorKind::UniqueViolation, format!("the unique index `{index}` has such a row already"))
            .with_constraint(index);
    }
    let (table, columns) = columns(subject);
    let error = Error::new(
        ErrorKind::UniqueViolation,
        format!("`{table}` has a row with the same `{}` already", columns.join("`, `")),
    );
    error.with_table(table).with_columns(columns)
}

/// The table and the columns of `t.a, t.b`.
fn columns(subject: &str) -> (String, Vec<String>) {
    let mut table = "";
    let columns = subject.split(", ").map(|part| match part.split_once('.') {
        Some((of, column)) => {
            table = of;
            column.to_owned()
        }
        None => part.to_owned(),
    });
    let columns = columns.collect();
    (table.to_owned(), columns)
}

/// A statement that does not compile, or that its own logic ended.
fn statement(message: &str) -> Error {
    if let Some(table) = message.strip_prefix("no such table: ") {
        let table = table.strip_prefix("main.").unwrap_or(table);
        return Error::new(
            ErrorKind::MissingTable,
            format!("the table `{table}` does not exist; create it with `db.create_all()` or by a migration"),
        )
        .with_table(table);
    }
    if let Some(column) = message.strip_prefix("no such column: ") {
        // SQLite adds advice for a name in double quotes.
        let column = column.split_once(" - ").map_or(column, |(column, _)| column).trim_matches('"');
        let (table, name) = match column.rsplit_once('.') {
            Some((table, name)) => (Some(table), name),
            None => (None, column),
        };
        return missing_column(table, name);
    }
    if let Some((table, column)) =
        message.strip_prefix("table ").and_then(|rest| rest.split_once(" has no column named "))
    {
        return missing_column(Some(table), column);
    }
    if message.starts_with("too many SQL variables") {
        return Error::new(
            ErrorKind::InvalidStatement,
            "the statement has more values than SQLite allows (32766); split it into several",
        );
    }
    Error::new(ErrorKind::InvalidStatement, format!("SQLite refuses the statement: {message}"))
}

fn missing_column(table: Option<&str>, column: &str) -> Error {
    let of = table.map(|table| format!(" of `{table}`")).unwrap_or_default();
    let error = Error::new(
        ErrorKind::MissingTable,
        format!("the column `{column}`{of} does not exist in the database; is a migration missing?"),
    )
    .with_columns(vec![column.to_owned()]);
    match table {
        Some(table) => error.with_table(table),
        None => error,
    }
}
