//! Exact decimal numbers in SQLite, which has none.
//!
//! A NUMERIC column keeps integers of 64 bits and floats. A float carries every decimal number of up to 15
//! significant digits there and back unchanged; longer ones are refused instead of being rounded.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};

/// The digits that a double-precision float keeps for certain.
const DIGITS: usize = 15;

/// A decimal number as a NUMERIC column stores it.
#[derive(Debug, PartialEq)]
pub(super) enum Number {
    /// Without a fraction.
    Integer(i64),
    /// With one, or too large for an integer.
    Real(f64),
}

/// A decimal number as SQLite stores it: what a NUMERIC column would make of its text. It is bound as a number
/// because text compares above every number where no column's affinity is near, as in `sum(price) > ?`.
pub(super) fn number(text: &str) -> Result<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.len() == fraction.len() || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(Error::new(ErrorKind::Decode, "the text of the decimal number has other characters than digits"));
    }
    let fraction = fraction.trim_end_matches('0');
    let significant = format!("{whole}{fraction}");
    let significant = significant.trim_start_matches('0').trim_end_matches('0').len();
    if significant > DIGITS {
        return Err(Error::new(
            ErrorKind::Decode,
            format!(
                "the decimal number has {significant} significant digits, and SQLite keeps {DIGITS}; round it, or \
                 store it as text"
            ),
        ));
    }
    if fraction.is_empty()
        && let Ok(integer) = text.split('.').next().unwrap_or_default().parse()
    {
        return Ok(Number::Integer(integer));
    }
    let real = text.parse().map_err(|_| Error::new(ErrorKind::Decode, "the text is not a decimal number"))?;
    Ok(Number::Real(real))
}

/// The shortest decimal text that stands for a float; none for infinities.
pub(super) fn of_real(value: f64) -> Option<String> {
    value.is_finite().then(|| value.to_string())
}

/// Text from the database as a decimal number: digits, an optional sign and point.
pub(super) fn of_text(text: &str) -> Option<Cow<'_, str>> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let point = digits.bytes().filter(|&byte| byte == b'.').count();
    let valid = digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit())
        && point <= 1
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    valid.then_some(Cow::Borrowed(text))
}
