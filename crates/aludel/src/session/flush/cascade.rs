//! What follows a deleted parent: its children are deleted, or lose their parent.

use super::Flush;
use crate::engine::row::Row;
use crate::entity::def::RelationshipDef;
use crate::entity::loader::RowLoader;
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::error::Result;
use crate::model::JoinColumns;
use crate::session::links::{leave_collections, write_column};
use crate::sql::Value;

impl Flush<'_, '_> {
    /// Follows the cascades of all doomed rows, and of what they doom in turn, and takes care of orphans.
    pub(super) async fn cascade_deletes(&mut self) -> Result<()> {
        let orphans = std::mem::take(&mut self.arena.tracker().orphans);
        for slot in orphans {
            self.arena.tracker().delete(slot);
        }
        let mut next = 0;
        loop {
            let slot = self.arena.tracker().doomed.get(next).copied();
            let Some(slot) = slot else { return Ok(()) };
            next += 1;
            if slot.state() == State::Detached {
                leave_collections(&self.arena, slot);
            }
            for index in 0..slot.def().relationships.len() {
                self.cascade(slot, index).await?;
            }
        }
    }

    async fn cascade(&mut self, parent: SlotPtr, index: usize) -> Result<()> {
        let owner = parent.def();
        let relationship = &owner.relationships[index];
        if relationship.foreign_key.is_some() {
            return Ok(());
        }
        let target = (relationship.target)();
        let join = relationship.columns(owner)?;
        let follows = relationship.cascade.delete || relationship.cascade.delete_orphan;
        let can_be_null = join.remote.iter().all(|&column| target.columns[column].nullable);
        // Rows that the database does not know as children yet.
        let mut children = self.unsent_children(parent, relationship, &join);
        self.retain_own_children(parent, relationship, &mut children);
        for child in children {
            if follows {
                self.arena.tracker().delete(child);
            } else if can_be_null {
                self.leave(child, relationship, &join)?;
            }
        }
        let nothing_there = parent.state() != State::Persistent;
        if nothing_there || relationship.passive_deletes || !(follows || can_be_null) {
            return Ok(());
        }
        let mut children = self.children(parent, relationship, &join).await?;
        self.retain_own_children(parent, relationship, &mut children);
        for child in children {
            if child.has(DOOMED) || child.state() != State::Persistent {
                continue;
            }
            if follows {
                self.arena.tracker().delete(child);
            } else {
                self.leave(child, relationship, &join)?;
            }
        }
        Ok(())
    }

    /// A child without its parent: the foreign key becomes NULL, as any other change of the row.
    fn leave(&mut self, child: SlotPtr, relationship: &RelationshipDef, join: &JoinColumns) -> Result<()> {
        for &column in &join.remote {
            write_column(&self.arena, child, column, Value::Null)?;
        }
        if let Some(inverse) = relationship.inverse {
            self.arena.tracker().link_one(&self.arena, child, inverse(), None);
        }
        Ok(())
    }

    fn unsent_children(&self, parent: SlotPtr, relationship: &RelationshipDef, join: &JoinColumns) -> Vec<SlotPtr> {
        let target = (relationship.target)();
        let unsent: Vec<SlotPtr> = {
            let tracker = self.arena.tracker();
            tracker.new.iter().chain(&tracker.dirty).copied().collect()
        };
        unsent
            .into_iter()
            .filter(|slot| slot.def().is(target) && !slot.has(DOOMED))
            .filter(|slot| matches!(slot.state(), State::Pending | State::Persistent))
            .filter(|&slot| {
                join.remote
                    .iter()
                    .zip(&join.local)
                    .all(|(&remote, &local)| self.arena.value(slot, remote) == self.arena.value(parent, local))
            })
            .collect()
    }

    /// The children in the database, as entities: what is loaded may not be all there is.
    async fn children(
        &mut self,
        parent: SlotPtr,
        relationship: &RelationshipDef,
        join: &JoinColumns,
    ) -> Result<Vec<SlotPtr>> {
        let target = (relationship.target)();
        self.turn_to(target)?;
        self.begin_sql("SELECT ");
        for (position, column) in target.columns.iter().enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.quote(column.name);
        }
        self.sql.push_str(" FROM ");
        self.quote(target.table);
        self.sql.push_str(" WHERE ");
        for (position, &column) in join.remote.iter().enumerate() {
            if position > 0 {
                self.sql.push_str(" AND ");
            }
            self.assign(target.columns[column].name);
        }
        let params: Vec<Value<'static>> = {
            let tracker = self.arena.tracker();
            let flushed = tracker.flushed(parent);
            join.local.iter().map(|&column| self.arena.value_in(parent, flushed, column).into_owned()).collect()
        };
        let mut loader = RowLoader::new(self.arena.clone(), target, false);
        let mut children = Vec::new();
        let mut sink = |row: &Row<'_>| {
            children.push(loader.slot(row, 0)?);
            Ok(())
        };
        let sql = std::mem::take(&mut self.sql);
        self.session.fetch_in(self.turn, &sql, &params, self.at, &mut sink).await?;
        self.sql = sql;
        // Of those, some may have been given another parent since.
        children.retain(|&child| {
            join.remote
                .iter()
                .zip(&join.local)
                .all(|(&remote, &local)| self.arena.value(child, remote) == self.arena.value(parent, local))
        });
        Ok(children)
    }
}
