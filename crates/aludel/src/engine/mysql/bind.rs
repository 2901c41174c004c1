//! Values on their way into a statement.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use mysql_async::Value as Wire;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// The values of a statement, as the binary protocol takes them.
pub(super) fn values(params: &[Value<'_>]) -> Result<Vec<Wire>> {
    params
        .iter()
        .enumerate()
        .map(|(index, param)| value(param).map_err(|error| error.with_parameter(index + 1)))
        .collect()
}

fn value(value: &Value<'_>) -> Result<Wire> {
    Ok(match value {
        Value::Null => Wire::NULL,
        Value::Bool(v) => Wire::Int(i64::from(*v)),
        Value::Int(v) => Wire::Int(*v),
        Value::UInt(v) => Wire::UInt(*v),
        Value::Float(v) if v.is_finite() => Wire::Float(*v),
        Value::Double(v) if v.is_finite() => Wire::Double(*v),
        Value::Float(_) | Value::Double(_) => return Err(not_finite()),
        // A decimal goes as text, which the protocol has for it in the other direction too.
        Value::Text(v) | Value::Json(v) | Value::Decimal(v) => Wire::Bytes(v.as_bytes().to_vec()),
        Value::Bytes(v) => Wire::Bytes(v.to_vec()),
        Value::Uuid(v) => {
            let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
            Wire::Bytes(v.hyphenated().encode_lower(&mut buffer).as_bytes().to_vec())
        }
        Value::Date(v) => datetime(v.to_datetime(Time::midnight()))?,
        Value::Time(v) => time(*v),
        Value::DateTime(v) => datetime(*v)?,
        Value::Timestamp(v) => datetime(Offset::UTC.to_datetime(*v))?,
        Value::PendingKey(_) => return Err(Error::new(ErrorKind::InvalidStatement, NO_KEY)),
        Value::Invalid(reason) => return Err(Error::new(ErrorKind::Decode, reason.to_string())),
    })
}

/// The session replaces such values before it sends a statement.
const NO_KEY: &str = "the key of a row that is not in the database yet";

/// A date and time, with whole microseconds: the server has no finer ones.
fn datetime(v: DateTime) -> Result<Wire> {
    let date: Date = v.date();
    let year = u16::try_from(date.year()).map_err(|_| before_the_common_era())?;
    let [month, day, hour, minute, second] =
        [date.month(), date.day(), v.hour(), v.minute(), v.second()].map(i8::unsigned_abs);
    Ok(Wire::Date(year, month, day, hour, minute, second, microseconds(v.time())))
}

fn time(v: Time) -> Wire {
    let [hour, minute, second] = [v.hour(), v.minute(), v.second()].map(i8::unsigned_abs);
    Wire::Time(false, 0, hour, minute, second, microseconds(v))
}

fn microseconds(v: Time) -> u32 {
    v.subsec_nanosecond().unsigned_abs() / 1000
}

#[cold]
fn not_finite() -> Error {
    Error::new(ErrorKind::Decode, "MariaDB and MySQL store neither NaN nor infinity; use an Option and None")
}

#[cold]
fn before_the_common_era() -> Error {
    Error::new(ErrorKind::Decode, "MariaDB and MySQL store no dates before the year 0")
}
