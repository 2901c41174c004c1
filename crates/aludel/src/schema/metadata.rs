//! All tables of a database.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};

use crate::sql::SchemaTranslation;

use super::{NamingConvention, SortedTables, Table, View, check, sort};

/// The tables of one database, by name, in the order in which they were added.
///
/// ```
/// use aludel::schema::{Column, ForeignKey, MetaData, SqlType, Table};
///
/// let mut metadata = MetaData::default();
/// metadata.add_table(
///     Table::new("post")
///         .with_column(Column::new("id", SqlType::BigInt))
///         .with_column(Column::new("user_id", SqlType::BigInt))
///         .with_primary_key(["id"])
///         .with_foreign_key(ForeignKey::new(["user_id"], "user", ["id"])),
/// )?;
/// metadata.add_table(
///     Table::new("user").with_column(Column::new("id", SqlType::BigInt)).with_primary_key(["id"]),
/// )?;
///
/// let sorted = metadata.sorted_tables()?;
/// assert_eq!(sorted.tables.iter().map(|table| &table.name).collect::<Vec<_>>(), ["user", "post"]);
/// let post = metadata.table("post").unwrap();
/// assert_eq!(post.foreign_keys[0].name.as_deref(), Some("fk_post_user_id_user"));
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaData {
    naming: NamingConvention,
    tables: Vec<Table>,
    positions: HashMap<String, usize>,
    views: Vec<View>,
}

impl MetaData {
    /// No tables, with the convention that names the constraints of those to come.
    pub fn new(naming: NamingConvention) -> Self {
        Self { naming, ..Self::default() }
    }

    /// The convention that names constraints and indexes.
    pub fn naming_convention(&self) -> &NamingConvention {
        &self.naming
    }

    /// Adds a table. Its constraints and indexes get their names here, from the naming convention.
    ///
    /// Tables may come in any order, a foreign key's target later than the key; [`check`](Self::check) looks at the
    /// whole.
    ///
    /// # Errors
    /// `Config` when there is a table of this name, and when the naming convention has a token that does not exist.
    pub fn add_table(&mut self, mut table: Table) -> Result<()> {
        if let Some(earlier) = self.table(&table.key()) {
            return Err(duplicate(earlier, &table));
        }
        self.naming.name_constraints(&mut table)?;
        self.positions.insert(table.key().into_owned(), self.tables.len());
        self.tables.push(table);
        Ok(())
    }

    /// A table by its name, which is `schema.name` for one in a schema.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.position(name).map(|position| &self.tables[position])
    }

    /// The tables, in the order in which they were added.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Adds a view.
    ///
    /// # Errors
    /// `Config` when there is a table or view of this name.
    pub fn add_view(&mut self, view: View) -> Result<()> {
        if self.table(&view.name).is_some() || self.view(&view.name).is_some() {
            let message = format!("view `{}` has the name of another table or view", view.name);
            return Err(Error::new(ErrorKind::Config, message).with_table(&view.name));
        }
        self.views.push(view);
        Ok(())
    }

    /// A view by its name.
    pub fn view(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| view.name == name)
    }

    /// The views, in the order in which they were added. They are found by reflection, and not created.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// The tables in the order of their dependency: what a foreign key points at comes before its holder. A foreign
    /// key of a table to itself asks for no order.
    ///
    /// # Errors
    /// `Config` when a foreign key points at a table or column that is not here.
    pub fn sorted_tables(&self) -> Result<SortedTables<'_>> {
        check::foreign_keys(self)?;
        Ok(sort::sort(self))
    }

    /// Looks for what no database would accept, or would accept and fail on later: tables without columns, columns
    /// declared twice, constraints on columns that do not exist, foreign keys to what does not exist or is not
    /// unique, and names given twice.
    ///
    /// # Errors
    /// `Config`, naming the table, the column and the cure.
    pub fn check(&self) -> Result<()> {
        check::check(self, false)
    }

    /// The same for a backend where each table has a space of its own for the names of its indexes.
    pub(crate) fn check_with_index_names_per_table(&self) -> Result<()> {
        check::check(self, true)
    }

    /// The same tables in schemas of other names.
    ///
    /// # Errors
    /// `Config` when two tables come to have one name.
    pub fn translated(&self, schemas: &SchemaTranslation) -> Result<Self> {
        let translate = |schema: &mut Option<String>| {
            *schema = schema.as_deref().and_then(|schema| schemas.get(schema)).map(str::to_owned);
        };
        // Its tables have their names already.
        let mut translated = Self::new(NamingConvention::none());
        for table in &self.tables {
            let mut table = table.clone();
            translate(&mut table.schema);
            table.foreign_keys.iter_mut().for_each(|key| translate(&mut key.target_schema));
            translated.add_table(table)?;
        }
        Ok(Self { naming: self.naming.clone(), ..translated })
    }

    /// The schemas that tables name, each once.
    pub fn schemas(&self) -> Vec<&str> {
        let mut schemas: Vec<&str> = self.tables.iter().filter_map(|table| table.schema.as_deref()).collect();
        schemas.sort_unstable();
        schemas.dedup();
        schemas
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }
}

fn duplicate(earlier: &Table, later: &Table) -> Error {
    let by =
        |table: &Table| table.declared_by.as_ref().map_or("a table without a model".to_owned(), |by| format!("`{by}`"));
    let message = format!(
        "table `{}` is declared twice, by {} and by {}: give one of them another name with #[model(table = \"..\")]",
        later.key(),
        by(earlier),
        by(later)
    );
    Error::new(ErrorKind::Config, message).with_table(later.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_the_order_in_which_they_were_added() {
        let mut metadata = MetaData::default();
        for name in ["c", "a", "b"] {
            metadata.add_table(Table::new(name)).unwrap();
        }
        assert_eq!(metadata.tables().iter().map(|table| &*table.name).collect::<Vec<_>>(), ["c", "a", "b"]);
        assert_eq!(metadata.table("a").unwrap().name, "a");
        assert!(metadata.table("d").is_none());
    }

    #[test]
    fn a_name_given_to_two_tables_is_an_error_that_names_both_models() {
        let mut metadata = MetaData::default();
        metadata.add_table(Table::new("user").with_declared_by("app::auth::User")).unwrap();
        let error = metadata.add_table(Table::new("user").with_declared_by("app::admin::User")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.table(), Some("user"));
        assert_eq!(
            error.to_string(),
            "table `user` is declared twice, by `app::auth::User` and by `app::admin::User`: \
             give one of them another name with #[model(table = \"..\")]"
        );
        assert_eq!(metadata.tables().len(), 1);
    }
}
