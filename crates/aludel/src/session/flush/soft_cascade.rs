//! What follows softly deleted parents: children that their relationships cascade to are marked too. All other rows stay
//! as they are, so that the parent can be restored.

use super::Flush;
use super::cascade::Family;
use super::order::models_of;
use crate::entity::def::{ModelDef, RelationshipDef};
use crate::entity::slot::{SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::session::links::leave_all;
use crate::session::soft_delete::retire;
use crate::session::tenant::is_deleted;
use crate::sql::Value;

impl Flush<'_, '_> {
    /// Follows the cascades of one generation of softly deleted rows; false when there is none.
    pub(super) async fn cascade_softly(&mut self) -> Result<bool> {
        let generation = std::mem::take(&mut self.arena.tracker().retired);
        if generation.is_empty() {
            return Ok(false);
        }
        let is_parent = |slot: &SlotPtr| slot.state() == State::Persistent && is_deleted(&self.arena, *slot);
        let generation: Vec<SlotPtr> = generation.into_iter().filter(is_parent).collect();
        for def in models_of(&generation) {
            let parents: Vec<SlotPtr> = generation.iter().copied().filter(|slot| slot.def().is(def)).collect();
            leave_all(&self.arena, def, &parents);
            for index in 0..def.relationships.len() {
                self.retire_children(def, &parents, index).await?;
            }
        }
        Ok(true)
    }

    async fn retire_children(&mut self, owner: &'static ModelDef, parents: &[SlotPtr], index: usize) -> Result<()> {
        let relationship = &owner.relationships[index];
        let follows = relationship.cascade.delete || relationship.cascade.delete_orphan;
        if !relationship.foreign_key.is_empty() || !follows {
            return Ok(());
        }
        if let Some(join) = relationship.secondary_join(owner)? {
            if !relationship.cascade.delete {
                return Ok(());
            }
            check_target(relationship, owner)?;
            for &parent in parents {
                let mut rows = Vec::new();
                self.linked_rows(relationship, index, &join, &[parent], true, &mut rows).await?;
                self.retire_all(parent, rows)?;
            }
            return Ok(());
        }
        check_target(relationship, owner)?;
        let join = relationship.columns(owner)?;
        let family = Family { relationship, index, join, follows, can_be_null: false, by_database: false, soft: true };
        let unsent: Vec<SlotPtr> = {
            let tracker = self.arena.tracker();
            tracker.new.iter().chain(&tracker.dirty).copied().collect()
        };
        let mut children = self.children_among(&family, parents, &unsent);
        children.extend(self.stored_children(&family, parents).await?);
        for (parent, rows) in children {
            self.retire_all(parent, rows)?;
        }
        Ok(())
    }

    /// Marks rows as deleted, at the time at which their parent was.
    fn retire_all(&self, parent: SlotPtr, rows: Vec<SlotPtr>) -> Result<()> {
        let (Some(column), Some(first)) = (parent.def().options.soft_delete(), rows.first()) else { return Ok(()) };
        let own = first.def().options.soft_delete().map(|own| &first.def().columns[own.position].ty);
        let same = own == Some(&parent.def().columns[column.position].ty);
        let at = same.then(|| self.arena.value(parent, column.position).into_owned());
        for row in rows {
            retire(&self.arena, row, at.clone().filter(|at| !matches!(at, Value::Null)))?;
        }
        Ok(())
    }
}

/// # Errors
/// `InvalidStatement` when rows that cannot be softly deleted would have to follow one that is.
fn check_target(relationship: &RelationshipDef, owner: &ModelDef) -> Result<()> {
    let target = (relationship.target)();
    if target.options.soft_delete().is_some() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "a `{owner}` is softly deleted, and `{owner}::{}` cascades to `{target}`, which is not: give `{target}` a \
             `#[column(soft_delete)]`, take the delete cascade off the relationship, or use `session.delete_hard(..)`",
            relationship.name,
            owner = owner.name,
            target = target.name,
        ),
    )
    .with_table(owner.table))
}
