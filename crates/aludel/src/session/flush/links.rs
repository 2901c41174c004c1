//! The rows of link models: one DELETE and one INSERT for all links of a model, as long as they fit.

use std::collections::HashSet;

use uuid::Uuid;

use super::Flush;
use crate::engine::row::Row;
use crate::entity::def::{Generated, ModelDef};
use crate::entity::identity_map::IdentityKey;
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::entity::tracker::{Link, LinkChange};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Dialect, Value};

/// The most rows of one statement.
const MAX_ROWS: usize = 500;

/// Rows of one link model, by the values of the same columns.
struct LinkRows {
    link: &'static ModelDef,
    columns: Vec<usize>,
    rows: Vec<Vec<Value<'static>>>,
    seen: HashSet<Vec<Value<'static>>>,
    /// Whether some of the rows may be there already.
    unsure: bool,
}

/// What a link is, and the row that it makes.
struct LinkRow {
    link: &'static ModelDef,
    columns: Vec<usize>,
    values: Vec<Value<'static>>,
}

impl Flush<'_, '_> {
    /// Deletes the rows that link what is to be deleted and what was parted, and inserts the new ones. The rows that
    /// they link are all there.
    pub(super) async fn write_links(&mut self, doomed: &[SlotPtr], changes: Vec<LinkChange>) -> Result<()> {
        for rows in self.links_of(doomed)? {
            self.delete_links(&rows).await?;
        }
        let (mut removed, mut added) = (Vec::new(), Vec::new());
        for change in changes {
            let ends = [change.link.owner, change.link.target];
            if ends.iter().any(|slot| slot.state() == State::Pending) {
                // Added by another task while this flush was under way: the next one sends both.
                self.arena.tracker().links.note(change);
                continue;
            }
            let there = |slot: &SlotPtr| slot.state() == State::Persistent && !slot.has(DOOMED);
            if !change.added {
                gather(&mut removed, self.row_of(change.link)?, false);
            } else if ends.iter().all(there) {
                gather(&mut added, self.row_of(change.link)?, !change.known);
            }
        }
        for rows in removed {
            self.delete_links(&rows).await?;
        }
        for rows in added {
            self.insert_links(rows).await?;
        }
        Ok(())
    }

    /// The link rows of deleted rows, whose collections need not be loaded for that.
    fn links_of(&self, doomed: &[SlotPtr]) -> Result<Vec<LinkRows>> {
        let mut gone = Vec::new();
        for &slot in doomed {
            let def = slot.def();
            for (index, relationship) in def.relationships.iter().enumerate() {
                if relationship.secondary.is_none() || relationship.passive_deletes || self.has_no_links(slot, index) {
                    continue;
                }
                let Some(join) = relationship.secondary_join(def)? else { continue };
                let values = self.stored(slot, &join.near.local);
                gather(&mut gone, LinkRow { link: join.link, columns: join.near.remote, values }, false);
            }
        }
        Ok(gone)
    }

    /// Whether it is known that nothing is linked to a row, nor was before this flush.
    fn has_no_links(&self, slot: SlotPtr, index: usize) -> bool {
        let fresh = self.arena.tracker().is_fresh(&self.arena, slot, index);
        fresh && self.arena.relation(slot, index).many().flatten().is_none_or(|list| list.len() == 0)
    }

    /// The row of a link, its columns in the order of the table.
    fn row_of(&self, Link { owner, relationship, target }: Link) -> Result<LinkRow> {
        let def = owner.def();
        let Some(join) = def.relationships[relationship].secondary_join(def)? else {
            unreachable!("links are of relationships with a link model")
        };
        let near = join.near.remote.iter().copied().zip(self.stored(owner, &join.near.local));
        let far = join.far.local.iter().copied().zip(self.stored(target, &join.far.remote));
        let mut cells: Vec<(usize, Value<'static>)> = near.chain(far).collect();
        cells.sort_by_key(|(column, _)| *column);
        // The two keys may share a column: both rows are of one tenant.
        if let Some(pair) = cells.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1) {
            return Err(apart(join.link, pair[0].0, (owner, target)));
        }
        cells.dedup_by_key(|(column, _)| *column);
        let (columns, values) = cells.into_iter().unzip();
        Ok(LinkRow { link: join.link, columns, values })
    }

    async fn delete_links(&mut self, rows: &LinkRows) -> Result<()> {
        self.turn_to(rows.link)?;
        for chunk in rows.rows.chunks(MAX_ROWS) {
            self.begin_sql("DELETE FROM ");
            self.quote_table(rows.link);
            self.sql.push_str(" WHERE ");
            self.is_one_of(rows.link, &rows.columns, chunk.len());
            let mut params: Vec<Value<'_>> = chunk.iter().flatten().map(Value::as_borrowed).collect();
            params.extend(self.confine(rows.link)?);
            let sql = std::mem::take(&mut self.sql);
            let deleted = self.session.execute_in(self.turn, &sql, &params, self.at).await;
            deleted.map_err(|error| Self::explain(rows.link, &rows.columns, error))?;
            self.sql = sql;
        }
        self.forget(rows);
        Ok(())
    }

    /// Entities of the link model whose rows are deleted.
    fn forget(&self, rows: &LinkRows) {
        if self.arena.tracker().find_store(rows.link).is_none_or(|store| !store.occupied) {
            return;
        }
        for slot in self.arena.slots(rows.link, None) {
            if slot.state() == State::Persistent && rows.seen.contains(&self.stored(slot, &rows.columns)) {
                let mut tracker = self.arena.tracker();
                let key = tracker.committed_key(&self.arena, slot);
                tracker.removed(slot, key);
            }
        }
    }

