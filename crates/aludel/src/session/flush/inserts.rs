//! New rows, many in one statement.

use smallvec::SmallVec;

use super::Flush;
use super::inherit::Part;
use super::order::{Late, Ordered};
use super::queue::{Queue, Then};
use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::def::{ColumnDef, Generated, ModelDef};
use crate::entity::identity_map::IdentityKey;
use crate::entity::publish_columns;
use crate::entity::slot::SlotPtr;
use crate::entity::tracker::Tracker;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::SqlType;
use crate::sql::{Dialect, Value};

/// The most rows of one INSERT: longer statements are no faster and each length is a statement of its own.
const MAX_ROWS: usize = 500;

impl Generated {
    /// Whether the value is only known after the insert.
    pub(super) fn is_made_by_database(self) -> bool {
        matches!(self, Self::Autoincrement | Self::Server | Self::Computed)
    }
}

/// Rows of one model that give the same columns.
pub(super) struct Batch {
    pub(super) def: &'static ModelDef,
    pub(super) columns: Vec<usize>,
    /// What the database fills in.
    pub(super) returning: Vec<usize>,
    /// What RETURNING names, if anything: the primary key first, to tell the rows apart, then what the database made.
    pub(super) returned: Vec<usize>,
    pub(super) slots: Vec<SlotPtr>,
    /// Which of its tables the rows go into, where the model inherits.
    pub(super) part: Option<Part>,
}

/// An INSERT that was sent, or is about to be.
pub(super) struct Inserted<'v> {
    pub(super) batch: Batch,
    pub(super) sent: Sent,
    pub(super) late: &'v [Late],
}

