//! A view.

use super::Column;

/// A view of a database, as reflection finds it. Views are not created: what is in one is the database's own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// The name.
    pub name: String,
    /// The columns: their names and types.
    pub columns: Vec<Column>,
    /// The SELECT that it stands for, as the database gives it back.
    pub definition: String,
    /// Whether its rows are stored, as those of PostgreSQL's materialized views are.
    pub materialized: bool,
    /// The comment.
    pub comment: Option<String>,
}

impl View {
    /// A view without columns, of a SELECT.
    pub fn new(name: impl Into<String>, definition: impl Into<String>) -> Self {
        let (name, definition) = (name.into(), definition.into());
        Self { name, columns: Vec::new(), definition, materialized: false, comment: None }
    }

    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
