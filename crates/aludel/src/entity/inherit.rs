//! Models that inherit from another: whose rows they share, and in which tables their columns are.

use std::fmt;
use std::sync::OnceLock;

use smallvec::SmallVec;

use super::def::{ColumnDef, ModelDef};
use super::foreign_key::ForeignKeyRef;
use crate::sql::{Criteria, Kinds, Value};

/// `#[model(inherits = Employee)]`
pub struct InheritsDef {
    /// The model that inherits.
    pub child: fn() -> &'static ModelDef,
    /// The model that it inherits from.
    pub parent: fn() -> &'static ModelDef,
    /// Whether the model has a table of its own, whose key is a foreign key to the parent's; else its rows are in the
    /// parent's table.
    pub joined: bool,
    /// What follows from the two definitions, once it is needed.
    pub cache: InheritsCache,
}

impl fmt::Debug for InheritsDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InheritsDef({} -> {}, joined: {})", (self.child)().name, (self.parent)().name, self.joined)
    }
}

/// What follows from the definitions of a model and of those that it inherits from.
#[derive(Debug, Default)]
pub struct InheritsCache(pub(crate) OnceLock<Inheritance>);

impl InheritsCache {
    /// A cache with nothing in it.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }
}

/// Where the columns of a model that inherits are, and which rows are its own.
#[derive(Debug)]
pub(crate) struct Inheritance {
    /// The tables that a row is in, the root's first.
    pub(crate) levels: Vec<Level>,
    /// For each column the table that it is read from, as a position in `levels`: of the key it is the last one.
    pub(crate) homes: Vec<usize>,
    /// The column that tells the models' rows apart, in the first table.
    pub(crate) discriminator: &'static ColumnDef,
    /// The same column among the model's own, where it has it.
    pub(crate) own_discriminator: Option<usize>,
    /// The value of the model's own rows.
    pub(crate) identity: Value<'static>,
    /// Which rows statements see, under the name that they give the model's rows.
    pub(crate) criteria: Option<Criteria>,
    /// Of a model whose rows are in several tables: which of those in the first one are its own, where that is not said by
    /// the last one.
    pub(crate) kinds: Option<Kinds>,
    /// What does not fit together, with the cure.
    pub(crate) problem: Option<String>,
}

/// One table of a model that inherits.
#[derive(Debug)]
pub(crate) struct Level {
    /// The model that declares the table.
    pub(crate) def: &'static ModelDef,
}

impl Inheritance {
    /// Whether a row is in more than one table.
    pub(crate) fn is_joined(&self) -> bool {
        self.levels.len() > 1
    }

    /// Which rows of the first table are the model's, where its own last table does not say so.
    pub(crate) fn kinds(&self) -> Option<&Kinds> {
        self.kinds.as_ref().or_else(|| self.criteria.as_ref()?.kinds.as_ref())
    }

    /// The last table's position.
    pub(crate) fn last(&self) -> usize {
        self.levels.len() - 1
    }

    /// The name that a column of `def`, the model that inherits, has in a table: keys may be called otherwise there.
    pub(crate) fn name_in(&self, def: &ModelDef, level: usize, column: usize) -> &'static str {
        let table = self.levels[level].def;
        match def.primary_key.iter().position(|&key| key == column) {
            Some(position) => table.columns[table.primary_key[position]].name,
            None => def.columns[column].name,
        }
    }

    /// Whether a table has a column: each has the key.
    pub(crate) fn is_in(&self, def: &ModelDef, level: usize, column: usize) -> bool {
        self.homes[column] == level || def.primary_key.contains(&column)
    }

    /// The column and value that a new row of the first table gets beside its own.
    pub(crate) fn stamp(&self) -> Option<(&'static str, String)> {
        let literal = || (self.discriminator.name, literal(&self.identity).unwrap_or_default());
        self.own_discriminator.is_none().then(literal)
    }
}

