//! To-one relationships whose foreign key is on this side.

use std::panic::Location;
use std::sync::Arc;

use super::super::Session;
use super::{ByKey, MAX_KEYS, lifted, select_where};
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::slot::{SlotPtr, State};
use crate::error::Result;
use crate::model::RelationLoad;
use crate::sql::Value;

impl Session {
    /// Loads the rows that a foreign key points at; those that the session has are not asked for again.
    pub(super) async fn load_parents(
        &self,
        arena: &Arc<Arena>,
        def: &'static ModelDef,
        slots: &[SlotPtr],
        load: &RelationLoad,
        at: &'static Location<'static>,
    ) -> Result<()> {
        let index = load.relationship;
        let target = (def.relationships[index].target)();
        let join = def.relationships[index].columns(def)?;
        let (local, remote) = (join.local[0], join.remote[0]);
        let mut by_key = ByKey::default();
        for &slot in slots {
            let key = arena.value(slot, local);
            if key.is_null() {
                arena.tracker().set_loaded_one(arena, slot, index, None);
            } else {
                by_key.entry(key).or_default().push(slot);
            }
        }
        if load.filter.is_none() && target.primary_key == [remote] {
            by_key.retain(|key, children| {
                let mut tracker = arena.tracker();
                let store = tracker.store(target);
                if !store.occupied {
                    return true;
                }
                let epoch = store.epoch;
                let key = IdentityKey::new(std::iter::once(key.as_borrowed()));
                let known = tracker.identity_map(arena, target).get(&key);
                let current = known.filter(|slot| slot.state() == State::Persistent && slot.epoch() == epoch);
                // One that it must not see is asked for: the statement says what is wrong, or finds nothing.
                let current = current.filter(|&slot| self.sees(arena, slot, load.with_deleted).unwrap_or(false));
                if let Some(parent) = current {
                    for &child in &*children {
                        tracker.set_loaded_one(arena, child, index, Some(parent));
                    }
                }
                current.is_none()
            });
        }
        let keys: Vec<Value<'_>> = by_key.keys().cloned().collect();
        for keys in keys.chunks(MAX_KEYS) {
            let select = lifted(select_where(target, remote, keys, load.filter.as_ref()), load);
            for parent in self.select_rows(arena, target, select, at).await? {
                let Some(children) = by_key.remove(&arena.value(parent, remote)) else { continue };
                let mut tracker = arena.tracker();
                for child in children {
                    tracker.set_loaded_one(arena, child, index, Some(parent));
                    if load.with_deleted {
                        tracker.found_in_part(arena, child, index);
                    }
                }
            }
        }
        let mut tracker = arena.tracker();
        for child in by_key.into_values().flatten() {
            tracker.set_loaded_one(arena, child, index, None);
            // The row may be there, and not be what the condition asks for.
            if load.filter.is_some() {
                tracker.found_in_part(arena, child, index);
            }
        }
        Ok(())
    }
}
