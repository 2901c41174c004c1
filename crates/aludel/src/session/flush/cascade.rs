//! What follows deleted parents: their children are deleted, or lose their parent. One SELECT for each relationship
//! brings the children of all parents that are not loaded.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Flush;
use super::order::models_of;
use crate::engine::row::Row;
use crate::entity::def::{Action, ColumnDef, ModelDef, RelationshipDef, RelationshipKind};
use crate::entity::loader::RowLoader;
use crate::entity::publish_columns;
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::error::Result;
use crate::model::{JoinColumns, SecondaryJoin, column_of, listed};
use crate::session::links::{clear_key, leave_collections};
use crate::session::soft_delete::retire;
use crate::sql::{FromClause, Join, JoinKind, Select, SelectExtra, Statement, Value};

/// The most parents whose children one SELECT asks for.
const MAX_PARENTS: usize = 500;

/// A relationship whose children have the key, and what becomes of them.
pub(super) struct Family {
    pub(super) relationship: &'static RelationshipDef,
    pub(super) index: usize,
    pub(super) join: JoinColumns,
    /// The children are deleted too.
    pub(super) follows: bool,
    /// The children's key can be NULL.
    pub(super) can_be_null: bool,
    /// The database makes it NULL, and is left to it.
    pub(super) by_database: bool,
    /// Their parents are softly deleted, and those children that are it already are none.
    pub(super) soft: bool,
}

/// The children of each parent.
pub(super) type Children = Vec<(SlotPtr, Vec<SlotPtr>)>;

impl Flush<'_, '_> {
    /// Follows the cascades of all doomed rows, and of what they doom in turn, and takes care of orphans.
    pub(super) async fn cascade_deletes(&mut self) -> Result<()> {
        let orphans = std::mem::take(&mut self.arena.tracker().orphans);
        for (slot, _) in orphans {
            match slot.def().options.soft_delete() {
                Some(_) => retire(&self.arena, slot, None)?,
                None => self.arena.tracker().delete(slot),
            }
        }
        loop {
            while self.cascade_softly().await? {}
            let generation: Vec<SlotPtr> =
                self.arena.tracker().doomed.get(self.cascaded..).unwrap_or_default().to_vec();
            if generation.is_empty() {
                return Ok(());
            }
            self.cascaded += generation.len();
            for &slot in generation.iter().filter(|slot| slot.state() == State::Detached) {
                leave_collections(&self.arena, slot);
            }
            for def in models_of(&generation) {
                let parents: Vec<SlotPtr> = generation.iter().copied().filter(|slot| slot.def().is(def)).collect();
                for index in 0..def.relationships.len() {
                    self.cascade(def, &parents, index).await?;
                }
            }
        }
    }

    async fn cascade(&mut self, owner: &'static ModelDef, parents: &[SlotPtr], index: usize) -> Result<()> {
        let relationship = &owner.relationships[index];
        if !relationship.foreign_key.is_empty() {
            return Ok(());
        }
        if let Some(join) = relationship.secondary_join(owner)? {
            return self.cascade_by_link(relationship, index, &join, parents).await;
        }
        let target = (relationship.target)();
        let join = relationship.columns(owner)?;
        let follows = relationship.cascade.delete || relationship.cascade.delete_orphan;
        let can_be_null = join.remote.iter().any(|&column| target.columns[column].nullable);
        let by_database = relationship.passive_deletes
            && join.remote.iter().all(|&column| sets_null(&target.columns[column]))
            && self.session.bind_of(owner)? == self.session.bind_of(target)?;
        let family = Family { relationship, index, join, follows, can_be_null, by_database, soft: false };
        // Rows that the database does not know as children yet.
        let unsent: Vec<SlotPtr> = {
            let tracker = self.arena.tracker();
            tracker.new.iter().chain(&tracker.dirty).copied().collect()
        };
        let unsent = self.children_among(&family, parents, &unsent);
        self.part(&family, unsent)?;
        if !(follows || can_be_null) {
            return Ok(());
        }
        let children = self.stored_children(&family, parents).await?;
        self.part(&family, children)
    }

    /// Deletes the children, or takes them from their parents.
    fn part(&mut self, family: &Family, children: Children) -> Result<()> {
        for (parent, mut children) in children {
            self.retain_own_children(parent, family.relationship, &mut children);
            for child in children {
                if family.follows {
                    self.arena.tracker().delete(child);
                } else if family.can_be_null {
                    self.leave(parent, child, family)?;
                }
            }
        }
        Ok(())
    }

