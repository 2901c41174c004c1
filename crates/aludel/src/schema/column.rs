//! A column of a table.

use super::SqlType;

/// A column of a [`Table`](super::Table).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: SqlType,
    /// Whether NULL is allowed. Columns of the primary key never allow it, whatever stands here.
    pub nullable: bool,
    /// Whether the database counts the value up in a row that gives none.
    pub autoincrement: bool,
    /// The default that the database fills in, as SQL: `0`, `'new'`, `CURRENT_TIMESTAMP`, `lower('X')`.
    pub server_default: Option<String>,
    /// The comment. Backends without comments (SQLite) leave it out.
    pub comment: Option<String>,
    /// The name of the CHECK constraint that stands in for an enum type where the backend has none.
    pub enum_check: Option<String>,
}

impl Column {
    /// A column that does not allow NULL.
    pub fn new(name: impl Into<String>, ty: SqlType) -> Self {
        Self {
            name: name.into(),
            ty,
            nullable: false,
            autoincrement: false,
            server_default: None,
            comment: None,
            enum_check: None,
        }
    }

    /// The same column, allowing NULL.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same column, counted up by the database.
    #[must_use]
    pub fn autoincrement(mut self) -> Self {
        self.autoincrement = true;
        self
    }

    /// The same column with a default of the database's, as SQL.
    #[must_use]
    pub fn with_server_default(mut self, sql: impl Into<String>) -> Self {
        self.server_default = Some(sql.into());
        self
    }

    /// The same column with a comment.
    #[must_use]
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}
