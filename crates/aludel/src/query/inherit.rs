//! What statements on many rows can do to models whose rows are in several tables.

pub(super) mod write;

use crate::entity::def::ModelDef;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{ColumnRef, Dialect, Node};

use super::draft::Draft;
use super::scope::invalid;
use super::selection::Item;
use super::source::{Joined, Table};

impl Draft {
    /// Names the columns that models have from their parents as the parents', where a query of a hierarchy joins the
    /// tables one by one.
    #[inline]
    pub(super) fn name_own_columns(&mut self) {
        if self.joins.iter().any(|joined| own(joined).is_some()) {
            self.name_columns();
        }
    }

    /// # Errors
    /// `Unsupported` where rows of several tables are to be locked, and the backend does not lock what a subquery reads.
    #[cold]
    pub(super) fn check_lock_of_heirs(&self, dialect: Option<Dialect>) -> Result<()> {
        if !dialect.is_some_and(Dialect::is_mysql) {
            return Ok(());
        }
        let joined = self.joins.iter().filter(|joined| own(joined).is_none()).filter_map(Joined::def);
        match std::iter::once(self.def).chain(joined).find(|def| def.joined_inheritance().is_some()) {
            None => Ok(()),
            Some(def) => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "for_update(): this database does not lock rows of `{name}` here, which it reads by a subquery: lock the \
                     rows of `{root}` with the same keys",
                    name = def.name,
                    root = def.root().name
                ),
            )),
        }
    }

    #[cold]
    fn name_columns(&mut self) {
        let tables: Vec<&'static ModelDef> = self.joins.iter().filter_map(own).collect();
        let mut rename = |column: &mut ColumnRef| {
            let Some(def) = tables.iter().find(|def| def.table == column.table) else { return };
            let Some(inheritance) = def.inheritance() else { return };
            let Some(position) = def.columns.iter().position(|own| own.name == column.name) else { return };
            let home = inheritance.homes[position];
            column.table = inheritance.levels[home].def.table.into();
            column.name = inheritance.name_in(def, home, position).into();
        };
        let values = self.items.iter_mut().flatten().filter_map(|item| match item {
            Item::Value { node, .. } => Some(node),
            Item::Entity { .. } => None,
        });
        let nodes = values.chain(&mut self.filter).chain(&mut self.group_by).chain(&mut self.having);
        nodes.for_each(|node| node.columns_mut(&mut rename));
        self.order_by.iter_mut().for_each(|order| order.node.columns_mut(&mut rename));
    }
}

/// The model whose own table it is, without those of its parents.
fn own(joined: &Joined) -> Option<&'static ModelDef> {
    match joined {
        Joined::To(join) => match join.source.table {
            Table::Own(def) => Some(def),
            Table::Model(_) | Table::Named(_) => None,
        },
        Joined::Along { .. } => None,
    }
}

/// Whether a column is in the table that an UPDATE of the model writes.
pub(super) fn is_own(def: &'static ModelDef, column: usize) -> bool {
    def.joined_inheritance().is_none_or(|inheritance| inheritance.homes[column] == inheritance.last())
}

/// # Errors
/// `InvalidStatement` for columns of another table of the model, for its key, and where its version is in another table.
pub(super) fn check_update(def: &'static ModelDef, mut columns: impl Iterator<Item = usize>) -> Result<()> {
    let Some(inheritance) = def.joined_inheritance() else { return Ok(()) };
    if let Some(column) = columns.find(|&column| !is_own(def, column) || def.primary_key.contains(&column)) {
        let (name, field, home) =
            (def.name, def.columns[column].field, inheritance.levels[inheritance.homes[column]].def);
        return Err(invalid(match def.primary_key.contains(&column) {
            true => format!(
                "update of {}: `{name}::{field}` is the key of its rows in several tables, which no UPDATE changes",
                def.table
            ),
            false => format!(
                "update of {}: `{name}::{field}` is in the table of `{home}`: update `{home}`, with \
                 `{home}::query().filter(..).update(..)`",
                def.table,
                home = home.name
            ),
        }));
    }
    match def.options.version.filter(|&version| !is_own(def, version)) {
        None => Ok(()),
        Some(version) => Err(invalid(format!(
            "update of {}: the version `{}::{}` is in another table, which one UPDATE does not raise: change the entities",
            def.table, def.name, def.columns[version].field
        ))),
    }
}

/// # Errors
/// `InvalidStatement` where the rows are in several tables, of which one statement returns nothing.
pub(super) fn check_returning_delete(def: &'static ModelDef) -> Result<()> {
    match def.joined_inheritance() {
        None => Ok(()),
        Some(_) => Err(invalid(format!(
            "delete of {}: the rows of `{}` are in several tables, and a DELETE returns what it has of one: select the rows \
             before",
            def.table, def.name
        ))),
    }
}

/// Why rows in several tables are not written over those that are there.
#[cold]
pub(super) fn on_conflict(def: &ModelDef) -> Error {
    invalid(format!(
        "insert_all of {}: the rows of `{}` are in several tables, each with keys of its own that may be taken, so that \
         on_conflict would leave parts of rows: look for the rows, or use `session.merge(..)`",
        def.table, def.name
    ))
}

/// # Errors
/// `InvalidStatement` for expressions in a statement that writes which name columns of another table of the model.
pub(super) fn check_columns<'a>(
    def: &'static ModelDef,
    word: &str,
    nodes: impl IntoIterator<Item = &'a Node>,
) -> Result<()> {
    let Some(inheritance) = def.joined_inheritance() else { return Ok(()) };
    let elsewhere = |name: &str| {
        let column = def.columns.iter().position(|column| column.name == name)?;
        (!is_own(def, column)).then_some(column)
    };
    for node in nodes {
        let found =
            node.find_column(&mut |column| if column.table == def.table { elsewhere(&column.name) } else { None });
        if let Some(column) = found {
            let (name, key) = (def.name, def.columns[def.primary_key[0]].field);
            return Err(invalid(format!(
                "{word} of {}: `{name}::{}` is in the table of `{}`, which the statement does not read: choose the rows by \
                 their key, with `{name}::{key}.in_({name}::query().filter(..).select({name}::{key}))`",
                def.table, def.columns[column].field, inheritance.levels[inheritance.homes[column]].def.name
            )));
        }
    }
    Ok(())
}
