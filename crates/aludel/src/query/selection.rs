//! What `select` takes.

use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::entity::Entity;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::model::{Column, ColumnType, Expr, Expression};
use crate::sql::Node;

use super::fetch::Fetch;

/// What `select` takes: a column or expression, `User::entity`, `Post::entity.optional()`, the columns struct of a
/// projection, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be selected",
    label = "neither a column, an expression, an entity nor a tuple of them",
    note = "an entity is selected as `User::entity`, a struct by its columns: `PerAuthorColumns {{ .. }}`"
)]
pub trait Selection {
    /// What each row is read into.
    type Output: Fetch;

    /// Appends what is selected.
    fn push_to(self, list: &mut SelectList);
}

/// What a query selects, in order.
#[derive(Default)]
pub struct SelectList {
    pub(super) items: SmallVec<[Item; 3]>,
}

/// One thing that a query selects.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// An expression, and whether its type has a place for NULL.
    Value { node: Node, nullable: bool },
    /// All columns of a model, and whether the whole row may be missing.
    Entity { def: &'static ModelDef, optional: bool },
}

impl<T: ColumnType> Selection for Expr<T> {
    type Output = T;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Value { node: self.into_node(), nullable: T::NULLABLE });
    }
}

impl<M: Model, T: ColumnType> Selection for Column<M, T> {
    type Output = T;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Value { node: self.into_node(), nullable: T::NULLABLE });
    }
}

/// A model's rows as entities, in a `select`: `User::entity`.
pub struct EntityOf<M>(PhantomData<fn() -> M>);

/// A model's rows as entities where there may be none: `Post::entity.optional()`, of a table that is outer-joined.
pub struct OptionalEntity<M>(PhantomData<fn() -> M>);

impl<M> Clone for EntityOf<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for EntityOf<M> {}

impl<M: Model> EntityOf<M> {
    pub(super) const NEW: Self = Self(PhantomData);

    /// The entity, or `None` where an outer join found no row.
    pub fn optional(self) -> OptionalEntity<M> {
        OptionalEntity(PhantomData)
    }
}

impl<M: Model> Selection for EntityOf<M> {
    type Output = Entity<M>;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Entity { def: M::def(), optional: false });
    }
}

impl<M: Model> Selection for OptionalEntity<M> {
    type Output = Option<Entity<M>>;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Entity { def: M::def(), optional: true });
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Selection),+> Selection for ($($name,)+) {
            type Output = ($($name::Output,)+);

            fn push_to(self, list: &mut SelectList) {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                $($name.push_to(list);)+
            }
        }
    };
}

tuples! { A }
tuples! { A B }
tuples! { A B C }
tuples! { A B C D }
tuples! { A B C D E }
tuples! { A B C D E F }
tuples! { A B C D E F G }
tuples! { A B C D E F G H }
