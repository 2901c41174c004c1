//! Models written from an existing database.
//!
//! [`ModelWriter`] turns the tables that [`Db::reflect`](crate::Db::reflect) found into the Rust source of their models;
//! the command `aludel models` is a thin shell around it.

mod constraints;
mod foreign_keys;
mod names;
mod naming;
mod plan;
mod relationships;
#[cfg(test)]
mod tests;
mod types;
mod write;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{MetaData, Table};
use crate::sql::Dialect;

/// Writes the models of the tables of a reflected database.
///
/// Each table becomes a struct with `#[derive(Model)]`: its columns with keys, sizes, defaults, comments and computed
/// values, its constraints and indexes, and a relationship on both sides of each foreign key. Enums become enums with
/// `#[derive(DbEnum)]`. `create_all` of the models makes tables that are reflected as the first ones were. What a model
/// cannot say is left as a comment in the source, and reported in [`ModelSource::notes`].
///
/// ```
/// use aludel::codegen::ModelWriter;
/// use aludel::schema::{Column, MetaData, SqlType, Table};
/// use aludel::sql::Dialect;
///
/// let mut metadata = MetaData::default();
/// metadata.add_table(
///     Table::new("user")
///         .with_column(Column::new("id", SqlType::BigInt).autoincrement())
///         .with_column(Column::new("type", SqlType::String(Some(20))).nullable())
///         .with_primary_key(["id"]),
/// )?;
/// let source = ModelWriter::new(&metadata, Dialect::Sqlite).write()?;
/// assert!(source.code.contains("#[column(name = \"type\", length = 20)]\n    pub type_: Option<String>,"));
/// assert!(source.notes.is_empty());
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Debug)]
pub struct ModelWriter<'a> {
    metadata: &'a MetaData,
    dialect: Dialect,
    tables: Option<Vec<String>>,
}

/// What [`ModelWriter::write`] has written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelSource {
    /// The Rust source of a module.
    pub code: String,
    /// What the models do not say, a sentence each: a column of a type that Rust has none for, a table without a key.
    pub notes: Vec<String>,
    /// The crates beside `aludel` that the source names: `jiff`, `rust_decimal`, `serde_json`.
    pub dependencies: Vec<&'static str>,
}

impl<'a> ModelWriter<'a> {
    /// The models of all tables of a database of this kind.
    pub fn new(metadata: &'a MetaData, dialect: Dialect) -> Self {
        Self { metadata, dialect, tables: None }
    }

    /// Only the models of these tables.
    #[must_use]
    pub fn tables<S: Into<String>>(mut self, tables: impl IntoIterator<Item = S>) -> Self {
        self.tables = Some(tables.into_iter().map(Into::into).collect());
        self
    }

    /// Writes the source.
    ///
    /// # Errors
    /// `Config` when a table is asked for that the database does not have, with the nearest name.
    pub fn write(&self) -> Result<ModelSource> {
        let plan = plan::plan(self.chosen()?, self.metadata, self.dialect)?;
        Ok(write::source(&plan, self.metadata))
    }

    fn chosen(&self) -> Result<Vec<&'a Table>> {
        let Some(names) = &self.tables else { return Ok(self.metadata.tables().iter().collect()) };
        names.iter().map(|name| self.table(name).ok_or_else(|| self.missing(name))).collect()
    }

    /// A table by its name, with its schema or, where that is no question, without.
    fn table(&self, name: &str) -> Option<&'a Table> {
        self.metadata.table(name).or_else(|| {
            let mut named = self.metadata.tables().iter().filter(|table| table.name == name);
            named.next().filter(|_| named.next().is_none())
        })
    }

    #[cold]
    fn missing(&self, name: &str) -> Error {
        let known = self.metadata.tables().iter().map(|table| table.name.as_str());
        let hint = crate::names::hint(name, known);
        let message = if self.metadata.view(name).is_some() {
            format!("`{name}` is a view, and models are written of tables")
        } else {
            format!("the database has no table `{name}`{hint}")
        };
        Error::new(ErrorKind::Config, message).with_table(name)
    }
}
