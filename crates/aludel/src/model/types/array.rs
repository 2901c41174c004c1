//! PostgreSQL's arrays.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

use super::mismatch;
use super::scalar::Scalar;
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, Operand, bound};
use crate::schema::SqlType;
use crate::sql::{Node, Value};

/// What a column that is an array may have for elements: integers but `u8` (`Vec<u8>` is bytes), floats, `bool`, `String`,
/// `Uuid`, dates and times of jiff, `IpAddr`, decimals, and `Option` of each where elements may be NULL.
pub trait ArrayElement: Clone + Send + Sync + 'static {
    /// The element's type.
    #[doc(hidden)]
    const ELEMENT: &'static SqlType;

    /// Appends the element's text; false for NULL.
    #[doc(hidden)]
    fn write(&self, out: &mut String) -> bool;

    /// The element of a text, or of NULL; none where it is none.
    #[doc(hidden)]
    fn read(text: Option<&str>) -> Option<Self>;
}

macro_rules! elements {
    ($($rust:ty),* $(,)?) => {$(
        impl ArrayElement for $rust {
            const ELEMENT: &'static SqlType = &<$rust as ColumnType>::SQL_TYPE;

            fn write(&self, out: &mut String) -> bool {
                self.write_text(out);
                true
            }

            fn read(text: Option<&str>) -> Option<Self> {
                text.and_then(Self::read_text)
            }
        }

        impl ArrayElement for Option<$rust> {
            const ELEMENT: &'static SqlType = &<$rust as ColumnType>::SQL_TYPE;

            fn write(&self, out: &mut String) -> bool {
                self.as_ref().is_some_and(|value| value.write(out))
            }

            fn read(text: Option<&str>) -> Option<Self> {
                match text {
                    None => Some(None),
                    Some(text) => <$rust>::read_text(text).map(Some),
                }
            }
        }
    )*};
}

elements! { i8, i16, i32, i64, u16, u32, u64, f32, f64, bool, String, Uuid, Date, Time, DateTime, Timestamp, IpAddr }
#[cfg(feature = "decimal")]
elements! { rust_decimal::Decimal }

/// An array, on PostgreSQL alone: elsewhere `Json<Vec<T>>` holds a list.
impl<T: ArrayElement> ColumnType for Vec<T> {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Array(T::ELEMENT);

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        read(row.text(index)?).map_err(|error| error.with_position(index))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Text(write(self).into())
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        match value {
            Value::Text(text) => read(&text),
            other => Err(mismatch("an array", &other)),
        }
    }
}

impl<T: ArrayElement> Operand<Vec<T>> for Vec<T> {
    fn into_operand(self) -> Node {
        bound(self.to_value())
    }
}

impl<T: ArrayElement> Operand<Vec<T>> for &Vec<T> {
    fn into_operand(self) -> Node {
        bound(self.to_value())
    }
}

/// `{"1","2",NULL}`: every element is quoted, so that none is taken for NULL or a brace.
pub(in crate::model) fn write<T: ArrayElement>(elements: &[T]) -> String {
    let mut out = String::with_capacity(2 + elements.len() * 8);
    let mut element = String::new();
    out.push('{');
    for (at, value) in elements.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        element.clear();
        if value.write(&mut element) {
            push_quoted(&element, &mut out);
        } else {
            out.push_str("NULL");
        }
    }
    out.push('}');
    out
}

fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// # Errors
/// `Decode` for an array of several dimensions, and for an element that its type cannot hold; its value is not shown.
fn read<T: ArrayElement>(text: &str) -> Result<Vec<T>> {
    // An array whose first index is not 1 says so: `[0:1]={..}`.
    let list = text.split_once('=').filter(|_| text.starts_with('[')).map_or(text, |(_, list)| list);
    let inner = list.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(|| malformed("an array"))?;
    let mut elements = Vec::new();
    let mut rest = inner;
    let mut element = String::new();
    while !rest.is_empty() {
        if rest.starts_with('{') {
            return Err(malformed("an array of one dimension, which a `Vec` is"));
        }
        element.clear();
        let quoted = rest.starts_with('"');
        rest = take(rest, quoted, &mut element).ok_or_else(|| malformed("an array"))?;
        let text = if !quoted && element == "NULL" { None } else { Some(element.as_str()) };
        let null = text.is_none();
        elements.push(T::read(text).ok_or_else(|| unreadable::<T>(null))?);
    }
    Ok(elements)
}

/// Takes an element from the list, and the comma after it.
fn take<'a>(list: &'a str, quoted: bool, element: &mut String) -> Option<&'a str> {
    if !quoted {
        let (text, rest) = list.split_once(',').unwrap_or((list, ""));
        element.push_str(text);
        return Some(rest);
    }
    let mut characters = list[1..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => element.push(characters.next()?.1),
            '"' => {
                let rest = &list[at + 2..];
                return Some(rest.strip_prefix(',').unwrap_or(rest));
            }
            other => element.push(other),
        }
    }
    None
}

#[cold]
fn malformed(expected: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("the value is not {expected}"))
}

#[cold]
fn unreadable<T>(null: bool) -> Error {
    let ty = std::any::type_name::<T>();
    let message = if null {
        format!("an element of the array is NULL: read it as `Vec<Option<{ty}>>`")
    } else {
        format!("an element of the array is no `{ty}`, or out of its range")
    };
    Error::new(ErrorKind::Decode, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_back_whatever_is_in_them() {
        let texts: Vec<Option<String>> =
            ["", "a,b", "NULL", "{x}", r#"quote " and \ slash"#, "ä"].map(|text| Some(text.to_owned())).into();
        let with_null = [texts, vec![None]].concat();
        assert_eq!(read::<Option<String>>(&write(&with_null)).unwrap(), with_null);
        assert_eq!(write(&[1_i64, -2]), r#"{"1","-2"}"#);
        assert_eq!(read::<i64>("{1,-2}").unwrap(), [1, -2]);
        assert_eq!(read::<i64>("[0:1]={1,-2}").unwrap(), [1, -2]);
        assert!(read::<i64>("{}").unwrap().is_empty());
        assert_eq!(read::<String>(r#"{plain,"a=b"}"#).unwrap(), ["plain", "a=b"]);
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_quotes_nothing() {
        for (text, message) in [
            ("{{1},{2}}", "the value is not an array of one dimension, which a `Vec` is"),
            ("{1,NULL}", "an element of the array is NULL: read it as `Vec<Option<i16>>`"),
            ("{70000}", "an element of the array is no `i16`, or out of its range"),
            ("secret", "the value is not an array"),
        ] {
            let error = read::<i16>(text).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Decode, message));
        }
    }
}
