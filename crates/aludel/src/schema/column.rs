//! A column of a table.

use super::{Identity, Sequence, SqlType};

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
    /// The expression that gives the value, where the database computes it.
    pub computed: Option<Computed>,
    /// The sequence that the value of a row comes from that gives none.
    pub sequence: Option<Sequence>,
    /// How a column that autoincrements counts, where that is said.
    pub identity: Option<Identity>,
    /// The comment. Backends without comments (SQLite) leave it out.
    pub comment: Option<String>,
    /// The name of the CHECK constraint that stands in for an enum type where the backend has none.
    pub enum_check: Option<String>,
}

/// How the database computes a [`Column`]: `GENERATED ALWAYS AS (..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Computed {
    /// The expression, as SQL, without parentheses around the whole.
    pub sql: String,
    /// Whether the value is stored with the row; else it is computed when it is read.
    pub stored: bool,
}

impl Computed {
    /// A value that is stored with the row, and computed when the row is written.
    pub fn stored(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), stored: true }
    }

    /// A value that is computed when it is read: on SQLite, MariaDB and MySQL.
    pub fn virtually(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), stored: false }
    }
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
            computed: None,
            sequence: None,
            identity: None,
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

    /// The same column, computed by the database from others of the row.
    #[must_use]
    pub fn with_computed(mut self, computed: Computed) -> Self {
        self.computed = Some(computed);
        self
    }

    /// The same column, whose values come from a sequence.
    #[must_use]
    pub fn with_sequence(mut self, sequence: Sequence) -> Self {
        self.sequence = Some(sequence);
        self
    }

    /// The same column, counted up by the database in a way of its own.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.autoincrement = true;
        self.identity = Some(identity);
        self
    }

    /// The same column with a comment.
    #[must_use]
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}
