//! Dates and times of jiff.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use super::{given_key, mismatch, plain};
use crate::engine::row::Row;
use crate::error::Result;
use crate::model::{ColumnType, KeyType};
use crate::schema::SqlType;
use crate::sql::Value;

plain! {
    Date: SqlType::Date, Date, date, "a date";
    Time: SqlType::Time, Time, time, "a time";
    DateTime: SqlType::DateTime, DateTime, datetime, "a date and time";
    Timestamp: SqlType::Timestamp, Timestamp, timestamp, "a timestamp";
}

given_key! {
    Date: Date::default();
    Time: Time::default();
    DateTime: DateTime::default();
    Timestamp: Timestamp::default();
}
