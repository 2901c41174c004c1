//! What is added to dates and times.

use std::ops::{Add, Neg};

use jiff::{SignedDuration, Span};

use crate::model::operand::Operand;
use crate::sql::{BinaryOp, Form, Node, Temporal, Unit, Value};

/// What is added to a date or time: `Post::at + days(3) + hours(2)`, `User::born - years(18)`.
///
/// Its units are months, days and seconds. Months are added first: a day that a month does not have becomes its last one.
/// A day has 24 hours, as in UTC. The amounts are numbers, or expressions of integers: `Loan::at + days(Loan::term)`. A
/// `Duration` and a `jiff::Span` can be added too, if they are whole seconds.
#[derive(Clone, Debug)]
#[must_use = "add it to a date or time"]
pub struct Interval {
    parts: Vec<(Unit, Node)>,
}

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident: $factor:literal $unit:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(amount: impl Operand<i64>) -> Interval {
            Interval { parts: vec![(Unit::$unit, times(amount.into_operand(), $factor))] }
        }
    )*};
}

units! {
    /// So many years: twelve times as many months.
    years: 12 Month;
    /// So many months.
    months: 1 Month;
    /// So many days.
    days: 1 Day;
    /// So many hours.
    hours: 3600 Second;
    /// So many minutes.
    minutes: 60 Second;
    /// So many seconds.
    seconds: 1 Second;
}

fn times(amount: Node, factor: i64) -> Node {
    match amount {
        amount if factor == 1 => amount,
        Node::Value(Value::Int(amount)) => checked(amount.checked_mul(factor)),
        amount => Node::binary(amount, BinaryOp::Mul, Node::Sql(factor.to_string().into())),
    }
}

fn checked(amount: Option<i64>) -> Node {
    match amount {
        Some(amount) => Node::Value(Value::Int(amount)),
        None => Node::Invalid("an interval is beyond the range of an i64".into()),
    }
}

/// Both intervals together.
impl Add for Interval {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (unit, amount) in other.parts {
            match self.parts.iter_mut().find(|(own, _)| *own == unit) {
                Some((_, own)) => {
                    let before = std::mem::replace(own, Node::NULL);
                    *own = match (before, amount) {
                        (Node::Value(Value::Int(a)), Node::Value(Value::Int(b))) => checked(a.checked_add(b)),
                        (a, b) => Node::binary(a, BinaryOp::Add, b),
                    };
                }
                None => self.parts.push((unit, amount)),
            }
        }
        self.parts.sort_by_key(|(unit, _)| *unit);
        self
    }
}

impl Neg for Interval {
    type Output = Self;

    fn neg(mut self) -> Self {
        for (_, amount) in &mut self.parts {
            let before = std::mem::replace(amount, Node::NULL);
            *amount = match before {
                Node::Value(Value::Int(amount)) => checked(amount.checked_neg()),
                amount => Node::Negative(Box::new(amount)),
            };
        }
        self
    }
}

impl Interval {
    /// A date or time and this interval.
    pub(in crate::model) fn shift(self, value: Node, of: Temporal) -> Node {
        if of == Temporal::Date && self.parts.iter().any(|(unit, _)| *unit == Unit::Second) {
            let reason = "hours, minutes and seconds are added to a date, which has none: cast it to a `DateTime`";
            return Node::Invalid(reason.into());
        }
        if self.parts.is_empty() {
            return value;
        }
        Form::Shift { value, of, by: self.parts }.into()
    }

    fn whole(parts: [(Unit, i64); 3], fraction: bool) -> Self {
        if fraction {
            let reason = "an interval has whole seconds, and this one has a fraction";
            return Self { parts: vec![(Unit::Second, Node::Invalid(reason.into()))] };
        }
        let parts = parts.into_iter().filter(|(_, amount)| *amount != 0);
        Self { parts: parts.map(|(unit, amount)| (unit, Node::Value(Value::Int(amount)))).collect() }
    }
}

/// A fraction of a second is an error when the query is sent.
impl From<SignedDuration> for Interval {
    fn from(duration: SignedDuration) -> Self {
        Self::whole(
            [(Unit::Second, duration.as_secs()), (Unit::Day, 0), (Unit::Month, 0)],
            duration.subsec_nanos() != 0,
        )
    }
}

/// A fraction of a second is an error when the query is sent.
impl From<std::time::Duration> for Interval {
    fn from(duration: std::time::Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::whole([(Unit::Second, seconds), (Unit::Day, 0), (Unit::Month, 0)], duration.subsec_nanos() != 0)
    }
}

/// A fraction of a second is an error when the query is sent.
impl From<Span> for Interval {
    fn from(span: Span) -> Self {
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let seconds = i64::from(span.get_hours()) * 3600 + span.get_minutes() * 60 + span.get_seconds();
        let fraction = (span.get_milliseconds(), span.get_microseconds(), span.get_nanoseconds()) != (0, 0, 0);
        Self::whole([(Unit::Month, months), (Unit::Day, days), (Unit::Second, seconds)], fraction)
    }
}
