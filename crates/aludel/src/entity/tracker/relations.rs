//! Where relationships lead: what loads have found, and what the program changed.

use super::{Address, Tracker, Undo};
use crate::entity::arena::{Arena, one_state};
use crate::entity::def::RelationshipKind;
use crate::entity::list::List;
use crate::entity::relation_field::{RelationField, none, raised};
use crate::entity::slot::SlotPtr;

impl Tracker {
    /// The epoch of what a relationship leads to: it rises with the owner's rows, with the target's and with those of a
    /// link model, for a bulk write on any of them may have changed which belong together.
    fn relation_epoch(&mut self, slot: SlotPtr, index: usize) -> u32 {
        let owner = slot.def();
        let relationship = &owner.relationships[index];
        let epoch = self.store(owner).epoch.wrapping_add(self.store((relationship.target)()).epoch);
        match relationship.secondary {
            None => epoch,
            Some(link) => epoch.wrapping_add(self.store(link()).epoch),
        }
    }

    /// Whether a relationship is loaded, with all that it leads to, and nothing has happened since that may have
    /// changed it in the database.
    pub(crate) fn is_fresh(&mut self, arena: &Arena, slot: SlotPtr, index: usize) -> bool {
        let field = arena.relation(slot, index);
        field.is_loaded() && field.epoch() == self.relation_epoch(slot, index)
    }

    /// What a load has just found is only a part of what there is: it can be read, and the next load without a
    /// condition asks the database again.
    pub(crate) fn found_in_part(&mut self, arena: &Arena, slot: SlotPtr, index: usize) {
        let field = arena.relation(slot, index);
        field.store(field.state(), self.relation_epoch(slot, index).wrapping_sub(1));
    }

    /// Sets where a to-one relationship leads, as a change that a rollback undoes.
    pub(crate) fn link_one(&mut self, arena: &Arena, slot: SlotPtr, index: usize, target: Option<SlotPtr>) {
        self.note_relation(arena, slot, index);
        let epoch = self.relation_epoch(slot, index);
        arena.relation(slot, index).store(one_state(target), epoch);
    }

    /// Forgets where a relationship leads, as a change that a rollback undoes.
    pub(crate) fn unload(&mut self, arena: &Arena, slot: SlotPtr, index: usize) {
        self.note_relation(arena, slot, index);
        arena.relation(slot, index).store(unloaded_state(slot, index), 0);
    }

    /// Adds a row to a collection that is loaded, as a change that a rollback undoes.
    pub(crate) fn link_many(&mut self, arena: &Arena, slot: SlotPtr, index: usize, child: SlotPtr) {
        let field = arena.relation(slot, index);
        let Some(list) = field.many() else { return };
        if list.is_some_and(|list| list.iter().any(|member| member == child)) {
            return;
        }
        self.note_relation(arena, slot, index);
        if list.is_some_and(|list| list.push(child)) {
            return;
        }
        let mut members: Vec<SlotPtr> = list.map(|list| list.iter().collect()).unwrap_or_default();
        members.push(child);
        let list = arena.list(&members, members.len() * 2);
        field.store(list.as_ptr().cast(), field.epoch());
    }

    /// Takes a row out of a collection that is loaded, as a change that a rollback undoes.
    pub(crate) fn unlink_many(&mut self, arena: &Arena, slot: SlotPtr, index: usize, child: SlotPtr) {
        let field = arena.relation(slot, index);
        let Some(Some(list)) = field.many() else { return };
        let members: Vec<SlotPtr> = list.iter().filter(|&member| member != child).collect();
        if members.len() == list.len() {
            return;
        }
        self.note_relation(arena, slot, index);
        let list = arena.list(&members, members.len());
        field.store(list.as_ptr().cast(), field.epoch());
    }

    /// Puts the rows of a collection in another order, as a change that a rollback undoes.
    pub(crate) fn arrange(&mut self, arena: &Arena, slot: SlotPtr, index: usize, rows: &[SlotPtr]) {
        let field = arena.relation(slot, index);
        let Some(Some(list)) = field.many() else { return };
        let mut wanted: Vec<SlotPtr> = Vec::with_capacity(list.len());
        for &row in rows {
            if !wanted.contains(&row) && list.iter().any(|member| member == row) {
                wanted.push(row);
            }
        }
        if wanted.len() != list.len() || list.iter().eq(wanted.iter().copied()) {
            return;
        }
        self.note_relation(arena, slot, index);
        let list = arena.list(&wanted, wanted.len());
        field.store(list.as_ptr().cast(), field.epoch());
    }

    /// What a load has found: no change, so nothing that a rollback would undo.
    pub(crate) fn set_loaded_one(&mut self, arena: &Arena, slot: SlotPtr, index: usize, target: Option<SlotPtr>) {
        let epoch = self.relation_epoch(slot, index);
        arena.relation(slot, index).store(one_state(target), epoch);
    }

    /// A new row is linked to nothing: its collection is empty, or its relationship leads nowhere.
    pub(crate) fn set_loaded_none(&mut self, arena: &Arena, slot: SlotPtr, index: usize) {
        let epoch = self.relation_epoch(slot, index);
        arena.relation(slot, index).store(none(), epoch);
    }

    /// A query asked not to load a relationship; what is loaded stays.
    pub(crate) fn set_raised(&mut self, arena: &Arena, slot: SlotPtr, index: usize) {
        let field = arena.relation(slot, index);
        if !field.is_loaded() {
            field.store(raised(&slot.def().relationships[index]), 0);
        }
    }

    /// What a load has found for the collections of several rows.
    pub(crate) fn set_loaded_many(&mut self, arena: &Arena, index: usize, slots: &[SlotPtr], rows: &[Vec<SlotPtr>]) {
        let lists = arena.lists(rows);
        let Some(first) = slots.first() else { return };
        let epoch = self.relation_epoch(*first, index);
        for (position, &slot) in slots.iter().enumerate() {
            let state = if rows[position].is_empty() { none() } else { list_at(lists, position).cast::<()>() };
            arena.relation(slot, index).store(state, epoch);
        }
    }

    fn note_relation(&mut self, arena: &Arena, slot: SlotPtr, index: usize) {
        let field: &RelationField = arena.relation(slot, index);
        let len = if matches!(slot.def().relationships[index].kind, RelationshipKind::Many) {
            field.many().flatten().map(List::len)
        } else {
            None
        };
        let undo = Undo::Relation { slot, index, state: Address(field.state()), len, epoch: field.epoch() };
        self.journal.push(undo);
    }
}

fn unloaded_state(slot: SlotPtr, index: usize) -> *mut () {
    RelationField::unloaded(&slot.def().relationships[index]).state()
}

#[allow(unsafe_code, reason = "one element of a slice behind a pointer")]
fn list_at(lists: std::ptr::NonNull<[List]>, index: usize) -> *mut List {
    assert!(index < lists.len());
    // SAFETY: within the slice.
    unsafe { lists.cast::<List>().add(index) }.as_ptr()
}