/// A discriminator's value as it stands in statements: it is the program's own and never a user's.
pub(crate) fn literal(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        // What the backslash means differs.
        Value::Text(text) if !text.contains(['\\', '\0']) => Some(format!("'{}'", text.replace('\'', "''"))),
        _ => None,
    }
}

impl ModelDef {
    /// Whether rows of the model may be those of another one too.
    #[inline]
    pub(crate) fn in_hierarchy(&self) -> bool {
        self.options.inherits.is_some() || self.options.discriminator.is_some()
    }

    /// The model that the model inherits from, if it does.
    #[inline]
    pub(crate) fn parent(&self) -> Option<&'static ModelDef> {
        self.options.inherits.map(|inherits| (inherits.parent)())
    }

    /// The first of the models that it inherits from; itself, where it inherits from none. Its keys are those of all.
    #[inline]
    pub(crate) fn root(&self) -> &Self {
        match self.parent() {
            None => self,
            Some(parent) => parent.root(),
        }
    }

    /// A number that models have in common whose rows have common keys.
    #[inline]
    pub(crate) fn key_space(&self) -> usize {
        std::ptr::from_ref(self.root()).addr()
    }

    /// Whether it is another model, or inherits from it.
    pub(crate) fn is_a(&self, other: &Self) -> bool {
        self.is(other) || self.parent().is_some_and(|parent| parent.is_a(other))
    }

    /// Whether its rows are, at least in part, in a table of this name.
    pub(crate) fn reads(&self, table: &str) -> bool {
        self.table == table || self.parent().is_some_and(|parent| parent.reads(table))
    }
}

/// The place of the key in a [`ColumnNumber`].
const KEY: usize = usize::MAX;

/// A column that foreign keys lead to. The key of a model is that of all that inherit from it.
pub(crate) type ColumnNumber = (usize, usize);

impl ModelDef {
    /// The number of a column that a foreign key leads to.
    pub(crate) fn column_number(&self, column: usize) -> ColumnNumber {
        if self.primary_key == [column] { (self.key_space(), KEY) } else { (std::ptr::from_ref(self).addr(), column) }
    }

    /// The model's own column for a column of a model that it is, or inherits from.
    pub(crate) fn column_like(&self, other: &ModelDef, column: usize) -> Option<usize> {
        if self.is(other) {
            return Some(column);
        }
        match other.primary_key.iter().position(|&key| key == column) {
            Some(position) => self.primary_key.get(position).copied(),
            None => self.columns.iter().position(|own| own.name == other.columns[column].name),
        }
    }

    /// Whether a column is the key to the parent's table, by which rows of two tables are one: it puts no rows in an order.
    pub(crate) fn joins_parent(&self, column: usize) -> bool {
        self.options.inherits.is_some_and(|inherits| inherits.joined) && self.primary_key.contains(&column)
    }

    /// The foreign keys that lead from row to row.
    pub(crate) fn row_keys(&'static self) -> impl Iterator<Item = ForeignKeyRef> {
        self.foreign_keys().filter(|key| !key.pairs().any(|(column, _)| self.joins_parent(column)))
    }

    /// The model's own columns that have the number, if it has them.
    pub(crate) fn numbered(&'static self, (model, columns): &ColumnsNumber) -> Option<SmallVec<[usize; 2]>> {
        match columns[..] {
            [] => (*model == self.key_space()).then(|| SmallVec::from_slice(self.primary_key)),
            _ => (*model == std::ptr::from_ref(self).addr()).then(|| columns.clone()),
        }
    }
}

/// Columns that foreign keys lead to; none are the key, which is that of all models that inherit.
pub(crate) type ColumnsNumber = (usize, SmallVec<[usize; 2]>);

impl ForeignKeyRef {
    /// The number of the columns that it leads to.
    pub(crate) fn number(self) -> ColumnsNumber {
        let target = self.target();
        let columns: SmallVec<[usize; 2]> = self.pairs().map(|(_, referenced)| referenced).collect();
        match columns[..] == *target.primary_key {
            true => (target.key_space(), SmallVec::new()),
            false => (std::ptr::from_ref(target).addr(), columns),
        }
    }
}
