//! Functions of numbers.

use crate::model::ColumnType;
use crate::model::expression::{BaseOf, Expr, Expression};
use crate::model::operand::{Fractional, Number};
use crate::sql::Function;

use super::{call, plain};

/// The number without its sign.
pub fn abs<E: Expression>(value: E) -> Expr<E::Type>
where
    BaseOf<E>: Number,
{
    plain("abs", vec![value.into_node()])
}

/// The nearest integer, as a number of the same type. Of two that are as near a decimal becomes the one farther from
/// zero; a float on PostgreSQL the even one.
pub fn round<E: Expression>(value: E) -> Expr<E::Type>
where
    BaseOf<E>: Fractional,
{
    round_to(value, 0)
}

/// The nearest number with so many digits after the point.
pub fn round_to<E: Expression>(value: E, digits: u8) -> Expr<E::Type>
where
    BaseOf<E>: Fractional,
{
    call(Function::Round(digits, <BaseOf<E>>::SQL_TYPE), vec![value.into_node()])
}

/// The greatest integer that is not greater, as a number of the same type.
pub fn floor<E: Expression>(value: E) -> Expr<E::Type>
where
    BaseOf<E>: Fractional,
{
    call(Function::Floor, vec![value.into_node()])
}

/// The least integer that is not less, as a number of the same type.
pub fn ceil<E: Expression>(value: E) -> Expr<E::Type>
where
    BaseOf<E>: Fractional,
{
    call(Function::Ceil, vec![value.into_node()])
}
