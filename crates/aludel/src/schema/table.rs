//! A table.

use std::borrow::Cow;

use super::{CheckConstraint, Column, ForeignKey, Index, PrimaryKey, UniqueConstraint};

/// A table: columns, constraints and indexes.
///
/// ```
/// use aludel::schema::{Column, Index, SqlType, Table};
///
/// let post = Table::new("post")
///     .with_column(Column::new("id", SqlType::BigInt).autoincrement())
///     .with_column(Column::new("title", SqlType::String(Some(100))))
///     .with_primary_key(["id"])
///     .with_index(Index::new(["title"]));
/// assert!(post.is_primary_key("id"));
/// assert_eq!(post.column("title").unwrap().ty, SqlType::String(Some(100)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Table {
    /// The schema; none is the connection's own. On MariaDB it is a database, on SQLite one that is attached.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The primary key, where there is one.
    pub primary_key: Option<PrimaryKey>,
    /// The foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// The unique constraints.
    pub uniques: Vec<UniqueConstraint>,
    /// The check constraints, without those that stand in for enum types.
    pub checks: Vec<CheckConstraint>,
    /// The indexes, without those that the database makes for constraints.
    pub indexes: Vec<Index>,
    /// The comment. Backends without comments (SQLite) leave it out.
    pub comment: Option<String>,
    /// Who declares the table, for messages: a model with its module, or nobody for a reflected table.
    pub declared_by: Option<String>,
}

impl Table {
    /// A table without columns.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
            columns: Vec::new(),
            primary_key: None,
            foreign_keys: Vec::new(),
            uniques: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            comment: None,
            declared_by: None,
        }
    }

    /// The same table in a schema. Foreign keys name their target's schema by themselves.
    #[must_use]
    pub fn in_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The name under which a [`MetaData`](super::MetaData) has the table: `schema.name`, or the name alone.
    pub fn key(&self) -> Cow<'_, str> {
        key(self.schema.as_deref(), &self.name)
    }

    /// The same table with one more column.
    #[must_use]
    pub fn with_column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// The same table with a primary key of these columns.
    #[must_use]
    pub fn with_primary_key<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.primary_key = Some(PrimaryKey::new(columns));
        self
    }

    /// The same table with one more foreign key.
    #[must_use]
    pub fn with_foreign_key(mut self, key: ForeignKey) -> Self {
        self.foreign_keys.push(key);
        self
    }

    /// The same table with one more unique constraint.
    #[must_use]
    pub fn with_unique(mut self, unique: UniqueConstraint) -> Self {
        self.uniques.push(unique);
        self
    }

    /// The same table with one more check constraint.
    #[must_use]
    pub fn with_check(mut self, check: CheckConstraint) -> Self {
        self.checks.push(check);
        self
    }

    /// The same table with one more index.
    #[must_use]
    pub fn with_index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }

    /// The same table with a comment.
    #[must_use]
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// The same table with who declares it, for messages.
    #[must_use]
    pub fn with_declared_by(mut self, origin: impl Into<String>) -> Self {
        self.declared_by = Some(origin.into());
        self
    }

    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a column is part of the primary key.
    pub fn is_primary_key(&self, column: &str) -> bool {
        self.primary_key.as_ref().is_some_and(|key| key.columns.iter().any(|name| name == column))
    }

    /// The columns of the primary key, none where there is no key.
    pub fn primary_key_columns(&self) -> &[String] {
        self.primary_key.as_ref().map_or(&[], |key| &key.columns)
    }

    /// Whether the database keeps these columns, in any order, unique together: by the primary key, a unique
    /// constraint or a unique index of all rows.
    pub fn is_unique<S: AsRef<str>>(&self, columns: &[S]) -> bool {
        self.unique_keys().any(|(_, key)| same_columns(&key, columns))
    }

    /// The name of the constraint or index that keeps these columns, in any order, unique together. SQLite reports a
    /// violation by columns only; this finds the constraint, or else the partial index.
    pub fn unique_name<S: AsRef<str>>(&self, columns: &[S]) -> Option<&str> {
        let partial = self.indexes.iter().filter(|index| index.unique && index.predicate.is_some());
        let partial = partial.map(|index| (index.name.as_deref(), index.columns()));
        self.unique_keys().chain(partial).find(|(_, key)| same_columns(key, columns)).and_then(|(name, _)| name)
    }

    fn unique_keys(&self) -> impl Iterator<Item = (Option<&str>, Vec<&str>)> {
        let primary = self.primary_key.iter().map(|key| (key.name.as_deref(), names_of(&key.columns)));
        let uniques = self.uniques.iter().map(|unique| (unique.name.as_deref(), names_of(&unique.columns)));
        let indexes = self.indexes.iter().filter(|index| index.unique && index.is_over_columns());
        primary.chain(uniques).chain(indexes.map(|index| (index.name.as_deref(), index.columns())))
    }
}

pub(super) fn key<'a>(schema: Option<&str>, name: &'a str) -> Cow<'a, str> {
    match schema {
        None => Cow::Borrowed(name),
        Some(schema) => Cow::Owned(format!("{schema}.{name}")),
    }
}

fn names_of(columns: &[String]) -> Vec<&str> {
    columns.iter().map(String::as_str).collect()
}

fn same_columns<S: AsRef<str>>(key: &[&str], columns: &[S]) -> bool {
    key.len() == columns.len() && key.iter().all(|name| columns.iter().any(|column| column.as_ref() == *name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SqlType;

    #[test]
    fn the_constraint_that_keeps_columns_unique_is_found_in_any_order_of_them() {
        let table = Table::new("t")
            .with_column(Column::new("a", SqlType::Text))
            .with_column(Column::new("b", SqlType::Text))
            .with_unique(UniqueConstraint::new(["a", "b"]).named("uq"))
            .with_index(Index::new(["a"]))
            .with_index(Index::new(["b"]).unique().named("ux"));
        assert_eq!(table.unique_name(&["b", "a"]), Some("uq"));
        assert_eq!(table.unique_name(&["b"]), Some("ux"));
        assert!(!table.is_unique(&["a"]), "a plain index keeps nothing unique");
        let partial = table.clone().with_index(Index::new(["a"]).unique().with_predicate("b <> ''").named("part"));
        assert!(!partial.is_unique(&["a"]), "a partial index leaves rows out");
        assert_eq!(partial.unique_name(&["a"]), Some("part"));
        assert!(!table.is_unique(&["a", "b", "c"]));
    }
}
