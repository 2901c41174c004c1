//! Changed rows: one UPDATE each, of the changed columns alone.

use std::collections::HashMap;

use super::Flush;
use super::order::Late;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::publish_columns;
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::entity::tracker::changed_columns;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

impl Flush<'_, '_> {
    /// Updates the changed rows, and the foreign keys that had to wait for their rows.
    pub(super) async fn update(&mut self, dirty: &[SlotPtr], late: &[Late]) -> Result<()> {
        let mut waiting: HashMap<SlotPtr, Vec<usize>> = HashMap::new();
        for late in late {
            waiting.entry(late.slot).or_default().push(late.column);
        }
        for late in late {
            if let Some(columns) = waiting.remove(&late.slot) {
                self.update_row(late.slot, columns).await?;
            }
        }
        for &slot in dirty {
            // A row that is deleted, or has been by a row switch, needs no update.
            if slot.state() == State::Persistent && !slot.has(DOOMED) {
                self.update_row(slot, Vec::new()).await?;
            }
        }
        Ok(())
    }

    async fn update_row(&mut self, slot: SlotPtr, also: Vec<usize>) -> Result<()> {
        let def = slot.def();
        self.turn_to(def)?;
        let sent = Version(slot.head());
        let (flushed, key) = {
            let tracker = self.arena.tracker();
            (Version(tracker.flushed(slot)), tracker.committed_key(&self.arena, slot))
        };
        let mut columns = changed_columns(&self.arena, slot, flushed.0, sent.0);
        columns.extend(also.into_iter().filter(|column| !columns.contains(column)).collect::<Vec<_>>());
        if columns.is_empty() {
            self.arena.tracker().sent(slot, sent.0);
            return Ok(());
        }
        let stamps: Vec<(usize, Value<'static>)> = def
            .columns
            .iter()
            .enumerate()
            .filter(|(position, _)| !columns.contains(position))
            .filter_map(|(position, column)| Some((position, column.on_update?())))
            .collect();
        self.render_update(def, columns.iter().copied().chain(stamps.iter().map(|(column, _)| *column)));
        let arena = self.arena.clone();
        let mut made: Vec<(usize, Value<'static>)> = Vec::new();
        let mut params: Vec<Value<'_>> = Vec::with_capacity(columns.len() + stamps.len() + def.primary_key.len());
        for &column in &columns {
            let value = arena.value_in(slot, sent.0, column);
            match self.keys.resolve(def, column, &value) {
                Some(key) => {
                    made.push((column, key.clone()));
                    params.push(key.clone());
                }
                None => params.push(value),
            }
        }
        params.extend(stamps.iter().map(|(_, value)| value.as_borrowed()));
        params.extend(key.values());
        let sql = std::mem::take(&mut self.sql);
        let executed = self.session.execute_in(self.turn, &sql, &params, self.at).await;
        let executed = executed.map_err(|error| {
            let stamped = stamps.iter().map(|(column, _)| column);
            let sent: Vec<usize> = columns.iter().chain(stamped).chain(def.primary_key).copied().collect();
            Self::explain(def, &sent, error)
        })?;
        self.sql = sql;
        if executed.rows_affected != 1 {
            return Err(stale(def, &key, "changed"));
        }
        made.extend(stamps);
        if made.is_empty() {
            self.arena.tracker().sent(slot, sent.0);
        } else {
            publish_columns(&self.arena, slot, sent.0, &made)?;
        }
        if columns.iter().any(|column| def.primary_key.contains(column)) {
            let mut tracker = self.arena.tracker();
            let new = tracker.committed_key(&self.arena, slot);
            tracker.rekeyed(slot, key, new);
        }
        Ok(())
    }

    fn render_update(&mut self, def: &'static ModelDef, columns: impl Iterator<Item = usize>) {
        self.begin_sql("UPDATE ");
        self.quote(def.table);
        self.sql.push_str(" SET ");
        for (position, column) in columns.enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.assign(def.columns[column].name);
        }
        self.sql.push_str(" WHERE ");
        self.key_condition(def);
    }
}

/// The address of a version, held across an await; nothing is read through it but by the arena.
#[derive(Clone, Copy)]
pub(super) struct Version(pub(super) *mut ());

#[allow(unsafe_code, reason = "see the struct")]
// SAFETY: versions are immutable values of models, which are Sync, in an arena that the flush holds.
unsafe impl Send for Version {}
#[allow(unsafe_code, reason = "see the struct")]
// SAFETY: as above.
unsafe impl Sync for Version {}

/// The error of a row that is not there any more.
#[cold]
pub(super) fn stale(def: &ModelDef, key: &IdentityKey, what: &str) -> Error {
    let key = key.values().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::new(
        ErrorKind::StaleData,
        format!(
            "the row of `{}` with the key {key} was to be {what}, and is not in the database any more; roll back, and \
             get it again",
            def.table
        ),
    )
    .with_table(def.table)
}
