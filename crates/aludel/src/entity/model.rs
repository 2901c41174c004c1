//! What the derive implements.

use crate::engine::row::Row;
use crate::error::Result;
use crate::sql::Value;

use super::def::ModelDef;
use super::relation_field::RelationField;

/// A struct that is a table's row. Implemented by `#[derive(Model)]` only.
///
/// Send and Sync come from this trait's bound, never from the structure of the handles that lead from model to model.
///
/// # Safety
/// `relation` and `relation_mut` reach every relationship field of the struct exactly once, for the indexes of
/// `def().relationships`; the arena relies on it to cut the bare pointers in them before a value is dropped.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "not a model",
    note = "add `#[derive(Model, Clone)]` to the struct"
)]
#[allow(unsafe_code, reason = "an implementation by hand could break the arena; only the derive writes one")]
pub unsafe trait Model: Clone + Send + Sync + 'static {
    /// The primary key: the column's type, or a tuple of them for a composite key.
    type Key: Key;

    /// The model as plain data.
    fn def() -> &'static ModelDef;

    /// Reads the columns, in their order, from a position of the row on.
    ///
    /// # Errors
    /// `Decode` when a value does not fit its field.
    fn decode(row: &Row<'_>, at: usize) -> Result<Self>;

    /// The value of a column.
    fn value(&self, column: usize) -> Value<'_>;

    /// Writes a column.
    ///
    /// # Errors
    /// `Decode` when the value does not fit the field.
    fn put(&mut self, column: usize, value: Value<'_>) -> Result<()>;

    /// A relationship's field.
    fn relation(&self, index: usize) -> &RelationField;

    /// Whether a deferred column that is not loaded lies at this address.
    #[doc(hidden)]
    fn is_unloaded(&self, _address: *const ()) -> bool {
        false
    }

    /// A relationship's field, to be written.
    fn relation_mut(&mut self, index: usize) -> &mut RelationField;
}

/// The type of a primary key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a primary key",
    note = "a key is an integer, `String`, `Uuid`, a date, a newtype of one of these, or a tuple of them"
)]
pub trait Key: Sized + Clone + Send + Sync + 'static {
    /// The key's values, one for each column, in the order of the columns.
    fn values(&self) -> Vec<Value<'_>>;
}

/// What can be given where a primary key of type `K` is asked for: the key itself, or `&str` for a `String`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the primary key's type `{K}`",
    label = "expected a key of type `{K}`"
)]
pub trait IntoKey<K: Key> {
    /// The key.
    fn into_key(self) -> K;
}

impl<K: Key> IntoKey<K> for K {
    fn into_key(self) -> K {
        self
    }
}
