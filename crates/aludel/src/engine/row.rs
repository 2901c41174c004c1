//! A row as it lies in the driver's buffers.

use crate::error::{Error, ErrorKind, Result};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

#[cfg(feature = "mysql")]
use super::mysql;
#[cfg(feature = "postgres")]
use super::postgres::row as postgres;
#[cfg(feature = "sqlite")]
use super::sqlite::row as sqlite;

/// One row of a result, as it lies in the driver's buffers: values are decoded from it by position, straight into
/// the struct that keeps them.
///
/// It is valid until the next row is asked for.
pub struct Row<'a>(Source<'a>);

enum Source<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::SqliteRow<'a>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::PgRow<'a>),
    #[cfg(feature = "mysql")]
    Mysql(mysql::MysqlRow<'a>),
}

/// What a driver's row answers; the one `match` over the backends is in the macro below.
macro_rules! delegate {
    ($($(#[$doc:meta])* fn $name:ident(&self, index: usize) -> $out:ty;)*) => {
        $($(#[$doc])*
        #[inline]
        pub fn $name(&self, index: usize) -> $out {
            match &self.0 {
                #[cfg(feature = "sqlite")]
                Source::Sqlite(row) => row.$name(index),
                #[cfg(feature = "postgres")]
                Source::Postgres(row) => row.$name(index),
                #[cfg(feature = "mysql")]
                Source::Mysql(row) => row.$name(index),
            }
        })*
    };
}

impl<'a> Row<'a> {
    #[cfg(feature = "sqlite")]
    #[inline]
    pub(crate) fn sqlite(row: sqlite::SqliteRow<'a>) -> Self {
        Self(Source::Sqlite(row))
    }

    #[cfg(feature = "postgres")]
    #[inline]
    pub(super) fn postgres(row: postgres::PgRow<'a>) -> Self {
        Self(Source::Postgres(row))
    }

    #[cfg(feature = "mysql")]
    #[inline]
    pub(super) fn mysql(row: mysql::MysqlRow<'a>) -> Self {
        Self(Source::Mysql(row))
    }

    delegate! {
        /// Whether the value is NULL.
        fn is_null(&self, index: usize) -> bool;
        /// An integer; `Decode` when it is NULL or of another type.
        fn integer(&self, index: usize) -> Result<i64>;
        /// An integer, or `None` for NULL; `Decode` when it is of another type.
        fn optional_integer(&self, index: usize) -> Result<Option<i64>>;
        /// Text in UTF-8, or `None` for NULL; `Decode` when it is of another type.
        fn optional_text(&self, index: usize) -> Result<Option<&str>>;
        /// An unsigned integer of 64 bits.
        fn unsigned(&self, index: usize) -> Result<u64>;
        /// A truth value.
        fn boolean(&self, index: usize) -> Result<bool>;
        /// A float; an integer counts where the backend stores whole floats as integers.
        fn double(&self, index: usize) -> Result<f64>;
        /// Text in UTF-8, in the driver's buffer.
        fn text(&self, index: usize) -> Result<&str>;
        /// Bytes, in the driver's buffer.
        fn bytes(&self, index: usize) -> Result<&[u8]>;
        /// A UUID.
        fn uuid(&self, index: usize) -> Result<Uuid>;
        /// An exact decimal number, as its text.
        fn decimal(&self, index: usize) -> Result<std::borrow::Cow<'_, str>>;
        /// A calendar date.
        fn date(&self, index: usize) -> Result<Date>;
        /// A time of day.
        fn time(&self, index: usize) -> Result<Time>;
        /// A date and time without a zone.
        fn datetime(&self, index: usize) -> Result<DateTime>;
        /// An instant.
        fn timestamp(&self, index: usize) -> Result<Timestamp>;
        /// A JSON document, as its text.
        fn json(&self, index: usize) -> Result<&str>;
    }

    /// How many columns the row has.
    pub fn len(&self) -> usize {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Source::Sqlite(row) => row.len(),
            #[cfg(feature = "postgres")]
            Source::Postgres(row) => row.len(),
            #[cfg(feature = "mysql")]
            Source::Mysql(row) => row.len(),
        }
    }

    /// Whether the row has no columns at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The error for a value that is NULL where the Rust type has no place for it.
#[cold]
pub(crate) fn unexpected_null(index: usize) -> Error {
    Error::new(ErrorKind::Decode, "the value is NULL, and the Rust type is not an Option").with_position(index)
}

/// The error for a value of another type than the column's Rust type.
#[cold]
pub(crate) fn wrong_type(index: usize, expected: &str, found: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("expected {expected}, found {found}")).with_position(index)
}

/// The error for an integer that its Rust type cannot hold.
#[cold]
pub(crate) fn out_of_range(index: usize, value: i64, rust: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("{value} is out of range for `{rust}`")).with_position(index)
}
