//! An index of a table.

use super::constraint::strings;

/// An index of a [`Table`](super::Table).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The name; none until a naming convention gives one.
    pub name: Option<String>,
    /// The columns, in the index's order.
    pub columns: Vec<String>,
    /// Whether no two rows may have the same values in these columns.
    pub unique: bool,
}

impl Index {
    /// An index over these columns that allows equal rows.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self { name: None, columns: strings(columns), unique: false }
    }

    /// The same index with a name of its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same index, refusing equal rows.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
}
