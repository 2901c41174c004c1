//! How to go back: the journal of a transaction and its savepoints.

use hashbrown::hash_map::Entry;

use super::{Change, Tracker};
use crate::entity::arena::Arena;
use crate::entity::slot::{DIRTY, DOOMED, SlotPtr, State};

/// A version's or state's address, which only the arena looks behind.
#[derive(Clone, Copy)]
pub(super) struct Address(pub(super) *mut ());

/// One step back.
pub(super) enum Undo {
    /// The row had this version, and the database this one.
    Version { slot: SlotPtr, head: Address, flushed: Address, scope: Option<u32> },
    /// The row was not to be deleted.
    Doomed { slot: SlotPtr },
    /// The row was in this state.
    State { slot: SlotPtr, state: State },
    /// The relationship led there; a list had this length.
    Relation { slot: SlotPtr, index: usize, state: Address, len: Option<usize>, epoch: u32 },
}

impl Tracker {
    pub(super) fn note_version(&mut self, slot: SlotPtr) -> &mut Change {
        let head = slot.head();
        let scope = self.scope;
        match self.changes.entry(slot) {
            Entry::Vacant(entry) => {
                self.journal.push(Undo::Version { slot, head: Address(head), flushed: Address(head), scope: None });
                entry.insert(Change { flushed: head, scope })
            }
            Entry::Occupied(entry) => {
                let change = entry.into_mut();
                if change.scope != scope {
                    self.journal.push(Undo::Version {
                        slot,
                        head: Address(head),
                        flushed: Address(change.flushed),
                        scope: Some(change.scope),
                    });
                    change.scope = scope;
                }
                change
            }
        }
    }

    /// Begins a savepoint; everything is flushed. Returns where the journal stands, and the number to come back to.
    pub(crate) fn begin_scope(&mut self) -> (usize, u32) {
        let outer = self.scope;
        self.scopes += 1;
        self.scope = self.scopes;
        (self.journal.len(), outer)
    }

    /// Ends a savepoint that is kept: its steps back are now its surroundings'.
    pub(crate) fn end_scope(&mut self, outer: u32) {
        self.scope = outer;
    }

    /// Goes back to where a savepoint began.
    pub(crate) fn undo_scope(&mut self, arena: &Arena, mark: usize, outer: u32) {
        self.undo(arena, mark);
        self.scope = outer;
        // What was read since then may be what was undone.
        self.raise_epochs();
    }

    /// Everything is committed.
    pub(crate) fn commit(&mut self) {
        self.made_keys.clear();
        for undo in self.journal.drain(..) {
            if let Undo::State { slot, .. } = undo
                && slot.state() == State::Deleted
            {
                slot.set_state(State::Detached);
            }
        }
        let mut changes = std::mem::take(&mut self.changes);
        self.scope = 0;
        self.raise_epochs();
        for &slot in &self.dirty {
            // Changed while the commit was under way: the change belongs to the next transaction.
            let flushed = changes.remove(&slot).map_or_else(|| slot.head(), |change| change.flushed);
            self.changes.insert(slot, Change { flushed, scope: 0 });
            let (head, flushed) = (Address(flushed), Address(flushed));
            self.journal.push(Undo::Version { slot, head, flushed, scope: None });
        }
    }

    /// Goes back to the last commit.
    pub(crate) fn rollback(&mut self, arena: &Arena) {
        self.made_keys.clear();
        self.undo(arena, 0);
        self.changes.clear();
        self.scope = 0;
        self.raise_epochs();
    }

    fn undo(&mut self, arena: &Arena, mark: usize) {
        for slot in self.doomed.drain(..) {
            slot.set_flag(DOOMED, false);
        }
        for slot in self.dirty.drain(..) {
            slot.set_flag(DIRTY, false);
        }
        for slot in self.new.drain(..) {
            slot.set_state(State::Detached);
        }
        self.given.clear();
        self.orphans.clear();
        self.retired.clear();
        self.links.clear();
        self.errors.clear();
        let steps: Vec<Undo> = self.journal.drain(mark..).rev().collect();
        if !steps.is_empty() {
            // Keys and states go back too: the identity maps are built again from the rows when they are needed.
            self.stores.iter_mut().for_each(|store| store.keys = None);
        }
        let mut unmade: Vec<SlotPtr> = Vec::new();
        for undo in steps {
            match undo {
                Undo::Version { slot, head, flushed, scope } => {
                    slot.set_head(head.0);
                    slot.set_flag(DIRTY, false);
                    match scope {
                        Some(scope) => {
                            self.changes.insert(slot, Change { flushed: flushed.0, scope });
                        }
                        None => {
                            self.changes.remove(&slot);
                        }
                    }
                }
                Undo::Doomed { slot } => slot.set_flag(DOOMED, false),
                Undo::State { slot, state } => {
                    slot.set_state(state);
                    if state == State::Pending {
                        unmade.push(slot);
                    }
                }
                Undo::Relation { slot, index, state, len, epoch } => {
                    let field = arena.relation(slot, index);
                    field.store(state.0, epoch);
                    if let (Some(len), Some(Some(list))) = (len, field.many()) {
                        list.truncate(len);
                    }
                }
            }
        }
        // The database may give their keys to other rows.
        for slot in unmade {
            if let [column] = slot.def().primary_key {
                let placeholder = arena.value(slot, *column).into_owned();
                self.made_keys.remove(&(slot.def().key_space(), placeholder));
            }
        }
    }
}
