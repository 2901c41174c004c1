//! To-one relationships whose foreign key is on this side.

use super::super::Session;
use super::join_key::JoinKey;
use super::relations::{Loading, Planned};
use super::{ByKey, MAX_KEYS, lifted, select_where};
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::foreign_key::KeyValues;
use crate::entity::slot::{SlotPtr, State};
use crate::error::Result;
use crate::model::RelationLoad;
use crate::sql::{Select, Value};

/// The rows that a foreign key points at, on their way.
struct Parents<'a, K> {
    arena: &'a ArenaRef,
    load: &'a RelationLoad,
    /// The columns that the key leads to.
    remote: Vec<usize>,
    /// The rows whose parent is asked for, by its key.
    children: ByKey<K>,
}

/// Loads the rows that a foreign key points at; those that the session has are not asked for again.
pub(super) fn plan<'a>(
    session: &Session,
    arena: &'a ArenaRef,
    def: &'static ModelDef,
    slots: &[SlotPtr],
    load: &'a RelationLoad,
) -> Result<Planned<'a>> {
    let relationship = &def.relationships[load.relationship];
    let target = (relationship.target)();
    let join = relationship.columns(def)?;
    Ok(match join.local[..] {
        [_] => plan_by::<Value<'a>>(session, arena, target, slots, load, &join.local, join.remote),
        _ => plan_by::<KeyValues<'a>>(session, arena, target, slots, load, &join.local, join.remote),
    })
}

fn plan_by<'a, K: JoinKey<'a> + 'a>(
    session: &Session,
    arena: &'a ArenaRef,
    target: &'static ModelDef,
    slots: &[SlotPtr],
    load: &'a RelationLoad,
    local: &[usize],
    remote: Vec<usize>,
) -> Planned<'a> {
    let mut children: ByKey<K> = ByKey::default();
    for &slot in slots {
        match K::of(arena, slot, local) {
            None => arena.tracker().set_loaded_one(arena, slot, load.relationship, None),
            Some(key) => children.entry(key).or_default().push(slot),
        }
    }
    let mut parents = Parents { arena, load, remote, children };
    parents.leave_out_known(session, target);
    let selects = parents.selects(target);
    Planned { target, selects, unique: true, loading: Box::new(parents) }
}

impl<'a, K: JoinKey<'a>> Parents<'a, K> {
    /// Parents that the session has, as they are.
    fn leave_out_known(&mut self, session: &Session, target: &'static ModelDef) {
        let Self { arena, load, remote, children } = self;
        let told = target.primary_key.iter().all(|column| remote.contains(column));
        if load.filter.is_some() || !told || !arena.tracker().store(target).occupied {
            return;
        }
        children.retain(|key, children| {
            let mut tracker = arena.tracker();
            let epoch = tracker.store(target).epoch;
            let known = key.primary_key(target, remote).and_then(|key| tracker.identity_map(arena, target).get(&key));
            let current = known.filter(|slot| slot.state() == State::Persistent && slot.epoch() == epoch);
            let current = current.filter(|&slot| {
                // What the key has beside the primary key has to be the row's too.
                remote.len() == target.primary_key.len() || K::of(arena, slot, remote).as_ref() == Some(key)
            });
            // One that it must not see is asked for: the statement says what is wrong, or finds nothing.
            let current = current.filter(|&slot| session.sees(arena, slot, load.with_deleted).unwrap_or(false));
            if let Some(parent) = current {
                for &child in &*children {
                    tracker.set_loaded_one(arena, child, load.relationship, Some(parent));
                }
            }
            current.is_none()
        });
    }

    fn selects(&self, target: &'static ModelDef) -> Vec<Select> {
        let keys: Vec<K> = self.children.keys().cloned().collect();
        let select = |keys: &[K]| {
            let keys = K::condition(target, &self.remote, keys);
            lifted(select_where(target, keys, self.load.filter.as_ref()), self.load)
        };
        keys.chunks(MAX_KEYS / self.remote.len()).map(select).collect()
    }
}

impl<'a, K: JoinKey<'a>> Loading for Parents<'a, K> {
    fn finish(self: Box<Self>, rows: Vec<SlotPtr>) -> Result<()> {
        let Self { arena, load, remote, mut children } = *self;
        for parent in rows {
            let Some(children) = K::of(arena, parent, &remote).and_then(|key| children.remove(&key)) else { continue };
            let mut tracker = arena.tracker();
            for child in children {
                tracker.set_loaded_one(arena, child, load.relationship, Some(parent));
                if load.with_deleted {
                    tracker.found_in_part(arena, child, load.relationship);
                }
            }
        }
        let mut tracker = arena.tracker();
        for child in children.into_values().flatten() {
            tracker.set_loaded_one(arena, child, load.relationship, None);
            // The row may be there, and not be what the condition asks for.
            if load.filter.is_some() {
                tracker.found_in_part(arena, child, load.relationship);
            }
        }
        Ok(())
    }
}
