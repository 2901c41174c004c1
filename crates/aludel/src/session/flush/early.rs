//! Changed rows that are written before the new rows of their table, which may take the unique values that they give up.

use std::collections::HashSet;

use smallvec::SmallVec;

use super::Flush;
use crate::entity::def::{ConstraintDef, IndexKeyDef, ModelDef};
use crate::entity::foreign_key::{ForeignKeyRef, KeyValues};
use crate::entity::slot::{DOOMED, SlotPtr, State};

/// Columns of a model, by its definition's address and their positions.
type ColumnsOf = (usize, SmallVec<[usize; 2]>);

impl Flush<'_, '_> {
    /// The changed rows of tables that new rows come to which may give up a unique value, but for those that point at a new
    /// row.
    pub(super) fn before_inserts(&self, new: &[SlotPtr], dirty: &[SlotPtr]) -> Vec<SlotPtr> {
        if new.is_empty() || dirty.is_empty() {
            return Vec::new();
        }
        let models: HashSet<usize> = new.iter().map(|&slot| address(slot)).collect();
        let is_changed = |slot: &&SlotPtr| slot.state() == State::Persistent && !slot.has(DOOMED);
        let candidates = dirty.iter().filter(is_changed).filter(|&&slot| models.contains(&address(slot)));
        let candidates = candidates.filter(|&&slot| self.gives_up_a_key(slot));
        let mut candidates: Vec<SlotPtr> = candidates.copied().collect();
        if candidates.is_empty() {
            return candidates;
        }
        let referenced: HashSet<ColumnsOf> =
            candidates.iter().flat_map(|&slot| slot.def().foreign_keys()).map(target_of).collect();
        let values =
            |slot: SlotPtr, to: &ColumnsOf| to.1.iter().map(|&column| self.arena.value(slot, column)).collect();
        let keys: HashSet<(&ColumnsOf, KeyValues<'_>)> = new
            .iter()
            .flat_map(|&slot| referenced.iter().filter(move |to| to.0 == address(slot)).map(move |to| (slot, to)))
            .map(|(slot, to)| (to, values(slot, to)))
            .collect();
        candidates.retain(|&slot| {
            slot.def().foreign_keys().all(|key| {
                let Some(values) = key.values(|column| self.arena.value(slot, column)) else { return true };
                !keys.contains(&(&target_of(key), values))
            })
        });
        candidates
    }

    /// Whether a column of a unique key has another value than the database has.
    fn gives_up_a_key(&self, slot: SlotPtr) -> bool {
        let (def, head) = (slot.def(), slot.head());
        let flushed = self.arena.tracker().flushed(slot);
        (0..def.columns.len())
            .filter(|&column| is_of_a_key(def, column))
            .any(|column| self.arena.value_in(slot, flushed, column) != self.arena.value_in(slot, head, column))
    }
}

/// Whether a column is unique, by itself or with others.
fn is_of_a_key(def: &ModelDef, column: usize) -> bool {
    let indexes = |key: &IndexKeyDef| match key {
        IndexKeyDef::Column(position) => *position == column,
        // It may be of any column.
        IndexKeyDef::Expression(_) => true,
    };
    def.columns[column].unique
        || def.primary_key.contains(&column)
        || def.constraints.iter().any(|constraint| match constraint {
            ConstraintDef::Unique { columns, .. } => columns.contains(&column),
            ConstraintDef::Index(index) => index.unique && index.elements.iter().any(|element| indexes(&element.key)),
            ConstraintDef::Check { .. } | ConstraintDef::ForeignKey(_) => false,
        })
}

/// The columns that a foreign key leads to.
fn target_of(key: ForeignKeyRef) -> ColumnsOf {
    (std::ptr::from_ref(key.target()).addr(), key.pairs().map(|(_, referenced)| referenced).collect())
}

fn address(slot: SlotPtr) -> usize {
    std::ptr::from_ref(slot.def()).addr()
}
