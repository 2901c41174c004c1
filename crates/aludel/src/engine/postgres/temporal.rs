//! Dates and times in their binary form: days and microseconds since the year 2000.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

/// From 1970 to 2000.
const EPOCH_DAYS: i64 = 10_957;
const DAY: i64 = 86_400_000_000;

/// Days since 2000-01-01.
pub(super) fn days(date: Date) -> i32 {
    // Years that begin in March have their leap day at the end; 400 of them are an era.
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (days - EPOCH_DAYS) as i32
}

/// Microseconds of a day. What is finer is cut off: PostgreSQL does not keep it.
pub(super) fn time_micros(time: Time) -> i64 {
    let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000
}

/// Microseconds since 2000-01-01 00:00.
pub(super) fn datetime_micros(datetime: DateTime) -> i64 {
    i64::from(days(datetime.date())) * DAY + time_micros(datetime.time())
}

/// Microseconds since 2000-01-01 00:00 UTC.
pub(super) fn timestamp_micros(timestamp: Timestamp) -> i64 {
    timestamp.as_nanosecond().div_euclid(1_000) as i64 - EPOCH_DAYS * DAY
}

/// The date of a number of days; none beyond the years -9999 and 9999.
pub(super) fn date(days: i32) -> Option<Date> {
    let days = i64::from(days) + EPOCH_DAYS + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// The time of a number of microseconds; none for 24:00, which PostgreSQL has.
pub(super) fn time(micros: i64) -> Option<Time> {
    let micros = u64::try_from(micros).ok()?;
    let (seconds, nanos) = (micros / 1_000_000, micros % 1_000_000 * 1_000);
    let part = |number: u64| i8::try_from(number).ok();
    Time::new(part(seconds / 3_600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, i32::try_from(nanos).ok()?).ok()
}

pub(super) fn datetime(micros: i64) -> Option<DateTime> {
    let date = date(i32::try_from(micros.div_euclid(DAY)).ok()?)?;
    Some(DateTime::from_parts(date, time(micros.rem_euclid(DAY))?))
}

pub(super) fn timestamp(micros: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(micros.checked_add(EPOCH_DAYS * DAY)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_comes_back() {
        let mut day = Date::MIN;
        let mut number = days(day);
        loop {
            assert_eq!((date(number), days(day)), (Some(day), number));
            let Ok(next) = day.tomorrow() else { break };
            (day, number) = (next, number + 1);
        }
        assert_eq!(days(Date::constant(2000, 1, 1)), 0);
        assert_eq!((date(number + 1), date(i32::MAX), date(i32::MIN)), (None, None, None));
    }

    #[test]
    fn instants_come_back_in_microseconds() {
        for text in ["1969-12-31T23:59:59.999999Z", "2024-02-29T12:00:00.000001Z", "-009999-01-02T01:59:59Z"] {
            let instant: Timestamp = text.parse().unwrap();
            assert_eq!(timestamp(timestamp_micros(instant)), Some(instant));
        }
        let fine: Timestamp = "1969-12-31T23:59:59.999999999Z".parse().unwrap();
        assert_eq!(timestamp(timestamp_micros(fine)), Some("1969-12-31T23:59:59.999999Z".parse().unwrap()));
        assert_eq!(datetime(datetime_micros(DateTime::MIN)), Some(DateTime::MIN));
        assert_eq!(time(86_400_000_000), None);
    }
}
