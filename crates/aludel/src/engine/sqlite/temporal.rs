//! Dates and times as SQLite keeps them: text that sorts by time.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// A short text on the stack.
pub(super) struct Text {
    bytes: [u8; 48],
    length: usize,
}

impl Text {
    fn new() -> Self {
        Self { bytes: [0; 48], length: 0 }
    }

    /// `YYYY-MM-DD`
    pub(super) fn date(date: Date) -> Self {
        let mut text = Self::new();
        text.push_date(date);
        text
    }

    /// `HH:MM:SS.ffffff`
    pub(super) fn time(time: Time) -> Self {
        let mut text = Self::new();
        text.push_time(time);
        text
    }

    /// `YYYY-MM-DD HH:MM:SS.ffffff`
    pub(super) fn datetime(datetime: DateTime) -> Self {
        let mut text = Self::date(datetime.date());
        text.push(b' ');
        text.push_time(datetime.time());
        text
    }

    /// The same, in UTC.
    pub(super) fn timestamp(timestamp: Timestamp) -> Self {
        Self::datetime(Offset::UTC.to_datetime(timestamp))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn push_digits(&mut self, mut number: u32, width: usize) {
        for place in (self.length..self.length + width).rev() {
            self.bytes[place] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.length += width;
    }

    fn push_date(&mut self, date: Date) {
        match u32::try_from(date.year()) {
            Ok(year) => self.push_digits(year, 4),
            // ISO 8601 writes years before 0 with a sign and six digits. They do not sort by time.
            Err(_) => {
                self.push(b'-');
                self.push_digits(date.year().unsigned_abs().into(), 6);
            }
        }
        self.push(b'-');
        self.push_digits(date.month().unsigned_abs().into(), 2);
        self.push(b'-');
        self.push_digits(date.day().unsigned_abs().into(), 2);
    }

    fn push_time(&mut self, time: Time) {
        self.push_digits(time.hour().unsigned_abs().into(), 2);
        self.push(b':');
        self.push_digits(time.minute().unsigned_abs().into(), 2);
        self.push(b':');
        self.push_digits(time.second().unsigned_abs().into(), 2);
        self.push(b'.');
        let nanos = time.subsec_nanosecond().unsigned_abs();
        if nanos.is_multiple_of(1000) { self.push_digits(nanos / 1000, 6) } else { self.push_digits(nanos, 9) }
    }
}

/// Reads `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<Date> {
    match Reader(text.as_bytes()).date()? {
        (date, Reader([])) => Some(date),
        _ => None,
    }
}

/// Reads `HH:MM`, with seconds and a fraction where they are given.
pub(super) fn time(text: &str) -> Option<Time> {
    match Reader(text.as_bytes()).time()? {
        (time, Reader([])) => Some(time),
        _ => None,
    }
}

/// Reads a date and time; a `Z` or a zero offset may follow, another offset may not.
pub(super) fn datetime(text: &str) -> Option<DateTime> {
    match datetime_with_offset(text)? {
        (datetime, 0) => Some(datetime),
        _ => None,
    }
}

/// Reads an instant: a date and time in UTC, or with its offset.
pub(super) fn timestamp(text: &str) -> Option<Timestamp> {
    let (datetime, offset) = datetime_with_offset(text)?;
    Offset::from_seconds(offset).ok()?.to_timestamp(datetime).ok()
}

/// A date and time, and its offset in seconds.
fn datetime_with_offset(text: &str) -> Option<(DateTime, i32)> {
    let (date, rest) = Reader(text.as_bytes()).date()?;
    let rest = match rest.0 {
        [] => return Some((date.to_datetime(Time::midnight()), 0)),
        [b' ' | b'T' | b't', rest @ ..] => rest,
        _ => return None,
    };
    let (time, rest) = Reader(rest).time()?;
    Some((date.to_datetime(time), rest.offset()?))
}

/// What is left to read of a text.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for digit in digits {
            number = number * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        }
        self.0 = rest;
        Some(number)
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn date(mut self) -> Option<(Date, Self)> {
        let year = if self.skip(b'-') {
            -i16::try_from(self.digits(6)?).ok()?
        } else {
            i16::try_from(self.digits(4)?).ok()?
        };
        let month = self.skip(b'-').then(|| self.digits(2))??;
        let day = self.skip(b'-').then(|| self.digits(2))??;
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        Some((date, self))
    }

    fn time(mut self) -> Option<(Time, Self)> {
        let hour = self.digits(2)?;
        let minute = self.skip(b':').then(|| self.digits(2))??;
        let second = if self.skip(b':') { self.digits(2)? } else { 0 };
        let nanos = if self.skip(b'.') { self.fraction()? } else { 0 };
        let [hour, minute, second] = [hour, minute, second].map(|part| i8::try_from(part).unwrap_or(i8::MAX));
        Some((Time::new(hour, minute, second, i32::try_from(nanos).ok()?).ok()?, self))
    }

    /// One to nine digits, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        Some(self.digits(count)? * 10u32.pow(9 - count as u32))
    }

    /// Nothing, `Z`, `+HH`, `+HHMM` or `+HH:MM`, to the end; in seconds.
    fn offset(mut self) -> Option<i32> {
        while self.skip(b' ') {}
        let sign = match self.0 {
            [] | [b'Z' | b'z'] => return Some(0),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2)?;
        self.skip(b':');
        let minutes = if self.0.is_empty() { 0 } else { self.digits(2)? };
        if !self.0.is_empty() || minutes > 59 {
            return None;
        }
        Some(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
    }
}
