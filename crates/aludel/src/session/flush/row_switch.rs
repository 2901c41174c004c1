//! A row that is deleted, and a new one with the same primary key in the same flush: one UPDATE of the row.
//!
//! As in SQLAlchemy. An INSERT before the DELETE would be refused by the key's own constraint, and the other way
//! round the database would run its cascades for a row that stays. What the relationships cascade to was marked for
//! deletion before; the database's own cascades do not happen.

use std::collections::HashMap;

use super::Flush;
use super::guard::Guard;
use super::updates::{Version, stale};
use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::def::{ModelDef, RelationshipDef, RelationshipKind};
use crate::entity::identity_map::IdentityKey;
use crate::entity::publish_columns;
use crate::entity::slot::{SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::session::links::leave_collections;
use crate::sql::{Dialect, Value};

/// A new row that takes the place of a deleted one.
#[derive(Clone, Copy)]
pub(super) struct Switch {
    old: SlotPtr,
    new: SlotPtr,
}

impl Flush<'_, '_> {
    /// Takes the rows that take others' places out of the new ones.
    pub(super) fn switches(&self, new: &mut Vec<SlotPtr>, doomed: &[SlotPtr]) -> Vec<Switch> {
        if new.is_empty() || doomed.is_empty() {
            return Vec::new();
        }
        let mut olds: HashMap<(usize, IdentityKey), SlotPtr> = HashMap::new();
        {
            let tracker = self.arena.tracker();
            for &old in doomed {
                olds.insert((address(old.def()), tracker.committed_key(&self.arena, old)), old);
            }
        }
        let mut switches = Vec::new();
        new.retain(|&new| {
            let key = self.given_key(new).map(|key| (address(new.def()), key));
            match key.and_then(|key| olds.remove(&key)) {
                Some(old) => {
                    switches.push(Switch { old, new });
                    false
                }
                None => true,
            }
        });
        switches
    }

    /// The rows whose places new ones take.
    pub(super) fn replaced(&self, new: &mut Vec<SlotPtr>, doomed: &[SlotPtr]) -> Vec<SlotPtr> {
        self.switches(new, doomed).into_iter().map(|switch| switch.old).collect()
    }

    /// The key of a new row, where the program gave it.
    fn given_key(&self, new: SlotPtr) -> Option<IdentityKey> {
        let def = new.def();
        let given = {
            let tracker = self.arena.tracker();
            let columns = tracker.given.get(&new)?;
            def.primary_key.iter().all(|&column| columns.contains(column))
        };
        given.then(|| IdentityKey::of(def, |column| self.value_to_send(new, self.arena.value(new, column), column)))
    }

    /// Those whose row can be written before the new rows, and those that point at one of these. The first go first,
    /// so that a new row can have the unique value that the old one had.
    pub(super) fn order_switches(&self, switches: Vec<Switch>, new: &[SlotPtr]) -> (Vec<Switch>, Vec<Switch>) {
        switches.into_iter().partition(|switch| !self.points_at(switch.new, new))
    }

    /// Whether a row has a foreign key to one of these.
    fn points_at(&self, slot: SlotPtr, rows: &[SlotPtr]) -> bool {
        slot.def().row_keys().any(|key| {
            let Some(values) = key.values(|column| self.arena.value(slot, column)) else { return false };
            let to = key.number();
            let leads_to = |row: SlotPtr| {
                let columns = row.def().numbered(&to)?;
                Some(columns.iter().zip(&values).all(|(&column, value)| self.arena.value(row, column) == *value))
            };
            rows.iter().any(|&row| leads_to(row) == Some(true))
        })
    }

    /// Writes the rows over those whose places they take.
    pub(super) async fn switch(&mut self, switches: &[Switch]) -> Result<()> {
        for switch in switches {
            self.switch_row(*switch).await?;
        }
        Ok(())
    }

    async fn switch_row(&mut self, Switch { old, new }: Switch) -> Result<()> {
        let def = new.def();
        self.turn_to(def)?;
        if def.joined_inheritance().is_some() || def.heirs().any(|heir| heir.joined_inheritance().is_some()) {
            return Err(in_several_tables(def));
        }
        let sent = Version(new.head());
        let (flushed, key) = {
            let tracker = self.arena.tracker();
            (Version(tracker.flushed(old)), tracker.committed_key(&self.arena, old))
        };
        let (given, made) = self.columns_of(new)?;
        let columns: Vec<usize> = given.iter().copied().filter(|column| !def.primary_key.contains(column)).collect();
        let mut changes: Vec<(usize, Value<'static>)> = Vec::new();
        let arena = self.arena.clone();
        for &column in &given {
            if let Some(key) = self.keys.resolve(def, column, &arena.value_in(new, sent.0, column)) {
                changes.push((column, key));
            }
        }
        // The new row goes on with the old one's versions.
        let guard = match def.options.version {
            Some(version) => Guard::of_version(&arena, old, flushed, version),
            None => Guard::default(),
        };
        changes.extend(guard.next.clone());
        // A link table has nothing but its key: the row is there already.
        if !columns.is_empty() || !made.is_empty() {
            let tenant = self.render_switch(def, &columns, &made, &guard)?;
            let mut params: Vec<Value<'_>> = Vec::with_capacity(columns.len() + def.primary_key.len());
            for &column in &columns {
                params.push(match &guard.next {
                    Some((version, next)) if *version == column => next.clone(),
                    _ => self.value_to_send(new, arena.value_in(new, sent.0, column), column),
                });
            }
            params.extend(key.values());
            params.extend(guard.bound().map(|(_, value)| value.clone()));
            params.extend(tenant);
            let sql = std::mem::take(&mut self.sql);
            let explain = |error| {
                let guarded = guard.bound().map(|(column, _)| column);
                let bound: Vec<usize> = columns.iter().chain(def.primary_key).chain(guarded).copied().collect();
                Self::explain(def, &bound, error)
            };
            let returns = self.dialect().capabilities().update_returning;
            let rows = if made.is_empty() || !returns {
                let executed = self.session.execute_in(self.turn, &sql, &params, self.at).await;
                executed.map_err(explain)?.rows_affected
            } else {
                let mut sink = |row: &Row<'_>| {
                    for (at, &column) in made.iter().enumerate() {
                        changes.push((column, super::inserts::value_of(row, at, &def.columns[column])?));
                    }
                    Ok(())
                };
                let returned = self.session.returning_in(self.turn, &sql, &params, self.at, &mut sink).await;
                returned.map_err(explain)?
            };
            self.sql = sql;
            if rows != 1 {
                return Err(stale(def, &key, "replaced"));
            }
            if !returns {
                changes.extend(self.read_back(def, &made, &key.values()).await?);
            }
        }
        self.settle_switch(Switch { old, new }, sent, key, &changes)
    }

    /// `UPDATE .. SET` all columns, also those that the new row leaves to the database's default.
    fn render_switch(
        &mut self,
        def: &'static ModelDef,
        columns: &[usize],
        made: &[usize],
        guard: &Guard<'_>,
    ) -> Result<Option<Value<'static>>> {
        self.begin_sql("UPDATE ");
        self.quote_table(def);
        self.sql.push_str(" SET ");
        let mut comma = "";
        for &column in columns {
            self.sql.push_str(std::mem::replace(&mut comma, ", "));
            self.assign(def.columns[column].name);
        }
        for &column in made {
            let Some(default) = def.columns[column].server_default else { continue };
            self.sql.push_str(std::mem::replace(&mut comma, ", "));
            self.quote(def.columns[column].name);
            if self.dialect() == Dialect::Sqlite {
                self.sql.push_str(" = (");
                self.sql.push_str(default);
                self.sql.push(')');
            } else {
                self.sql.push_str(" = DEFAULT");
            }
        }
        if comma.is_empty() {
            // Only what triggers make: the row is written as it is.
            let column = def.primary_key[0];
            self.quote(def.columns[column].name);
            self.sql.push_str(" = ");
            self.quote(def.columns[column].name);
        }
        self.sql.push_str(" WHERE ");
        self.key_condition(def);
        self.guard_condition(def, &guard.old);
        let tenant = self.confine(def)?;
        if !self.dialect().capabilities().update_returning {
            return Ok(tenant);
        }
        for (position, &column) in made.iter().enumerate() {
            self.sql.push_str(if position == 0 { " RETURNING " } else { ", " });
            self.quote(def.columns[column].name);
        }
        Ok(tenant)
    }

    /// The old entity is deleted, and the new one is the row's.
    fn settle_switch(
        &mut self,
        Switch { old, new }: Switch,
        sent: Version,
        key: IdentityKey,
        changes: &[(usize, Value<'static>)],
    ) -> Result<()> {
        leave_collections(&self.arena, old);
        if changes.is_empty() {
            self.arena.tracker().sent(new, sent.0);
        } else {
            publish_columns(&self.arena, new, sent.0, changes)?;
        }
        let mut tracker = self.arena.tracker();
        tracker.removed(old, key);
        let key = tracker.committed_key(&self.arena, new);
        tracker.inserted(new, key.clone());
        if !std::ptr::eq(new.head(), tracker.flushed(new)) {
            tracker.mark_dirty(new);
        }
        drop(tracker);
        if new.def().in_hierarchy() {
            self.keep_in_step(new, &key, &(0..new.def().columns.len()).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The new row that takes a deleted one's place, if there is one.
    fn successor(&self, old: SlotPtr) -> Option<SlotPtr> {
        if old.state() != State::Persistent {
            return None;
        }
        let (new, key) = {
            let tracker = self.arena.tracker();
            if tracker.new.is_empty() {
                return None;
            }
            (tracker.new.clone(), tracker.committed_key(&self.arena, old))
        };
        new.into_iter().find(|&slot| {
            slot.def().is(old.def()) && slot.state() == State::Pending && self.given_key(slot).as_ref() == Some(&key)
        })
    }

    /// Takes out of a deleted row's children those that belong to the row that takes its place: their foreign keys
    /// are the same.
    pub(super) fn retain_own_children(
        &self,
        parent: SlotPtr,
        relationship: &'static RelationshipDef,
        children: &mut Vec<SlotPtr>,
    ) {
        if children.is_empty() {
            return;
        }
        let Some(successor) = self.successor(parent) else { return };
        children.retain(|&child| {
            let leads_to =
                relationship.inverse.and_then(|inverse| self.arena.relation(child, inverse()).one().flatten());
            match leads_to {
                Some(other) => other != successor,
                // A new row that names the key means the new parent; one in the database has been the old one's.
                None => child.state() == State::Persistent && !has_member(&self.arena, successor, relationship, child),
            }
        });
    }
}

/// Whether a loaded collection holds a row.
fn has_member(arena: &Arena, parent: SlotPtr, relationship: &'static RelationshipDef, child: SlotPtr) -> bool {
    let relationships = parent.def().relationships;
    let index = relationships.iter().position(|other| std::ptr::eq(other, relationship));
    let many = index.filter(|&index| relationships[index].kind == RelationshipKind::Many);
    let list = many.and_then(|index| arena.relation(parent, index).many()).flatten();
    list.is_some_and(|list| list.iter().any(|member| member == child))
}

#[cold]
fn in_several_tables(def: &ModelDef) -> Error {
    let message = format!(
        "a row of `{}` was deleted, and a new one added with its key: the rows of `{}` are in several tables, so that the one \
         does not become the other; flush after the delete, or change the row that is there",
        def.table, def.name
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table)
}

fn address(def: &ModelDef) -> usize {
    std::ptr::from_ref(def).addr()
}
