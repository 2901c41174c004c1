//! What `order_by` and `group_by` take.

use crate::entity::model::Model;
use crate::sql::{Node, OrderBy};

use super::func::{Aggregate, SqlExpr};
use super::{AliasColumn, Column, ColumnType, DynColumn, Expr, Expression};

/// What `order_by` takes: a column or expression (from the least to the greatest), `.asc()` or `.desc()` of one, a
/// column chosen by name, or a tuple or `Vec` of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an order",
    label = "not an order",
    note = "give a column or expression, its `.asc()` or `.desc()`, `User::column(name)?`, or a tuple of these"
)]
pub trait Order {
    /// Appends the terms.
    fn push_to(self, order: &mut Vec<OrderBy>);
}

impl Order for OrderBy {
    fn push_to(self, order: &mut Vec<OrderBy>) {
        order.push(self);
    }
}

impl<M: Model, T: ColumnType> Order for Column<M, T> {
    fn push_to(self, order: &mut Vec<OrderBy>) {
        order.push(self.asc());
    }
}

impl<M: Model, T: ColumnType> Order for AliasColumn<M, T> {
    fn push_to(self, order: &mut Vec<OrderBy>) {
        order.push(self.asc());
    }
}

macro_rules! expressions {
    ($($expression:ident)*) => {$(
        impl<T: ColumnType> Order for $expression<T> {
            fn push_to(self, order: &mut Vec<OrderBy>) {
                order.push(self.asc());
            }
        }
    )*};
}

expressions! { Expr Aggregate SqlExpr }

impl<M: Model> Order for DynColumn<M> {
    fn push_to(self, order: &mut Vec<OrderBy>) {
        order.push(self.asc());
    }
}

impl<O: Order> Order for Vec<O> {
    fn push_to(self, order: &mut Vec<OrderBy>) {
        self.into_iter().for_each(|term| term.push_to(order));
    }
}

/// What `group_by` takes: a column or expression, or a tuple of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing to group by",
    label = "neither an expression nor a tuple of them"
)]
pub trait Grouping {
    /// Appends the expressions.
    fn push_to(self, nodes: &mut Vec<Node>);
}

impl<M: Model, T: ColumnType> Grouping for Column<M, T> {
    fn push_to(self, nodes: &mut Vec<Node>) {
        nodes.push(self.into_node());
    }
}

impl<M: Model, T: ColumnType> Grouping for AliasColumn<M, T> {
    fn push_to(self, nodes: &mut Vec<Node>) {
        nodes.push(self.into_node());
    }
}

impl<T: ColumnType> Grouping for Expr<T> {
    fn push_to(self, nodes: &mut Vec<Node>) {
        nodes.push(self.into_node());
    }
}

impl<T: ColumnType> Grouping for SqlExpr<T> {
    fn push_to(self, nodes: &mut Vec<Node>) {
        nodes.push(self.into_node());
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Order),+> Order for ($($name,)+) {
            fn push_to(self, order: &mut Vec<OrderBy>) {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                $($name.push_to(order);)+
            }
        }

        impl<$($name: Grouping),+> Grouping for ($($name,)+) {
            fn push_to(self, nodes: &mut Vec<Node>) {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                $($name.push_to(nodes);)+
            }
        }
    };
}

crate::tuples::each_tuple!(tuples);
