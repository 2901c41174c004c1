//! Dates and times.
//!
//! Parts of instants are those that they have in UTC, whatever the zone of the session may be.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::ColumnType;
use crate::model::expression::{BaseOf, Expr, Expression};
use crate::model::operand::{Dated, Operand, Timed};
use crate::sql::{DatePart, Function, Temporal};

use super::call;

/// What kind of date or time a type is: [`Dated`] and [`Timed`] are these alone.
pub(super) fn temporal<T: ColumnType>() -> Temporal {
    Temporal::of(&T::SQL_TYPE).expect("the types of dates and times are such")
}

fn part<E: Expression>(part: DatePart, value: E) -> Expr<i64> {
    call(Function::Part(part, temporal::<BaseOf<E>>()), vec![value.into_node()])
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $part:ident of $bound:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Of what may be NULL it may be NULL too: select its `.optional()`. An instant is read in UTC.
        pub fn $name<E: Expression>(value: E) -> Expr<i64>
        where
            BaseOf<E>: $bound,
        {
            part(DatePart::$part, value)
        }
    )*};
}

parts! {
    /// The year of a date.
    year: Year of Dated;
    /// The month of a date, from 1 to 12.
    month: Month of Dated;
    /// The day of the month, from 1 to 31.
    day: Day of Dated;
    /// The day of the week, from 0, Sunday, to 6, Saturday.
    day_of_week: DayOfWeek of Dated;
    /// The day of the year, from 1 to 366.
    day_of_year: DayOfYear of Dated;
    /// The hour of a time, from 0 to 23.
    hour: Hour of Timed;
    /// The minute of a time, from 0 to 59.
    minute: Minute of Timed;
    /// The second of a time without its fraction, from 0 to 59.
    second: Second of Timed;
}

/// The days from one date to another, without their times: negative where the second is earlier.
pub fn days_between<E: Expression>(from: E, to: impl Operand<BaseOf<E>>) -> Expr<i64>
where
    BaseOf<E>: Dated,
{
    let to = to.into_operand().known(<BaseOf<E>>::SQL_TYPE);
    call(Function::DaysBetween(temporal::<BaseOf<E>>()), vec![from.into_node(), to])
}

/// The seconds from one time to another, to the microsecond: negative where the second is earlier.
pub fn seconds_between<E: Expression>(from: E, to: impl Operand<BaseOf<E>>) -> Expr<f64>
where
    BaseOf<E>: Dated + Timed,
{
    let to = to.into_operand().known(<BaseOf<E>>::SQL_TYPE);
    call(Function::SecondsBetween, vec![from.into_node(), to])
}

/// The time at which the statement began; on PostgreSQL that at which its transaction did. SQLite's has whole seconds.
///
/// A column of chrono's is compared with `current_timestamp().cast::<DateTime<Utc>>()`.
pub fn current_timestamp() -> Expr<Timestamp> {
    call(Function::CurrentTimestamp, Vec::new())
}

/// [`current_timestamp`] by its shorter name.
pub fn now() -> Expr<Timestamp> {
    current_timestamp()
}

/// The date of [`current_timestamp`] in UTC.
pub fn current_date() -> Expr<Date> {
    call(Function::CurrentDate, Vec::new())
}
