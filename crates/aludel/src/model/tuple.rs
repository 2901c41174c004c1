//! Rows of expressions: `(a, b) IN ((1, 2), (3, 4))`.

use crate::entity::def::ModelDef;
use crate::sql::{BinaryOp, Form, Node};

use super::expression::{BaseOf, Expr, Expression};
use super::operand::Operand;
use super::pending_key;

/// Several expressions that are compared as one: a tuple of two to six.
///
/// They are compared one after the other: the first that differs decides, as with tuples of Rust. A row with NULL in it is
/// neither in a list nor equal to another.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct Seat {
///     #[column(primary_key)]
///     id: i64,
///     row: i64,
///     number: i64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let db = Db::test().await?;
/// # let session = db.session();
/// let seat = |row, number| Seat::build().row(row).number(number);
/// Seat::insert_all([seat(1, 1), seat(1, 2), seat(2, 1)]).execute(&session).await?;
/// let place = (Seat::row, Seat::number);
/// assert_eq!(Seat::query().filter(place.in_([(1, 2), (2, 2)])).count(&session).await?, 1);
/// assert_eq!(Seat::query().filter(place.ge((1, 2))).count(&session).await?, 2);
/// # Ok(())
/// # }
/// ```
pub trait RowExpression: Sized {
    /// The types of the values that the expressions are compared with.
    type Bases;

    /// The expressions without their types, with the model and the position of those that are columns.
    #[doc(hidden)]
    fn into_nodes(self) -> Vec<(Node, Option<(&'static ModelDef, usize)>)>;

    /// `IN`. An empty list holds nothing.
    fn in_<R: RowOperand<Self::Bases>>(self, rows: impl IntoIterator<Item = R>) -> Expr<bool> {
        let (row, columns): (Vec<_>, Vec<_>) = self.into_nodes().into_iter().unzip();
        let list = rows.into_iter().map(|values| marked(values.into_row(), &columns)).collect();
        Expr::new(Form::InRows { row, list, negated: false }.into())
    }

    /// `NOT IN`. Nothing is in an empty list, so that it finds all rows.
    fn not_in<R: RowOperand<Self::Bases>>(self, rows: impl IntoIterator<Item = R>) -> Expr<bool> {
        !self.in_(rows)
    }

    /// `=`
    fn eq(self, row: impl RowOperand<Self::Bases>) -> Expr<bool> {
        compare(self, BinaryOp::Eq, row)
    }

    /// `<>`
    fn ne(self, row: impl RowOperand<Self::Bases>) -> Expr<bool> {
        compare(self, BinaryOp::Ne, row)
    }

    /// `<`
    fn lt(self, row: impl RowOperand<Self::Bases>) -> Expr<bool> {
        compare(self, BinaryOp::Lt, row)
    }

    /// `<=`
    fn le(self, row: impl RowOperand<Self::Bases>) -> Expr<bool> {
        compare(self, BinaryOp::Le, row)
    }

    /// `>`
    fn gt(self, row: impl RowOperand<Self::Bases>) -> Expr<bool> {
        compare(self, BinaryOp::Gt, row)
    }

    /// `>=`
    fn ge(self, row: impl RowOperand<Self::Bases>) -> Expr<bool> {
        compare(self, BinaryOp::Ge, row)
    }
}

/// What a row of expressions is compared with: a tuple of as many values or expressions of their types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of the types `{Bases}`",
    label = "not a tuple of these types",
    note = "give a tuple of as many values: `(A::x, A::y).in_([(1, 2), (3, 4)])`"
)]
pub trait RowOperand<Bases> {
    /// The values without their types.
    fn into_row(self) -> Vec<Node>;
}

fn compare<E: RowExpression>(left: E, op: BinaryOp, right: impl RowOperand<E::Bases>) -> Expr<bool> {
    let (row, columns): (Vec<_>, Vec<_>) = left.into_nodes().into_iter().unzip();
    let right = marked(right.into_row(), &columns);
    Expr::new(Node::binary(Form::Row(row).into(), op, Form::Row(right).into()))
}

/// The values, among which keys may be those of rows that are new.
fn marked(mut values: Vec<Node>, columns: &[Option<(&'static ModelDef, usize)>]) -> Vec<Node> {
    values.iter_mut().zip(columns).for_each(|(value, column)| pending_key::mark(*column, value));
    values
}

macro_rules! tuples {
    ($($name:ident $base:ident)+) => {
        impl<$($name: Expression),+> RowExpression for ($($name,)+) {
            type Bases = ($(BaseOf<$name>,)+);

            fn into_nodes(self) -> Vec<(Node, Option<(&'static ModelDef, usize)>)> {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                vec![$({
                    let column = $name.column();
                    ($name.into_node(), column)
                }),+]
            }
        }

        impl<$($base, $name: Operand<$base>),+> RowOperand<($($base,)+)> for ($($name,)+) {
            fn into_row(self) -> Vec<Node> {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                vec![$($name.into_operand()),+]
            }
        }
    };
}

tuples! { A X B Y }
tuples! { A X B Y C Z }
tuples! { A X B Y C Z D U }
tuples! { A X B Y C Z D U E V }
tuples! { A X B Y C Z D U E V F W }
