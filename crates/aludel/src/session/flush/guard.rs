//! Optimistic locking: what a row has to be still, for an UPDATE or DELETE to write it.

use super::Flush;
use super::updates::Version;
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::deferred::is_unloaded;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::SqlType;
use crate::sql::Value;

/// What the condition of an UPDATE asks for beside the key, and what it raises.
#[derive(Default)]
pub(super) struct Guard<'v> {
    /// Columns with the values that the session has read.
    pub(super) old: Vec<(usize, Value<'v>)>,
    /// The version column with its next value.
    pub(super) next: Option<(usize, Value<'static>)>,
}

impl<'v> Guard<'v> {
    /// The guard of an UPDATE that changes these columns.
    ///
    /// # Errors
    /// `InvalidStatement` when the program has set the version.
    pub(super) fn of_update(arena: &'v Arena, slot: SlotPtr, flushed: Version, columns: &[usize]) -> Result<Self> {
        let def = slot.def();
        if let Some(version) = def.options.version {
            if columns.contains(&version) {
                return Err(version_was_set(def, version));
            }
            return Ok(Self::of_version(arena, slot, flushed, version));
        }
        if !def.options.compares_old {
            return Ok(Self::default());
        }
        let compared = columns.iter().copied().filter(|&column| is_comparable(&def.columns[column].ty));
        let old = compared.map(|column| (column, arena.value_in(slot, flushed.0, column)));
        // What was not loaded is compared with nothing.
        Ok(Self { old: old.filter(|(_, value)| !is_unloaded(value)).collect(), next: None })
    }

    /// The guard of a row with a version, whatever becomes of the row.
    pub(super) fn of_version(arena: &'v Arena, slot: SlotPtr, flushed: Version, version: usize) -> Self {
        let old = arena.value_in(slot, flushed.0, version);
        let next = match old {
            Value::Int(number) => Value::Int(number.wrapping_add(1)),
            Value::UInt(number) => Value::UInt(number.wrapping_add(1)),
            _ => unreachable!("the derive takes integers for versions"),
        };
        Self { old: vec![(version, old)], next: Some((version, next)) }
    }

    /// The columns that the condition binds a value for.
    pub(super) fn bound(&self) -> impl Iterator<Item = &(usize, Value<'v>)> {
        self.old.iter().filter(|(_, value)| !value.is_null())
    }
}

impl Flush<'_, '_> {
    /// `AND "version" = ?`, or nothing.
    pub(super) fn guard_condition<'g, 'v: 'g>(
        &mut self,
        def: &'static ModelDef,
        old: impl IntoIterator<Item = &'g (usize, Value<'v>)>,
    ) {
        for (column, value) in old {
            self.sql.push_str(" AND ");
            if value.is_null() {
                self.quote(def.columns[*column].name);
                self.sql.push_str(" IS NULL");
            } else {
                self.assign(def.columns[*column].name);
            }
        }
    }
}

/// Whether a value that was read is equal to the one in its column when it is sent back: not that of a float of 32 bits,
/// which MariaDB compares as what was written in decimal, nor a JSON document, which PostgreSQL may not compare at all.
fn is_comparable(ty: &SqlType) -> bool {
    !matches!(ty, SqlType::Float | SqlType::Json)
}

#[cold]
fn version_was_set(def: &ModelDef, version: usize) -> Error {
    let column = &def.columns[version];
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "{}.{} is the row's version, which the flush counts up by itself; do not set `{}::{}`",
            def.table, column.name, def.name, column.field
        ),
    )
    .with_table(def.table)
    .with_columns(vec![column.name.to_owned()])
}
