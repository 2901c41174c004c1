//! What newtypes and enums are made of.

use crate::engine::row::Row;
use crate::entity::def::Generated;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ColumnType, KeyType, Text, bound};
use crate::sql::{Node, Value};

/// A newtype's value as an operand.
pub fn operand<T: ColumnType>(value: &T) -> Node {
    bound(value.to_value())
}

/// Of `&T`: that `T` is a key, as a condition that the compiler does not decide before it is used.
pub trait InnerKey<T> {
    /// See [`KeyType::Slot`].
    type Slot;
    /// See [`KeyType::GENERATED`].
    const GENERATED: Generated;
    /// See [`KeyType::placeholder`].
    fn placeholder() -> T;
}

impl<T: KeyType> InnerKey<T> for &T {
    type Slot = T::Slot;
    const GENERATED: Generated = T::GENERATED;

    fn placeholder() -> T {
        T::placeholder()
    }
}

/// Of `&T`: that `T` is text.
pub trait InnerText {}

impl<T: Text> InnerText for &T {}

/// Reads an enum from its name.
///
/// # Errors
/// `Decode` when the text is no name of the enum.
pub fn decode_enum<T>(
    row: &Row<'_>,
    index: usize,
    named: fn(&str) -> Option<T>,
    rust: &str,
    names: &[&str],
) -> Result<T> {
    let text = row.text(index)?;
    named(text).ok_or_else(|| unknown_name(text, rust, names).with_position(index))
}

/// An enum from its name as a value.
///
/// # Errors
/// `Decode` when it is no name of the enum.
pub fn enum_value<T>(value: Value<'_>, named: fn(&str) -> Option<T>, rust: &str, names: &[&str]) -> Result<T> {
    let text = String::from_value(value)?;
    named(&text).ok_or_else(|| unknown_name(&text, rust, names))
}

#[cold]
fn unknown_name(text: &str, rust: &str, names: &[&str]) -> Error {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Error::new(ErrorKind::Decode, format!("`{text}` is no `{rust}`, which is one of {}", names.join(", ")))
}
