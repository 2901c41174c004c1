//! The foreign keys of a model, of one column or of several, seen alike.

use smallvec::SmallVec;

use super::def::{ConstraintDef, ForeignKeyDef, ModelDef, ReferenceDef};
use crate::schema::Action;
use crate::sql::Value;

/// One foreign key of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ForeignKeyRef {
    /// `#[column(references = ..)]`: the column's position, and what it references.
    Single(usize, &'static ReferenceDef),
    /// `#[model(foreign_key(..))]`
    Several(&'static ForeignKeyDef),
}

/// The values of a key's columns.
pub(crate) type KeyValues<'v> = SmallVec<[Value<'v>; 2]>;

impl ForeignKeyRef {
    /// The model that it leads to.
    pub(crate) fn target(self) -> &'static ModelDef {
        match self {
            Self::Single(_, reference) => (reference.target)().0,
            Self::Several(key) => (key.target)(),
        }
    }

    /// How many columns it has.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Single(..) => 1,
            Self::Several(key) => key.columns.len(),
        }
    }

    /// One of its columns, and the column that this one leads to.
    pub(crate) fn pair(self, at: usize) -> (usize, usize) {
        match self {
            Self::Single(column, reference) => (column, (reference.target)().1),
            Self::Several(key) => (key.columns[at], key.target_columns[at]()),
        }
    }

    /// Its columns, each with the one that it leads to.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.len()).map(move |at| self.pair(at))
    }

    /// What becomes of a row when the one that it leads to is deleted.
    pub(crate) fn on_delete(self) -> Action {
        match self {
            Self::Single(_, reference) => reference.on_delete,
            Self::Several(key) => key.on_delete,
        }
    }

    /// Its columns that can be NULL: a key that is NULL in part leads nowhere (`MATCH SIMPLE`).
    pub(crate) fn nullable(self, def: &'static ModelDef) -> impl Iterator<Item = usize> {
        self.pairs().map(|(column, _)| column).filter(|&column| def.columns[column].nullable)
    }

    /// The values of a row's key; none where one of them is NULL.
    pub(crate) fn values<'v>(self, value: impl Fn(usize) -> Value<'v>) -> Option<KeyValues<'v>> {
        without_null(self.pairs().map(|(column, _)| value(column)))
    }

    /// Whether the two are one key of the same model.
    pub(crate) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Single(_, one), Self::Single(_, other)) => std::ptr::eq(one, other),
            (Self::Several(one), Self::Several(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }
}

/// All values, or none where one of them is NULL.
pub(crate) fn without_null<'v>(values: impl Iterator<Item = Value<'v>>) -> Option<KeyValues<'v>> {
    values.map(|value| (!value.is_null()).then_some(value)).collect()
}

impl ModelDef {
    /// The foreign keys: those of one column, then those of several.
    pub(crate) fn foreign_keys(&'static self) -> impl Iterator<Item = ForeignKeyRef> {
        let single = self.columns.iter().enumerate();
        let single = single.filter_map(|(position, column)| {
            column.references.as_ref().map(|reference| ForeignKeyRef::Single(position, reference))
        });
        single.chain(self.table_keys().map(ForeignKeyRef::Several))
    }

    /// The foreign keys that stand on the struct.
    pub(crate) fn table_keys(&self) -> impl Iterator<Item = &'static ForeignKeyDef> {
        self.constraints.iter().filter_map(|constraint| match constraint {
            ConstraintDef::ForeignKey(key) => Some(*key),
            _ => None,
        })
    }

    /// Whether a column is a foreign key, or part of one.
    pub(crate) fn is_in_a_foreign_key(&self, column: usize) -> bool {
        self.columns[column].references.is_some() || self.table_keys().any(|key| key.columns.contains(&column))
    }

    /// Where the values of a column come from, one step up each foreign key that it is in.
    pub(crate) fn origins(&'static self, column: usize) -> impl Iterator<Item = (&'static ModelDef, usize)> {
        let single = self.columns[column].references.as_ref().map(|reference| (reference.target)());
        let several = self.table_keys().filter_map(move |key| {
            let at = key.columns.iter().position(|own| *own == column)?;
            Some(((key.target)(), key.target_columns[at]()))
        });
        single.into_iter().chain(several)
    }

    /// All columns that the values of a column may come from, up the foreign keys.
    pub(crate) fn sources(&'static self, column: usize) -> Sources {
        let mut sources: Sources = self.origins(column).collect();
        let mut done = 0;
        while let Some(&(model, column)) = sources.get(done) {
            done += 1;
            for (model, column) in model.origins(column) {
                if !sources.iter().any(|(known, at)| known.is(model) && *at == column) {
                    sources.push((model, column));
                }
            }
        }
        sources
    }
}

/// Columns of models.
pub(crate) type Sources = SmallVec<[(&'static ModelDef, usize); 2]>;
