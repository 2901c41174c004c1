//! What `entity.set` writes: a column or a relationship.

use std::marker::PhantomData;

use crate::entity::model::Model;
use crate::entity::new::{IntoLink, LinkTarget};
use crate::entity::{Entity, Target};
use crate::sql::Value;

use super::relationship::Types;
use super::{ChildOf, Column, ColumnType, IntoValue, ToMany, ToOne};

/// What `entity.set` takes: a column or a relationship.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field of `{M}` that `set` can write",
    label = "not a column or relationship of `{M}`"
)]
pub trait Settable<M> {
    /// What is written.
    type Value;

    #[doc(hidden)]
    fn write(self, value: Self::Value) -> FieldWrite;
}

/// A column's new value, or a relationship's new row.
#[doc(hidden)]
pub enum FieldWrite {
    /// The column's position and its value.
    Column(usize, Value<'static>),
    /// The relationship's position and where it leads.
    Link(usize, LinkTarget),
    /// The relationship's position and the rows that it leads to.
    Links(usize, Vec<LinkTarget>),
}

/// The row that a relationship to `T` is set to.
pub struct Link<T> {
    target: LinkTarget,
    model: PhantomData<fn() -> T>,
}

impl<T: Model> Link<T> {
    /// A link to an entity or a new row.
    pub fn to(row: impl IntoLink<T>) -> Self {
        Self { target: row.into_link(), model: PhantomData }
    }
}

/// The rows that a collection of `T` in `M` is set to.
pub struct Links<M, T, K> {
    targets: Vec<LinkTarget>,
    types: Types<M, T, K>,
}

impl<M: Model, T: ColumnType> Settable<M> for Column<M, T> {
    type Value = T;

    fn write(self, value: T) -> FieldWrite {
        FieldWrite::Column(self.index(), value.to_value().into_owned())
    }
}

impl<M: Model, T: Model> Settable<M> for ToOne<M, T> {
    type Value = Link<T>;

    fn write(self, value: Link<T>) -> FieldWrite {
        FieldWrite::Link(self.index(), value.target)
    }
}

impl<M: Model, T: Model> Settable<M> for ToOne<M, Option<T>>
where
    Option<T>: Target,
{
    type Value = Option<Link<T>>;

    fn write(self, value: Option<Link<T>>) -> FieldWrite {
        FieldWrite::Link(self.index(), value.map_or_else(LinkTarget::none, |link| link.target))
    }
}

impl<M: Model, T: Model, K> Settable<M> for ToMany<M, T, K> {
    type Value = Links<M, T, K>;

    fn write(self, value: Links<M, T, K>) -> FieldWrite {
        FieldWrite::Links(self.index(), value.targets)
    }
}

impl<M: Model, T: Model, K, C: ChildOf<M, T, K>> IntoValue<Links<M, T, K>> for Vec<C> {
    fn into_value(self) -> Links<M, T, K> {
        Links { targets: self.into_iter().map(ChildOf::into_link).collect(), types: PhantomData }
    }
}

impl<M: Model, T: Model, K, C: ChildOf<M, T, K>, const N: usize> IntoValue<Links<M, T, K>> for [C; N] {
    fn into_value(self) -> Links<M, T, K> {
        Links { targets: self.into_iter().map(ChildOf::into_link).collect(), types: PhantomData }
    }
}

impl<T: Model> IntoValue<Link<T>> for &Entity<T> {
    fn into_value(self) -> Link<T> {
        Link::to(self)
    }
}

impl<T: Model> IntoValue<Link<T>> for Entity<T> {
    fn into_value(self) -> Link<T> {
        Link::to(self)
    }
}

impl<T: Model> IntoValue<Option<Link<T>>> for &Entity<T> {
    fn into_value(self) -> Option<Link<T>> {
        Some(Link::to(self))
    }
}

impl<T: Model> IntoValue<Option<Link<T>>> for Entity<T> {
    fn into_value(self) -> Option<Link<T>> {
        Some(Link::to(self))
    }
}

impl<T: Model> IntoValue<Option<Link<T>>> for Option<&Entity<T>> {
    fn into_value(self) -> Option<Link<T>> {
        self.map(Link::to)
    }
}
