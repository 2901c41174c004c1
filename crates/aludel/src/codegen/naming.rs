//! Which names of constraints the convention makes by itself, and which have to be written.

use crate::error::Result;
use crate::schema::{MetaData, NamingConvention, Table};
use crate::sql::Dialect;

use super::plan::{Model, Plan};

/// What a model says of the names of its constraints, each in the order of the table's; nothing where the convention
/// makes the name.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) primary_key: Option<String>,
    pub(super) foreign_keys: Vec<Option<String>>,
    pub(super) uniques: Vec<Option<String>>,
    pub(super) checks: Vec<Option<String>>,
    pub(super) indexes: Vec<Option<String>>,
}

/// A name as it is, as the convention makes it where none is said, and where it is said.
type Case<'t> = (&'t Option<String>, &'t Option<String>, &'t Option<String>);

/// A table with the names that it has, that the convention makes, and that it makes of those.
struct Compared<'t> {
    actual: &'t Table,
    made: Table,
    kept: Table,
}

impl<'t> Compared<'t> {
    fn new(actual: &'t Table, convention: &NamingConvention) -> Result<Self> {
        let mut bare = actual.clone();
        bare.primary_key.iter_mut().for_each(|key| key.name = None);
        bare.foreign_keys.iter_mut().for_each(|key| key.name = None);
        bare.uniques.iter_mut().for_each(|unique| unique.name = None);
        bare.checks.iter_mut().for_each(|check| check.name = None);
        bare.indexes.iter_mut().for_each(|index| index.name = None);
        bare.columns.iter_mut().for_each(|column| column.enum_check = None);
        let named = |table: Table| -> Result<Table> {
            let mut metadata = MetaData::new(convention.clone());
            metadata.add_table(table)?;
            Ok(metadata.tables()[0].clone())
        };
        Ok(Self { actual, made: named(bare)?, kept: named(actual.clone())? })
    }

    fn primary_key(&self) -> Option<Case<'_>> {
        let (actual, made, kept) =
            (self.actual.primary_key.as_ref()?, self.made.primary_key.as_ref()?, self.kept.primary_key.as_ref()?);
        Some((&actual.name, &made.name, &kept.name))
    }

    fn foreign_keys(&self) -> impl Iterator<Item = Case<'_>> {
        let made = self.made.foreign_keys.iter().zip(&self.kept.foreign_keys);
        self.actual.foreign_keys.iter().zip(made).map(|(actual, (made, kept))| (&actual.name, &made.name, &kept.name))
    }

    fn uniques(&self) -> impl Iterator<Item = Case<'_>> {
        let made = self.made.uniques.iter().zip(&self.kept.uniques);
        self.actual.uniques.iter().zip(made).map(|(actual, (made, kept))| (&actual.name, &made.name, &kept.name))
    }

    fn checks(&self) -> impl Iterator<Item = Case<'_>> {
        let made = self.made.checks.iter().zip(&self.kept.checks);
        self.actual.checks.iter().zip(made).map(|(actual, (made, kept))| (&actual.name, &made.name, &kept.name))
    }

    fn indexes(&self) -> impl Iterator<Item = Case<'_>> {
        let made = self.made.indexes.iter().zip(&self.kept.indexes);
        self.actual.indexes.iter().zip(made).map(|(actual, (made, kept))| (&actual.name, &made.name, &kept.name))
    }

    /// The checks that stand in for enums: there is no way to say their names.
    fn enums(&self) -> impl Iterator<Item = Case<'_>> {
        let columns = self.actual.columns.iter().zip(&self.made.columns);
        columns.map(|(actual, made)| (&actual.enum_check, &made.enum_check, &made.enum_check))
    }
}

/// Whether a name can be said.
fn is_stated((actual, made, kept): Case<'_>) -> bool {
    actual == made || (actual.is_some() && actual == kept)
}

/// What has to be said for a name.
fn stated((actual, made, _): Case<'_>) -> Option<String> {
    if actual == made { None } else { actual.clone() }
}

/// Whether all names of all tables can be said where the convention names what has none.
pub(super) fn all_stated(models: &[Model<'_>], convention: &NamingConvention, dialect: Dialect) -> Result<bool> {
    for model in models {
        let names = Compared::new(model.table, convention)?;
        // MariaDB and MySQL call every primary key PRIMARY; checks for enums are SQLite's.
        let key = dialect.is_mysql() || names.primary_key().is_none_or(is_stated);
        let enums = dialect != Dialect::Sqlite || names.enums().all(is_stated);
        let rest = names.foreign_keys().chain(names.uniques()).chain(names.checks()).chain(names.indexes());
        if !key || !enums || !rest.into_iter().all(is_stated) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the model of a table says of names.
pub(super) fn names(table: &Table, convention: &NamingConvention) -> Result<Names> {
    let names = Compared::new(table, convention)?;
    Ok(Names {
        primary_key: names.primary_key().and_then(stated),
        foreign_keys: names.foreign_keys().map(stated).collect(),
        uniques: names.uniques().map(stated).collect(),
        checks: names.checks().map(stated).collect(),
        indexes: names.indexes().map(stated).collect(),
    })
}

/// The names that nothing can say: those of the checks for SQLite's enums, where the convention does not make them.
pub(super) fn notes(plan: &Plan<'_>, dialect: Dialect) -> Vec<String> {
    if !plan.own_names || dialect != Dialect::Sqlite {
        return Vec::new();
    }
    let columns = plan.models.iter().flat_map(|model| model.table.columns.iter().map(|column| (model.table, column)));
    columns
        .filter_map(|(table, column)| {
            let name = column.enum_check.as_ref()?;
            Some(format!("the check `{name}` of the enum {}.{} gets no name", table.name, column.name))
        })
        .collect()
}
