//! Dates and times of chrono, by way of jiff's.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use jiff::{Timestamp, civil};

use super::{given_key, mismatch};
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, KeyType};
use crate::schema::SqlType;
use crate::sql::Value;

macro_rules! temporal {
    ($($rust:ty: $sql:ident, $method:ident, $name:literal, $from:expr, $to:expr;)*) => {$(
        impl ColumnType for $rust {
            type Base = Self;
            const SQL_TYPE: SqlType = SqlType::$sql;

            fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
                row.$method(index).and_then($from).map_err(|error| error.with_position(index))
            }

            fn to_value(&self) -> Value<'_> {
                match $to(*self) {
                    Some(value) => Value::$sql(value),
                    None => Value::Invalid(
                        format!("`{self}` cannot be stored: it is a leap second, or beyond the years -9999 to 9999").into(),
                    ),
                }
            }

            fn from_value(value: Value<'_>) -> Result<Self> {
                match value {
                    Value::$sql(value) => $from(value),
                    other => Err(mismatch($name, &other)),
                }
            }
        }
    )*};
}

temporal! {
    NaiveDate: Date, date, "a date", date_from, date_to;
    NaiveTime: Time, time, "a time", time_from, time_to;
    NaiveDateTime: DateTime, datetime, "a date and time", datetime_from, datetime_to;
    DateTime<Utc>: Timestamp, timestamp, "a timestamp", timestamp_from, timestamp_to;
}

given_key! {
    NaiveDate: NaiveDate::default();
    NaiveTime: NaiveTime::default();
    NaiveDateTime: NaiveDateTime::default();
    DateTime<Utc>: DateTime::default();
}

/// Chrono's years reach further than jiff's, so nothing gets lost in this direction.
#[cold]
fn unreachable_year() -> Error {
    Error::new(ErrorKind::Decode, "the date is not one of chrono's")
}

fn date_from(date: civil::Date) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year().into(), date.month().unsigned_abs().into(), date.day().unsigned_abs().into())
        .ok_or_else(unreachable_year)
}

fn date_to(date: NaiveDate) -> Option<civil::Date> {
    let (month, day) = (i8::try_from(date.month()).ok()?, i8::try_from(date.day()).ok()?);
    civil::Date::new(i16::try_from(date.year()).ok()?, month, day).ok()
}

fn time_from(time: civil::Time) -> Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(
        time.hour().unsigned_abs().into(),
        time.minute().unsigned_abs().into(),
        time.second().unsigned_abs().into(),
        time.subsec_nanosecond().unsigned_abs(),
    )
    .ok_or_else(unreachable_year)
}

/// A leap second, which chrono counts as nanoseconds beyond the second, has no place in a database.
fn time_to(time: NaiveTime) -> Option<civil::Time> {
    let part = |part: u32| i8::try_from(part).ok();
    let nanos = i32::try_from(time.nanosecond()).ok()?;
    civil::Time::new(part(time.hour())?, part(time.minute())?, part(time.second())?, nanos).ok()
}

fn datetime_from(value: civil::DateTime) -> Result<NaiveDateTime> {
    Ok(date_from(value.date())?.and_time(time_from(value.time())?))
}

fn datetime_to(value: NaiveDateTime) -> Option<civil::DateTime> {
    Some(civil::DateTime::from_parts(date_to(value.date())?, time_to(value.time())?))
}

fn timestamp_from(value: Timestamp) -> Result<DateTime<Utc>> {
    // Jiff gives both parts the sign of the whole, chrono's nanoseconds count up from the second.
    let nanos = value.as_nanosecond();
    let second = i64::try_from(nanos.div_euclid(1_000_000_000)).ok();
    let rest = u32::try_from(nanos.rem_euclid(1_000_000_000)).ok();
    second.zip(rest).and_then(|(second, rest)| DateTime::from_timestamp(second, rest)).ok_or_else(unreachable_year)
}

fn timestamp_to(value: DateTime<Utc>) -> Option<Timestamp> {
    let nanos = value.timestamp_subsec_nanos();
    if nanos >= 1_000_000_000 {
        return None;
    }
    Timestamp::from_nanosecond(i128::from(value.timestamp()) * 1_000_000_000 + i128::from(nanos)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_come_back_also_from_before_1970() {
        for second in [-62_135_596_800, -1, 0, 1_700_000_000] {
            for nanos in [0, 1, 999_999_999] {
                let time = DateTime::<Utc>::from_timestamp(second, nanos).unwrap();
                assert_eq!(DateTime::<Utc>::from_value(time.to_value()).unwrap(), time);
                let naive = time.naive_utc();
                assert_eq!(NaiveDateTime::from_value(naive.to_value()).unwrap(), naive);
                assert_eq!(NaiveDate::from_value(naive.date().to_value()).unwrap(), naive.date());
                assert_eq!(NaiveTime::from_value(naive.time().to_value()).unwrap(), naive.time());
            }
        }
    }

    #[test]
    fn a_leap_second_and_a_year_beyond_9999_are_refused_when_they_are_sent() {
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        assert!(matches!(leap.to_value(), Value::Invalid(_)));
        let far = NaiveDate::from_ymd_opt(12_000, 1, 1).unwrap();
        assert!(matches!(far.to_value(), Value::Invalid(text) if text.contains("+12000-01-01")));
    }
}
