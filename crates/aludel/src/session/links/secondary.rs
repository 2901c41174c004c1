//! Many-to-many relationships: both sides are kept in step, and the next flush writes the rows of the link model.

use std::collections::HashSet;

use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::{ModelDef, RelationshipDef};
use crate::entity::slot::{SlotPtr, State};
use crate::entity::tracker::{Link, LinkChange};
use crate::error::{Error, ErrorKind, Result};

/// Links two rows.
pub(super) fn push(arena: &ArenaRef, parent: SlotPtr, index: usize, child: SlotPtr) -> Result<()> {
    let relationship = &parent.def().relationships[index];
    let inverse = relationship.inverse.map(|inverse| inverse());
    let link = canonical(parent, index, child)?;
    refuse_gone(relationship, parent)?;
    refuse_gone(relationship, child)?;
    let mut tracker = arena.tracker();
    let linked = tracker.is_linked(arena, Link { owner: parent, relationship: index, target: child }, inverse);
    if linked != Some(true) {
        tracker.links.note(LinkChange { link, added: true, known: linked.is_some() });
    }
    tracker.link_many(arena, parent, index, child);
    if let Some(inverse) = inverse {
        tracker.link_many(arena, child, inverse, parent);
    }
    Ok(())
}

/// Parts two rows.
pub(super) fn remove(arena: &ArenaRef, parent: SlotPtr, index: usize, child: SlotPtr) -> Result<()> {
    let owner = parent.def();
    let relationship = &owner.relationships[index];
    let inverse = relationship.inverse.map(|inverse| inverse());
    let link = canonical(parent, index, child)?;
    let mut tracker = arena.tracker();
    let linked = tracker.is_linked(arena, Link { owner: parent, relationship: index, target: child }, inverse);
    if linked == Some(false) {
        return Err(super::not_a_member(owner, relationship, child.def()));
    }
    tracker.links.note(LinkChange { link, added: false, known: linked.is_some() });
    tracker.unlink_many(arena, parent, index, child);
    if let Some(inverse) = inverse {
        tracker.unlink_many(arena, child, inverse, parent);
    }
    Ok(())
}

/// A row that is to be deleted is in no loaded collection of those that its own collection holds; where that is not
/// loaded, all are looked through.
pub(super) fn leave(arena: &Arena, slot: SlotPtr, index: usize, inverse: usize) {
    let relationship = &slot.def().relationships[index];
    let Some(list) = arena.relation(slot, index).many() else {
        return leave_holders(arena, (relationship.target)(), inverse, &HashSet::from([slot]));
    };
    let members: Vec<SlotPtr> = list.into_iter().flat_map(|list| list.iter()).collect();
    let mut tracker = arena.tracker();
    for member in members {
        tracker.unlink_many(arena, member, inverse, slot);
    }
}

/// Rows that are deleted are in no loaded collection any more, whatever their own collections hold.
pub(in crate::session) fn leave_all(arena: &Arena, def: &'static ModelDef, gone: &[SlotPtr]) {
    for relationship in def.relationships.iter().filter(|relationship| relationship.secondary.is_some()) {
        if let Some(inverse) = relationship.inverse {
            leave_holders(arena, (relationship.target)(), inverse(), &gone.iter().copied().collect());
        }
    }
}

/// Takes rows out of all loaded collections of a relationship.
fn leave_holders(arena: &Arena, def: &'static ModelDef, index: usize, gone: &HashSet<SlotPtr>) {
    for holder in arena.slots(def, None) {
        let list = arena.relation(holder, index).many().flatten();
        let left: Vec<SlotPtr> =
            list.into_iter().flat_map(|list| list.iter()).filter(|row| gone.contains(row)).collect();
        left.iter().for_each(|&row| arena.tracker().unlink_many(arena, holder, index, row));
    }
}

/// The link of two rows, of its two sides always seen from the same.
fn canonical(parent: SlotPtr, index: usize, child: SlotPtr) -> Result<Link> {
    let owner = parent.def();
    let relationship = &owner.relationships[index];
    let link = Link { owner: parent, relationship: index, target: child };
    let Some(join) = relationship.secondary_join(owner)? else { return Ok(link) };
    match relationship.inverse {
        Some(inverse) if join.near.remote > join.far.local => {
            Ok(Link { owner: child, relationship: inverse(), target: parent })
        }
        _ => Ok(link),
    }
}

fn refuse_gone(relationship: &RelationshipDef, slot: SlotPtr) -> Result<()> {
    if !matches!(slot.state(), State::Deleted | State::Detached) {
        return Ok(());
    }
    let message = format!(
        "a row of `{}` that is deleted or was rolled back cannot be linked by `{}::{}`; add it again",
        slot.def().name,
        relationship.owner,
        relationship.name
    );
    Err(Error::new(ErrorKind::InvalidStatement, message).with_table(slot.def().table))
}
