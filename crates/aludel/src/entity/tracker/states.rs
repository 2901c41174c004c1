//! Rows that the session is to forget, or to read anew.

use super::{Tracker, Undo};
use crate::entity::arena::Arena;
use crate::entity::slot::{DIRTY, DOOMED, SlotPtr, State};

impl Tracker {
    /// The rows of the database with unsent changes, in the order of their first change.
    pub(crate) fn dirty_rows(&self) -> Vec<SlotPtr> {
        let changed = |slot: &SlotPtr| slot.state() == State::Persistent && slot.has(DIRTY) && !slot.has(DOOMED);
        self.dirty.iter().copied().filter(changed).collect()
    }

    /// Gives up a row's unsent changes and what its relationships lead to; whoever asks for it next reads it anew.
    pub(crate) fn expire(&mut self, arena: &Arena, slot: SlotPtr) {
        let flushed = self.flushed(slot);
        self.publish_flushed(slot, flushed, flushed);
        for index in 0..slot.def().relationships.len() {
            self.unload(arena, slot, index);
        }
        slot.set_epoch(self.store(slot.def()).epoch.wrapping_sub(1));
    }

    /// Takes a row out of the session for good: no rollback brings it back.
    pub(crate) fn expunge(&mut self, arena: &Arena, slot: SlotPtr) {
        if slot.state() == State::Detached {
            return;
        }
        if slot.state() == State::Persistent {
            let key = self.committed_key(arena, slot);
            self.key_removed(slot.def(), key);
        }
        for rows in [&mut self.new, &mut self.dirty, &mut self.doomed, &mut self.retired] {
            rows.retain(|&row| row != slot);
        }
        self.orphans.retain(|&(row, _)| row != slot);
        self.given.remove(&slot);
        slot.set_flag(DIRTY, false);
        slot.set_flag(DOOMED, false);
        slot.set_state(State::Detached);
        // The steps stay where they are, for savepoints are positions among them.
        for undo in &mut self.journal {
            if let Undo::State { slot: other, state } = undo
                && *other == slot
            {
                *state = State::Detached;
            }
        }
    }
}
