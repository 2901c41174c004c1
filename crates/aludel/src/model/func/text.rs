//! Functions of texts.

use crate::model::expression::{BaseOf, Expr, Expression};
use crate::model::operand::{Operand, Text};
use crate::sql::Function;

use super::{call, plain};

/// The text in lower case. SQLite knows the ASCII letters only.
pub fn lower<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    plain("lower", vec![text.into_node()])
}

/// The text in upper case. SQLite knows the ASCII letters only.
pub fn upper<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    plain("upper", vec![text.into_node()])
}

/// The text without blanks at its beginning and its end. Blanks are spaces alone.
pub fn trim<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    plain("trim", vec![text.into_node()])
}

/// The text without blanks at its beginning.
pub fn ltrim<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    plain("ltrim", vec![text.into_node()])
}

/// The text without blanks at its end.
pub fn rtrim<E: Expression>(text: E) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    plain("rtrim", vec![text.into_node()])
}

/// The number of characters. Of a text that may be NULL it may be NULL too: select its `.optional()`.
pub fn length<E: Expression>(text: E) -> Expr<i64>
where
    BaseOf<E>: Text,
{
    plain("length", vec![text.into_node()])
}

/// So many characters of the text from a position on; the first has position 1. What is beyond its end is left out. A
/// position below 1 means something else on each backend.
pub fn substr<E: Expression>(text: E, start: impl Operand<i64>, length: impl Operand<i64>) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    call(Function::Substr, vec![text.into_node(), start.into_operand(), length.into_operand()])
}

/// The text with another in the place of each occurrence of a part, upper and lower case being different. An empty part
/// occurs nowhere.
pub fn replace<E: Expression>(text: E, part: impl Operand<BaseOf<E>>, with: impl Operand<BaseOf<E>>) -> Expr<E::Type>
where
    BaseOf<E>: Text,
{
    plain("replace", vec![text.into_node(), part.into_operand(), with.into_operand()])
}

/// Where a part begins in the text, counted in characters from 1; 0 where it is nowhere. (`position`, `instr`, `strpos`.)
pub fn position<E: Expression>(text: E, part: impl Operand<BaseOf<E>>) -> Expr<i64>
where
    BaseOf<E>: Text,
{
    call(Function::Position, vec![text.into_node(), part.into_operand()])
}
