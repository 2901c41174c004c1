//! What a server reports, as errors of the library.

use std::fmt;
use std::io;

use crate::error::{Error, ErrorKind};

/// A server's own report, the source of the error made of it. It keeps nothing that quotes values.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The SQLSTATE.
    pub(super) code: String,
    message: String,
    fatal: bool,
    routine: String,
    schema: Option<String>,
    table: Option<String>,
    column: Option<String>,
    constraint: Option<String>,
    /// The columns of the key that a constraint is about.
    key: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)
    }
}

impl std::error::Error for Report {}

impl Report {
    /// Reads the body of an ErrorResponse: fields of one letter and a text.
    #[cold]
    pub(super) fn parse(body: &[u8]) -> Self {
        let mut report = Self::default();
        for field in body.split(|&byte| byte == 0) {
            let Some((&kind, text)) = field.split_first() else { continue };
            let text = String::from_utf8_lossy(text).into_owned();
            match kind {
                b'V' => report.fatal = text == "FATAL" || text == "PANIC",
                b'C' => report.code = text,
                b'M' => report.message = text,
                // Only the names of its columns: the rest are values.
                b'D' => report.key = key_columns(&text),
                b's' => report.schema = Some(text),
                b't' => report.table = Some(text),
                b'c' => report.column = Some(text),
                b'n' => report.constraint = Some(text),
                b'R' => report.routine = text,
                _ => {}
            }
        }
        // Errors of values quote them.
        if report.code.starts_with("22") {
            report.message = without_quoted(&report.message);
        }
        report
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the server ends the connection after it.
    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Whether the statement was prepared for tables that have changed since, or has gone from the server.
    pub(super) fn is_stale_statement(&self) -> bool {
        self.code == "26000" || self.code == "0A000" && self.routine == "RevalidateCachedQuery"
    }
}

/// The columns in `Key (a, b)=(1, 2) ...`, in whatever language; none where they are expressions.
fn key_columns(detail: &str) -> Vec<String> {
    let columns = detail.split_once(")=(").and_then(|(key, _)| key.split_once('('));
    let columns: Vec<&str> = columns.map(|(_, columns)| columns.split(", ").collect()).unwrap_or_default();
    let plain = |column: &&str| !column.is_empty() && !column.contains(['(', ')', ' ', ':']);
    if columns.iter().all(plain) {
        columns.iter().map(|column| column.trim_matches('"').to_owned()).collect()
    } else {
        Vec::new()
    }
}

/// A message without what stands in it between double quotes.
fn without_quoted(message: &str) -> String {
    match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}..{}", &message[..first], &message[last + 1..]),
        _ => message.to_owned(),
    }
}

/// The first name that a message quotes.
fn quoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once('"')?;
    rest.split_once('"').map(|(name, _)| name)
}

/// The error for a report.
#[cold]
pub(super) fn classify(report: Report) -> Error {
    let message = &report.message;
    let plain = |kind| Error::new(kind, format!("PostgreSQL reports: {message}"));
    let refused = || Error::new(ErrorKind::InvalidStatement, format!("PostgreSQL refuses the statement: {message}"));
    let error = match report.code.as_str() {
        "23505" | "23P01" => unique(&report),
        "23503" | "23001" => foreign_key(&report),
        "23502" => not_null(&report),
        "23514" => check(&report),
        "40P01" => Error::new(
            ErrorKind::Deadlock,
            "two transactions waited for each other, and PostgreSQL ended this one; run it again",
        ),
        code if code.starts_with("40") => Error::new(
            ErrorKind::Serialization,
            "the transaction could not be ordered with others that ran beside it; run it again",
        ),
        "42P01" => missing_table(message),
        "42703" => missing_column(message),
        "34000" => cursor_ended(),
        "25P02" => failed_transaction(None),
        "25006" => Error::new(ErrorKind::ReadOnly, format!("the database is read-only here: {message}")),
        "26000" | "42P05" => Error::new(
            ErrorKind::InvalidStatement,
            "a prepared statement is not on the server as it was left; behind a proxy that pools transactions add \
             `prepare=off` to the database URL",
        ),
        "53100" => Error::new(ErrorKind::DiskFull, "the disk of the PostgreSQL server is full"),
        "53300" => Error::new(
            ErrorKind::Connection,
            format!("the PostgreSQL server has no connection left: {message}; lower `pool_size` or raise its limit"),
        ),
        "55P03" => Error::new(
            ErrorKind::Busy,
            "another transaction kept a lock for longer than the statement waits; run the transaction again",
        ),
        "57014" => Error::new(ErrorKind::Busy, format!("the statement was ended before it was done: {message}")),
        "22012" => Error::new(ErrorKind::Database, "the statement divides by zero"),
        code if VALUES.iter().any(|(known, _)| *known == code) => {
            let text = VALUES.iter().find(|(known, _)| *known == code).map_or("", |(_, text)| text);
            Error::new(ErrorKind::Decode, text)
        }
        "0A000" => Error::new(ErrorKind::Unsupported, format!("PostgreSQL does not support this: {message}")),
        code if code.starts_with("42") || code.starts_with("3F") => refused(),
        code if code.starts_with("08") || code.starts_with("57P") || code == "25P03" || code == "25P04" => {
            Error::new(ErrorKind::Connection, format!("the PostgreSQL server ended the connection: {message}"))
        }
        _ if report.fatal => plain(ErrorKind::Connection),
        _ => plain(ErrorKind::Database),
    };
    error.with_source(report)
}

