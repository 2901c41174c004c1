//! A row that is not in the session yet.
#![allow(unsafe_code, reason = "moves a row's value into its slot")]

use std::fmt;

use super::arena::Draft;
use super::arena_ref::ArenaRef;
use super::def::RelationshipKind;
use super::handle::Entity;
use super::model::Model;
use super::slot::{SlotPtr, State};
use super::tracker::Tracker;
use crate::sql::Value;

/// A set of a model's columns, by position.
#[derive(Clone, Debug, Default, Eq)]
pub struct ColumnSet {
    low: u64,
    /// Columns from the 64th on, which few tables have.
    high: Vec<u64>,
}

impl ColumnSet {
    /// No column.
    pub const EMPTY: Self = Self { low: 0, high: Vec::new() };

    /// The first so many columns.
    pub fn first(columns: usize) -> Self {
        let mut set = Self::EMPTY;
        (0..columns).for_each(|column| set.insert(column));
        set
    }

    /// Adds a column.
    pub fn insert(&mut self, column: usize) {
        if column < 64 {
            self.low |= 1 << column;
        } else {
            let word = column / 64 - 1;
            if self.high.len() <= word {
                self.high.resize(word + 1, 0);
            }
            self.high[word] |= 1 << (column % 64);
        }
    }

    /// Takes a column out.
    pub fn remove(&mut self, column: usize) {
        if column < 64 {
            self.low &= !(1 << column);
        } else if let Some(word) = self.high.get_mut(column / 64 - 1) {
            *word &= !(1 << (column % 64));
        }
    }

    /// The set as numbers: equal sets have equal ones.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::once(self.low).chain(self.high.iter().copied())
    }

    /// Whether a column is in the set.
    pub fn contains(&self, column: usize) -> bool {
        if column < 64 {
            self.low & 1 << column != 0
        } else {
            self.high.get(column / 64 - 1).is_some_and(|word| word & 1 << (column % 64) != 0)
        }
    }
}

impl PartialEq for ColumnSet {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // The second question first: to compare two empty slices with `memcmp` can cost more than all else here, because
        // its masked loads from an empty vector's address, which is in no page, are very slow on some processors.
        self.low == other.low && (self.high.is_empty() && other.high.is_empty() || self.high == other.high)
    }
}

/// A row on its way into the session: its value, which of its columns were given, and what it is linked to.
pub struct NewRow<M: Model> {
    /// The value; columns that were not given hold their type's default.
    pub value: M,
    /// The columns that were given.
    pub given: ColumnSet,
    /// Those of them that nobody gave, and that have their default.
    pub defaulted: ColumnSet,
    /// The rows that it was built with.
    pub links: Vec<NewLink>,
}

/// What `session.add` takes: a model's complete builder, or the struct itself. Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a new row",
    label = "not a complete builder or a model",
    note = "give the struct, or its builder with all required fields set: `User::build().username(..)`"
)]
pub trait New: Sized {
    /// The row's model.
    type Model: Model;

    /// The row, with what was given.
    fn into_row(self) -> NewRow<Self::Model>;
}

impl<M: Model> New for NewRow<M> {
    type Model = M;

    fn into_row(self) -> Self {
        self
    }
}

/// A relationship given to a builder.
pub struct NewLink {
    pub(crate) relationship: usize,
    pub(crate) target: LinkTarget,
    /// Columns of the relationship's foreign key that were given too, after the row.
    pub(crate) given: ColumnSet,
}

impl NewLink {
    /// A link along the relationship at a position of the model's relationships.
    pub fn new<T: Model>(relationship: usize, target: impl IntoLink<T>) -> Self {
        Self::to(relationship, target.into_link())
    }

    pub(crate) fn to(relationship: usize, target: LinkTarget) -> Self {
        Self { relationship, target, given: ColumnSet::EMPTY }
    }
}

/// The row at the other end of a link.
pub struct LinkTarget(pub(crate) Target);

impl LinkTarget {
    /// No row.
    pub(crate) fn none() -> Self {
        Self(Target::None)
    }
}

pub(crate) enum Target {
    Entity(AnyEntity),
    New(Box<dyn AnyNew>),
    None,
}

/// What can stand at the other end of a relationship to `T`: an entity, or a new row of `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of `{T}`",
    label = "expected an `Entity<{T}>` or a complete builder of `{T}`"
)]
pub trait IntoLink<T: Model> {
    /// The link's other end.
    fn into_link(self) -> LinkTarget;
}

impl<T: Model> IntoLink<T> for &Entity<T> {
    fn into_link(self) -> LinkTarget {
        LinkTarget(Target::Entity(self.erase()))
    }
}

impl<T: Model> IntoLink<T> for Entity<T> {
    fn into_link(self) -> LinkTarget {
        LinkTarget(Target::Entity(self.erase()))
    }
}

impl<N: New> IntoLink<N::Model> for N {
    fn into_link(self) -> LinkTarget {
        LinkTarget(Target::New(Box::new(self.into_row())))
    }
}

/// A row of a session, of whatever model: an [`Entity`] without its type.
#[derive(Clone)]
pub struct AnyEntity {
    pub(crate) arena: ArenaRef,
    pub(crate) slot: SlotPtr,
}

impl AnyEntity {
    /// The name of the row's model.
    pub fn model_name(&self) -> &'static str {
        self.slot.def().name
    }

    /// The name of the row's table.
    pub fn table(&self) -> &'static str {
        self.slot.def().table
    }

    /// The entity, if it is one of `M`.
    pub fn downcast<M: Model>(&self) -> Option<Entity<M>> {
        self.slot.def().is(M::def()).then(|| Entity::new(self.arena.clone(), self.slot))
    }
}

