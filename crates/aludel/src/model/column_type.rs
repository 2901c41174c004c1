//! How a Rust type is a column's type.

use crate::engine::row::Row;
use crate::error::Result;
use crate::schema::SqlType;
use crate::sql::Value;

/// A Rust type that a column can have.
///
/// Implemented for the integers, `bool`, floats, `String`, `Vec<u8>`, jiff's and (by feature) chrono's dates and
/// times, `Uuid`, decimals, `IpAddr` (and `Ipv4Addr`, `Ipv6Addr`), JSON, on PostgreSQL `Vec`, [`Range`](super::Range) and `jiff::Span`, and `Option` of each; for enums and newtypes by `#[derive(DbEnum)]` and
/// `#[derive(DbType)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no SQL type",
    label = "not a type that a column can have",
    note = "columns can be integers, `bool`, `f32`, `f64`, `String`, `Vec<u8>`, dates and times of jiff (and of chrono, by feature), `Uuid`, `Decimal`, `IpAddr`, `Json<T>`, `serde_json::Value`, on PostgreSQL `Vec` of these, `Range<T>` and `Span`, and `Option` of each",
    note = "for a newtype or an enum of your own add `#[derive(DbType)]` or `#[derive(DbEnum)]`"
)]
pub trait ColumnType: Sized + Clone + Send + Sync + 'static {
    /// The type that this one wraps in `Option`, or itself: what it may be compared with.
    type Base: ColumnType<Base = Self::Base>;

    /// The column's type in the database.
    const SQL_TYPE: SqlType;

    /// Whether NULL has a place in this type.
    const NULLABLE: bool = false;

    /// Reads the value at a position of the row.
    ///
    /// # Errors
    /// `Decode` when the value is NULL, of another type, out of range or malformed.
    fn decode(row: &Row<'_>, index: usize) -> Result<Self>;

    /// Reads the value at a position of the row, which may be NULL. Types that can do it in one look do.
    ///
    /// # Errors
    /// As [`decode`](ColumnType::decode), but for NULL.
    #[inline]
    fn decode_optional(row: &Row<'_>, index: usize) -> Result<Option<Self>> {
        if row.is_null(index) { Ok(None) } else { Self::decode(row, index).map(Some) }
    }

    /// The value for the database, borrowed where possible.
    fn to_value(&self) -> Value<'_>;

    /// The way back from [`to_value`](ColumnType::to_value), for generated keys and filled-in foreign keys.
    ///
    /// # Errors
    /// `Decode` when the value is of another type or out of range.
    fn from_value(value: Value<'_>) -> Result<Self>;
}
