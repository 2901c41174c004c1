//! Changed rows: one UPDATE each, of the changed columns alone.

use std::collections::HashMap;

use super::Flush;
use super::guard::Guard;
use super::inherit::Part;
use super::order::Late;
use super::queue::{Queue, Then};
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
    pub(super) async fn update<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        arena: &'v Arena,
        dirty: &[SlotPtr],
        late: &[Late],
    ) -> Result<()> {
        let mut waiting: HashMap<SlotPtr, Vec<usize>> = HashMap::new();
        for late in late {
            waiting.entry(late.slot).or_default().push(late.column);
        }
        if !late.is_empty() {
            // They are of rows that were inserted just now.
            self.send(queue).await?;
        }
        for late in late {
            if let Some(columns) = waiting.remove(&late.slot) {
                self.update_row(queue, arena, late.slot, columns).await?;
            }
        }
        if !late.is_empty() {
            self.send(queue).await?;
        }
        for &slot in dirty {
            // A row that is deleted, or has been by a row switch, needs no update.
            if slot.state() == State::Persistent && !slot.has(DOOMED) {
                self.update_row(queue, arena, slot, Vec::new()).await?;
            }
        }
        // Where they do not wait for the deletes, they go by themselves.
        if self.waits() { Ok(()) } else { self.send(queue).await }
    }

    async fn update_row<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        arena: &'v Arena,
        slot: SlotPtr,
        also: Vec<usize>,
    ) -> Result<()> {
        if self.needs_a_key_of(queue, slot, slot.head()) || self.has_changed_view(slot) {
            self.send(queue).await?;
        }
        let Some(changes) = self.changes_of(arena, slot, also)? else { return Ok(()) };
        if slot.def().in_hierarchy() {
            self.check_views(&changes)?;
            if let Some(inheritance) = slot.def().joined_inheritance() {
                return Box::pin(self.update_parts(queue, arena, changes, inheritance)).await;
            }
        }
        let Rendered { made, places, params } = self.render_changes(arena, &changes, None)?;
        let Changes { slot, sent, key, columns, .. } = changes;
        let planned = Planned { slot, sent, key, columns, made, places, settles: true };
        self.enqueue(queue, params, Then::Updated(planned)).await
    }

    /// What an UPDATE of a row has to write; none where nothing is to be sent.
    fn changes_of<'v>(&mut self, arena: &'v Arena, slot: SlotPtr, also: Vec<usize>) -> Result<Option<Changes<'v>>> {
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
        if let Some(&column) = columns.iter().find(|&&column| def.columns[column].computed.is_some()) {
            return Err(computed_set(def, column));
        }
        self.check_tenant(slot, sent, &columns)?;
        let guard = Guard::of_update(arena, slot, flushed, &columns)?;
        let mut stamps: Vec<(usize, Value<'static>)> = def
            .columns
            .iter()
            .enumerate()
            .filter(|(position, _)| !columns.contains(position))
            .filter_map(|(position, column)| Some((position, column.on_update?())))
            .collect();
        stamps.extend(guard.next.clone());
        let is_set = |column: &usize| def.inheritance().and_then(|it| it.own_discriminator) == Some(*column);
        if columns.iter().any(is_set) {
            self.check_discriminator(slot, sent.0)?;
        }
        Ok(Some(Changes { slot, sent, key, columns, stamps, guard }))
    }

    /// The UPDATE of a row, or of the part of it that is in one table.
    pub(super) fn render_changes<'v>(
        &mut self,
        arena: &'v Arena,
        changes: &Changes<'v>,
        part: Option<Part>,
    ) -> Result<Rendered<'v>> {
        let Changes { slot, sent, key, columns, stamps, guard } = changes;
        let def = slot.def();
        let here = |column: usize| part.is_none_or(|part| part.has(column));
        let written = || changes.written().filter(|&column| here(column));
        self.render_update(def, part, written());
        let old = || guard.old.iter().filter(|(column, _)| here(*column));
        self.guard_condition(def, old());
        let tenant = self.confine_part(part.map_or(def, Part::table))?;
        let mut made: Vec<(usize, Value<'static>)> = Vec::new();
        let mut params: Vec<Value<'v>> = Vec::with_capacity(columns.len() + stamps.len() + def.primary_key.len());
        for &column in columns {
            let value = arena.value_in(*slot, sent.0, column);
            let value = match self.keys.resolve(def, column, &value) {
                Some(key) => {
                    made.push((column, key.clone()));
                    key
                }
                None => value,
            };
            if here(column) {
                params.push(value);
            }
        }
        params.extend(stamps.iter().filter(|(column, _)| here(*column)).map(|(_, value)| value.clone()));
        params.extend(key.values().into_iter().map(|value| value.into_owned()));
        let bound = || old().filter(|(_, value)| !value.is_null());
        let guarded = bound().map(|(column, _)| *column);
        let confined = tenant.is_some().then(|| def.options.tenant().map(|column| column.position)).flatten();
        let places = written().chain(def.primary_key.iter().copied()).chain(guarded).chain(confined).collect();
        params.extend(bound().map(|(_, value)| value.clone()));
        params.extend(tenant);
        made.extend(stamps.iter().cloned());
        Ok(Rendered { made, places, params })
    }

    /// What the database computed anew for a row that it updated; nothing for models without computed columns.
    pub(super) async fn read_computed(
        &mut self,
        update: &Planned,
        rows_affected: u64,
    ) -> Result<Vec<(usize, Value<'static>)>> {
        let def = update.slot.def();
        let computed: Vec<usize> = computed_columns(def).collect();
        if computed.is_empty() || rows_affected != 1 || !update.settles {
            return Ok(Vec::new());
        }
        let key: Vec<Value<'static>> = def
            .primary_key
            .iter()
            .map(|&column| {
                let made = update.made.iter().find(|(position, _)| *position == column);
                made.map_or_else(
                    || self.arena.value_in(update.slot, update.sent.0, column).into_owned(),
                    |(_, value)| value.clone(),
                )
            })
            .collect();
        self.read_back(def, &computed, &key).await
    }

    /// The row is changed in the database.
    pub(super) fn settle_update(
        &mut self,
        update: &Planned,
        rows_affected: u64,
        computed: Vec<(usize, Value<'static>)>,
    ) -> Result<()> {
        let Planned { slot, sent, key, columns, made, .. } = update;
        let def = slot.def();
        if rows_affected != 1 {
            return Err(stale(def, key, "changed"));
        }
        if !update.settles {
            return Ok(());
        }
        if !computed.is_empty() {
            let made: Vec<_> = made.iter().cloned().chain(computed).collect();
            publish_columns(&self.arena, *slot, sent.0, &made)?;
        } else if made.is_empty() {
            self.arena.tracker().sent(*slot, sent.0);
        } else {
            publish_columns(&self.arena, *slot, sent.0, made)?;
        }
        if columns.iter().any(|column| def.primary_key.contains(column)) {
            let mut tracker = self.arena.tracker();
            let new = tracker.committed_key(&self.arena, *slot);
            tracker.rekeyed(*slot, key.clone(), new);
        }
        if def.in_hierarchy() {
            let written = columns.iter().copied().chain(made.iter().map(|(column, _)| *column));
            self.keep_in_step(*slot, key, &written.chain(computed_columns(def)).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn render_update(&mut self, def: &'static ModelDef, part: Option<Part>, columns: impl Iterator<Item = usize>) {
        self.begin_sql("UPDATE ");
        self.quote_table(part.map_or(def, Part::table));
        self.sql.push_str(" SET ");
        for (position, column) in columns.enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.assign(def.columns[column].name);
        }
        self.sql.push_str(" WHERE ");
        self.key_condition(part.map_or(def, Part::table));
    }
}

/// What an UPDATE of a row has to write.
pub(super) struct Changes<'v> {
    pub(super) slot: SlotPtr,
    /// The version that it sends: what is set meanwhile stays for the next flush.
    pub(super) sent: Version,
    /// The key under which the database knows the row.
    pub(super) key: IdentityKey,
    pub(super) columns: Vec<usize>,
    /// What is written beside what was changed.
    stamps: Vec<(usize, Value<'static>)>,
    guard: Guard<'v>,
}

impl Changes<'_> {
    /// The columns that are written.
    pub(super) fn written(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().copied().chain(self.stamps.iter().map(|(column, _)| *column))
    }
}

/// What belongs to the text of an UPDATE.
pub(super) struct Rendered<'v> {
    /// What the flush itself makes of columns.
    pub(super) made: Vec<(usize, Value<'static>)>,
    /// The columns of the values.
    pub(super) places: Vec<usize>,
    pub(super) params: Vec<Value<'v>>,
}

/// The UPDATE of one row.
pub(super) struct Planned {
    pub(super) slot: SlotPtr,
    /// The version that it sends: what is set meanwhile stays for the next flush.
    pub(super) sent: Version,
    /// The key under which the database knows the row.
    pub(super) key: IdentityKey,
    pub(super) columns: Vec<usize>,
    /// What the flush itself makes of columns, which comes onto the entity afterwards.
    pub(super) made: Vec<(usize, Value<'static>)>,
    /// The columns of the statement's values, for what an error says.
    pub(super) places: Vec<usize>,
    /// Whether the row is written with it: a row in several tables is with the last of its statements.
    pub(super) settles: bool,
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

/// Changed rows table by table, so that a statement that is prepared runs for all of a table's; of tables and rows those
/// first that were changed first.
pub(super) fn by_table(mut slots: Vec<SlotPtr>) -> Vec<SlotPtr> {
    let mut models: Vec<&'static ModelDef> = Vec::new();
    for slot in &slots {
        if !models.iter().any(|model| slot.def().is(model)) {
            models.push(slot.def());
        }
    }
    if models.len() > 1 {
        slots.sort_by_key(|slot| models.iter().position(|model| slot.def().is(model)));
    }
    slots
}

/// The columns of a model that the database computes.
fn computed_columns(def: &'static ModelDef) -> impl Iterator<Item = usize> {
    def.columns.iter().enumerate().filter(|(_, column)| column.computed.is_some()).map(|(position, _)| position)
}

#[cold]
fn computed_set(def: &ModelDef, column: usize) -> Error {
    let column = &def.columns[column];
    let message = format!(
        "{}.{} is computed by the database, and `{}` was set: set the columns that it is computed from",
        def.table, column.name, column.field
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(def.table).with_columns(vec![column.name.to_owned()])
}

/// The error of a row that is not there any more.
#[cold]
pub(super) fn stale(def: &ModelDef, key: &IdentityKey, what: &str) -> Error {
    let key = key.values().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let found = if def.options.version.is_some() || def.options.compares_old {
        "somebody else has changed or deleted it since it was read"
    } else {
        "is not in the database any more"
    };
    Error::new(
        ErrorKind::StaleData,
        format!(
            "the row of `{}` with the key {key} was to be {what}, and {found}; roll back, and get it again",
            def.table
        ),
    )
    .with_table(def.table)
}