/// The values that RETURNING gave for one row.
pub(super) type Returned = SmallVec<[Value<'static>; 2]>;

impl Flush<'_, '_> {
    /// Inserts the new rows.
    pub(super) async fn insert<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        arena: &'v Arena,
        ordered: &'v Ordered,
    ) -> Result<()> {
        let mut start = 0;
        while start < ordered.slots.len() {
            self.turn_to(ordered.slots[start].def())?;
            let batch = self.batch(&ordered.slots[start..], &ordered.late)?;
            start += batch.slots.len();
            self.insert_batch(queue, arena, batch, &ordered.late).await?;
        }
        Ok(())
    }

    /// The rows from the first on that can share a statement: same model, same columns, none that needs another's key.
    fn batch(&self, slots: &[SlotPtr], late: &[Late]) -> Result<Batch> {
        let first = slots[0];
        let def = first.def();
        let (columns, returning) = self.columns_of(first)?;
        let limit = self.most_rows(def, columns.len(), &returning);
        let returned = returned_columns(def, &returning);
        let mut batch = Batch { def, columns, returning, returned, slots: vec![first], part: Part::first(def) };
        for &slot in &slots[1..] {
            if batch.slots.len() == limit || !slot.def().is(def) || self.depends_on_batch(slot, &batch, late) {
                break;
            }
            if !self.sends_the_same(slot, &batch) {
                break;
            }
            batch.slots.push(slot);
        }
        Ok(batch)
    }

    /// Whether a row sends the columns of a batch, and has the same ones returned: those that may be NULL are sent where
    /// they are not given too.
    fn sends_the_same(&self, slot: SlotPtr, batch: &Batch) -> bool {
        let same_given = {
            let tracker = self.arena.tracker();
            tracker.given.get(&slot) == tracker.given.get(&batch.slots[0])
        };
        // A column that is missing is the next batch's to report.
        same_given
            || self
                .columns_of(slot)
                .is_ok_and(|(columns, returning)| columns == batch.columns && returning == batch.returning)
    }

    /// How many rows a statement may have.
    fn most_rows(&self, def: &ModelDef, columns: usize, returning: &[usize]) -> usize {
        let capabilities = self.dialect().capabilities();
        // Rows whose keys the database makes are told apart by their order, which only numbers have. Without RETURNING
        // each is asked for by itself: what LAST_INSERT_ID() says of several rows depends on the server's settings.
        let made = def.primary_key.iter().find(|column| returning.contains(column));
        let alone = made.is_some_and(|&column| !capabilities.returning || !is_counted(&def.columns[column].ty));
        // DEFAULT VALUES is one row.
        if columns == 0 || alone { 1 } else { capabilities.rows_of(columns, MAX_ROWS) }
    }

    /// Whether a row of a self-referencing table holds the key of a row in the batch.
    fn depends_on_batch(&self, slot: SlotPtr, batch: &Batch, late: &[Late]) -> bool {
        let def = batch.def;
        def.row_keys().any(|key| {
            if !def.is_a(key.target()) || key.pairs().any(|(column, _)| late.contains(&Late { slot, column })) {
                return false;
            }
            let Some(values) = key.values(|column| self.arena.value(slot, column)) else { return false };
            let Some(to) = def.numbered(&key.number()) else { return false };
            let leads_to =
                |&other: &SlotPtr| to.iter().zip(&values).all(|(&to, value)| self.arena.value(other, to) == *value);
            batch.slots.iter().any(leads_to)
        })
    }

    /// The columns that a new row gives, and those that the database fills in.
    pub(super) fn columns_of(&self, slot: SlotPtr) -> Result<(Vec<usize>, Vec<usize>)> {
        let def = slot.def();
        let tracker = self.arena.tracker();
        let given = tracker.given.get(&slot).cloned().unwrap_or_default();
        drop(tracker);
        let (mut columns, mut returning) = (Vec::with_capacity(def.columns.len()), Vec::new());
        for (position, column) in def.columns.iter().enumerate() {
            if given.contains(position) {
                columns.push(position);
            } else if column.generated.is_made_by_database() || column.server_default.is_some() {
                returning.push(position);
            } else if column.nullable {
                columns.push(position);
            } else {
                return Err(missing(def, column));
            }
        }
        Ok((columns, returning))
    }

    async fn insert_batch<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        arena: &'v Arena,
        batch: Batch,
        late: &'v [Late],
    ) -> Result<()> {
        if batch.slots.iter().any(|&slot| self.needs_a_key_of(queue, slot, slot.head())) {
            self.send(queue).await?;
            self.turn_to(batch.def)?;
        }
        if batch.part.is_some_and(|part| !part.is_last()) {
            return Box::pin(self.insert_parts(queue, arena, batch, late)).await;
        }
        self.render_insert(&batch);
        // The versions that are sent: what is set meanwhile stays for the next flush.
        let sent = Sent(batch.slots.iter().map(|slot| slot.head().cast_const()).collect());
        let params = self.insert_params(arena, &batch, &sent, late)?;
        let inserted = Inserted { batch, sent, late };
        if self.waits() {
            return self.enqueue(queue, params, Then::Inserted(inserted)).await;
        }
        self.insert_now(params, &inserted).await
    }

    /// The values of an INSERT, row after row.
    pub(super) fn insert_params<'v>(
        &self,
        arena: &'v Arena,
        batch: &Batch,
        sent: &Sent,
        late: &[Late],
    ) -> Result<Vec<Value<'v>>> {
        let mut params = Vec::with_capacity(batch.slots.len() * batch.columns.len());
        for (row, &slot) in batch.slots.iter().enumerate() {
            if batch.def.in_hierarchy() {
                self.check_discriminator(slot, sent.0[row])?;
            }
            for &column in &batch.columns {
                if late.contains(&Late { slot, column }) {
                    params.push(Value::Null);
                    continue;
                }
                params.push(self.value_to_send(slot, arena.value_in(slot, sent.0[row], column), column));
            }
        }
        Ok(params)
    }

    pub(super) async fn insert_now(&mut self, params: Vec<Value<'_>>, inserted: &Inserted<'_>) -> Result<()> {
        let Inserted { batch, sent, .. } = inserted;
        let def = batch.def;
        let sql = std::mem::take(&mut self.sql);
        let mut returned: Vec<Returned> = Vec::new();
        if batch.returning.is_empty() || !self.dialect().capabilities().returning {
            let executed = self.session.execute_in(self.turn, &sql, &params, self.at).await;
            let executed = executed.map_err(|error| Self::explain(def, &batch.columns, error))?;
            drop(params);
            if !batch.returning.is_empty() {
                returned = self.read_inserted(batch, sent, executed.last_insert_id).await?;
            }
        } else {
            returned.reserve_exact(batch.slots.len());
            let mut sink = |row: &Row<'_>| {
                let values = batch.returned.iter().enumerate();
                returned
                    .push(values.map(|(at, &column)| value_of(row, at, &def.columns[column])).collect::<Result<_>>()?);
                Ok(())
            };
            let inserted = self.session.returning_in(self.turn, &sql, &params, self.at, &mut sink).await;
            inserted.map_err(|error| Self::explain(def, &batch.columns, error))?;
        }
        self.sql = sql;
        self.settle_batch(inserted, returned)
    }

    /// The rows of a statement are in the database: their generated values come onto the entities, and their keys into the
    /// identity map.
    pub(super) fn settle_batch(
        &mut self,
        inserted @ Inserted { batch, sent, .. }: &Inserted<'_>,
        returned: Vec<Returned>,
    ) -> Result<()> {
        let arena = self.arena.clone();
        let dialect = self.session.db().engine(self.session.bind_of(batch.def)?).dialect();
        let returned = correlate(dialect, batch, returned, |slot, column| {
            self.value_to_send(slot, arena.value(slot, column), column).into_owned()
        })?;
        let mut drafts = Vec::with_capacity(batch.slots.len());
        for (row, &slot) in batch.slots.iter().enumerate() {
            let made = self.made(inserted, row, returned.get(row));
            drafts.push(if made.is_empty() { None } else { Some(arena.copy_with(slot, sent.0[row], &made)?) });
        }
        let versions = arena.keep_all(&batch.slots, drafts);
        let mut overtaken: SmallVec<[usize; 4]> = SmallVec::new();
        let mut tracker = arena.tracker();
        tracker.expect_inserted(batch.def, batch.slots.len());
        for (row, &slot) in batch.slots.iter().enumerate() {
            let (before, returned) = (sent.0[row].cast_mut(), returned.get(row));
            if let Some((placeholder, key)) = returned.and_then(|values| batch.made_key(&arena, slot, before, values)) {
                tracker.made_key(batch.def, placeholder, key);
            }
            match versions[row] {
                None => tracker.sent(slot, before),
                Some(version) if std::ptr::eq(slot.head(), before) => tracker.publish_flushed(slot, version, version),
                // A change made while the statement was under way stays on top.
                Some(_) => {
                    overtaken.push(row);
                    continue;
                }
            }
            batch.settle(&arena, &mut tracker, slot, versions[row].unwrap_or(before));
        }
        drop(tracker);
        for row in overtaken {
            let slot = batch.slots[row];
            publish_columns(&arena, slot, sent.0[row], &self.made(inserted, row, returned.get(row)))?;
            let mut tracker = arena.tracker();
            let flushed = tracker.flushed(slot);
            batch.settle(&arena, &mut tracker, slot, flushed);
        }
        Ok(())
    }

    /// The values that a row has got by its insert: real keys in the place of placeholders, and what the database made.
    fn made(&self, Inserted { batch, sent, late }: &Inserted<'_>, row: usize, returned: Option<&Returned>) -> Made {
        let slot = batch.slots[row];
        let mut made = Made::new();
        for &column in &batch.columns {
            if late.contains(&Late { slot, column }) {
                continue;
            }
            if let Some(key) = self.keys.resolve(batch.def, column, &self.arena.value_in(slot, sent.0[row], column)) {
                made.push((column, key));
            }
        }
        let values = batch.returned.iter().zip(returned.into_iter().flatten());
        let values = values.filter(|(column, _)| batch.returning.contains(column));
        made.extend(values.map(|(&column, value)| (column, value.clone())));
        made
    }

    pub(super) fn render_insert(&mut self, batch: &Batch) {
        let stamp = batch.part.and_then(Part::stamp);
        self.begin_sql("INSERT INTO ");
        self.quote_table(batch.table());
        if batch.columns.is_empty() && stamp.is_none() {
            self.sql.push_str(self.dialect().default_values());
        } else {
            self.sql.push_str(" (");
            let names = batch.columns.iter().map(|&column| batch.name(column));
            for (position, name) in names.chain(stamp.as_ref().map(|(column, _)| *column)).enumerate() {
                if position > 0 {
                    self.sql.push_str(", ");
                }
                self.quote(name);
            }
            self.sql.push_str(") VALUES ");
            for row in 0..batch.slots.len() {
                self.sql.push_str(if row == 0 { "(" } else { ", (" });
                for position in 0..batch.columns.len() {
                    self.sql.push_str(if position == 0 { "" } else { ", " });
                    self.placeholder();
                }
                if let Some((_, value)) = &stamp {
                    self.sql.push_str(if batch.columns.is_empty() { "" } else { ", " });
                    self.sql.push_str(value);
                }
                self.sql.push(')');
            }
        }
        if batch.returning.is_empty() || !self.dialect().capabilities().returning {
            return;
        }
        self.sql.push_str(" RETURNING ");
        for (position, &column) in batch.returned.iter().enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.quote(batch.name(column));
        }
    }
}

