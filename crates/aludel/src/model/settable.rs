//! What `entity.set` writes: a column or a to-one relationship.

use std::marker::PhantomData;

use crate::entity::model::Model;
use crate::entity::new::{IntoLink, LinkTarget};
use crate::entity::{Entity, Target};
use crate::sql::Value;

use super::{Column, ColumnType, IntoValue, ToOne};

/// What `entity.set` takes: a column, or a relationship to one row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a field of `{M}` that `set` can write",
    label = "not a column or to-one relationship of `{M}`",
    note = "collections are written with `push` and `remove`"
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