    /// A child without its parent: the foreign key becomes NULL, as any other change of the row. Where the database does
    /// that by itself, the entity follows without a statement.
    fn leave(&mut self, parent: SlotPtr, child: SlotPtr, family: &Family) -> Result<()> {
        let JoinColumns { local, remote, .. } = &family.join;
        let follows = family.by_database
            && child.state() == State::Persistent
            && self.stored(child, remote) == self.stored(parent, local);
        if follows {
            let nulls: Vec<(usize, Value<'_>)> = remote.iter().map(|&column| (column, Value::Null)).collect();
            let flushed = self.arena.tracker().flushed(child);
            publish_columns(&self.arena, child, flushed, &nulls)?;
        } else {
            clear_key(&self.arena, child, remote)?;
        }
        if let Some(inverse) = family.relationship.inverse {
            self.arena.tracker().link_one(&self.arena, child, inverse(), None);
        }
        Ok(())
    }

    /// Those of some rows whose foreign key leads to one of the parents.
    pub(super) fn children_among(&self, family: &Family, parents: &[SlotPtr], slots: &[SlotPtr]) -> Children {
        let target = (family.relationship.target)();
        let key = |slot: SlotPtr, columns: &[usize]| -> Vec<Value<'_>> {
            columns.iter().map(|&column| self.arena.value(slot, column)).collect()
        };
        let is_child = |slot: &SlotPtr| {
            slot.def().is(target) && !slot.has(DOOMED) && matches!(slot.state(), State::Pending | State::Persistent)
        };
        let mut candidates = slots.iter().copied().filter(is_child).peekable();
        if candidates.peek().is_none() {
            return Vec::new();
        }
        let mut by_key: HashMap<Vec<Value<'_>>, usize> = HashMap::new();
        let mut children: Children = Vec::with_capacity(parents.len());
        for &parent in parents {
            let key = key(parent, &family.join.local);
            if !key.iter().any(Value::is_null) {
                by_key.insert(key, children.len());
                children.push((parent, Vec::new()));
            }
        }
        for child in candidates {
            if let Some(&place) = by_key.get(&key(child, &family.join.remote)) {
                children[place].1.push(child);
            }
        }
        children.retain(|(_, children)| !children.is_empty());
        children
    }

    /// The children in the database, as entities. Those of a collection that is loaded are known, if nothing has
    /// happened since that may have changed it; with `passive_deletes` the others are the database's own affair, and
    /// those follow that the session has.
    pub(super) async fn stored_children(&mut self, family: &Family, parents: &[SlotPtr]) -> Result<Children> {
        let parents: Vec<SlotPtr> =
            parents.iter().copied().filter(|parent| parent.state() == State::Persistent).collect();
        // A loaded collection has no rows that are softly deleted, and they have to go too.
        let hidden = !family.soft && (family.relationship.target)().options.soft_delete().is_some();
        let (known, unknown): (Vec<SlotPtr>, Vec<SlotPtr>) =
            parents.into_iter().partition(|&parent| !hidden && self.is_loaded(parent, family.index));
        let mut children = Vec::new();
        if !known.is_empty() {
            let rows = self.arena.slots((family.relationship.target)(), None);
            children = self.children_among(family, &known, &rows);
        }
        if !unknown.is_empty() && family.by_database {
            let rows = self.arena.slots((family.relationship.target)(), None);
            children.extend(self.children_among(family, &unknown, &rows));
        } else if !unknown.is_empty() && (family.soft || !family.relationship.passive_deletes) {
            // The database has no part in a soft deletion.
            let rows = self.select_children(family, &unknown).await?;
            children.extend(self.children_among(family, &unknown, &rows));
        }
        for (_, children) in &mut children {
            children.retain(|child| child.state() == State::Persistent);
        }
        Ok(children)
    }

    fn is_loaded(&self, parent: SlotPtr, index: usize) -> bool {
        self.arena.tracker().is_fresh(&self.arena, parent, index)
    }

