//! Deleted rows: children before parents, many in one statement.

use super::Flush;
use super::order::{groups, models_of};
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::session::links::leave_collections;
use crate::sql::Value;

/// The most rows of one DELETE.
const MAX_ROWS: usize = 500;

impl Flush<'_, '_> {
    /// Deletes the doomed rows. A row that somebody else has deleted in the meantime is deleted all the same.
    pub(super) async fn delete(&mut self, doomed: &[SlotPtr]) -> Result<()> {
        if doomed.is_empty() {
            return Ok(());
        }
        let models = groups(&models_of(doomed));
        for group in models.iter().rev() {
            if group.len() > 1 {
                self.open_cycles(group, doomed).await?;
            }
            for def in group {
                let rows: Vec<SlotPtr> = doomed.iter().copied().filter(|slot| slot.def().is(def)).collect();
                for rows in self.children_first(def, rows).chunks(MAX_ROWS) {
                    self.delete_rows(def, rows).await?;
                }
            }
        }
        Ok(())
    }

    /// Rows of a self-referencing table so that a chunk's end never parts a parent from a child that comes later.
    fn children_first(&self, def: &'static ModelDef, rows: Vec<SlotPtr>) -> Vec<SlotPtr> {
        let own = def
            .columns
            .iter()
            .position(|column| column.references.as_ref().is_some_and(|reference| (reference.target)().0.is(def)));
        let Some(column) = own.filter(|_| rows.len() > MAX_ROWS) else { return rows };
        let Some(referenced) = def.columns[column].references.as_ref().map(|reference| (reference.target)().1) else {
            return rows;
        };
        let by_key: std::collections::HashMap<Value<'_>, SlotPtr> =
            rows.iter().map(|&slot| (self.arena.value(slot, referenced), slot)).collect();
        let depth = |slot: SlotPtr| {
            let (mut depth, mut current) = (0_usize, slot);
            while let Some(&parent) = by_key.get(&self.arena.value(current, column)) {
                depth += 1;
                current = parent;
                if depth > rows.len() {
                    break;
                }
            }
            depth
        };
        let mut deepest: Vec<(usize, SlotPtr)> = rows.iter().map(|&slot| (depth(slot), slot)).collect();
        deepest.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        deepest.into_iter().map(|(_, slot)| slot).collect()
    }

    /// Sets the nullable keys between rows of tables that depend on each other to NULL, so that any can go first.
    async fn open_cycles(&mut self, group: &[&'static ModelDef], doomed: &[SlotPtr]) -> Result<()> {
        for &slot in doomed.iter().filter(|slot| group.iter().any(|def| def.is(slot.def()))) {
            let def = slot.def();
            for column in def.columns.iter().filter(|column| column.nullable) {
                let Some(reference) = &column.references else { continue };
                let target = (reference.target)().0;
                if target.is(def) || !group.iter().any(|def| def.is(target)) {
                    continue;
                }
                self.sql.clear();
                self.sql.push_str("UPDATE ");
                self.quote(def.table);
                self.sql.push_str(" SET ");
                self.quote(column.name);
                self.sql.push_str(" = NULL WHERE ");
                self.key_condition(def);
                let key = self.arena.tracker().committed_key(&self.arena, slot);
                let sql = std::mem::take(&mut self.sql);
                self.session.execute_in(self.turn, &sql, &key.values(), self.at).await?;
                self.sql = sql;
            }
        }
        Ok(())
    }

    async fn delete_rows(&mut self, def: &'static ModelDef, rows: &[SlotPtr]) -> Result<()> {
        let keys: Vec<IdentityKey> = {
            let tracker = self.arena.tracker();
            rows.iter().map(|&slot| tracker.committed_key(&self.arena, slot)).collect()
        };
        self.sql.clear();
        self.sql.push_str("DELETE FROM ");
        self.quote(def.table);
        self.sql.push_str(" WHERE ");
        match def.primary_key {
            [column] if keys.len() > 1 => {
                self.quote(def.columns[*column].name);
                self.sql.push_str(" IN (");
                for position in 0..keys.len() {
                    self.sql.push_str(if position == 0 { "?" } else { ", ?" });
                }
                self.sql.push(')');
            }
            _ => {
                for position in 0..keys.len() {
                    self.sql.push_str(if position == 0 { "(" } else { " OR (" });
                    self.key_condition(def);
                    self.sql.push(')');
                }
            }
        }
        let params: Vec<Value<'_>> = keys.iter().flat_map(IdentityKey::values).collect();
        let sql = std::mem::take(&mut self.sql);
        let deleted = self.session.execute_in(self.turn, &sql, &params, self.at).await;
        deleted.map_err(|error| in_use(def, error))?;
        self.sql = sql;
        drop(params);
        for (&slot, key) in rows.iter().zip(keys) {
            leave_collections(&self.arena, slot);
            self.arena.tracker().removed(slot, key);
        }
        Ok(())
    }
}

#[cold]
fn in_use(def: &ModelDef, error: Error) -> Error {
    if error.kind() != ErrorKind::ForeignKeyViolation || error.table().is_some() {
        return error;
    }
    let message = format!(
        "a row of `{}` that was to be deleted is still pointed at by others; delete those first, or declare the \
         relationship to them with cascade = \"all, delete\"",
        def.table
    );
    error.with_message(|_| message).with_table(def.table)
}