impl<M: Model> From<Entity<M>> for AnyEntity {
    fn from(entity: Entity<M>) -> Self {
        entity.erase()
    }
}

impl fmt::Debug for AnyEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.slot.fmt_key(f)
    }
}

impl PartialEq for AnyEntity {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot
    }
}

impl Eq for AnyEntity {}

/// A new row of whatever model.
pub(crate) trait AnyNew: Send + Sync {
    fn def(&self) -> &'static super::def::ModelDef;
    fn given(&mut self) -> &mut ColumnSet;
    /// The columns that the program gave, without defaults.
    fn given_columns(&self) -> ColumnSet;
    fn value(&self, column: usize) -> Value<'_>;
    /// What a relationship of the value has loaded, elsewhere.
    fn loaded(&self, index: usize) -> Option<Vec<AnyEntity>>;
    fn take_links(&mut self) -> Vec<NewLink>;
    fn put(&mut self, column: usize, value: Value<'_>) -> crate::Result<()>;
    /// Lets go of what its relationship fields lead to elsewhere, before it is placed: that may run the program's own code.
    fn let_go(&mut self);
    /// Moves the value into a slot of the arena.
    fn place(self: Box<Self>, arena: &ArenaRef, tracker: &mut Tracker) -> (SlotPtr, Vec<NewLink>);
}

impl<M: Model> AnyNew for NewRow<M> {
    fn def(&self) -> &'static super::def::ModelDef {
        M::def()
    }

    fn given(&mut self) -> &mut ColumnSet {
        &mut self.given
    }

    fn given_columns(&self) -> ColumnSet {
        let mut given = self.given.clone();
        (0..M::def().columns.len())
            .filter(|&column| self.defaulted.contains(column))
            .for_each(|column| given.remove(column));
        given
    }

    fn value(&self, column: usize) -> Value<'_> {
        self.value.value(column)
    }

    fn loaded(&self, index: usize) -> Option<Vec<AnyEntity>> {
        let field = self.value.relation(index);
        let slots: Vec<SlotPtr> = if M::def().relationships[index].kind == RelationshipKind::Many {
            field.many()?.into_iter().flat_map(|list| list.iter()).collect()
        } else {
            field.one()?.into_iter().collect()
        };
        slots.into_iter().map(|slot| Some(AnyEntity { arena: slot.arena()?, slot })).collect()
    }

    fn take_links(&mut self) -> Vec<NewLink> {
        std::mem::take(&mut self.links)
    }

    fn put(&mut self, column: usize, value: Value<'_>) -> crate::Result<()> {
        self.value.put(column, value)
    }

    fn let_go(&mut self) {
        for index in 0..M::def().relationships.len() {
            self.value.relation_mut(index).clear();
        }
    }

    fn place(self: Box<Self>, arena: &ArenaRef, tracker: &mut Tracker) -> (SlotPtr, Vec<NewLink>) {
        let def = M::def();
        let Self { value, given, links, .. } = *self;
        let epoch = tracker.store(def).epoch;
        let chunk = tracker.open_chunk(arena, def);
        // SAFETY: the value is written whole, the chunk is the open one of this store and used under the lock only.
        let slot = unsafe {
            chunk.push(State::Pending, epoch, |to| {
                to.cast::<M>().write(value);
                Ok::<(), std::convert::Infallible>(())
            })
        }
        .unwrap_or_else(|never| match never {});
        tracker.add(slot, given);
        (slot, links)
    }
}

/// A copy of a row of another session, on its way into this one.
pub(crate) struct DraftRow {
    draft: Draft,
    given: ColumnSet,
}

impl DraftRow {
    pub(crate) fn new(draft: Draft, given: ColumnSet) -> Self {
        Self { draft, given }
    }
}

impl AnyNew for DraftRow {
    fn def(&self) -> &'static super::def::ModelDef {
        self.draft.def()
    }

    fn given(&mut self) -> &mut ColumnSet {
        &mut self.given
    }

    fn given_columns(&self) -> ColumnSet {
        self.given.clone()
    }

    fn value(&self, column: usize) -> Value<'_> {
        self.draft.value(column)
    }

    fn loaded(&self, _index: usize) -> Option<Vec<AnyEntity>> {
        None
    }

    fn take_links(&mut self) -> Vec<NewLink> {
        Vec::new()
    }

    fn put(&mut self, column: usize, value: Value<'_>) -> crate::Result<()> {
        self.draft.put(column, value)
    }

    fn let_go(&mut self) {
        self.draft.clear_relations();
    }

    fn place(self: Box<Self>, arena: &ArenaRef, tracker: &mut Tracker) -> (SlotPtr, Vec<NewLink>) {
        let Self { draft, given } = *self;
        let def = draft.def();
        let epoch = tracker.store(def).epoch;
        let chunk = tracker.open_chunk(arena, def);
        // SAFETY: the value is written whole, the chunk is the open one of this store and used under the lock only.
        let slot = unsafe {
            chunk.push(State::Pending, epoch, |to| {
                draft.move_to(to);
                Ok::<(), std::convert::Infallible>(())
            })
        }
        .unwrap_or_else(|never| match never {});
        tracker.add(slot, given);
        (slot, Vec::new())
    }
}
