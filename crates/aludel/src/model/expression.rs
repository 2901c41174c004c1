//! Typed expressions.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::sql::{BinaryOp, Form, Node, OrderBy};

use super::argument::Argument;
use super::cast::CastTo;
use super::column::column_node;
use super::operand::{InList, Operand, Text};
use super::{Column, ColumnType, Contains, pending_key};

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

    /// `<>` to which NULL is a value like others: two that are NULL are equal, and one is unequal to all values.
    #[allow(clippy::wrong_self_convention, reason = "all methods of an expression take it by value")]
    fn is_distinct_from(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        Expr::new(distinct(self, other))
    }

    /// `=` to which NULL is a value like others: the opposite of [`is_distinct_from`](Expression::is_distinct_from).
    #[allow(clippy::wrong_self_convention, reason = "all methods of an expression take it by value")]
    fn is_not_distinct_from(self, other: impl Operand<BaseOf<Self>>) -> Expr<bool> {
        Expr::new(distinct(self, other).negate())
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
    ///
    /// Of an array, whether all these elements are in it, and of a range whether the value or the other range is: `@>` of
    /// PostgreSQL.
    fn contains<V>(self, value: V) -> Expr<bool>
    where
        BaseOf<Self>: Contains<V>,
    {
        Expr::new(<BaseOf<Self> as Contains<V>>::contains(self.into_node(), value))
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

    /// `NOT LIKE`: see [`like`](Expression::like).
    fn not_like(self, pattern: impl Operand<BaseOf<Self>>) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        !self.like(pattern)
    }

    /// [`like`](Expression::like) with a character that takes `%`, `_` and itself their meaning:
    /// `User::name.like_escape("50!%%", '!')` finds what begins with `50%`.
    fn like_escape(self, pattern: impl Operand<BaseOf<Self>>, escape: char) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        like(self, pattern, Some(escape), false)
    }

    /// `ILIKE`: [`like`](Expression::like) to which letter case is nothing. PostgreSQL's alone; elsewhere
    /// `lower(column).like(..)` says the same.
    fn ilike(self, pattern: impl Operand<BaseOf<Self>>) -> Expr<bool>
    where
        BaseOf<Self>: Text,
    {
        like(self, pattern, None, true)
    }

    /// The value as one of another type: `CAST(.. AS ..)`.
    ///
    /// Each backend has its own way with what does not fit: a float becomes an integer by rounding, on SQLite by cutting
    /// off (use [`round`](super::func::round) before); a text that is no number becomes 0, and is an error on
    /// PostgreSQL; a float is written as a text with or without `.0`. An instant becomes a date or time in UTC.
    fn cast<T: ColumnType>(self) -> Expr<T>
    where
        BaseOf<Self>: CastTo<T>,
    {
        let (from, to) = (<BaseOf<Self>>::SQL_TYPE, T::SQL_TYPE);
        Expr::new(Form::Cast { value: self.into_node(), from, to }.into())
    }

    /// An operator that the library does not know, whose result has type `T`: `User::name.op::<bool>("GLOB", "a*")`.
    /// It is signs or words, and stands in parentheses with its operands.
    fn op<T: ColumnType>(self, operator: &'static str, other: impl Argument) -> Expr<T> {
        super::func::infix(self.into_node(), operator, other.into_argument())
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

/// `IS DISTINCT FROM`, in which a key may be that of a row that is new.
fn distinct<E: Expression>(left: E, right: impl Operand<BaseOf<E>>) -> Node {
    let mut right = right.into_operand();
    pending_key::mark(left.column(), &mut right);
    left.into_node().distinct_from(right)
}

fn like<E: Expression>(
    value: E,
    pattern: impl Operand<BaseOf<E>>,
    escape: Option<char>,
    insensitive: bool,
) -> Expr<bool> {
    let (value, pattern) = (value.into_node(), pattern.into_operand());
    Expr::new(Form::Like { value, pattern, escape, insensitive, negated: false }.into())
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
