//! Functions that choose among values, NULL being one.

use crate::model::ColumnType;
use crate::model::argument::Argument;
use crate::model::expression::{BaseOf, Expr, Expression};
use crate::model::operand::Operand;
use crate::sql::{Function, Node, Nulls};

use super::{call, plain};

/// A value as an expression: `literal(5_i64) - Post::views`. It is bound, never a part of the SQL.
pub fn literal<V: Argument>(value: V) -> Expr<V::Type> {
    Expr::new(value.into_argument())
}

/// The value, or `other` where it is NULL.
pub fn coalesce<E: Expression>(value: E, other: impl Operand<BaseOf<E>>) -> Expr<BaseOf<E>> {
    let args = vec![value.into_node(), other.into_operand()];
    Expr::new(Node::Function { name: "coalesce", distinct: false, args, nulls: Nulls::Coalesce })
}

/// The value, or NULL where it is equal to `other`: `nullif(User::nick, "")`.
pub fn nullif<E: Expression>(value: E, other: impl Operand<BaseOf<E>>) -> Expr<Option<BaseOf<E>>>
where
    Option<BaseOf<E>>: ColumnType,
{
    plain("nullif", vec![value.into_node(), other.into_operand()])
}

/// The greater of two values. Where one is NULL it is NULL, and on PostgreSQL the other one.
pub fn greatest<E: Expression>(value: E, other: impl Operand<BaseOf<E>>) -> Expr<E::Type> {
    let other = other.into_operand().known(<BaseOf<E>>::SQL_TYPE);
    call(Function::Greatest, vec![value.into_node(), other])
}

/// The lesser of two values. Where one is NULL it is NULL, and on PostgreSQL the other one.
pub fn least<E: Expression>(value: E, other: impl Operand<BaseOf<E>>) -> Expr<E::Type> {
    let other = other.into_operand().known(<BaseOf<E>>::SQL_TYPE);
    call(Function::Least, vec![value.into_node(), other])
}
