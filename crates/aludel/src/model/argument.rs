//! What stands where no column says the type.

use crate::entity::model::Model;
use crate::sql::{Node, Value};

use super::func::{Aggregate, SqlExpr};
use super::operand::bound;
use super::{AliasColumn, Column, ColumnType, Expr, Expression};

/// What may stand where nothing else says the type: as the value of a CASE, as the argument of a function of your own. It
/// brings its type along: a column or expression, a value that a column could have, or a `&str`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an expression nor a value that a column could have",
    label = "neither an expression nor a value"
)]
pub trait Argument {
    /// Its type.
    type Type: ColumnType;

    /// The expression without its type.
    fn into_argument(self) -> Node;
}

impl<T: ColumnType> Argument for T {
    type Type = T;

    fn into_argument(self) -> Node {
        bound(self.to_value()).known(T::SQL_TYPE)
    }
}

impl Argument for &str {
    type Type = String;

    fn into_argument(self) -> Node {
        Node::Value(Value::Text(self.to_owned().into())).known(String::SQL_TYPE)
    }
}

impl<M: Model, T: ColumnType> Argument for Column<M, T> {
    type Type = T;

    fn into_argument(self) -> Node {
        self.into_node()
    }
}

impl<M: Model, T: ColumnType> Argument for AliasColumn<M, T> {
    type Type = T;

    fn into_argument(self) -> Node {
        self.into_node()
    }
}

macro_rules! expressions {
    ($($expression:ident)*) => {$(
        impl<T: ColumnType> Argument for $expression<T> {
            type Type = T;

            fn into_argument(self) -> Node {
                self.into_node()
            }
        }
    )*};
}

expressions! { Expr Aggregate SqlExpr }
