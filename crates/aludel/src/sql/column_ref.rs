//! A column, as an expression names it.

use std::borrow::Cow;

/// A column, as an expression names it: `"user"."id"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnRef {
    /// The table's name, or the alias that it has in the statement.
    pub table: Cow<'static, str>,
    /// The column's name.
    pub name: Cow<'static, str>,
    /// Whether the column itself may hold NULL.
    pub nullable: bool,
}

impl ColumnRef {
    /// A column that holds no NULL.
    pub fn new(table: impl Into<Cow<'static, str>>, name: impl Into<Cow<'static, str>>) -> Self {
        Self { table: table.into(), name: name.into(), nullable: false }
    }

    /// The same column, which may hold NULL.
    #[must_use]
    pub fn nullable(self) -> Self {
        Self { nullable: true, ..self }
    }
}
