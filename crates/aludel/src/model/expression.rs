//! Typed expressions.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Rem, Sub};

use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::schema::SqlType;
use crate::sql::{BinaryOp, Node, OrderBy};

use super::column::column_node;
use super::operand::{InList, Number, Operand, Text};
use super::{Column, ColumnType, pending_key};

/// The type that an expression may be compared with: its own, without `Option`.
pub type BaseOf<E> = <<E as Expression>::Type as ColumnType>::Base;

/// An expression of type `T`: a comparison, a calculation, a function. Conditions are `Expr<bool>`.
///
/// Conditions compose with `&`, `|` and `!`.
#[must_use = "an expression does nothing until a query uses it"]
pub struct Expr<T> {
    node: Node,
    ty: PhantomData<fn() -> T>,
}

impl<T> Expr<T> {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, ty: PhantomData }
    }
}

impl<T> Clone for Expr<T> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

impl<T> fmt::Debug for Expr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.node).finish()
    }
}

/// What has a value in SQL: a column, or an expression made of columns and values.
///
/// Comparisons take values of the column's type or other expressions. As in SQL, a comparison with a column that is
/// NULL is neither true nor false and finds no row: `User::nick.ne("x")` does not find users without a nick. Only the
/// value `None` asks for NULL itself: `User::nick.eq(None::<String>)` is `is_null`, and so is `eq(nick)` where the
/// program's own `nick` is `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an expression of SQL",
    label = "neither a column nor an expression"
)]
pub trait Expression: Sized {
    /// The type of the value.
    type Type: ColumnType;

    /// The expression without its type.
    fn into_node(self) -> Node;

    /// The model and the position of the column, where the expression is one.
    #[doc(hidden)]
    fn column(&self) -> Option<(&'static ModelDef, usize)> {
        None
    }

    /// `=`, or IS NULL where `other` is `None`.
    fn eq(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        equate(self, BinaryOp::Eq, other)
    }

    /// `<>`, or IS NOT NULL where `other` is `None`. A column that is NULL is not unequal to a value.
    fn ne(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        equate(self, BinaryOp::Ne, other)
    }

    /// `<`
    fn lt(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        compare(self, BinaryOp::Lt, other)
    }

    /// `<=`
    fn le(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        compare(self, BinaryOp::Le, other)
    }

    /// `>`
    fn gt(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        compare(self, BinaryOp::Gt, other)
    }

    /// `>=`
    fn ge(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        compare(self, BinaryOp::Ge, other)
    }

    /// `IS NULL`
    #[allow(clippy::wrong_self_convention, reason = "all methods of an expression take it by value")]
    fn is_null(self) -> Expr<bool> {
        Expr::new(Node::IsNull { value: Box::new(self.into_node()), negated: false })
    }

    /// `IS NOT NULL`
    #[allow(clippy::wrong_self_convention, reason = "all methods of an expression take it by value")]
    fn is_not_null(self) -> Expr<bool> {
        Expr::new(Node::IsNull { value: Box::new(self.into_node()), negated: true })
    }

    /// `BETWEEN`: both ends belong to the range.
    fn between(self, low: impl Operand<BaseOf<Self>>, high: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        Expr::new(Node::Between {
            value: Box::new(self.into_node()),
            low: Box::new(low.into_operand()),
            high: Box::new(high.into_operand()),
            negated: false,
        })
    }

    /// `IN`. An empty list holds nothing, `None` in it stands for NULL.
    fn in_(self, list: impl InList<BaseOf<Self>>) -> Expr<bool> {
        Expr::new(in_list(self, list))
    }

    /// `NOT IN`. Nothing is in an empty list, so that it finds all rows.
    fn not_in(self, list: impl InList<BaseOf<Self>>) -> Expr<bool> {
        Expr::new(in_list(self, list).negate())
    }

    /// Whether the text stands anywhere in this one; `%` and `_` stand for themselves. Whether letter case counts is
    /// the database's matter: with SQLite's LIKE it does not, for ASCII letters; on PostgreSQL it does, and on MariaDB and
    /// MySQL as the column's collation says, which is by characters in tables that Aludel creates.
    fn contains(self, text: impl AsRef<str>) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        Expr::new(Node::like_literal(self.into_node(), "%", text.as_ref(), "%"))
    }

    /// Whether this text begins with the other; as [`contains`](Expression::contains).
    fn starts_with(self, text: impl AsRef<str>) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        Expr::new(Node::like_literal(self.into_node(), "", text.as_ref(), "%"))
    }

    /// Whether this text ends with the other; as [`contains`](Expression::contains).
    fn ends_with(self, text: impl AsRef<str>) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        Expr::new(Node::like_literal(self.into_node(), "%", text.as_ref(), ""))
    }

    /// `LIKE` with a pattern of your own, in which `%` stands for any text and `_` for any character, and, except on
    /// SQLite, a backslash takes both their meaning. Never build it
    /// from what a user typed: [`contains`](Expression::contains) is for that.
    fn like(self, pattern: impl Operand<BaseOf<Self>>) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        let (value, pattern) = (Box::new(self.into_node()), Box::new(pattern.into_operand()));
        Expr::new(Node::Like { value, pattern, escaped: false, negated: false })
    }

    /// This text and the other, one after the other.
    fn concat(self, other: impl Operand<BaseOf<Self>>) -> Expr<Self::Type>
    where
        BaseOf<Self>: Text,
    {
        Expr::new(Node::binary(self.into_node(), BinaryOp::Concat, other.into_operand()))
    }

    /// An order from the least value to the greatest.
    fn asc(self) -> OrderBy {
        OrderBy::asc(self.into_node())
    }

    /// An order from the greatest value to the least.
    fn desc(self) -> OrderBy {
        OrderBy::desc(self.into_node())
    }

    /// The same value as an `Option`: of a table that is outer-joined, whose columns are NULL where it has no row.
    fn optional(self) -> Expr<Option<BaseOf<Self>>>
    where
        Option<BaseOf<Self>>: ColumnType,
    {
        Expr::new(self.into_node())
    }
}

