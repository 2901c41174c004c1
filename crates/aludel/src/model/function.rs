//! Functions of SQL.

use crate::schema::SqlType;
use crate::sql::{Node, Nulls};

use super::ColumnType;
use super::expression::{BaseOf, Expr, Expression};
use super::operand::{Number, Operand, Text};

/// The number of rows, or of the group's rows, in which the expression is not NULL.
pub fn count(value: impl Expression) -> Expr<i64> {
    Expr::new(function("count", vec![value.into_node()], Nulls::Never))
}

/// The number of different values that are not NULL.
pub fn count_distinct(value: impl Expression) -> Expr<i64> {
    Expr::new(Node::Function { name: "count", distinct: true, args: vec![value.into_node()], nulls: Nulls::Never })
}

/// The number of rows, or of the group's rows: `count(*)`.
pub fn count_all() -> Expr<i64> {
    Expr::new(crate::sql::count_rows())
}

/// The sum of the values that are not NULL; `None` where there is none.
pub fn sum<E: Expression>(value: E) -> Expr<Option<<BaseOf<E> as Number>::Sum>>
where
    BaseOf<E>: Number,
{
    let sum = function("sum", vec![value.into_node()], Nulls::Propagate);
    Expr::new(Node::Typed(Box::new(sum), <BaseOf<E> as Number>::Sum::SQL_TYPE))
}

/// The average of the values that are not NULL; `None` where there is none.
pub fn avg<E: Expression>(value: E) -> Expr<Option<f64>>
where
    BaseOf<E>: Number,
{
    // MySQL's average of integers is a decimal of four digits, and PostgreSQL's a decimal too.
    let value = if is_float::<BaseOf<E>>() {
        value.into_node()
    } else {
        Node::Typed(Box::new(value.into_node()), SqlType::Double)
    };
    Expr::new(function("avg", vec![value], Nulls::Propagate))
}

/// The least of the values that are not NULL; `None` where there is none.
pub fn min<E: Expression>(value: E) -> Expr<Option<BaseOf<E>>> {
    Expr::new(function("min", vec![value.into_node()], Nulls::Propagate))
}

/// The greatest of the values that are not NULL; `None` where there is none.
pub fn max<E: Expression>(value: E) -> Expr<Option<BaseOf<E>>> {
    Expr::new(function("max", vec![value.into_node()], Nulls::Propagate))
}

/// The value, or `other` where it is NULL.
pub fn coalesce<E: Expression>(value: E, other: impl Operand<BaseOf<E>>) -> Expr<BaseOf<E>> {
    Expr::new(function("coalesce", vec![value.into_node(), other.into_operand()], Nulls::Coalesce))
}

/// The text in lower case. SQLite knows the ASCII letters only.
pub fn lower<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    Expr::new(function("lower", vec![text.into_node()], Nulls::Propagate))
}

/// The text in upper case. SQLite knows the ASCII letters only.
pub fn upper<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    Expr::new(function("upper", vec![text.into_node()], Nulls::Propagate))
}

/// The number of characters. Of a text that may be NULL it may be NULL too: select its `.optional()`.
pub fn length<E: Expression>(text: E) -> Expr<i64>
where
    BaseOf<E>: Text,
{
    Expr::new(function("length", vec![text.into_node()], Nulls::Propagate))
}

fn is_float<T: ColumnType>() -> bool {
    matches!(T::SQL_TYPE, SqlType::Float | SqlType::Double)
}

fn function(name: &'static str, args: Vec<Node>, nulls: Nulls) -> Node {
    Node::Function { name, distinct: false, args, nulls }
}
