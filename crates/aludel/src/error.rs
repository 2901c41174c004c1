//! The one error type of the library.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of everything here that can fail. The second parameter is std's own, so that
/// `Result<(), Box<dyn std::error::Error>>` still reads as it does everywhere else.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure an [`Error`] is: what a program may want to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No row where one was asked for (`one`, `get_one`, the `_or_404` family).
    NotFound,
    /// More than one row where exactly one was asked for.
    MultipleFound,
    /// A unique or primary key constraint refused a row.
    UniqueViolation,
    /// A foreign key constraint refused a row: its parent is missing, or it still has children.
    ForeignKeyViolation,
    /// A column that may not be NULL was given none.
    NotNullViolation,
    /// A check constraint refused a row.
    CheckViolation,
    /// A model's own hook refused a row before it was written: see [`Hooks::validate`](crate::Hooks::validate).
    Validation,
    /// The row that an UPDATE or DELETE named is not there any more, or not in the expected version.
    StaleData,
    /// The transaction could not be ordered with its neighbours; run it again.
    Serialization,
    /// The database broke a deadlock by ending this transaction; run it again.
    Deadlock,
    /// Of several databases some had committed when another could not: the message names them. What was written to those
    /// stays.
    PartialCommit,
    /// The database stayed locked by another writer for longer than the busy timeout.
    Busy,
    /// No connection came free in the pool's time limit, or a session waited too long for itself.
    PoolTimeout,
    /// The database cannot be reached, or the connection broke.
    Connection,
    /// The entity's session is closed or gone, so that it cannot load anything.
    Detached,
    /// A relationship was read that has not been loaded.
    NotLoaded,
    /// The session's flush failed or was cut short; only `rollback` is possible.
    NeedsRollback,
    /// The statement cannot be sent as it stands, or the database cannot parse it.
    InvalidStatement,
    /// A table or column that the statement names does not exist in the database.
    MissingTable,
    /// A value in the database does not fit the Rust type of its column, or the reverse.
    Decode,
    /// A setting, URL or model definition is wrong.
    Config,
    /// What was asked for does not exist on this backend.
    Unsupported,
    /// The database file is read-only.
    ReadOnly,
    /// The disk is full.
    DiskFull,
    /// Serialization of an entity would exceed its budget.
    Serialize,
    /// Input from a request that is not acceptable (a page number that is no number).
    BadRequest,
    /// The application's own reason to end a `scope` or `transaction`: see [`Error::abort`].
    Aborted,
    /// The database reported something that has no kind of its own.
    Database,
}

/// Anything that went wrong, with what it was about.
///
/// One word wide. [`kind`](Error::kind) says what to do about it, `Display` says what happened, where, and the cure;
/// neither shows passwords. The database's own report is the [`source`](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    table: Option<String>,
    columns: Vec<String>,
    constraint: Option<String>,
    statement: Option<Box<str>>,
    /// The position in the row of a value that could not be decoded.
    position: Option<usize>,
    /// The number of the statement's value that could not be sent, the first being 1.
    parameter: Option<usize>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    payload: Option<Box<dyn Any + Send + Sync>>,
    /// Whether this is an answer to a client that asked for something that is not there: see [`Error::not_found`].
    is_404: bool,
    /// What may be shown to that client.
    description: Option<Cow<'static, str>>,
}

