//! Floats.

use super::{mismatch, out_of_range};
use crate::engine::row::Row;
use crate::error::Result;
use crate::model::ColumnType;
use crate::schema::SqlType;
use crate::sql::Value;

impl ColumnType for f64 {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Double;

    #[inline]
    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        row.double(index)
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Double(*self)
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Double(value) => Ok(value),
            Value::Float(value) => Ok(value.into()),
            other => Err(mismatch("a float", &other)),
        }
    }
}

/// Rounds to the nearest `f32`: a database that calculates in doubles gives back what no `f32` is exactly. A number
/// beyond its range is an error.
impl ColumnType for f32 {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Float;

    #[inline]
    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        let value = row.double(index)?;
        narrow(value).map_err(|error| error.with_position(index))
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Float(*self)
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Float(value) => Ok(value),
            Value::Double(value) => narrow(value),
            other => Err(mismatch("a float", &other)),
        }
    }
}

fn narrow(value: f64) -> Result<f32> {
    let narrowed = value as f32;
    if narrowed.is_infinite() && value.is_finite() {
        return Err(out_of_range(value, "f32"));
    }
    Ok(narrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_rounds_to_the_nearest_float_and_one_beyond_its_range_is_an_error() {
        assert_eq!(f32::from_value(Value::Double(0.1)).unwrap(), 0.1_f32);
        assert_eq!(f32::from_value(Value::Double(f64::INFINITY)).unwrap(), f32::INFINITY);
        assert_eq!(
            f32::from_value(Value::Double(1e300)).unwrap_err().to_string().split(' ').next_back(),
            Some("`f32`")
        );
    }
}
