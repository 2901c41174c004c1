//! What may be written to a column or a relationship.

use std::marker::PhantomData;

use crate::entity::model::Model;
use crate::sql::Node;

use super::func::SqlExpr;
use super::operand::bound;
use super::{Column, ColumnType, Expr, Expression, pending_key};

/// What may be written to a column of type `V`: a value of the type itself, `&str` for text, and for a column that may
/// be NULL also a value without `Some`, or `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to a column of type `{V}`",
    label = "expected a `{V}`",
    note = "integers of another width are converted first: `i64::from(x)`"
)]
pub trait IntoValue<V> {
    /// The column's value.
    fn into_value(self) -> V;
}

impl<V: ColumnType> IntoValue<V> for V {
    fn into_value(self) -> V {
        self
    }
}

impl<V: ColumnType> IntoValue<Option<V>> for V
where
    Option<V>: ColumnType,
{
    fn into_value(self) -> Option<V> {
        Some(self)
    }
}

/// What is a plain value and no expression: the types of columns, and `&str`.
///
/// It tells the two apart for [`Column::set`], which takes both.
pub trait PlainValue {}

impl<V: ColumnType> PlainValue for V {}

impl PlainValue for &str {}

/// What [`Column::set`] takes: all that [`IntoValue`] does, or an expression of the column's type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written to a column of type `{V}`",
    label = "expected a `{V}` or an expression of it",
    note = "integers of another width are converted first: `i64::from(x)`"
)]
pub trait Assignable<V> {
    /// The new value, without its type.
    fn into_assigned(self) -> Node;
}

impl<V: ColumnType, W: IntoValue<V> + PlainValue> Assignable<V> for W {
    fn into_assigned(self) -> Node {
        bound(self.into_value().to_value())
    }
}

impl<V: ColumnType> Assignable<V> for Expr<V> {
    fn into_assigned(self) -> Node {
        self.into_node()
    }
}

impl<V: ColumnType> Assignable<Option<V>> for Expr<V> {
    fn into_assigned(self) -> Node {
        self.into_node()
    }
}

impl<V: ColumnType> Assignable<V> for SqlExpr<V> {
    fn into_assigned(self) -> Node {
        self.into_node()
    }
}

impl<V: ColumnType> Assignable<Option<V>> for SqlExpr<V> {
    fn into_assigned(self) -> Node {
        self.into_node()
    }
}

impl<M: Model, V: ColumnType> Assignable<V> for Column<M, V> {
    fn into_assigned(self) -> Node {
        self.into_node()
    }
}

impl<M: Model, V: ColumnType> Assignable<Option<V>> for Column<M, V> {
    fn into_assigned(self) -> Node {
        self.into_node()
    }
}

/// A new value for a column of `M`, for an UPDATE of many rows: `Post::title.set("x")`.
#[derive(Clone, Debug)]
#[must_use = "give it to `update`"]
pub struct Assign<M> {
    pub(crate) column: usize,
    pub(crate) value: Node,
    model: PhantomData<fn() -> M>,
}

impl<M: Model, T: ColumnType> Column<M, T> {
    /// A new value for the column, in an UPDATE of many rows.
    ///
    /// The value may be an expression: `Post::views.set(Post::views + 1)`.
    pub fn set(self, value: impl Assignable<T>) -> Assign<M> {
        let mut value = value.into_assigned();
        pending_key::mark(self.column(), &mut value);
        Assign { column: self.index(), value, model: PhantomData }
    }
}

/// What `update` takes: `Post::title.set("x")`, or a tuple or `Vec` of such.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no assignment to columns of `{M}`",
    label = "not an assignment",
    note = "give `{M}::column.set(value)`, or a tuple of these"
)]
pub trait Assignments<M> {
    /// Appends the assignments.
    fn push_to(self, assignments: &mut Vec<Assign<M>>);
}

impl<M> Assignments<M> for Assign<M> {
    fn push_to(self, assignments: &mut Vec<Self>) {
        assignments.push(self);
    }
}

impl<M, A: Assignments<M>> Assignments<M> for Vec<A> {
    fn push_to(self, assignments: &mut Vec<Assign<M>>) {
        self.into_iter().for_each(|assignment| assignment.push_to(assignments));
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<M, $($name: Assignments<M>),+> Assignments<M> for ($($name,)+) {
            fn push_to(self, assignments: &mut Vec<Assign<M>>) {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                $($name.push_to(assignments);)+
            }
        }
    };
}

crate::tuples::each_tuple!(tuples);
