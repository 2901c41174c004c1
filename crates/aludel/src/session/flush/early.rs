//! Changed rows that are written before the new rows of their table, which may take the unique values that they give up.

use std::collections::HashSet;

use super::Flush;
use crate::entity::def::{ConstraintDef, IndexKeyDef, ModelDef};
use crate::entity::foreign_key::{ForeignKeyRef, KeyValues};
use crate::entity::inherit::ColumnsNumber;
use crate::entity::slot::{DOOMED, SlotPtr, State};

impl Flush<'_, '_> {
    /// The changed rows of tables that new rows come to which may give up a unique value, but for those that point at a new
    /// row.
    pub(super) fn before_inserts(&self, new: &[SlotPtr], dirty: &[SlotPtr]) -> Vec<SlotPtr> {
        if new.is_empty() || dirty.is_empty() {
            return Vec::new();
        }
        let models: HashSet<usize> = new.iter().map(|slot| slot.def().key_space()).collect();
        let is_changed = |slot: &&SlotPtr| slot.state() == State::Persistent && !slot.has(DOOMED);
        let candidates = dirty.iter().filter(is_changed).filter(|&&slot| models.contains(&slot.def().key_space()));
        let candidates = candidates.filter(|&&slot| self.gives_up_a_key(slot));
        let mut candidates: Vec<SlotPtr> = candidates.copied().collect();
        if candidates.is_empty() {
            return candidates;
        }
        let referenced: HashSet<ColumnsNumber> =
            candidates.iter().flat_map(|&slot| slot.def().row_keys()).map(ForeignKeyRef::number).collect();
        let values = |slot: SlotPtr, to: &ColumnsNumber| -> Option<KeyValues<'_>> {
            Some(slot.def().numbered(to)?.into_iter().map(|column| self.arena.value(slot, column)).collect())
        };
        let keys: HashSet<(&ColumnsNumber, KeyValues<'_>)> = new
            .iter()
            .flat_map(|&slot| referenced.iter().map(move |to| (slot, to)))
            .filter_map(|(slot, to)| Some((to, values(slot, to)?)))
            .collect();
        candidates.retain(|&slot| {
            slot.def().row_keys().all(|key| {
                let Some(values) = key.values(|column| self.arena.value(slot, column)) else { return true };
                !keys.contains(&(&key.number(), values))
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
