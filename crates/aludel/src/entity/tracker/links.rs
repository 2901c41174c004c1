//! Links of many-to-many relationships that no flush has sent.

use hashbrown::HashMap;

use super::Tracker;
use crate::entity::arena::Arena;
use crate::entity::slot::{SlotPtr, State};

/// One row of a link model: the two rows that it links, seen from one of them. Where the relationship has another side,
/// it is always the same of the two: that whose key comes first in the link model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    pub(crate) owner: SlotPtr,
    pub(crate) relationship: usize,
    pub(crate) target: SlotPtr,
}

/// A link to be written or deleted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkChange {
    pub(crate) link: Link,
    /// Whether the row is to be there; else it is not to be there.
    pub(crate) added: bool,
    /// Whether it is known that the database has it the other way; else it may be so already.
    pub(crate) known: bool,
}

/// The changes of links since the last flush.
#[derive(Default)]
pub(crate) struct LinkChanges {
    /// With the number of each in their order.
    changes: HashMap<Link, (usize, LinkChange), foldhash::fast::FixedState>,
    next: usize,
}

impl LinkChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.changes.clear();
    }

    /// Notes a change; one that takes back another that has not been sent takes it off the list.
    pub(crate) fn note(&mut self, change: LinkChange) {
        let number = self.next;
        match self.changes.get_mut(&change.link) {
            None => {
                self.changes.insert(change.link, (number, change));
                self.next += 1;
            }
            Some((_, before)) if before.added == change.added => {}
            Some((_, before)) if !before.known => before.added = change.added,
            Some(_) => {
                self.changes.remove(&change.link);
            }
        }
    }

    /// All changes, in their order.
    pub(crate) fn take(&mut self) -> Vec<LinkChange> {
        let mut changes: Vec<_> = self.changes.drain().map(|(_, change)| change).collect();
        changes.sort_unstable_by_key(|(number, _)| *number);
        changes.into_iter().map(|(_, change)| change).collect()
    }
}

impl Tracker {
    /// Whether two rows are linked, where that is known without asking the database. `inverse` is the relationship's
    /// other side.
    pub(crate) fn is_linked(&mut self, arena: &Arena, link: Link, inverse: Option<usize>) -> Option<bool> {
        let Link { owner, relationship, target } = link;
        let holds = |slot: SlotPtr, index: usize, member: SlotPtr| {
            let list = arena.relation(slot, index).many().flatten();
            list.is_some_and(|list| list.iter().any(|other| other == member))
        };
        if self.is_fresh(arena, owner, relationship) {
            return Some(holds(owner, relationship, target));
        }
        if let Some(inverse) = inverse
            && self.is_fresh(arena, target, inverse)
        {
            return Some(holds(target, inverse, owner));
        }
        // The database has no row that links one that it does not have.
        let new = owner.state() == State::Pending || target.state() == State::Pending;
        new.then_some(false)
    }
}
