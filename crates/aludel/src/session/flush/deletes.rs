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

/// The depth of rows above which there is no root.
const IN_CYCLE: usize = usize::MAX;

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
                for level in self.levels(def, rows).await? {
                    for rows in level.chunks(MAX_ROWS) {
                        self.delete_rows(def, rows).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Rows of a self-referencing table, children first: in one piece where the database looks at the foreign keys
    /// after each statement; else parted so that no piece has a row and a child of it.
    async fn levels(&mut self, def: &'static ModelDef, rows: Vec<SlotPtr>) -> Result<Vec<Vec<SlotPtr>>> {
        self.turn_to(def)?;
        let own = def.columns.iter().enumerate().find_map(|(column, column_def)| {
            let (target, referenced) = (column_def.references.as_ref()?.target)();
            target.is(def).then_some((column, referenced))
        });
        let after_statement = self.dialect().capabilities().checks_after_statement;
        let Some((column, referenced)) = own else { return Ok(vec![rows]) };
        if rows.len() <= if after_statement { MAX_ROWS } else { 1 } {
            return Ok(vec![rows]);
        }
        let deepest = self.by_depth(rows, column, referenced);
        if after_statement {
            return Ok(vec![deepest.into_iter().map(|(_, slot)| slot).collect()]);
        }
        if def.columns[column].nullable {
            for &(_, slot) in deepest.iter().filter(|(depth, _)| *depth == IN_CYCLE) {
                self.set_null(def, column, slot).await?;
            }
        }
        Ok(deepest.chunk_by(|a, b| a.0 == b.0).map(|level| level.iter().map(|(_, slot)| *slot).collect()).collect())
    }

    /// The rows with the number of rows above each, as the database has them, from the deepest to the roots.
    fn by_depth(&self, rows: Vec<SlotPtr>, column: usize, referenced: usize) -> Vec<(usize, SlotPtr)> {
        let stored = |slot: SlotPtr, column: usize| {
            let flushed = self.arena.tracker().flushed(slot);
            self.arena.value_in(slot, flushed, column)
        };
        let by_key: std::collections::HashMap<Value<'_>, SlotPtr> =
            rows.iter().map(|&slot| (stored(slot, referenced), slot)).collect();
        let depth = |slot: SlotPtr| {
            let (mut depth, mut current) = (0_usize, slot);
            while let Some(&parent) = by_key.get(&stored(current, column)) {
                depth += 1;
                current = parent;
                if depth > rows.len() {
                    return IN_CYCLE;
                }
            }
            depth
        };
        let mut deepest: Vec<(usize, SlotPtr)> = rows.iter().map(|&slot| (depth(slot), slot)).collect();
        deepest.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        deepest
    }

    /// Sets the nullable keys between rows of tables that depend on each other to NULL, so that any can go first.
    async fn open_cycles(&mut self, group: &[&'static ModelDef], doomed: &[SlotPtr]) -> Result<()> {
        for &slot in doomed.iter().filter(|slot| group.iter().any(|def| def.is(slot.def()))) {
            let def = slot.def();
            for (position, column) in def.columns.iter().enumerate().filter(|(_, column)| column.nullable) {
                let Some(reference) = &column.references else { continue };
                let target = (reference.target)().0;
                if !target.is(def) && group.iter().any(|def| def.is(target)) {
                    self.set_null(def, position, slot).await?;
                }
            }
        }
        Ok(())
    }

    async fn set_null(&mut self, def: &'static ModelDef, column: usize, slot: SlotPtr) -> Result<()> {
        self.turn_to(def)?;
        self.begin_sql("UPDATE ");
        self.quote(def.table);
        self.sql.push_str(" SET ");
        self.quote(def.columns[column].name);
        self.sql.push_str(" = NULL WHERE ");
        self.key_condition(def);
        let key = self.arena.tracker().committed_key(&self.arena, slot);
        let sql = std::mem::take(&mut self.sql);
        self.session.execute_in(self.turn, &sql, &key.values(), self.at).await?;
        self.sql = sql;
        Ok(())
    }

    async fn delete_rows(&mut self, def: &'static ModelDef, rows: &[SlotPtr]) -> Result<()> {
        self.turn_to(def)?;
        let keys: Vec<IdentityKey> = {
            let tracker = self.arena.tracker();
            rows.iter().map(|&slot| tracker.committed_key(&self.arena, slot)).collect()
        };
        self.begin_sql("DELETE FROM ");
        self.quote(def.table);
        self.sql.push_str(" WHERE ");
        match def.primary_key {
            [column] if keys.len() > 1 => {
                self.quote(def.columns[*column].name);
                self.sql.push_str(" IN (");
                for position in 0..keys.len() {
                    self.sql.push_str(if position == 0 { "" } else { ", " });
                    self.placeholder();
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
