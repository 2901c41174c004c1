//! Exact decimal numbers of `rust_decimal`.

use rust_decimal::Decimal;

use super::{given_key, mismatch};
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, KeyType};
use crate::schema::SqlType;
use crate::sql::Value;

/// A number of more digits than a `Decimal` holds (28) is an error, never rounded.
impl ColumnType for Decimal {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Decimal { precision: None, scale: None };

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        let text = row.decimal(index)?;
        read(&text).map_err(|error| error.with_position(index))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Decimal(self.to_string().into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Decimal(text) => read(&text),
            Value::Int(value) => Ok(value.into()),
            other => Err(mismatch("a decimal number", &other)),
        }
    }
}

/// A column of a large scale has zeros at the end, which say nothing and may be more than a `Decimal` holds.
fn read(text: &str) -> Result<Decimal> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let short = if digits > 28 && text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    Decimal::from_str_exact(short).map_err(|error| {
        Error::new(ErrorKind::Decode, format!("`{text}` is not a `Decimal`: {error}")).with_source(error)
    })
}

given_key! {
    Decimal: Decimal::ZERO;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_its_digits_and_its_scale() {
        let price = Decimal::from_str_exact("12.50").unwrap();
        assert_eq!(price.to_value(), Value::Decimal("12.50".into()));
        assert_eq!(Decimal::from_value(price.to_value()).unwrap().to_string(), "12.50");
    }

    #[test]
    fn zeros_at_the_end_of_a_long_fraction_are_let_go() {
        let long = "-0.500000000000000000000000000000";
        assert_eq!(Decimal::from_value(Value::Decimal(long.into())).unwrap().to_string(), "-0.5");
        let whole = "12.000000000000000000000000000000";
        assert_eq!(Decimal::from_value(Value::Decimal(whole.into())).unwrap().to_string(), "12");
    }

    #[test]
    fn digits_that_do_not_fit_are_an_error() {
        let long = "0.12345678901234567890123456789012345";
        let error = Decimal::from_value(Value::Decimal(long.into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().starts_with(&format!("`{long}` is not a `Decimal`")), "{error}");
    }
}
