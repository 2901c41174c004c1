//! What `select` takes.

use std::borrow::Cow;
use std::marker::PhantomData;

use smallvec::SmallVec;

use crate::entity::Entity;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::model::{Aggregate, Alias, AliasColumn, Column, ColumnType, Expr, Expression, SqlExpr};
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
    Entity { def: &'static ModelDef, optional: bool, alias: Option<Cow<'static, str>> },
}

impl Item {
    /// The name of the table that an entity's columns come from.
    pub(super) fn table<'a>(def: &'static ModelDef, alias: &'a Option<Cow<'static, str>>) -> &'a str {
        alias.as_deref().unwrap_or(def.table)
    }
}

macro_rules! expressions {
    ($($expression:ident)*) => {$(
        impl<T: ColumnType> Selection for $expression<T> {
            type Output = T;

            fn push_to(self, list: &mut SelectList) {
                list.items.push(Item::Value { node: self.into_node(), nullable: T::NULLABLE });
            }
        }
    )*};
}

expressions! { Expr Aggregate SqlExpr }

impl<M: Model, T: ColumnType> Selection for Column<M, T> {
    type Output = T;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Value { node: self.into_node(), nullable: T::NULLABLE });
    }
}

impl<M: Model, T: ColumnType> Selection for AliasColumn<M, T> {
    type Output = T;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Value { node: self.into_node(), nullable: T::NULLABLE });
    }
}

/// The rows of an alias as entities, in a `select`: `boss.entity()`.
#[derive(Clone, Debug)]
pub struct AliasEntity<M>(Alias<M>);

/// The rows of an alias as entities where there may be none: `boss.entity().optional()`.
#[derive(Clone, Debug)]
pub struct OptionalAliasEntity<M>(Alias<M>);

impl<M: Model> Alias<M> {
    /// The rows of the table under this name as entities, in a `select`.
    pub fn entity(&self) -> AliasEntity<M> {
        AliasEntity(self.clone())
    }
}

impl<M: Model> AliasEntity<M> {
    /// The entity, or `None` where an outer join found no row.
    pub fn optional(self) -> OptionalAliasEntity<M> {
        OptionalAliasEntity(self.0)
    }
}

impl<M: Model> Selection for AliasEntity<M> {
    type Output = Entity<M>;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Entity { def: M::def(), optional: false, alias: Some(self.0.shared_name()) });
    }
}

impl<M: Model> Selection for OptionalAliasEntity<M> {
    type Output = Option<Entity<M>>;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Entity { def: M::def(), optional: true, alias: Some(self.0.shared_name()) });
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
        list.items.push(Item::Entity { def: M::def(), optional: false, alias: None });
    }
}

impl<M: Model> Selection for OptionalEntity<M> {
    type Output = Option<Entity<M>>;

    fn push_to(self, list: &mut SelectList) {
        list.items.push(Item::Entity { def: M::def(), optional: true, alias: None });
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

crate::tuples::each_tuple!(tuples);
