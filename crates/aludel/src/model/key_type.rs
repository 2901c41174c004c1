//! What can be a key.

use crate::entity::def::Generated;

use super::ColumnType;

/// A column type that can be a primary key, or a part of one, or a foreign key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a key",
    label = "neither a primary key nor a foreign key",
    note = "a key is an integer, `String`, `Uuid`, bytes, a date or time, a `Decimal`, or a newtype of one of these with `#[derive(DbType)]`"
)]
pub trait KeyType: ColumnType {
    /// What the builder's type says of a primary key of this type before it is given: [`Set`] where it is made by
    /// itself, [`Missing`] where it has to be given.
    type Slot;

    /// Who makes the key of a new row that gives none.
    const GENERATED: Generated;

    /// What stands in a new row until the key is made, or until its parent's key is known.
    fn placeholder() -> Self;
}

/// In the type of a builder: the field is given.
#[derive(Debug)]
pub enum Set {}

/// In the type of a builder: the field is missing.
#[derive(Debug)]
pub enum Missing {}
