//! New rows whose parents got other keys since they were linked: a key that is not counted up may be set later, or be the
//! key of a parent's own parent, which was linked later.

use std::collections::HashSet;

use super::Flush;
use crate::entity::def::{Generated, ModelDef};
use crate::entity::slot::{SlotPtr, State};
use crate::error::Result;
use crate::session::links::copy_key;

/// What is left to be done of the rows: first their parents, then they themselves.
enum Step {
    Enter(SlotPtr),
    Leave(SlotPtr),
}

impl Flush<'_, '_> {
    /// Gives new rows the keys that the rows which they are linked to have by now.
    pub(super) fn follow_parents(&self, new: &[SlotPtr]) -> Result<()> {
        let mut seen: HashSet<SlotPtr> = HashSet::new();
        let mut steps: Vec<Step> = Vec::new();
        for &slot in new.iter().filter(|slot| !slot.def().following().is_empty()) {
            steps.push(Step::Enter(slot));
            while let Some(step) = steps.pop() {
                match step {
                    Step::Enter(slot) if seen.insert(slot) => {
                        steps.push(Step::Leave(slot));
                        let parents = self.linked_parents(slot).map(|(_, parent)| parent);
                        steps.extend(parents.filter(|parent| parent.state() == State::Pending).map(Step::Enter));
                    }
                    Step::Enter(_) => {}
                    Step::Leave(slot) => self.follow(slot)?,
                }
            }
        }
        Ok(())
    }

    /// The rows that a new row is linked to, by relationship.
    fn linked_parents(&self, slot: SlotPtr) -> impl Iterator<Item = (usize, SlotPtr)> {
        slot.def().following().iter().filter_map(move |&index| {
            let parent = self.arena.relation(slot, index).one().flatten()?;
            Some((index, parent))
        })
    }

    fn follow(&self, slot: SlotPtr) -> Result<()> {
        for (index, parent) in self.linked_parents(slot).collect::<Vec<_>>() {
            let join = slot.def().relationships[index].columns(slot.def())?;
            let pairs = join.local.iter().zip(&join.remote);
            let differs =
                |(&local, &remote): (&usize, &usize)| self.arena.value(slot, local) != self.arena.value(parent, remote);
            if pairs.into_iter().any(differs) {
                copy_key(&self.arena, slot, &join.local, Some((parent, &join.remote)))?;
            }
        }
        Ok(())
    }
}

impl ModelDef {
    /// The relationships whose foreign key leads to columns that a new row may get after it was linked; of most models
    /// none.
    fn following(&'static self) -> &'static [usize] {
        self.cache.following.get_or_init(|| {
            let follows = |index: &usize| {
                let relationship = &self.relationships[*index];
                let target = (relationship.target)();
                let made_at_once = |&column: &usize| {
                    target.primary_key == [column]
                        && matches!(target.columns[column].generated, Generated::Autoincrement | Generated::Uuid)
                };
                !relationship.foreign_key.is_empty()
                    && relationship.columns(self).is_ok_and(|join| !join.remote.iter().all(made_at_once))
            };
            (0..self.relationships.len()).filter(follows).collect()
        })
    }
}
