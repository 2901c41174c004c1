//! `+`, `-`, `*`, `/` and `%` of expressions.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::time::Duration;

use jiff::{SignedDuration, Span};

use crate::entity::model::Model;
use crate::schema::SqlType;
use crate::sql::{BinaryOp, Form, Function, Node, Temporal};

use super::func::{Aggregate, Interval, SqlExpr};
use super::operand::{Number, Operand};
use super::{AliasColumn, Column, ColumnType, Expr, Expression};

/// The types whose expressions an `O` can be added to and subtracted from: numbers and what they are compared with, dates
/// and times and an [`Interval`], a `Duration` or a `jiff::Span`.
#[diagnostic::on_unimplemented(
    message = "`{O}` cannot be added to an expression of type `{Self}`",
    label = "not to be added to a `{Self}`",
    note = "numbers take numbers of the same type, dates and times an interval such as `func::days(3)`; texts are joined with `.concat(..)`"
)]
pub trait Plus<O>: ColumnType {
    /// `left + right`
    fn plus(left: Node, right: O) -> Node;
    /// `left - right`
    fn minus(left: Node, right: O) -> Node;
}

impl<T: Number, O: Operand<T>> Plus<O> for T {
    fn plus(left: Node, right: O) -> Node {
        Node::binary(left, BinaryOp::Add, exact::<T>(right.into_operand()))
    }

    fn minus(left: Node, right: O) -> Node {
        Node::binary(left, BinaryOp::Sub, exact::<T>(right.into_operand()))
    }
}

macro_rules! intervals {
    ($($interval:ty)* => $moments:tt) => {
        $(intervals! { @ $interval => $moments })*
    };
    (@ $interval:ty => [$($moment:ty),*]) => {$(
        impl Plus<$interval> for $moment {
            fn plus(left: Node, right: $interval) -> Node {
                shift::<Self>(left, right.into())
            }

            fn minus(left: Node, right: $interval) -> Node {
                shift::<Self>(left, -Interval::from(right))
            }
        }
    )*};
}

intervals! {
    Interval Duration SignedDuration Span => [jiff::civil::Date, jiff::civil::DateTime, jiff::Timestamp]
}
#[cfg(feature = "chrono")]
intervals! {
    Interval Duration SignedDuration Span => [chrono::NaiveDate, chrono::NaiveDateTime, chrono::DateTime<chrono::Utc>]
}

fn shift<T: ColumnType>(value: Node, interval: Interval) -> Node {
    let of = Temporal::of(&T::SQL_TYPE).expect("intervals are added to dates and times alone");
    interval.shift(value, of)
}

/// A decimal that is a value says that it is one.
fn exact<T: Number>(operand: Node) -> Node {
    if matches!(T::SQL_TYPE, SqlType::Decimal { .. }) { operand.known(T::SQL_TYPE) } else { operand }
}

/// As the other two.
#[allow(clippy::extra_unused_type_parameters, reason = "the macro names all three in one way")]
fn times<T: Number>(left: Node, right: Node) -> Node {
    Node::binary(left, BinaryOp::Mul, right)
}

/// Integers are divided without a rest.
fn divided<T: Number>(left: Node, right: Node) -> Node {
    Node::binary(left, if is_integer::<T>() { BinaryOp::IntDiv } else { BinaryOp::Div }, right)
}

fn rest<T: Number>(left: Node, right: Node) -> Node {
    if is_integer::<T>() {
        return Node::binary(left, BinaryOp::Rem, right);
    }
    Form::Call { function: Function::Rem(T::SQL_TYPE), args: vec![left, right] }.into()
}

fn is_integer<T: ColumnType>() -> bool {
    !matches!(T::SQL_TYPE, SqlType::Float | SqlType::Double | SqlType::Decimal { .. })
}

macro_rules! sums {
    ([$($generics:tt)*] $left:ty) => {
        impl<$($generics)* T: ColumnType, O> Add<O> for $left
        where
            T::Base: Plus<O>,
        {
            type Output = Expr<T>;

            fn add(self, other: O) -> Expr<T> {
                Expr::new(<T::Base as Plus<O>>::plus(self.into_node(), other))
            }
        }

        impl<$($generics)* T: ColumnType, O> Sub<O> for $left
        where
            T::Base: Plus<O>,
        {
            type Output = Expr<T>;

            fn sub(self, other: O) -> Expr<T> {
                Expr::new(<T::Base as Plus<O>>::minus(self.into_node(), other))
            }
        }

        impl<$($generics)* T: ColumnType> Neg for $left
        where
            T::Base: Number,
        {
            type Output = Expr<T>;

            fn neg(self) -> Expr<T> {
                Expr::new(Node::Negative(Box::new(self.into_node())))
            }
        }
    };
}

macro_rules! products {
    (@ [$($generics:tt)*] $left:ty: $trait:ident::$method:ident = $node:ident) => {
        impl<$($generics)* T: ColumnType, O> $trait<O> for $left
        where
            T::Base: Number,
            O: Operand<T::Base>,
        {
            type Output = Expr<T>;

            fn $method(self, other: O) -> Expr<T> {
                Expr::new($node::<T::Base>(self.into_node(), exact::<T::Base>(other.into_operand())))
            }
        }
    };
    ($generics:tt $left:ty: $($trait:ident::$method:ident = $node:ident)*) => {
        $(products! { @ $generics $left: $trait::$method = $node })*
    };
}

macro_rules! arithmetic {
    ($($generics:tt $left:ty;)*) => {$(
        sums! { $generics $left }
        products! { $generics $left: Mul::mul = times Div::div = divided Rem::rem = rest }
    )*};
}

arithmetic! {
    [M: Model,] Column<M, T>;
    [M: Model,] AliasColumn<M, T>;
    [] Expr<T>;
    [] Aggregate<T>;
    [] SqlExpr<T>;
}
