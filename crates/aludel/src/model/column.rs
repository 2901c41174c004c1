//! A typed column.

use std::fmt;
use std::marker::PhantomData;

use crate::entity::def::{ColumnDef, ModelDef};
use crate::entity::model::Model;
use crate::sql::{ColumnRef, Node, OrderBy};

/// A column of model `M` whose values have type `T`: the associated constant that the derive makes of each field.
///
/// It is an [`Expression`](super::Expression): `User::email.eq("a@x")`, `Post::views + 1`.
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

/// A column of model `M` that is chosen at run time: what `User::column("username")?` gives.
pub struct DynColumn<M> {
    index: usize,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for DynColumn<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for DynColumn<M> {}

impl<M: Model> DynColumn<M> {
    pub(crate) const fn new(index: usize) -> Self {
        Self { index, model: PhantomData }
    }

    /// The column as plain data.
    pub fn def(self) -> &'static ColumnDef {
        &M::def().columns[self.index]
    }

    /// An order from the least value to the greatest.
    pub fn asc(self) -> OrderBy {
        OrderBy::asc(column_node(M::def(), self.index))
    }

    /// An order from the greatest value to the least.
    pub fn desc(self) -> OrderBy {
        OrderBy::desc(column_node(M::def(), self.index))
    }
}

impl<M: Model> fmt::Debug for DynColumn<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", M::def().name, self.def().field)
    }
}

/// A model's column as an expression.
pub(crate) fn column_node(model: &'static ModelDef, index: usize) -> Node {
    let column = &model.columns[index];
    Node::Column(ColumnRef { table: model.table.into(), name: column.name.into(), nullable: column.nullable })
}
