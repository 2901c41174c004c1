//! Operators on what holds values: texts, arrays, ranges and JSON documents.

use crate::schema::SqlType;
use crate::sql::{BinaryOp, Node, Nulls};

use super::expression::{BaseOf, Expr, Expression};
use super::operand::{Operand, Text, bound};
use super::types::{ArrayElement, Range, RangeElement, array_text};
use super::{ColumnType, IntoValue};
use crate::sql::Value;

/// What a column of this type may contain: a text a text, an array elements, a range a value or a range.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` does not contain `{V}`",
    label = "neither a text in a text, elements in an array, nor a value or range in a range"
)]
pub trait Contains<V>: ColumnType {
    /// The condition.
    #[doc(hidden)]
    fn contains(container: Node, value: V) -> Node;
}

impl<T: Text, V: AsRef<str>> Contains<V> for T {
    fn contains(container: Node, value: V) -> Node {
        Node::like_literal(container, "%", value.as_ref(), "%")
    }
}

/// Elements for an array: a `Vec`, an array or a slice's copy.
fn array<T: ArrayElement, V: IntoIterator<Item: Into<T>>>(elements: V) -> Node {
    let elements: Vec<T> = elements.into_iter().map(Into::into).collect();
    bound(Value::Text(array_text(&elements).into()))
}

fn operator(left: Node, op: BinaryOp, right: Node) -> Node {
    Node::operation(left, op, right)
}

impl<T: ArrayElement, V: IntoIterator<Item: Into<T>>> Contains<V> for Vec<T> {
    fn contains(container: Node, value: V) -> Node {
        operator(container, BinaryOp::Contains, array::<T, V>(value))
    }
}

impl<T: RangeElement> Contains<T> for Range<T> {
    fn contains(container: Node, value: T) -> Node {
        // Without a type the server takes it for a range.
        let value = Node::Cast(Box::new(bound(value.to_value())), T::ELEMENT);
        operator(container, BinaryOp::Contains, value)
    }
}

impl<T: RangeElement> Contains<Self> for Range<T> {
    fn contains(container: Node, value: Self) -> Node {
        operator(container, BinaryOp::Contains, bound(value.to_value()))
    }
}

/// What overlaps with a column of this type, or contains it: arrays and ranges of the same type.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` does not overlap with `{V}`",
    label = "neither two arrays nor two ranges of one type"
)]
pub trait Overlaps<V>: ColumnType {
    /// The other side.
    #[doc(hidden)]
    fn other(value: V) -> Node;
}

impl<T: ArrayElement, V: IntoIterator<Item: Into<T>>> Overlaps<V> for Vec<T> {
    fn other(value: V) -> Node {
        array::<T, V>(value)
    }
}

impl<T: RangeElement, V: IntoValue<Range<T>>> Overlaps<V> for Range<T> {
    fn other(value: V) -> Node {
        bound(value.into_value().to_value())
    }
}

/// An array, by its elements.
pub trait Array: ColumnType {
    /// The type of its elements, without `Option`.
    type Element;
}

macro_rules! arrays {
    ($($rust:ty),*) => {$(
        impl Array for Vec<$rust> {
            type Element = $rust;
        }

        impl Array for Vec<Option<$rust>> {
            type Element = $rust;
        }
    )*};
}

arrays! { i8, i16, i32, i64, u16, u32, u64, f32, f64, bool, String, uuid::Uuid, std::net::IpAddr }
arrays! { jiff::civil::Date, jiff::civil::Time, jiff::civil::DateTime, jiff::Timestamp }
#[cfg(feature = "decimal")]
arrays! { rust_decimal::Decimal }

/// Operators of PostgreSQL on arrays and ranges; on other backends they are errors of the kind `Unsupported`.
pub trait ContainerExpression: Expression {
    /// `<@`: whether all elements of this array, or values of this range, are in the other.
    fn contained_by<V>(self, other: V) -> Expr<bool>
    where
        BaseOf<Self>: Overlaps<V>,
    {
        Expr::new(operator(self.into_node(), BinaryOp::ContainedBy, BaseOf::<Self>::other(other)))
    }

    /// `&&`: whether this array and the other have an element, or the two ranges a value, in common.
    fn overlaps<V>(self, other: V) -> Expr<bool>
    where
        BaseOf<Self>: Overlaps<V>,
    {
        Expr::new(operator(self.into_node(), BinaryOp::Overlaps, BaseOf::<Self>::other(other)))
    }

    /// `value = ANY (array)`: whether an element of this array equals the value.
    fn any<V>(self, value: V) -> Expr<bool>
    where
        BaseOf<Self>: Array,
        V: Operand<<BaseOf<Self> as Array>::Element>,
    {
        Expr::new(operator(value.into_operand(), BinaryOp::EqAny, self.into_node()))
    }

    /// `value = ALL (array)`: whether all elements of this array equal the value, as those of an empty array do.
    fn all<V>(self, value: V) -> Expr<bool>
    where
        BaseOf<Self>: Array,
        V: Operand<<BaseOf<Self> as Array>::Element>,
    {
        Expr::new(operator(value.into_operand(), BinaryOp::EqAll, self.into_node()))
    }

    /// The number of elements of this array: `cardinality`. Of an array that may be NULL it may be NULL too: select its
    /// `.optional()`.
    fn array_length(self) -> Expr<i64>
    where
        BaseOf<Self>: Array,
    {
        let args = vec![self.into_node()];
        let length = Node::Function { name: "cardinality", distinct: false, args, nulls: Nulls::Propagate };
        Expr::new(Node::Cast(Box::new(length), &SqlType::BigInt))
    }
}

impl<E: Expression> ContainerExpression for E {}
