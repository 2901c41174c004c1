//! Intervals of PostgreSQL.

use std::fmt::Write;

use jiff::Span;

use super::mismatch;
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, Operand, bound};
use crate::schema::SqlType;
use crate::sql::{Node, Value};

/// An interval, on PostgreSQL alone. It keeps months, days and microseconds apart, as a `Span` does: a month is no number of
/// days, and a day no number of hours. Years come back from months and hours from minutes (`14 months` as `1 year 2 months`,
/// `90 minutes` as `1 hour 30 minutes`), weeks as days; nanoseconds are cut off. An interval whose parts have different
/// signs, which a `Span` cannot have, is an error of the kind `Decode`.
impl ColumnType for Span {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Interval;

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        read(row.text(index)?).ok_or_else(|| malformed().with_position(index))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Text(write(self).into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => read(&text).ok_or_else(malformed),
            other => Err(mismatch("an interval", &other)),
        }
    }
}

impl Operand<Self> for Span {
    fn into_operand(self) -> Node {
        bound(self.to_value())
    }
}

/// The units that PostgreSQL reads in every setting.
fn write(span: &Span) -> String {
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let micros = i128::from(span.get_milliseconds()) * 1_000
        + i128::from(span.get_microseconds())
        + i128::from(span.get_nanoseconds() / 1_000);
    let parts = [
        (i128::from(span.get_years()), "years"),
        (i128::from(span.get_months()), "months"),
        (i128::from(days), "days"),
        (i128::from(span.get_hours()), "hours"),
        (i128::from(span.get_minutes()), "minutes"),
        (i128::from(span.get_seconds()), "seconds"),
        (micros, "microseconds"),
    ];
    let mut out = String::new();
    for (value, unit) in parts.into_iter().filter(|(value, _)| *value != 0) {
        write!(out, "{value} {unit} ").expect("a String takes all that is written");
    }
    if out.is_empty() { "0".to_owned() } else { out.trim_end().to_owned() }
}

/// The form of `IntervalStyle = postgres`: `1 year 2 mons 3 days 04:05:06.789`.
fn read(text: &str) -> Option<Span> {
    let mut parts = Parts::default();
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        if word.contains(':') {
            parts.time(word)?;
            continue;
        }
        let (negative, number) = signed(word);
        let number: i64 = number.parse().ok()?;
        parts.sign(negative, number)?;
        parts.span = match words.next()?.trim_end_matches('s') {
            "year" => parts.span.try_years(number),
            "mon" => parts.span.try_months(number),
            "day" => parts.span.try_days(number),
            _ => return None,
        }
        .ok()?;
    }
    Some(if parts.negative == Some(true) { -parts.span } else { parts.span })
}

/// A span without a sign, and the sign that all its parts have had.
#[derive(Default)]
struct Parts {
    span: Span,
    negative: Option<bool>,
}

impl Parts {
    /// None where another part has the other sign.
    fn sign(&mut self, negative: bool, number: i64) -> Option<()> {
        (number == 0 || *self.negative.get_or_insert(negative) == negative).then_some(())
    }

    fn time(&mut self, text: &str) -> Option<()> {
        let (negative, digits) = signed(text);
        let mut numbers = digits.split(':');
        let (hours, minutes, seconds) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        let (seconds, micros): (i64, i64) = (seconds.parse().ok()?, format!("{fraction:0<6}").parse().ok()?);
        self.sign(negative, hours | minutes | seconds | micros)?;
        let span = self.span.try_hours(hours).and_then(|span| span.try_minutes(minutes));
        let span = span.and_then(|span| span.try_seconds(seconds));
        let span = span.and_then(|span| span.try_milliseconds(micros / 1_000));
        self.span = span.and_then(|span| span.try_microseconds(micros % 1_000)).ok()?;
        Some(())
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cold]
fn malformed() -> Error {
    Error::new(
        ErrorKind::Decode,
        "the value is not an interval that a `Span` can hold, whose parts have all one sign; read it as text: \
         CAST(.. AS TEXT)",
    )
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn intervals_are_read_as_postgresql_writes_them() {
        let cases = [
            ("00:00:00", Span::new()),
            (
                "1 year 2 mons 3 days 04:05:06.789",
                1.year().months(2).days(3).hours(4).minutes(5).seconds(6).milliseconds(789),
            ),
            ("-1 days -00:00:00.000001", -1.day().microseconds(1)),
            ("36:00:00", 36.hours()),
        ];
        for (text, span) in cases {
            assert_eq!(read(text).unwrap().fieldwise(), span, "{text}");
        }
        assert!(read("1 mon -1 days").is_none(), "a span has one sign");
        assert!(read("P1D").is_none());
    }

    #[test]
    fn all_units_are_written() {
        assert_eq!(
            write(&1.year().weeks(2).days(1).hours(3).nanoseconds(2_500)),
            "1 years 15 days 3 hours 2 microseconds"
        );
        assert_eq!(write(&-90.minutes()), "-90 minutes");
        assert_eq!(write(&Span::new()), "0");
    }
}
