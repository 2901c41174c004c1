//! The texts that PostgreSQL writes for the elements of its arrays and the bounds of its ranges.

use std::fmt::Write;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use uuid::Uuid;

use crate::model::ColumnType;

/// A type whose values stand in PostgreSQL's arrays and ranges.
pub trait Scalar: ColumnType {
    /// Appends the value's text.
    fn write_text(&self, out: &mut String);

    /// The value of a text; none where it is no such value.
    fn read_text(text: &str) -> Option<Self>;
}

macro_rules! displayed {
    ($($rust:ty)*) => {$(
        impl Scalar for $rust {
            fn write_text(&self, out: &mut String) {
                write!(out, "{self}").expect("a String takes all that is written");
            }

            fn read_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

displayed! { i8 i16 i32 i64 u8 u16 u32 u64 String Uuid Time }
#[cfg(feature = "decimal")]
displayed! { rust_decimal::Decimal }

macro_rules! floats {
    ($($rust:ty)*) => {$(
        impl Scalar for $rust {
            fn write_text(&self, out: &mut String) {
                // Rust writes NaN and inf, which PostgreSQL reads; and Rust reads NaN and Infinity.
                write!(out, "{self}").expect("a String takes all that is written");
            }

            fn read_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

floats! { f32 f64 }

impl Scalar for bool {
    fn write_text(&self, out: &mut String) {
        out.push(if *self { 't' } else { 'f' });
    }

    fn read_text(text: &str) -> Option<Self> {
        match text {
            "t" => Some(true),
            "f" => Some(false),
            _ => None,
        }
    }
}

impl Scalar for IpAddr {
    fn write_text(&self, out: &mut String) {
        write!(out, "{}", self.to_canonical()).expect("a String takes all that is written");
    }

    fn read_text(text: &str) -> Option<Self> {
        text.parse::<Self>().ok().map(|address| address.to_canonical())
    }
}

impl Scalar for Date {
    fn write_text(&self, out: &mut String) {
        write_date_time(self.at(0, 0, 0, 0), "", false, out);
    }

    fn read_text(text: &str) -> Option<Self> {
        let (date, rest) = read_date(text)?;
        rest.is_empty().then_some(date)
    }
}

impl Scalar for DateTime {
    fn write_text(&self, out: &mut String) {
        write_date_time(*self, "", true, out);
    }

    fn read_text(text: &str) -> Option<Self> {
        let (date, rest) = read_date(text)?;
        Some(date.to_datetime(rest.parse().ok()?))
    }
}

impl Scalar for Timestamp {
    fn write_text(&self, out: &mut String) {
        write_date_time(Offset::UTC.to_datetime(*self), "+00", true, out);
    }

    fn read_text(text: &str) -> Option<Self> {
        let (date, rest) = read_date(text)?;
        let at = rest.find(['+', '-'])?;
        let (time, offset) = rest.split_at(at);
        let mut seconds = 0;
        for (part, unit) in offset[1..].split(':').zip([3600, 60, 1]) {
            seconds += part.parse::<i32>().ok()? * unit;
        }
        let offset = Offset::from_seconds(if offset.starts_with('-') { -seconds } else { seconds }).ok()?;
        offset.to_timestamp(date.to_datetime(time.parse().ok()?)).ok()
    }
}

/// Microseconds, of which PostgreSQL has no parts; years before the first are counted the other way.
fn write_date_time(value: DateTime, offset: &str, time: bool, out: &mut String) {
    let (year, era) = match value.year() {
        year @ 1.. => (year, ""),
        year => (1 - year, " BC"),
    };
    let written = write!(out, "{year:04}-{:02}-{:02}", value.month(), value.day()).and_then(|()| {
        if time {
            let micros = value.subsec_nanosecond() / 1_000;
            write!(out, " {:02}:{:02}:{:02}.{micros:06}{offset}", value.hour(), value.minute(), value.second())?;
        }
        out.write_str(era)
    });
    written.expect("a String takes all that is written");
}

/// The date at the beginning of a text, and what follows the blank after it.
fn read_date(text: &str) -> Option<(Date, &str)> {
    let (text, before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let (date, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = date.split('-');
    let year: i16 = parts.next()?.parse().ok()?;
    let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let year = if before_christ { 1 - year } else { year };
    Some((Date::new(year, month, day).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn text<T: Scalar>(value: &T) -> String {
        let mut out = String::new();
        value.write_text(&mut out);
        out
    }

    #[test]
    fn times_are_read_as_postgresql_writes_them() {
        let noon = date(2026, 11, 21).at(12, 0, 0, 500_000_000);
        assert_eq!(DateTime::read_text("2026-11-21 12:00:00.5"), Some(noon));
        let instant = Offset::UTC.to_timestamp(noon).unwrap();
        for written in ["2026-11-21 12:00:00.5+00", "2026-11-21 17:30:00.5+05:30", "2026-11-21 11:00:00.5-01"] {
            assert_eq!(Timestamp::read_text(written), Some(instant), "{written}");
        }
        assert_eq!(Date::read_text("0044-03-15 BC"), Some(date(-43, 3, 15)));
        assert_eq!(Timestamp::read_text("infinity"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let ides = date(-43, 3, 15);
        assert_eq!(text(&ides), "0044-03-15 BC");
        let moment = ides.at(1, 2, 3, 4_000);
        assert_eq!(text(&moment), "0044-03-15 01:02:03.000004 BC");
        assert_eq!(DateTime::read_text(&text(&moment)), Some(moment));
        let instant = Timestamp::UNIX_EPOCH;
        assert_eq!(Timestamp::read_text(&text(&instant)), Some(instant));
    }
}
