//! A typed column.

use std::fmt;
use std::marker::PhantomData;

use crate::entity::def::ColumnDef;
use crate::entity::model::Model;

/// A column of model `M` whose values have type `T`: the associated constant that the derive makes of each field.
pub struct Column<M, T> {
    index: usize,
    types: PhantomData<fn() -> (M, T)>,
}

impl<M, T> Clone for Column<M, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, T> Copy for Column<M, T> {}

impl<M, T> Column<M, T> {
    #[doc(hidden)]
    pub const fn new(index: usize) -> Self {
        Self { index, types: PhantomData }
    }

    /// The position among the model's columns.
    pub const fn index(self) -> usize {
        self.index
    }
}

impl<M: Model, T> Column<M, T> {
    /// The column as plain data.
    pub fn def(self) -> &'static ColumnDef {
        &M::def().columns[self.index]
    }
}

impl<M: Model, T> fmt::Debug for Column<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", M::def().name, self.def().field)
    }
}
