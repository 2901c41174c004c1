//! A model's hooks as plain functions, for code that does not know the model.
#![allow(unsafe_code, reason = "reads versions of rows that the arena keeps")]

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::model::Model;
use super::new::AnyEntity;
use super::slot::SlotPtr;
use crate::error::Result;

/// What is done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Insert,
    Update,
    Delete,
}

/// A hook's work, in a box.
pub(crate) type HookFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// The hooks that a model has declared. Made by the derive.
pub struct HookTable {
    pub(crate) sync: Option<SyncHooks>,
    pub(crate) asynchronous: Option<AsyncHooks>,
}

/// Those of `Hooks`.
#[derive(Clone, Copy)]
pub(crate) struct SyncHooks {
    pub(crate) validate: fn(&HookRow) -> Result<()>,
    pub(crate) before: fn(Change, &HookRow) -> Result<()>,
    pub(crate) after: fn(Change, &HookRow) -> Result<()>,
}

/// Those of `AsyncHooks`.
#[derive(Clone, Copy)]
pub(crate) struct AsyncHooks {
    pub(crate) before: fn(Change, HookRow) -> HookFuture,
    pub(crate) after: fn(Change, HookRow) -> HookFuture,
}

impl fmt::Debug for HookTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookTable")
            .field("sync", &self.sync.is_some())
            .field("asynchronous", &self.asynchronous.is_some())
            .finish()
    }
}

/// A row that hooks are called for, with the version that the database had before the flush.
#[derive(Clone)]
pub(crate) struct HookRow {
    pub(crate) entity: AnyEntity,
    stored: *const (),
}

// SAFETY: the version is an immutable value of a model, which is Send and Sync, in an arena that the entity keeps.
unsafe impl Send for HookRow {}
// SAFETY: as above.
unsafe impl Sync for HookRow {}

impl HookRow {
    pub(crate) fn new(arena: &super::arena_ref::ArenaRef, slot: SlotPtr) -> Self {
        let stored: *const () = arena.tracker().flushed(slot);
        Self { entity: AnyEntity { arena: arena.clone(), slot }, stored }
    }

    /// The row as the database had it.
    pub(crate) fn stored<M: Model>(&self) -> &M {
        assert!(self.entity.slot.def().is(M::def()), "a row of the model");
        // SAFETY: a version of a row of this model, which stays until the arena goes, and the entity keeps that.
        unsafe { &*self.stored.cast::<M>() }
    }

    /// Whether the row differs from what the database had.
    pub(crate) fn is_changed(&self) -> bool {
        let AnyEntity { arena, slot } = &self.entity;
        (0..slot.def().columns.len())
            .any(|column| arena.value_in(*slot, self.stored, column) != arena.value(*slot, column))
    }
}

/// What the relationship fields of a private copy hold, to see whether one was assigned.
pub(crate) fn relation_states<M: Model>(copy: &M) -> Vec<usize> {
    (0..M::def().relationships.len()).map(|index| copy.relation(index).state().addr()).collect()
}
