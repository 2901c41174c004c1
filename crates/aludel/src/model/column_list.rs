//! Columns of one model, named together.

use crate::entity::model::Model;

use super::Column;

/// Columns of `M`: one, or a tuple of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of columns of `{M}`",
    label = "not columns of `{M}`",
    note = "give a column, or a tuple of columns: `(User::email, User::karma)`"
)]
pub trait ColumnList<M> {
    /// The columns' positions in the model.
    fn positions(self) -> Vec<usize>;
}

impl<M: Model, T> ColumnList<M> for Column<M, T> {
    fn positions(self) -> Vec<usize> {
        vec![self.index()]
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<M, $($name: ColumnList<M>),+> ColumnList<M> for ($($name,)+) {
            fn positions(self) -> Vec<usize> {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                let mut positions = Vec::new();
                $(positions.extend($name.positions());)+
                positions
            }
        }
    };
}

crate::tuples::each_tuple!(tuples);