/// The columns whose values a row has got by its insert.
type Made = SmallVec<[(usize, Value<'static>); 2]>;

impl Batch {
    /// The key that the database has made for a row, and the placeholder in whose place it is.
    fn made_key(
        &self,
        arena: &Arena,
        slot: SlotPtr,
        sent: *const (),
        returned: &Returned,
    ) -> Option<(Value<'static>, Value<'static>)> {
        let &[column] = self.def.primary_key else { return None };
        let at = self.returned.iter().position(|&returned| returned == column)?;
        let made = self.returning.contains(&column);
        made.then(|| (arena.value_in(slot, sent, column).into_owned(), returned[at].clone()))
    }

    /// The row is in the database, which has this version of it: in all of its tables, where these are the last one's.
    fn settle(&self, arena: &Arena, tracker: &mut Tracker, slot: SlotPtr, flushed: *mut ()) {
        if self.part.is_some_and(|part| !part.is_last()) {
            return;
        }
        let key = IdentityKey::of(self.def, |column| arena.value_in(slot, flushed, column));
        tracker.inserted(slot, key);
        if !std::ptr::eq(slot.head(), flushed) {
            tracker.mark_dirty(slot);
        }
    }
}

/// Addresses of the versions that a statement sends; the arena keeps them.
pub(super) struct Sent(pub(super) Vec<*const ()>);

#[allow(unsafe_code, reason = "addresses held across an await; nothing is read through them but by the arena")]
// SAFETY: the versions are immutable values of models, which are Sync, in an arena that the flush holds.
unsafe impl Send for Sent {}
#[allow(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for Sent {}

/// What RETURNING names for rows of which the database fills in `returning`.
pub(super) fn returned_columns(def: &ModelDef, returning: &[usize]) -> Vec<usize> {
    let key = def.primary_key;
    let others = returning.iter().copied().filter(|column| !key.contains(column));
    key.iter().copied().chain(others).collect()
}

/// Whether the database counts such a key up.
fn is_counted(ty: &SqlType) -> bool {
    use SqlType::{BigInt, Integer, SmallInt, TinyInt};
    use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
    matches!(
        ty,
        TinyInt | SmallInt | Integer | BigInt | UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger | UnsignedBigInt
    )
}

/// The order of rows from RETURNING is not defined, so that they are matched by their key: by its value where the
/// program gave it; by its order where the database counted it up, which it does in the order of the VALUES.
fn correlate(
    dialect: Dialect,
    batch: &Batch,
    mut returned: Vec<Returned>,
    value: impl Fn(SlotPtr, usize) -> Value<'static>,
) -> Result<Vec<Returned>> {
    if batch.returning.is_empty() {
        return Ok(returned);
    }
    if returned.len() != batch.slots.len() {
        return Err(Error::new(
            ErrorKind::Database,
            format!(
                "{} rows of `{}` were inserted, and the database returned {}; a trigger that suppresses rows cannot be \
                 used with generated keys",
                batch.slots.len(),
                batch.def.table,
                returned.len()
            ),
        ));
    }
    let key = batch.def.primary_key;
    if let Some(made) = key.iter().position(|column| batch.returning.contains(column)) {
        let number = |row: &Returned| match row[made] {
            Value::Int(key) => i128::from(key),
            Value::UInt(key) => i128::from(key),
            _ => 0,
        };
        let (least, greatest) = (returned.iter().map(number).min(), returned.iter().map(number).max());
        let without_gaps =
            greatest.zip(least).is_some_and(|(greatest, least)| greatest - least < returned.len() as i128);
        // SQLite's keys with gaps were not counted up: it draws them once the greatest integer is taken. Its rows come in
        // the order of the VALUES, though its manual does not promise that. Servers leave gaps for each other's rows.
        if without_gaps || dialect != Dialect::Sqlite {
            returned.sort_by_key(number);
        }
        return Ok(returned);
    }
    let mut rows: std::collections::HashMap<IdentityKey, Returned> = returned
        .into_iter()
        .map(|row| (IdentityKey::new(row[..key.len()].iter().map(Value::as_borrowed)), row))
        .collect();
    batch
        .slots
        .iter()
        .map(|&slot| {
            let key = IdentityKey::of(batch.def, |column| value(slot, column));
            rows.remove(&key).ok_or_else(|| {
                Error::new(
                    ErrorKind::Database,
                    format!("the database returned no row of `{}` for a key that was inserted", batch.def.table),
                )
            })
        })
        .collect()
}

/// A returned value, by its column's type.
pub(in crate::session) fn value_of(row: &Row<'_>, at: usize, column: &ColumnDef) -> Result<Value<'static>> {
    crate::entity::value_of_type(row, at, &column.ty)
}

#[cold]
fn missing(def: &ModelDef, column: &ColumnDef) -> Error {
    Error::new(
        ErrorKind::NotNullViolation,
        format!(
            "{}.{} was not given and has no default; set `{}` on the new `{}`",
            def.table, column.name, column.field, def.name
        ),
    )
    .with_table(def.table)
    .with_columns(vec![column.name.to_owned()])
}