/// Errors of values, in words that quote none.
const VALUES: &[(&str, &str)] = &[
    ("22001", "a text is longer than its column allows"),
    ("22003", "a number is out of range for its column or for the result"),
    ("22007", "a text is not a date or time of the form that its column takes"),
    ("22008", "a date or time is out of the range that PostgreSQL can store"),
    ("22021", "a text has characters that the encoding of the database has not"),
    ("22P02", "a text is not of the form that its type takes"),
    ("22P03", "a value is not of the binary form that its type takes"),
    ("22P05", "a text has characters that the encoding of the database has not"),
    ("22030", "a JSON document has the same key twice"),
    ("22032", "a text is not a JSON document"),
];

/// Adds the table and the constraint that the report names.
fn of(error: Error, report: &Report) -> Error {
    let error = match &report.table {
        Some(table) => error.with_table(table),
        None => error,
    };
    match &report.constraint {
        Some(constraint) => error.with_constraint(constraint),
        None => error,
    }
}

fn unique(report: &Report) -> Error {
    let table = report.table.as_deref().unwrap_or_default();
    let message = match (report.key.as_slice(), &report.constraint) {
        ([], Some(constraint)) => format!("the unique index `{constraint}` has such a row already"),
        (columns, _) => format!("`{table}` has a row with the same `{}` already", columns.join("`, `")),
    };
    of(Error::new(ErrorKind::UniqueViolation, message), report).with_columns(report.key.clone())
}

fn foreign_key(report: &Report) -> Error {
    let name = report.constraint.as_deref().map(|name| format!(" `{name}`")).unwrap_or_default();
    let message =
        format!("the foreign key{name} refused the row: its parent does not exist, or rows still point at it");
    of(Error::new(ErrorKind::ForeignKeyViolation, message), report).with_columns(report.key.clone())
}

fn not_null(report: &Report) -> Error {
    let column = report.column.clone().unwrap_or_default();
    let table = report.table.as_deref().unwrap_or_default();
    let error =
        Error::new(ErrorKind::NotNullViolation, format!("`{column}` of `{table}` may not be NULL; give it a value"));
    of(error, report).with_columns(report.column.iter().cloned().collect())
}

fn check(report: &Report) -> Error {
    let name = report.constraint.as_deref().unwrap_or_default();
    of(Error::new(ErrorKind::CheckViolation, format!("the check constraint `{name}` refused the row")), report)
}

fn missing_table(message: &str) -> Error {
    let table = quoted(message).unwrap_or_default();
    Error::new(
        ErrorKind::MissingTable,
        format!("the table `{table}` does not exist; create it with `db.create_all()` or by a migration"),
    )
    .with_table(table)
}

/// PostgreSQL says `column "a" of relation "t" does not exist`, `column "a" does not exist`, or `column t.a does not
/// exist`.
fn missing_column(message: &str) -> Error {
    let mut names = message.split('"').skip(1).step_by(2);
    let (column, table) = match (names.next(), names.next()) {
        (Some(column), table) => (column, table),
        (None, _) => {
            let name = message.split_whitespace().nth(1).unwrap_or_default();
            name.rsplit_once('.').map_or((name, None), |(table, column)| (column, Some(table)))
        }
    };
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

/// A statement in a transaction that has failed; `why` is what failed it.
#[cold]
pub(super) fn failed_transaction(why: Option<&str>) -> Error {
    let message =
        "an earlier statement of the transaction failed, and PostgreSQL takes no other until it is rolled back";
    match why {
        Some(why) => Error::new(ErrorKind::NeedsRollback, format!("{message}; it failed with: {why}")),
        None => Error::new(ErrorKind::NeedsRollback, message),
    }
}

/// A COMMIT that PostgreSQL made a ROLLBACK of.
#[cold]
pub(super) fn rolled_back(why: Option<&str>) -> Error {
    let message = "the transaction was rolled back, because one of its statements had failed";
    match why {
        Some(why) => Error::new(ErrorKind::NeedsRollback, format!("{message}; it failed with: {why}")),
        None => Error::new(ErrorKind::NeedsRollback, message),
    }
}

/// A statement that was prepared before its tables changed, in a transaction that it has now failed.
#[cold]
pub(super) fn changed_tables(report: Report) -> Error {
    Error::new(
        ErrorKind::Serialization,
        "a table was changed since the statement was prepared, so that the transaction cannot go on; run it again",
    )
    .with_source(report)
}

#[cold]
pub(super) fn cursor_ended() -> Error {
    Error::new(ErrorKind::InvalidStatement, "the stream was ended by a commit or rollback of its transaction")
}

#[cold]
pub(super) fn unsupported_copy() -> Error {
    Error::new(ErrorKind::Unsupported, "COPY from and to the client is not supported; use COPY with a file, or rows")
}

#[cold]
pub(super) fn empty() -> Error {
    Error::new(ErrorKind::InvalidStatement, "the statement is empty")
}

#[cold]
pub(super) fn nul_in_sql() -> Error {
    Error::new(ErrorKind::InvalidStatement, "the statement has a NUL character, which PostgreSQL cannot take")
}

#[cold]
pub(super) fn garbled() -> Error {
    Error::new(
        ErrorKind::Connection,
        "the server does not speak PostgreSQL's protocol as expected; the connection is closed",
    )
}

#[cold]
pub(super) fn broken(error: io::Error) -> Error {
    let text = described(&error);
    Error::new(
        ErrorKind::Connection,
        format!("the connection to the PostgreSQL server broke: {text}; what was not committed is rolled back"),
    )
    .with_source(error)
}

#[cold]
pub(super) fn broken_at_the_door(error: io::Error) -> Error {
    Error::new(ErrorKind::Connection, described(&error)).with_source(error)
}

fn described(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed it".to_owned(),
        _ => error.to_string(),
    }
}

#[cold]
pub(super) fn gone() -> Error {
    Error::new(
        ErrorKind::Connection,
        "the connection to the PostgreSQL server broke with an earlier statement; what was not committed is rolled back",
    )
}
