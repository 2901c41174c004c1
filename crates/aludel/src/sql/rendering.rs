//! What a statement is rendered for: a dialect, and the names that schemas have there.

use super::{Dialect, Tenancy};

/// Other names for schemas: what a statement's `tenant` is called in the database at hand.
///
/// SQLAlchemy calls it a `schema_translate_map`. Names that it does not have stay as they are.
///
/// ```
/// use aludel::sql::SchemaTranslation;
///
/// let names = SchemaTranslation::new([("tenant", "acme")]);
/// assert_eq!(names.get("tenant"), Some("acme"));
/// assert_eq!(names.get("shared"), Some("shared"));
/// assert_eq!(SchemaTranslation::new([("tenant", None)]).get("tenant"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaTranslation {
    names: Vec<(String, Option<String>)>,
}

impl SchemaTranslation {
    /// A translation of these schemas, each to another name or to none: then its tables are those of the connection's
    /// own schema.
    pub fn new<K: Into<String>, V: SchemaName>(names: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { names: names.into_iter().map(|(from, to)| (from.into(), to.into_name())).collect() }
    }

    /// What a schema is called; none is the connection's own.
    pub fn get<'a>(&'a self, schema: &'a str) -> Option<&'a str> {
        match self.names.iter().find(|(from, _)| from == schema) {
            Some((_, to)) => to.as_deref(),
            None => Some(schema),
        }
    }
}

/// The name of a schema, or none: what [`SchemaTranslation::new`] takes.
pub trait SchemaName {
    /// The name.
    fn into_name(self) -> Option<String>;
}

impl SchemaName for &str {
    fn into_name(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl SchemaName for String {
    fn into_name(self) -> Option<String> {
        Some(self)
    }
}

impl SchemaName for Option<&str> {
    fn into_name(self) -> Option<String> {
        self.map(str::to_owned)
    }
}

/// What a statement is rendered for: a dialect, and perhaps other names for schemas. A [`Dialect`] alone is one too.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The backend whose SQL is written.
    pub dialect: Dialect,
    /// What schemas are called.
    pub schemas: Option<&'a SchemaTranslation>,
    /// Whose rows the statement sees of the tables that have tenants.
    pub tenancy: Tenancy<'a>,
}

impl From<Dialect> for Rendering<'_> {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, schemas: None, tenancy: Tenancy::default() }
    }
}

impl Rendering<'_> {
    /// Writes a table's name, with its schema where it has one.
    pub(crate) fn quote_table(self, schema: Option<&str>, name: &str, out: &mut String) {
        let schema = match (schema, self.schemas) {
            (Some(schema), Some(names)) => names.get(schema),
            (schema, _) => schema,
        };
        if let Some(schema) = schema {
            self.dialect.quote(schema, out);
            out.push('.');
        }
        self.dialect.quote(name, out);
    }
}
