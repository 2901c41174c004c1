//! An index of a table.

use super::constraint::strings;

/// An index of a [`Table`](super::Table).
///
/// ```
/// use aludel::schema::{Index, IndexElement};
///
/// let index = Index::new(["author_id"])
///     .with_element(IndexElement::expression("lower(title)").descending())
///     .with_predicate("published")
///     .named("ix_post_titles");
/// assert_eq!(index.columns(), ["author_id"]);
/// assert_eq!(index.elements.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Index {
    /// The name; none until a naming convention gives one.
    pub name: Option<String>,
    /// What it sorts by, in its order.
    pub elements: Vec<IndexElement>,
    /// Whether no two rows may have the same values in it.
    pub unique: bool,
    /// The condition of the rows that are in it, as SQL: a partial index, of SQLite and PostgreSQL.
    pub predicate: Option<String>,
    /// The method, where it is not the backend's usual one: `gin`, `gist`, `brin`, `hash` of PostgreSQL.
    pub using: Option<String>,
    /// Columns that are in it only to be read, on PostgreSQL.
    pub include: Vec<String>,
}

/// One element of an [`Index`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexElement {
    /// The column or expression.
    pub key: IndexKey,
    /// Whether the greatest value comes first.
    pub descending: bool,
    /// Where NULL comes; the backend's own way where absent, which for PostgreSQL is at the end of the greatest values.
    pub nulls: Option<NullsOrder>,
    /// How many characters of the value are in it: MariaDB and MySQL index long texts by their beginning.
    pub length: Option<u32>,
    /// The operator class, of PostgreSQL, where it is not the type's usual one: `text_pattern_ops`.
    pub operator_class: Option<String>,
}

/// What an element of an index sorts by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexKey {
    /// A column's name.
    Column(String),
    /// An expression, as SQL, without parentheses around the whole.
    Expression(String),
}

/// Where NULL comes in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NullsOrder {
    /// Before all values.
    First,
    /// After all values.
    Last,
}

impl Index {
    /// An index over these columns that allows equal rows.
    pub fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>) -> Self {
        Self::of(strings(columns).into_iter().map(IndexElement::column))
    }

    /// An index over these elements that allows equal rows.
    pub fn of(elements: impl IntoIterator<Item = IndexElement>) -> Self {
        let elements = elements.into_iter().collect();
        Self { name: None, elements, unique: false, predicate: None, using: None, include: Vec::new() }
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

    /// The same index with one more element.
    #[must_use]
    pub fn with_element(mut self, element: IndexElement) -> Self {
        self.elements.push(element);
        self
    }

    /// The same index of those rows alone that fulfil a condition, written as SQL.
    #[must_use]
    pub fn with_predicate(mut self, sql: impl Into<String>) -> Self {
        self.predicate = Some(sql.into());
        self
    }

    /// The same index with a method of the backend's.
    #[must_use]
    pub fn using(mut self, method: impl Into<String>) -> Self {
        self.using = Some(method.into());
        self
    }

    /// The same index with columns that are in it only to be read.
    #[must_use]
    pub fn including<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.include.extend(strings(columns));
        self
    }

    /// The columns that it sorts by, in its order, without its expressions.
    pub fn columns(&self) -> Vec<&str> {
        self.elements.iter().filter_map(IndexElement::column_name).collect()
    }

    /// Whether it has all rows, and sorts by nothing but whole columns.
    pub(crate) fn is_over_columns(&self) -> bool {
        let whole = |element: &IndexElement| element.column_name().is_some() && element.length.is_none();
        self.predicate.is_none() && self.elements.iter().all(whole)
    }
}

impl IndexElement {
    /// A column, from the least value to the greatest.
    pub fn column(name: impl Into<String>) -> Self {
        Self::new(IndexKey::Column(name.into()))
    }

    /// An expression, written as SQL, from the least value to the greatest.
    pub fn expression(sql: impl Into<String>) -> Self {
        Self::new(IndexKey::Expression(sql.into()))
    }

    fn new(key: IndexKey) -> Self {
        Self { key, descending: false, nulls: None, length: None, operator_class: None }
    }

    /// The same element from the greatest value to the least.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// The same element with the place of NULL.
    #[must_use]
    pub fn nulls(mut self, order: NullsOrder) -> Self {
        self.nulls = Some(order);
        self
    }

    /// The same element by the first so many characters of its value.
    #[must_use]
    pub fn prefix(mut self, length: u32) -> Self {
        self.length = Some(length);
        self
    }

    /// The same element with an operator class.
    #[must_use]
    pub fn operator_class(mut self, name: impl Into<String>) -> Self {
        self.operator_class = Some(name.into());
        self
    }

    /// The column's name, where it is a column.
    pub fn column_name(&self) -> Option<&str> {
        match &self.key {
            IndexKey::Column(name) => Some(name),
            IndexKey::Expression(_) => None,
        }
    }
}
