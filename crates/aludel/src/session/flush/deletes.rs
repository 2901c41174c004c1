//! Deleted rows: children before parents, many in one statement.

use std::collections::HashSet;

use super::Flush;
use super::guard::Guard;
use super::order::{groups, models_of};
use super::queue::{Queue, Then};
use super::updates::Version;
use crate::entity::def::ModelDef;
use crate::entity::foreign_key::{ForeignKeyRef, KeyValues, without_null};
use crate::entity::identity_map::IdentityKey;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::session::links::{leave_all, leave_collections};
use crate::sql::Value;

/// The most rows of one DELETE.
const MAX_ROWS: usize = 500;

/// The depth of rows above which there is no root.
const IN_CYCLE: usize = usize::MAX;

impl Flush<'_, '_> {
    /// Deletes the doomed rows. A row that somebody else has deleted in the meantime is deleted all the same, unless its
    /// model has a version.
    pub(super) async fn delete(&mut self, queue: &mut Queue<'_>, doomed: &[SlotPtr]) -> Result<()> {
        if doomed.is_empty() {
            return Ok(());
        }
        for group in groups(&models_of(doomed), |_| true).into_iter().rev() {
            let opened = if group.len() > 1 { self.open_cycles(queue, &group, doomed).await? } else { Vec::new() };
            for def in groups(&group, |key| !is_among(key, &opened)).into_iter().flatten().rev() {
                let rows: Vec<SlotPtr> = doomed.iter().copied().filter(|slot| slot.def().is(def)).collect();
                for level in self.levels(queue, def, rows).await? {
                    for rows in level.chunks(MAX_ROWS) {
                        match def.options.version {
                            Some(version) => self.delete_versions(queue, def, version, rows).await?,
                            None => self.delete_rows(queue, def, rows).await?,
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Rows of a self-referencing table, children first: in one piece where the database looks at the foreign keys
    /// after each statement; else parted so that no piece has a row and a child of it.
    async fn levels(
        &mut self,
        queue: &mut Queue<'_>,
        def: &'static ModelDef,
        rows: Vec<SlotPtr>,
    ) -> Result<Vec<Vec<SlotPtr>>> {
        self.turn_to(def)?;
        let own = def.row_keys().find(|key| def.is_a(key.target()));
        // Rows with versions go one by one.
        let after_statement = self.dialect().capabilities().checks_after_statement && def.options.version.is_none();
        let Some(key) = own else { return Ok(vec![rows]) };
        if rows.len() <= if after_statement { MAX_ROWS } else { 1 } {
            return Ok(vec![rows]);
        }
        let deepest = self.by_depth(rows, key);
        if after_statement {
            return Ok(vec![deepest.into_iter().map(|(_, slot)| slot).collect()]);
        }
        if key.nullable(def).next().is_some() {
            let cycle: Vec<SlotPtr> =
                deepest.iter().filter(|(depth, _)| *depth == IN_CYCLE).map(|(_, slot)| *slot).collect();
            for rows in cycle.chunks(MAX_ROWS) {
                self.set_null(queue, def, key, rows).await?;
            }
        }
        Ok(deepest.chunk_by(|a, b| a.0 == b.0).map(|level| level.iter().map(|(_, slot)| *slot).collect()).collect())
    }

    /// The rows with the number of rows above each, as the database has them, from the deepest to the roots.
    fn by_depth(&self, rows: Vec<SlotPtr>, key: ForeignKeyRef) -> Vec<(usize, SlotPtr)> {
        let stored = |slot: SlotPtr| {
            let flushed = self.arena.tracker().flushed(slot);
            move |column: usize| self.arena.value_in(slot, flushed, column)
        };
        let to = key.number();
        let referenced =
            |slot: SlotPtr| without_null(slot.def().numbered(&to)?.into_iter().map(|column| stored(slot)(column)));
        let by_key: std::collections::HashMap<KeyValues<'_>, SlotPtr> =
            rows.iter().filter_map(|&slot| Some((referenced(slot)?, slot))).collect();
        let above = |slot: SlotPtr| by_key.get(&key.values(stored(slot))?).copied();
        let depth = |slot: SlotPtr| {
            let (mut depth, mut current) = (0_usize, slot);
            while let Some(parent) = above(current) {
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

    /// Sets keys between rows of tables that depend on each other to NULL, until the tables can be put in an order: where
    /// they lead to a row that is deleted too, in one UPDATE for each column. Returns the columns.
    async fn open_cycles(
        &mut self,
        queue: &mut Queue<'_>,
        group: &[&'static ModelDef],
        doomed: &[SlotPtr],
    ) -> Result<Vec<ForeignKeyRef>> {
        let mut opened: Vec<ForeignKeyRef> = Vec::new();
        for &def in group {
            for key in def.row_keys().filter(|key| key.nullable(def).next().is_some()) {
                let target = key.target();
                if target.is(def) || !group.iter().any(|def| def.is_a(target)) {
                    continue;
                }
                if groups(group, |key| !is_among(key, &opened)).len() == group.len() {
                    return Ok(opened);
                }
                opened.push(key);
                let columns: Vec<usize> = key.pairs().map(|(column, _)| column).collect();
                let to = key.number();
                let gone: HashSet<Vec<Value<'static>>> =
                    doomed.iter().filter_map(|&slot| Some(self.stored(slot, &slot.def().numbered(&to)?))).collect();
                let rows = doomed.iter().copied().filter(|slot| slot.def().is(def));
                let rows: Vec<SlotPtr> = rows.filter(|&slot| gone.contains(&self.stored(slot, &columns))).collect();
                for rows in rows.chunks(MAX_ROWS) {
                    self.set_null(queue, def, key, rows).await?;
                }
            }
        }
        Ok(opened)
    }

    async fn set_null(
        &mut self,
        queue: &mut Queue<'_>,
        def: &'static ModelDef,
        key: ForeignKeyRef,
        rows: &[SlotPtr],
    ) -> Result<()> {
        self.turn_to(def)?;
        self.begin_sql("UPDATE ");
        self.quote_table(def);
        for (position, column) in key.nullable(def).enumerate() {
            self.sql.push_str(if position == 0 { " SET " } else { ", " });
            self.quote(def.columns[column].name);
            self.sql.push_str(" = NULL");
        }
        self.sql.push_str(" WHERE ");
        self.is_one_of(def, def.primary_key, rows.len());
        let mut params: Vec<Value<'static>> =
            rows.iter().flat_map(|&slot| self.stored(slot, def.primary_key)).collect();
        params.extend(self.confine_part(def)?);
        if self.waits() {
            return self.enqueue(queue, params, Then::Opened).await;
        }
        let sql = std::mem::take(&mut self.sql);
        self.session.execute_in(self.turn, &sql, &params, self.at).await?;
        self.sql = sql;
        Ok(())
    }

    async fn delete_rows(&mut self, queue: &mut Queue<'_>, def: &'static ModelDef, rows: &[SlotPtr]) -> Result<()> {
        self.turn_to(def)?;
        let keys: Vec<IdentityKey> = {
            let tracker = self.arena.tracker();
            rows.iter().map(|&slot| tracker.committed_key(&self.arena, slot)).collect()
        };
        if def.in_hierarchy() {
            let tables = def.row_tables();
            for table in &tables[..tables.len() - 1] {
                self.delete_part(queue, table, &keys).await?;
            }
            self.render_delete(tables[tables.len() - 1], keys.len());
        } else {
            self.render_delete(def, keys.len());
        }
        let tenant = self.confine(def)?;
        if self.waits() {
            let params = keys.iter().flat_map(IdentityKey::values).map(Value::into_owned).chain(tenant).collect();
            return self.enqueue(queue, params, Then::Deleted { def, rows: rows.to_vec(), keys, counted: false }).await;
        }
        let params: Vec<Value<'_>> = keys.iter().flat_map(IdentityKey::values).chain(tenant).collect();
        let sql = std::mem::take(&mut self.sql);
        let deleted = self.session.execute_in(self.turn, &sql, &params, self.at).await;
        deleted.map_err(|error| in_use(def, error))?;
        self.sql = sql;
        drop(params);
        self.settle_delete(rows, keys);
        Ok(())
    }

    /// Deletes what a table has of rows that others have too.
    async fn delete_part(
        &mut self,
        queue: &mut Queue<'_>,
        table: &'static ModelDef,
        keys: &[IdentityKey],
    ) -> Result<()> {
        self.render_delete(table, keys.len());
        let tenant = self.confine_part(table)?;
        let params: Vec<Value<'static>> =
            keys.iter().flat_map(IdentityKey::values).map(Value::into_owned).chain(tenant).collect();
        if self.waits() {
            let then = Then::Deleted { def: table, rows: Vec::new(), keys: Vec::new(), counted: false };
            return self.enqueue(queue, params, then).await;
        }
        let sql = std::mem::take(&mut self.sql);
        let deleted = self.session.execute_in(self.turn, &sql, &params, self.at).await;
        deleted.map_err(|error| in_use(table, error))?;
        self.sql = sql;
        Ok(())
    }

    /// `DELETE FROM` a model's table so many rows by their keys.
    fn render_delete(&mut self, def: &'static ModelDef, keys: usize) {
        self.begin_sql("DELETE FROM ");
        self.quote_table(def);
        self.sql.push_str(" WHERE ");
        match def.primary_key {
            [column] if keys > 1 => {
                self.quote(def.columns[*column].name);
                self.sql.push_str(" IN (");
                for position in 0..keys {
                    self.sql.push_str(if position == 0 { "" } else { ", " });
                    self.placeholder();
                }
                self.sql.push(')');
            }
            _ => {
                // Another condition may follow.
                let several = def.options.tenant().is_some() && keys > 1;
                self.sql.push_str(if several { "(" } else { "" });
                for position in 0..keys {
                    self.sql.push_str(if position == 0 { "(" } else { " OR (" });
                    self.key_condition(def);
                    self.sql.push(')');
                }
                self.sql.push_str(if several { ")" } else { "" });
            }
        }
    }

    /// The rows are gone from the database.
    pub(super) fn settle_delete(&self, rows: &[SlotPtr], keys: Vec<IdentityKey>) {
        for (&slot, key) in rows.iter().zip(keys) {
            leave_collections(&self.arena, slot);
            self.remove_views(slot, &key);
            self.arena.tracker().removed(slot, key);
        }
        if let Some(first) = rows.first() {
            leave_all(&self.arena, first.def(), rows);
        }
    }

    /// Deletes rows whose versions are still those that were read: a statement for each, so that it can be said which
    /// one was not; together where the database takes several at once.
    async fn delete_versions(
        &mut self,
        queue: &mut Queue<'_>,
        def: &'static ModelDef,
        version: usize,
        rows: &[SlotPtr],
    ) -> Result<()> {
        self.turn_to(def)?;
        let arena = self.arena.clone();
        for &slot in rows {
            let (flushed, key) = {
                let tracker = arena.tracker();
                (Version(tracker.flushed(slot)), tracker.committed_key(&arena, slot))
            };
            let guard = Guard::of_version(&arena, slot, flushed, version);
            let mut guarded = def;
            if def.in_hierarchy() {
                // The version is in the root's table, which comes last.
                for table in def.row_tables() {
                    if !table.is(def.root()) {
                        self.delete_part(queue, table, std::slice::from_ref(&key)).await?;
                    }
                }
                guarded = def.root();
            }
            self.begin_sql("DELETE FROM ");
            self.quote_table(guarded);
            self.sql.push_str(" WHERE ");
            self.key_condition(guarded);
            self.guard_condition(def, &guard.old);
            let tenant = self.confine(def)?;
            let mut params: Vec<Value<'static>> = key.values().into_iter().map(Value::into_owned).collect();
            params.extend(guard.old.into_iter().map(|(_, value)| value.into_owned()));
            params.extend(tenant);
            let then = Then::Deleted { def, rows: vec![slot], keys: vec![key], counted: true };
            self.enqueue(queue, params, then).await?;
        }
        // Where they do not wait for others, they go by themselves.
        if self.waits() { Ok(()) } else { self.send(queue).await }
    }
}

fn is_among(key: ForeignKeyRef, keys: &[ForeignKeyRef]) -> bool {
    keys.iter().any(|known| known.is(key))
}

#[cold]
pub(super) fn in_use(def: &ModelDef, error: Error) -> Error {
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
