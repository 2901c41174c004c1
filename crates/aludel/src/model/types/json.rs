//! JSON documents.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::mismatch;
use crate::engine::row::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, IntoValue};
use crate::schema::SqlType;
use crate::sql::Value;

/// A value that is stored as a JSON document: any type that serde can write and read.
///
/// It derefs to the value, and in serialized output it is the value.
///
/// ```
/// use aludel::Json;
///
/// let tags = Json(vec!["glass", "heat"]);
/// assert_eq!(tags.len(), 2);
/// assert_eq!(serde_json::to_string(&tags).unwrap(), r#"["glass","heat"]"#);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json<T>(
    /// The value.
    pub T,
);

impl<T> Json<T> {
    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> ColumnType for Json<T>
where
    T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Json;

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        read(row, index).map(Self)
    }

    fn to_value(&self) -> Value<'_> {
        write(&self.0)
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        parse(value).map(Self)
    }
}

/// A value is written to a column of it without `Json(..)` around it.
impl<T> IntoValue<Json<T>> for T {
    fn into_value(self) -> Json<T> {
        Json(self)
    }
}

/// A document of any shape. JSON's own `null` is a document too; SQL's NULL is `None` of an `Option`.
impl ColumnType for serde_json::Value {
    type Base = Self;
    const SQL_TYPE: SqlType = SqlType::Json;

    fn decode(row: &Row<'_>, index: usize) -> Result<Self> {
        read(row, index)
    }

    fn to_value(&self) -> Value<'_> {
        write(self)
    }

    fn from_value(value: Value<'_>) -> Result<Self> {
        parse(value)
    }
}

fn read<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<T> {
    serde_json::from_str(row.json(index)?).map_err(|error| unreadable::<T>(&error).with_position(index))
}

fn parse<T: DeserializeOwned>(value: Value<'_>) -> Result<T> {
    match value {
        Value::Json(text) | Value::Text(text) => serde_json::from_str(&text).map_err(|error| unreadable::<T>(&error)),
        other => Err(mismatch("JSON", &other)),
    }
}

fn write<T: Serialize>(value: &T) -> Value<'static> {
    match serde_json::to_string(value) {
        Ok(text) => Value::Json(text.into()),
        Err(error) => Value::Invalid(format!("the value cannot be written as JSON: {}", reason(&error)).into()),
    }
}

/// Why a value cannot be written. What the type's own `Serialize` says may quote the value, and is left out.
#[cold]
fn reason(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    let known = ["key must be a string", "float key must be finite"];
    known.into_iter().find(|known| text.starts_with(known)).unwrap_or("its `Serialize` gives an error")
}

/// Nothing of the document is shown, and serde's error, which quotes it, is no source: it may hold what belongs in no
/// log.
#[cold]
fn unreadable<T>(error: &serde_json::Error) -> Error {
    let what = match error.classify() {
        Category::Data => "does not fit",
        Category::Eof => "ends too early for",
        Category::Syntax | Category::Io => "is no JSON; it was to be read as",
    };
    let (line, column) = (error.line(), error.column());
    let ty = std::any::type_name::<T>();
    Error::new(ErrorKind::Decode, format!("the JSON document {what} `{ty}` (line {line}, column {column})"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_document_comes_back() {
        let value = Json(vec![1, 2]);
        assert_eq!(value.to_value(), Value::Json("[1,2]".into()));
        assert_eq!(Json::<Vec<i32>>::from_value(value.to_value()).unwrap(), value);
    }

    #[test]
    fn a_document_of_another_shape_is_an_error() {
        let error = Json::<Vec<i32>>::from_value(Value::Json("{}".into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        let message = "the JSON document does not fit `alloc::vec::Vec<i32>` (line 1, column 0)";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn errors_quote_nothing_of_the_document() {
        for text in [r#"["secret"]"#, r#"[1, "secret"#, "[secret]"] {
            let error = Json::<Vec<i32>>::from_value(Value::Json(text.into())).unwrap_err();
            let (shown, debugged) = (error.to_string(), format!("{error:?}"));
            assert!(!shown.contains("secret") && !debugged.contains("secret"), "{shown} {debugged}");
            assert!(std::error::Error::source(&error).is_none());
        }
    }

    #[test]
    fn a_value_that_json_cannot_say_is_refused_when_it_is_sent() {
        let map = Json(HashMap::from([(vec![1], 2)]));
        assert!(matches!(map.to_value(), Value::Invalid(text) if text.contains("key must be a string")));
    }
}
