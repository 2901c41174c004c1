//! What the derive of a mixin tells the models that it is flattened into.

use crate::engine::row::Row;
use crate::error::Result;
use crate::sql::Value;

/// A struct of columns.
pub trait Mixin: Sized + Clone + Send + Sync + 'static {
    /// The types of the fields.
    type Fields;

    /// The struct of its fields.
    fn of_fields(fields: Self::Fields) -> Self;

    /// Reads the columns from a position of the row on.
    ///
    /// # Errors
    /// `Decode` when a value does not fit its field.
    fn decode(row: &Row<'_>, at: usize) -> Result<Self>;

    /// The value of a column, by its position here.
    fn value(&self, column: usize) -> Value<'_>;

    /// Writes a column, by its position here.
    ///
    /// # Errors
    /// `Decode` when the value does not fit the field.
    fn put(&mut self, column: usize, value: Value<'_>) -> Result<()>;
}

/// The column of a mixin at a position.
pub trait MixinColumn<const POSITION: usize>: Mixin {
    /// Its type.
    type Type;
}

/// A column with a default.
pub trait MixinDefault<const POSITION: usize>: MixinColumn<POSITION> {
    /// The value of a new row that gives none.
    fn value() -> Self::Type;
}

/// A column that is written with each UPDATE.
pub trait MixinOnUpdate<const POSITION: usize>: MixinColumn<POSITION> {
    /// The value.
    fn value() -> Self::Type;
}

/// # Panics
/// Always: positions come from the model's own definition.
#[cold]
pub fn no_mixin_column<M: Mixin>(column: usize) -> ! {
    panic!("`{}` has no column at position {column}", std::any::type_name::<M>())
}
