//! The constraints of a table.

use std::borrow::Cow;

use super::Action;

/// The primary key of a [`Table`](super::Table).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrimaryKey {
    /// The constraint's name; none until a naming convention gives one.
    pub name: Option<String>,
    /// The columns, in the key's order.
    pub columns: Vec<String>,
}

impl PrimaryKey {
    /// A primary key of these columns.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self { name: None, columns: strings(columns) }
    }

    /// The same key with a name of its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A foreign key of a [`Table`](super::Table).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignKey {
    /// The constraint's name; none until a naming convention gives one.
    pub name: Option<String>,
    /// The columns on this side.
    pub columns: Vec<String>,
    /// The schema of the table that they point at; none is the connection's own.
    pub target_schema: Option<String>,
    /// The table that they point at.
    pub target_table: String,
    /// The columns that they point at, in the same order.
    pub target_columns: Vec<String>,
    /// What happens to this row when the other is deleted.
    pub on_delete: Action,
    /// What happens to this row when the other's key changes.
    pub on_update: Action,
}

impl ForeignKey {
    /// A foreign key from these columns to those of the target table.
    pub fn new<C: Into<String>, D: Into<String>>(
        columns: impl IntoIterator<Item = C>,
        target_table: impl Into<String>,
        target_columns: impl IntoIterator<Item = D>,
    ) -> Self {
        Self {
            name: None,
            columns: strings(columns),
            target_schema: None,
            target_table: target_table.into(),
            target_columns: strings(target_columns),
            on_delete: Action::NoAction,
            on_update: Action::NoAction,
        }
    }

    /// The same key with a name of its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The same key to a table of this schema.
    #[must_use]
    pub fn to_schema(mut self, schema: impl Into<String>) -> Self {
        self.target_schema = Some(schema.into());
        self
    }

    /// The name under which a [`MetaData`](super::MetaData) has the target: `schema.name`, or the name alone.
    pub fn target_key(&self) -> Cow<'_, str> {
        super::table::key(self.target_schema.as_deref(), &self.target_table)
    }

    /// The same key with what happens when the target row is deleted.
    #[must_use]
    pub fn on_delete(mut self, action: Action) -> Self {
        self.on_delete = action;
        self
    }

    /// The same key with what happens when the target row's key changes.
    #[must_use]
    pub fn on_update(mut self, action: Action) -> Self {
        self.on_update = action;
        self
    }
}

/// A unique constraint of a [`Table`](super::Table).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UniqueConstraint {
    /// The constraint's name; none until a naming convention gives one.
    pub name: Option<String>,
    /// The columns that are unique together.
    pub columns: Vec<String>,
}

impl UniqueConstraint {
    /// A unique constraint over these columns together.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self { name: None, columns: strings(columns) }
    }

    /// The same constraint with a name of its own.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A check constraint of a [`Table`](super::Table).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckConstraint {
    /// The constraint's name; none until a naming convention gives one.
    pub name: Option<String>,
    /// The condition, as SQL.
    pub sql: String,
}

impl CheckConstraint {
    /// A check of this condition, written as SQL.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { name: None, sql: sql.into() }
    }

    /// The same constraint with a name of its own, which the naming convention wraps: `positive` of table `item`
    /// becomes `ck_item_positive`.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

pub(super) fn strings<C: Into<String>>(names: impl IntoIterator<Item = C>) -> Vec<String> {
    names.into_iter().map(Into::into).collect()
}