impl Error {
    /// A new error of a kind, with its message: lower case, naming the thing and the cure.
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            table: None,
            columns: Vec::new(),
            constraint: None,
            statement: None,
            position: None,
            parameter: None,
            source: None,
            payload: None,
            is_404: false,
            description: None,
        }))
    }

    /// What a client asked for is not there: as a response it is 404 with this description, which the client sees.
    ///
    /// ```
    /// use aludel::{Error, ErrorKind};
    ///
    /// let error = Error::not_found("no such album");
    /// assert_eq!(error.kind(), ErrorKind::NotFound);
    /// assert_eq!(error.description(), Some("no such album"));
    /// ```
    pub fn not_found(description: impl Into<Cow<'static, str>>) -> Self {
        let description = description.into();
        let mut error = Self::new(ErrorKind::NotFound, description.clone());
        error.0.is_404 = true;
        error.0.description = Some(description);
        error
    }

    /// Makes "no row" and "more than one row" an answer of 404, as the `_or_404` family does; other errors stay what
    /// they are. Without a description the client sees the standard text.
    #[must_use]
    pub fn or_404(mut self) -> Self {
        if matches!(self.0.kind, ErrorKind::NotFound | ErrorKind::MultipleFound) {
            self.0.kind = ErrorKind::NotFound;
            self.0.is_404 = true;
        }
        self
    }

    /// Whether as a response this is 404: it comes from the `_or_404` family, a page that does not exist, or
    /// [`Error::not_found`]. A `NotFound` of `one` or `get_one` is a fault of the program, and not.
    pub fn is_404(&self) -> bool {
        self.0.is_404
    }

    /// The text for the client of a 404 or a 422.
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Ends a `db.scope` or `db.transaction` for a reason of the application's own: the work is rolled back and the
    /// reason comes out of it again by [`downcast`](Error::downcast).
    ///
    /// ```
    /// use aludel::{Error, ErrorKind};
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct OutOfStock(u32);
    ///
    /// let error = Error::abort(OutOfStock(7));
    /// assert_eq!(error.kind(), ErrorKind::Aborted);
    /// assert_eq!(error.downcast::<OutOfStock>().unwrap(), OutOfStock(7));
    /// ```
    pub fn abort<E: Any + Send + Sync>(reason: E) -> Self {
        let mut error = Self::new(ErrorKind::Aborted, "the application ended the transaction");
        error.0.payload = Some(Box::new(reason));
        error
    }

    /// The application's reason given to [`Error::abort`].
    ///
    /// # Errors
    /// The error itself, unchanged, when it holds no `E`.
    pub fn downcast<E: Any>(mut self) -> std::result::Result<E, Self> {
        if !self.0.payload.as_ref().is_some_and(|payload| payload.is::<E>()) {
            return Err(self);
        }
        match self.0.payload.take().map(|payload| (payload as Box<dyn Any>).downcast::<E>()) {
            Some(Ok(reason)) => Ok(*reason),
            _ => Err(self),
        }
    }

    /// A row that may not be written, for a reason that no single column is to blame for: what
    /// [`Hooks::validate`](crate::Hooks::validate) returns. The client sees the message, in a response of 422.
    ///
    /// ```
    /// use aludel::{Error, ErrorKind};
    ///
    /// let error = Error::validation("a meeting ends after it begins");
    /// assert_eq!(error.kind(), ErrorKind::Validation);
    /// assert_eq!(error.to_string(), "a meeting ends after it begins");
    /// ```
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        let mut error = Self::new(ErrorKind::Validation, message.clone());
        error.0.description = Some(message);
        error
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The constraint that was violated, where the database names it. SQLite names columns instead; then the name is
    /// the one that the naming convention gives the constraint of those columns.
    pub fn constraint(&self) -> Option<&str> {
        self.0.constraint.as_deref()
    }

    /// The table that the error is about, where one is known.
    pub fn table(&self) -> Option<&str> {
        self.0.table.as_deref()
    }

    /// The columns that the error is about, where they are known.
    pub fn columns(&self) -> &[String] {
        &self.0.columns
    }

    /// The SQL of the statement that failed, with placeholders and without values.
    pub fn statement(&self) -> Option<&str> {
        self.0.statement.as_deref()
    }

    /// Whether running the same transaction again may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Serialization | ErrorKind::Deadlock | ErrorKind::Busy)
    }

    pub(crate) fn with_table(mut self, table: impl Into<String>) -> Self {
        self.0.table = Some(table.into());
        self
    }

    pub(crate) fn with_columns(mut self, columns: Vec<String>) -> Self {
        self.0.columns = columns;
        self
    }

    pub(crate) fn with_constraint(mut self, constraint: impl Into<String>) -> Self {
        self.0.constraint = Some(constraint.into());
        self
    }

    /// Names the statement, unless an inner layer has named a more exact one.
    pub(crate) fn with_statement(mut self, sql: &str) -> Self {
        self.0.statement.get_or_insert_with(|| sql.into());
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_position(mut self, position: usize) -> Self {
        self.0.position = Some(position);
        self
    }

    /// The position in the row of the value that could not be decoded.
    pub(crate) fn position(&self) -> Option<usize> {
        self.0.position
    }

    pub(crate) fn with_parameter(mut self, number: usize) -> Self {
        self.0.parameter = Some(number);
        self
    }

    /// Takes the number of the value that could not be sent, for one who can say it better.
    pub(crate) fn take_parameter(&mut self) -> Option<usize> {
        self.0.parameter.take()
    }

    pub(crate) fn with_message(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.0.message = change(&self.0.message).into();
        self
    }

    #[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "the web layer asks for it"))]
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.0.parameter {
            write!(f, "value {number} of the statement: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(statement) = &self.0.statement {
            out.field("statement", statement);
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Turns what is not there into an answer of 404 with a description of its own.
///
/// ```
/// use aludel::{ErrorKind, Or404};
///
/// let album: Option<&str> = None;
/// let error = album.or_404("no such album").unwrap_err();
/// assert_eq!((error.kind(), error.description()), (ErrorKind::NotFound, Some("no such album")));
/// ```
pub trait Or404 {
    /// What is there if something is.
    type Output;

    /// What is there, or an error that answers 404 with this description.
    ///
    /// # Errors
    /// `NotFound` for `None`, for a `NotFound` and for a `MultipleFound`; other errors stay what they are.
    fn or_404(self, description: impl Into<Cow<'static, str>>) -> Result<Self::Output>;
}

impl<T> Or404 for Option<T> {
    type Output = T;

    fn or_404(self, description: impl Into<Cow<'static, str>>) -> Result<T> {
        self.ok_or_else(|| Error::not_found(description))
    }
}

impl<T> Or404 for Result<T> {
    type Output = T;

    fn or_404(self, description: impl Into<Cow<'static, str>>) -> Result<T> {
        self.map_err(|error| {
            let mut error = error.or_404();
            if error.is_404() {
                error.0.description = Some(description.into());
            }
            error
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_404_family_is_told_from_a_plain_not_found() {
        let plain = Error::new(ErrorKind::NotFound, "no row of user");
        assert!(!plain.is_404());
        let found = plain.or_404();
        assert!(found.is_404() && found.description().is_none());
        assert_eq!(found.to_string(), "no row of user");
    }

    #[test]
    fn more_than_one_row_is_404_too_and_other_errors_are_not() {
        let many: Result<()> = Err(Error::new(ErrorKind::MultipleFound, "two rows"));
        let error = many.or_404("no such post").unwrap_err();
        assert_eq!((error.kind(), error.description()), (ErrorKind::NotFound, Some("no such post")));
        let broken: Result<()> = Err(Error::new(ErrorKind::Connection, "gone"));
        let error = broken.or_404("no such post").unwrap_err();
        assert_eq!((error.kind(), error.is_404(), error.description()), (ErrorKind::Connection, false, None));
    }
}
