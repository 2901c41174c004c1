//! What an expression may be compared with.

use crate::entity::model::Model;
use crate::sql::{Node, Value};

use super::{AliasColumn, Column, ColumnType, Expr, Expression};

/// What an expression of type `Base` may be compared or calculated with: a value of that type, an `Option` of one, a
/// column or another expression.
///
/// Each column type has one implementation for its plain values, so that literals find their type:
/// `User::id.eq(1)`, `User::username.eq("x")`. An integer of another width is converted by the program:
/// `i64::from(x)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used where a column of type `{Base}` is compared or assigned",
    label = "this is not a `{Base}` expression",
    note = "give a `{Base}`, a column or expression of that type, or an `Option`; integers of another width are converted first: `i64::from(x)`"
)]
pub trait Operand<Base> {
    /// The operand without its type.
    fn into_operand(self) -> Node;
}

impl<T: ColumnType> Operand<T::Base> for Expr<T> {
    fn into_operand(self) -> Node {
        self.into_node()
    }
}

impl<M: Model, T: ColumnType> Operand<T::Base> for Column<M, T> {
    fn into_operand(self) -> Node {
        self.into_node()
    }
}

impl<M: Model, T: ColumnType> Operand<T::Base> for AliasColumn<M, T> {
    fn into_operand(self) -> Node {
        self.into_node()
    }
}

/// `None` is NULL, for which `eq` asks with IS NULL.
impl<Base, V: Operand<Base>> Operand<Base> for Option<V> {
    fn into_operand(self) -> Node {
        self.map_or(Node::NULL, Operand::into_operand)
    }
}

/// A plain value as an operand: for the implementations of the column types.
pub(crate) fn bound(value: Value<'_>) -> Node {
    Node::Value(value.into_owned())
}

/// What `in_` looks in: an array, a `Vec`, a slice, an iterator.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of values for a column of type `{Base}`",
    label = "not a list of `{Base}`",
    note = "give an array, a `Vec`, a slice or an iterator of values: `.in_([1, 2, 3])`"
)]
pub trait InList<Base> {
    /// The test whether `value` is in the list.
    fn into_in(self, value: Node) -> Node;
}

impl<Base, I> InList<Base> for I
where
    I: IntoIterator,
    I::Item: Operand<Base>,
{
    fn into_in(self, value: Node) -> Node {
        Node::in_list(value, self.into_iter().map(Operand::into_operand).collect())
    }
}

/// The type of texts, which have `contains`, `like` and `lower`.
#[diagnostic::on_unimplemented(
    message = "text operators need a text expression, and this one is `{Self}`",
    label = "not text"
)]
pub trait Text: ColumnType {}

/// The types of numbers, which can be added and summed up.
#[diagnostic::on_unimplemented(
    message = "arithmetic needs a number, and this expression is `{Self}`",
    label = "not a number"
)]
pub trait Number: ColumnType {
    /// The type of a sum of such numbers: `i64` for integers, `f64` for floats.
    type Sum: ColumnType;
}

/// The types of numbers that have digits after the point, which can be rounded.
#[diagnostic::on_unimplemented(
    message = "rounding needs a float or a decimal, and this expression is `{Self}`",
    label = "not a number with digits after the point"
)]
pub trait Fractional: Number {}

/// The types that have a year, a month and a day: dates, dates with times, instants.
#[diagnostic::on_unimplemented(
    message = "this needs a date, and the expression is `{Self}`",
    label = "neither a date nor an instant"
)]
pub trait Dated: ColumnType {}

/// The types that have an hour, a minute and a second: times, dates with times, instants.
#[diagnostic::on_unimplemented(
    message = "this needs a time, and the expression is `{Self}`",
    label = "neither a time nor an instant"
)]
pub trait Timed: ColumnType {}
