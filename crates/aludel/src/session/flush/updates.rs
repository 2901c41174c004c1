//! Changed rows: one UPDATE each, of the changed columns alone.

use std::collections::HashMap;

use super::Flush;
use super::order::Late;
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::publish_columns;
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::entity::tracker::changed_columns;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

impl Flush<'_, '_> {
    /// Updates the changed rows, and the foreign keys that had to wait for their rows: in one round trip where the
    /// database takes several statements at once.
    pub(super) async fn update(&mut self, dirty: &[SlotPtr], late: &[Late]) -> Result<()> {
        let mut waiting: HashMap<SlotPtr, Vec<usize>> = HashMap::new();
        for late in late {
            waiting.entry(late.slot).or_default().push(late.column);
        }
        let arena = self.arena.clone();
        let mut planned = Vec::new();
        for late in late {
            if let Some(columns) = waiting.remove(&late.slot) {
                planned.extend(self.plan_update(&arena, late.slot, columns)?);
            }
        }
        self.send_updates(std::mem::take(&mut planned)).await?;
        for &slot in dirty {
            // A row that is deleted, or has been by a row switch, needs no update.
            if slot.state() == State::Persistent && !slot.has(DOOMED) {
                planned.extend(self.plan_update(&arena, slot, Vec::new())?);
            }
        }
        self.send_updates(planned).await
    }

    /// The UPDATE of a row; none where nothing is to be sent.
    fn plan_update<'v>(&mut self, arena: &'v Arena, slot: SlotPtr, also: Vec<usize>) -> Result<Option<Planned<'v>>> {
        let def = slot.def();
        self.turn_to(def)?;
        let sent = Version(slot.head());
        let (flushed, key) = {
            let tracker = arena.tracker();
            (Version(tracker.flushed(slot)), tracker.committed_key(arena, slot))
        };
        let mut columns = changed_columns(arena, slot, flushed.0, sent.0);
        columns.extend(also.into_iter().filter(|column| !columns.contains(column)).collect::<Vec<_>>());
        if columns.is_empty() {
            arena.tracker().sent(slot, sent.0);
            return Ok(None);
        }
        let stamps: Vec<(usize, Value<'static>)> = def
            .columns
            .iter()
            .enumerate()
            .filter(|(position, _)| !columns.contains(position))
            .filter_map(|(position, column)| Some((position, column.on_update?())))
            .collect();
        self.render_update(def, columns.iter().copied().chain(stamps.iter().map(|(column, _)| *column)));
        let mut made: Vec<(usize, Value<'static>)> = Vec::new();
        let mut params: Vec<Value<'v>> = Vec::with_capacity(columns.len() + stamps.len() + def.primary_key.len());
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
        params.extend(stamps.iter().map(|(_, value)| value.clone()));
        params.extend(key.values().into_iter().map(|value| value.into_owned()));
        let stamped = stamps.iter().map(|(column, _)| column);
        let places = columns.iter().chain(stamped).chain(def.primary_key).copied().collect();
        made.extend(stamps);
        Ok(Some(Planned { slot, sent, key, columns, made, places, sql: self.sql.clone(), params }))
    }

    /// Sends updates, those that follow each other on one database together.
    async fn send_updates(&mut self, planned: Vec<Planned<'_>>) -> Result<()> {
        let mut rest = &planned[..];
        while let Some(first) = rest.first() {
            let bind = self.session.bind_of(first.slot.def())?;
            let together = rest
                .iter()
                .take_while(|update| self.session.bind_of(update.slot.def()).is_ok_and(|other| other == bind))
                .count();
            let (now, later) = rest.split_at(together);
            rest = later;
            self.turn.switch(bind);
            let statements: Vec<(&str, &[Value<'_>])> =
                now.iter().map(|update| (update.sql.as_str(), update.params.as_slice())).collect();
            let outcome = self.session.execute_all_in(self.turn, &statements, self.at).await;
            for (update, executed) in now.iter().zip(&outcome.done) {
                self.settle_update(update, executed.rows_affected)?;
            }
            if let Some((at, error)) = outcome.failed {
                return Err(Self::explain(now[at].slot.def(), &now[at].places, error));
            }
        }
        Ok(())
    }

    fn settle_update(&mut self, update: &Planned<'_>, rows_affected: u64) -> Result<()> {
        let Planned { slot, sent, key, columns, made, .. } = update;
        let def = slot.def();
        if rows_affected != 1 {
            return Err(stale(def, key, "changed"));
        }
        if made.is_empty() {
            self.arena.tracker().sent(*slot, sent.0);
        } else {
            publish_columns(&self.arena, *slot, sent.0, made)?;
        }
        if columns.iter().any(|column| def.primary_key.contains(column)) {
            let mut tracker = self.arena.tracker();
            let new = tracker.committed_key(&self.arena, *slot);
            tracker.rekeyed(*slot, key.clone(), new);
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

/// The UPDATE of one row, ready to be sent.
struct Planned<'v> {
    slot: SlotPtr,
    /// The version that it sends: what is set meanwhile stays for the next flush.
    sent: Version,
    /// The key under which the database knows the row.
    key: IdentityKey,
    columns: Vec<usize>,
    /// What the flush itself makes of columns, which comes onto the entity afterwards.
    made: Vec<(usize, Value<'static>)>,
    /// The columns of the statement's values, for what an error says.
    places: Vec<usize>,
    sql: String,
    params: Vec<Value<'v>>,
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