fn compare<E: Expression>(left: E, op: BinaryOp, right: impl Operand<BaseOf<E>>) -> Expr<bool> {
    Expr::new(Node::binary(left.into_node(), op, right.into_operand()))
}

/// A comparison in which a key may be that of a row that is new.
fn equate<E: Expression>(left: E, op: BinaryOp, right: impl Operand<BaseOf<E>>) -> Expr<bool> {
    let mut right = right.into_operand();
    pending_key::mark(left.column(), &mut right);
    Expr::new(Node::binary(left.into_node(), op, right))
}

fn in_list<E: Expression>(value: E, list: impl InList<BaseOf<E>>) -> Node {
    let column = value.column();
    let mut node = list.into_in(value.into_node());
    pending_key::mark(column, &mut node);
    node
}

impl<T: ColumnType> Expression for Expr<T> {
    type Type = T;

    fn into_node(self) -> Node {
        self.node
    }
}

impl<M: Model, T: ColumnType> Expression for Column<M, T> {
    type Type = T;

    fn into_node(self) -> Node {
        column_node(M::def(), self.index())
    }

    fn column(&self) -> Option<(&'static ModelDef, usize)> {
        Some((M::def(), self.index()))
    }
}

impl BitAnd for Expr<bool> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::new(self.node.and(other.node))
    }
}

impl BitOr for Expr<bool> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::new(self.node.or(other.node))
    }
}

impl Not for Expr<bool> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(self.node.negate())
    }
}

macro_rules! arithmetic {
    ($($trait:ident::$method:ident)*) => {$(
        impl<M: Model, T, O> $trait<O> for Column<M, T>
        where
            T: ColumnType,
            T::Base: Number,
            O: Operand<T::Base>,
        {
            type Output = Expr<T>;

            fn $method(self, other: O) -> Expr<T> {
                Expr::new(Node::binary(self.into_node(), operator::<T::Base>(BinaryOp::$trait), other.into_operand()))
            }
        }

        impl<T, O> $trait<O> for Expr<T>
        where
            T: ColumnType,
            T::Base: Number,
            O: Operand<T::Base>,
        {
            type Output = Self;

            fn $method(self, other: O) -> Self {
                Self::new(Node::binary(self.node, operator::<T::Base>(BinaryOp::$trait), other.into_operand()))
            }
        }
    )*};
}

/// The operator for numbers of a type: integers are divided without a rest.
fn operator<T: Number>(op: BinaryOp) -> BinaryOp {
    match (op, T::SQL_TYPE) {
        (op, SqlType::Float | SqlType::Double | SqlType::Decimal { .. }) => op,
        (BinaryOp::Div, _) => BinaryOp::IntDiv,
        (op, _) => op,
    }
}

arithmetic! { Add::add Sub::sub Mul::mul Div::div Rem::rem }

impl<M: Model, T: ColumnType> Neg for Column<M, T>
where
    T::Base: Number,
{
    type Output = Expr<T>;

    fn neg(self) -> Expr<T> {
        Expr::new(Node::Negative(Box::new(self.into_node())))
    }
}

impl<T: ColumnType> Neg for Expr<T>
where
    T::Base: Number,
{
    type Output = Self;

    fn neg(self) -> Self {
        Self::new(Node::Negative(Box::new(self.node)))
    }
}

/// What `filter` and `having` take: a condition, or an `Option` of one, where `None` asks nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "not a condition",
    note = "compare the column: `.eq(..)`, `.is_null()`, `.contains(..)`, ..."
)]
pub trait Condition {
    /// The condition, if there is one.
    fn into_condition(self) -> Option<Node>;
}

impl Condition for Expr<bool> {
    fn into_condition(self) -> Option<Node> {
        Some(self.node)
    }
}

impl Condition for Option<Expr<bool>> {
    fn into_condition(self) -> Option<Node> {
        self.map(|condition| condition.node)
    }
}