    async fn insert_links(&mut self, mut rows: LinkRows) -> Result<()> {
        self.turn_to(rows.link)?;
        let ignores = rows.unsure && self.can_ignore(&rows);
        if rows.unsure && !ignores {
            self.leave_out_those_there(&mut rows).await?;
        }
        let keys: Vec<usize> = columns_where(rows.link, |generated| generated == Generated::Uuid);
        let tenant = self.session.tenant_of_new(rows.link, None)?;
        let columns: Vec<usize> =
            rows.columns.iter().chain(&keys).copied().chain(tenant.iter().map(|(column, _)| *column)).collect();
        let most = self.dialect().capabilities().rows_of(columns.len(), MAX_ROWS);
        for chunk in rows.rows.chunks(most) {
            self.render_insert_links(&rows, &columns, chunk.len(), ignores);
            let mut params: Vec<Value<'_>> = Vec::with_capacity(chunk.len() * columns.len());
            for row in chunk {
                params.extend(row.iter().map(Value::as_borrowed));
                params.extend(keys.iter().map(|_| Value::Uuid(Uuid::now_v7())));
                params.extend(tenant.iter().map(|(_, tenant)| tenant.as_borrowed()));
            }
            let sql = std::mem::take(&mut self.sql);
            let inserted = self.session.execute_in(self.turn, &sql, &params, self.at).await;
            inserted.map_err(|error| Self::explain(rows.link, &columns, error))?;
            self.sql = sql;
        }
        Ok(())
    }

    fn render_insert_links(&mut self, rows: &LinkRows, columns: &[usize], count: usize, ignores: bool) {
        self.begin_sql("INSERT INTO ");
        self.quote_table(rows.link);
        self.sql.push_str(" (");
        for (position, &column) in columns.iter().enumerate() {
            self.sql.push_str(if position == 0 { "" } else { ", " });
            self.quote(rows.link.columns[column].name);
        }
        self.sql.push_str(") VALUES ");
        for row in 0..count {
            self.sql.push_str(if row == 0 { "(" } else { ", (" });
            for position in 0..columns.len() {
                self.sql.push_str(if position == 0 { "" } else { ", " });
                self.placeholder();
            }
            self.sql.push(')');
        }
        if ignores {
            self.sql.push_str(" ON CONFLICT (");
            for (position, &column) in rows.link.primary_key.iter().enumerate() {
                self.sql.push_str(if position == 0 { "" } else { ", " });
                self.quote(rows.link.columns[column].name);
            }
            self.sql.push_str(") DO NOTHING");
        }
    }

    /// Whether the INSERT itself can leave out the pairs that are there, and nothing but those: MariaDB's and MySQL's
    /// ways would hide what other constraints have to say.
    fn can_ignore(&self, rows: &LinkRows) -> bool {
        let key = rows.link.primary_key;
        let is_pair = key.len() == rows.columns.len() && key.iter().all(|column| rows.columns.contains(column));
        is_pair && matches!(self.dialect(), Dialect::Sqlite | Dialect::Postgres)
    }

    /// Asks which of the pairs the database has.
    async fn leave_out_those_there(&mut self, rows: &mut LinkRows) -> Result<()> {
        let mut there: HashSet<IdentityKey> = HashSet::new();
        for chunk in rows.rows.chunks(MAX_ROWS) {
            self.begin_sql("SELECT ");
            for (position, &column) in rows.columns.iter().enumerate() {
                self.sql.push_str(if position == 0 { "" } else { ", " });
                self.quote(rows.link.columns[column].name);
            }
            self.sql.push_str(" FROM ");
            self.quote_table(rows.link);
            self.sql.push_str(" WHERE ");
            self.is_one_of(rows.link, &rows.columns, chunk.len());
            let mut params: Vec<Value<'_>> = chunk.iter().flatten().map(Value::as_borrowed).collect();
            params.extend(self.confine(rows.link)?);
            let sql = std::mem::take(&mut self.sql);
            let mut sink = |row: &Row<'_>| {
                let columns = rows.columns.iter().enumerate();
                let values = columns
                    .map(|(at, &column)| super::value_of(row, at, &rows.link.columns[column]))
                    .collect::<Result<Vec<_>>>()?;
                there.insert(IdentityKey::new(values.into_iter()));
                Ok(())
            };
            self.session.fetch_in(self.turn, &sql, &params, self.at, &mut sink).await?;
            self.sql = sql;
        }
        rows.rows.retain(|row| !there.contains(&IdentityKey::new(row.iter().map(Value::as_borrowed))));
        Ok(())
    }
}

#[cold]
fn apart(link: &ModelDef, column: usize, (owner, target): (SlotPtr, SlotPtr)) -> Error {
    let message = format!(
        "a row of `{}` and one of `{}` cannot be linked: `{}` has one `{}` for both, and theirs differ",
        owner.def().name,
        target.def().name,
        link.name,
        link.columns[column].field
    );
    Error::new(ErrorKind::InvalidStatement, message).with_table(link.table)
}

/// Adds a row to those of its link model, unless it is among them.
fn gather(groups: &mut Vec<LinkRows>, LinkRow { link, columns, values }: LinkRow, unsure: bool) {
    let known = groups.iter().position(|group| group.link.is(link) && group.columns == columns);
    let group = match known {
        Some(at) => &mut groups[at],
        None => {
            groups.push(LinkRows { link, columns, rows: Vec::new(), seen: HashSet::new(), unsure: false });
            let last = groups.len() - 1;
            &mut groups[last]
        }
    };
    group.unsure |= unsure;
    if group.seen.insert(values.clone()) {
        group.rows.push(values);
    }
}

fn columns_where(def: &ModelDef, is: impl Fn(Generated) -> bool) -> Vec<usize> {
    (0..def.columns.len()).filter(|&column| is(def.columns[column].generated)).collect()
}