    async fn select_children(&mut self, family: &Family, parents: &[SlotPtr]) -> Result<Vec<SlotPtr>> {
        let target = (family.relationship.target)();
        self.turn_to(target)?;
        let mut children = Vec::new();
        let arena = self.arena.clone();
        let mut loader = RowLoader::new(&arena, target, false);
        for parents in parents.chunks(MAX_PARENTS) {
            self.begin_sql("SELECT ");
            for (position, column) in target.columns.iter().enumerate() {
                self.sql.push_str(if position == 0 { "" } else { ", " });
                self.sql.push_str(if target.is_deferred(position) { "NULL AS " } else { "" });
                self.quote(column.name);
            }
            self.sql.push_str(" FROM ");
            self.quote_rows(target);
            self.sql.push_str(" WHERE ");
            self.is_one_of(target, &family.join.remote, parents.len());
            let mut params: Vec<Value<'static>> =
                parents.iter().flat_map(|&parent| self.stored(parent, &family.join.local)).collect();
            if let Some(kinds) = target.criteria().and_then(|criteria| criteria.kinds.as_ref()) {
                kinds.write(self.dialect(), &mut self.sql);
            }
            params.extend(self.confine(target)?);
            if let Some(column) = target.options.soft_delete().filter(|_| family.soft) {
                self.sql.push_str(" AND ");
                if column.is_flag {
                    self.assign(column.column);
                    params.push(Value::Bool(false));
                } else {
                    self.quote(column.column);
                    self.sql.push_str(" IS NULL");
                }
            }
            let mut sink = |row: &Row<'_>| {
                children.push(loader.slot(row, 0)?);
                Ok(())
            };
            let sql = std::mem::take(&mut self.sql);
            self.session.fetch_in(self.turn, &sql, &params, self.at, &mut sink).await?;
            self.sql = sql;
        }
        Ok(children)
    }

    /// With `cascade = "all"` the rows at the other end of a many-to-many relationship are deleted too.
    async fn cascade_by_link(
        &mut self,
        relationship: &'static RelationshipDef,
        index: usize,
        join: &SecondaryJoin,
        parents: &[SlotPtr],
    ) -> Result<()> {
        debug_assert_eq!(relationship.kind, RelationshipKind::Many);
        if !relationship.cascade.delete {
            return Ok(());
        }
        let mut rows = Vec::new();
        self.linked_rows(relationship, index, join, parents, false, &mut rows).await?;
        for row in rows {
            self.arena.tracker().delete(row);
        }
        Ok(())
    }

    /// The rows at the other end of a many-to-many relationship; for a soft deletion without those that are softly deleted
    /// already.
    pub(super) async fn linked_rows(
        &mut self,
        relationship: &'static RelationshipDef,
        index: usize,
        join: &SecondaryJoin,
        parents: &[SlotPtr],
        soft: bool,
        rows: &mut Vec<SlotPtr>,
    ) -> Result<()> {
        let target = (relationship.target)();
        let hidden = !soft && (target.options.soft_delete().is_some() || join.link.options.soft_delete().is_some());
        let mut unknown = Vec::new();
        for &parent in parents {
            if parent.state() != State::Persistent || !hidden && self.is_loaded(parent, index) {
                let list = self.arena.relation(parent, index).many().flatten();
                rows.extend(list.into_iter().flat_map(|list| list.iter()));
            } else if soft || !relationship.passive_deletes {
                unknown.push(parent);
            }
        }
        for parents in unknown.chunks(MAX_PARENTS) {
            self.select_linked(target, join, parents, soft, rows).await?;
        }
        Ok(())
    }

    async fn select_linked(
        &mut self,
        target: &'static ModelDef,
        join: &SecondaryJoin,
        parents: &[SlotPtr],
        soft: bool,
        rows: &mut Vec<SlotPtr>,
    ) -> Result<()> {
        self.turn_to(target)?;
        let link: Cow<'static, str> = join.link.table.into();
        let near = join.near.remote.iter().map(|&column| column_of(join.link, link.clone(), column)).collect();
        let keys: Vec<_> = parents.iter().map(|&parent| self.stored(parent, &join.near.local)).collect();
        let on = join.far.condition((join.link, &link), (target, &target.table.into()));
        let columns = (0..target.columns.len()).map(|column| listed(target, target.table.into(), column));
        let select = Select {
            columns: columns.collect(),
            from: FromClause::Table(target.table_ref()),
            joins: vec![Join { kind: JoinKind::Inner, table: join.link.table_ref(), on }],
            filter: vec![crate::model::is_one_of(near, keys)],
            extra: (!soft).then(|| Box::new(SelectExtra { with_deleted: true, ..SelectExtra::default() })),
            ..Select::default()
        };
        let mut statement = Statement::default();
        select.render(self.session.rendering_of(target), &mut statement);
        statement.check()?;
        let arena = self.arena.clone();
        let mut loader = RowLoader::new(&arena, target, false);
        let mut sink = |row: &Row<'_>| {
            rows.push(loader.slot(row, 0)?);
            Ok(())
        };
        self.session.fetch_in(self.turn, &statement.sql, &statement.params, self.at, &mut sink).await?;
        Ok(())
    }
}

/// Whether a row's key becomes NULL with the row that it leads to.
fn sets_null(column: &ColumnDef) -> bool {
    column.references.as_ref().is_some_and(|reference| reference.on_delete == Action::SetNull)
}
