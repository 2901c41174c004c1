//! PostgreSQL's ranges.

use std::fmt;
use std::ops::Bound;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::mismatch;
use super::scalar::Scalar;
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, IntoValue, Operand, bound};
use crate::schema::SqlType;
use crate::sql::{Node, Value};

/// A range of values, on PostgreSQL alone: from one bound to another, each of which belongs to it, does not, or is not
/// there; or no value at all.
///
/// PostgreSQL writes ranges of integers and dates in one form: `1..=4` comes back as `1..5`, and a range that holds
/// nothing as [`empty`](Range::empty).
///
/// ```
/// use aludel::model::Range;
///
/// let week = Range::from(1..8);
/// assert!(week.contains(&7) && !week.contains(&8));
/// assert_eq!(week.to_string(), "[1,8)");
/// assert_eq!(Range::<i32>::from(..).to_string(), "(,)");
/// assert!(!Range::<i32>::empty().contains(&1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range<T> {
    bounds: Option<(Bound<T>, Bound<T>)>,
}

impl<T> Range<T> {
    /// From one bound to the other.
    pub const fn new(lower: Bound<T>, upper: Bound<T>) -> Self {
        Self { bounds: Some((lower, upper)) }
    }

    /// The range that holds no value.
    pub const fn empty() -> Self {
        Self { bounds: None }
    }

    /// Whether it is the range that holds no value.
    pub const fn is_empty(&self) -> bool {
        self.bounds.is_none()
    }

    /// The lower bound; none of the empty range.
    pub fn lower(&self) -> Option<Bound<&T>> {
        self.bounds.as_ref().map(|(lower, _)| lower.as_ref())
    }

    /// The upper bound; none of the empty range.
    pub fn upper(&self) -> Option<Bound<&T>> {
        self.bounds.as_ref().map(|(_, upper)| upper.as_ref())
    }

    /// Whether the value lies in the range.
    pub fn contains(&self, value: &T) -> bool
    where
        T: PartialOrd,
    {
        self.bounds.as_ref().is_some_and(|bounds| std::ops::RangeBounds::contains(bounds, value))
    }
}

/// The types that PostgreSQL has ranges of: `i32`, `i64`, decimals, `DateTime`, `Timestamp` and `Date`.
pub trait RangeElement: Scalar {
    /// The bounds' type.
    #[doc(hidden)]
    const ELEMENT: &'static SqlType;
}

macro_rules! elements {
    ($($rust:ty)*) => {$(
        impl RangeElement for $rust {
            const ELEMENT: &'static SqlType = &<$rust as ColumnType>::SQL_TYPE;
        }
    )*};
}

elements! { i32 i64 DateTime Timestamp Date }
#[cfg(feature = "decimal")]
elements! { rust_decimal::Decimal }

macro_rules! from_std {
    ($($std:ident<T> $name:ident: $bounds:expr;)*) => {$(
        impl<T> From<std::ops::$std<T>> for Range<T> {
            fn from($name: std::ops::$std<T>) -> Self {
                let (lower, upper) = $bounds;
                Self::new(lower, upper)
            }
        }

        impl<T: RangeElement> IntoValue<Range<T>> for std::ops::$std<T> {
            fn into_value(self) -> Range<T> {
                self.into()
            }
        }

        impl<T: RangeElement> Operand<Range<T>> for std::ops::$std<T> {
            fn into_operand(self) -> Node {
                Range::from(self).into_operand()
            }
        }
    )*};
}

from_std! {
    Range<T> range: (Bound::Included(range.start), Bound::Excluded(range.end));
    RangeInclusive<T> range: {
        let (start, end) = range.into_inner();
        (Bound::Included(start), Bound::Included(end))
    };
    RangeFrom<T> range: (Bound::Included(range.start), Bound::Unbounded);
    RangeTo<T> range: (Bound::Unbounded, Bound::Excluded(range.end));
    RangeToInclusive<T> range: (Bound::Unbounded, Bound::Included(range.end));
}

impl<T> From<std::ops::RangeFull> for Range<T> {
    fn from(_: std::ops::RangeFull) -> Self {
        Self::new(Bound::Unbounded, Bound::Unbounded)
    }
}

impl<T: RangeElement> ColumnType for Range<T> {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Range(T::ELEMENT);

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        read(row.text(index)?).ok_or_else(|| malformed().with_position(index))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Text(self.to_string().into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => read(&text).ok_or_else(malformed),
            other => Err(mismatch("a range", &other)),
        }
    }
}

impl<T: RangeElement> Operand<Range<T>> for Range<T> {
    fn into_operand(self) -> Node {
        bound(self.to_value())
    }
}

/// As PostgreSQL writes it: `[1,8)`.
impl<T: Scalar> fmt::Display for Range<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((lower, upper)) = &self.bounds else { return f.write_str("empty") };
        let text = |value: &T| {
            let mut text = String::new();
            value.write_text(&mut text);
            if text.contains(' ') { format!("\"{text}\"") } else { text }
        };
        match lower {
            Bound::Included(value) => write!(f, "[{},", text(value))?,
            Bound::Excluded(value) => write!(f, "({},", text(value))?,
            Bound::Unbounded => f.write_str("(,")?,
        }
        match upper {
            Bound::Included(value) => write!(f, "{}]", text(value)),
            Bound::Excluded(value) => write!(f, "{})", text(value)),
            Bound::Unbounded => f.write_str(")"),
        }
    }
}

fn read<T: Scalar>(text: &str) -> Option<Range<T>> {
    if text == "empty" {
        return Some(Range::empty());
    }
    let (open, rest) = (text.chars().next()?, text.get(1..)?);
    let close = rest.chars().next_back()?;
    // No bound of these types has a comma in it.
    let (lower, upper) = rest.strip_suffix(close)?.split_once(',')?;
    Some(Range::new(bound_of(lower, open == '[')?, bound_of(upper, close == ']')?))
}

fn bound_of<T: Scalar>(text: &str, included: bool) -> Option<Bound<T>> {
    if text.is_empty() {
        return Some(Bound::Unbounded);
    }
    let value = T::read_text(text.trim_matches('"'))?;
    Some(if included { Bound::Included(value) } else { Bound::Excluded(value) })
}

#[cold]
fn malformed() -> Error {
    Error::new(ErrorKind::Decode, "the value is not a range, or has a bound that its type cannot hold")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bounds_come_back() {
        use Bound::{Excluded, Included, Unbounded};
        for lower in [Included(1), Excluded(1), Unbounded] {
            for upper in [Included(5), Excluded(5), Unbounded] {
                let range = Range::new(lower, upper);
                assert_eq!(read::<i32>(&range.to_string()), Some(range));
            }
        }
        assert_eq!(read::<i64>("empty"), Some(Range::empty()));
        assert_eq!(read::<i32>("[1,99999999999)"), None);
        let moments = Range::from(Timestamp::UNIX_EPOCH..);
        assert_eq!(moments.to_string(), "[\"1970-01-01 00:00:00.000000+00\",)");
        assert_eq!(read::<Timestamp>(&moments.to_string()), Some(moments));
    }
}
