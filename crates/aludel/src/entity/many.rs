//! A relationship to many rows.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::def::RelationshipDef;
use super::handle::Entity;
use super::list::List;
use super::model::Model;
use super::one::not_loaded;
use super::relation_field::RelationField;
use super::slot::SlotPtr;
use crate::error::Result;

/// A relationship to many rows, as a field of a model: `Many<Post>`.
///
/// It is read with [`get`](Many::get) once it is loaded, by `.with(User::posts)` on the query or
/// `user.load(User::posts).await`; reading never touches the database. It is written with
/// `user.push(User::posts, ..)` and `user.remove(User::posts, &post)`.
#[repr(transparent)]
pub struct Many<T> {
    field: RelationField,
    target: PhantomData<fn() -> T>,
}

// Without a bound on the target: what is no model is reported once, at the field.
impl<T> Many<T> {
    #[doc(hidden)]
    pub const fn unloaded(def: &'static RelationshipDef) -> Self {
        Self { field: RelationField::unloaded(def), target: PhantomData }
    }

    #[doc(hidden)]
    pub fn field(&self) -> &RelationField {
        &self.field
    }

    #[doc(hidden)]
    pub fn field_mut(&mut self) -> &mut RelationField {
        &mut self.field
    }
}

impl<T: Model> Many<T> {
    /// The rows, as they are now: a later `push` does not lengthen what was returned.
    ///
    /// # Errors
    /// `NotLoaded` when the relationship has not been loaded.
    pub fn get(&self) -> Result<Members<'_, T>> {
        match self.field.many() {
            Some(list) => Ok(Members { list, len: list.map_or(0, List::len), target: PhantomData }),
            None => Err(not_loaded(&self.field, "collection")),
        }
    }

    /// The rows as entities, which can be changed.
    ///
    /// # Errors
    /// As [`get`](Many::get).
    pub fn entities(&self) -> Result<Vec<Entity<T>>> {
        self.get()?.slots().map(Entity::upgrade).collect()
    }

    /// Whether the relationship has been loaded.
    pub fn is_loaded(&self) -> bool {
        self.field.is_loaded()
    }
}

/// The rows of a loaded collection.
pub struct Members<'a, T> {
    list: Option<&'a List>,
    len: usize,
    target: PhantomData<fn() -> T>,
}

impl<T> Clone for Members<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Members<'_, T> {}

impl<T> fmt::Debug for Members<'_, T> {
    /// How many there are: rows that lead to each other would never end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Members({})", self.len)
    }
}

impl<'a, T: Model> Members<'a, T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a T> + use<'a, T> {
        // Slots of the collection's model, in an arena that the borrowed field keeps or lies in.
        self.slots().map(super::handle::head_of::<T>)
    }

    /// The row at a position, if there is one.
    pub fn get(&self, index: usize) -> Option<&'a T> {
        self.iter().nth(index)
    }

    pub(super) fn slots(&self) -> impl ExactSizeIterator<Item = SlotPtr> + use<'a, T> {
        let list = self.list;
        (0..self.len).map(move |index| match list {
            Some(list) => list.at(index),
            None => unreachable!("a collection without a list has no rows"),
        })
    }
}

impl<T: Model> Index<usize> for Members<'_, T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        match self.get(index) {
            Some(row) => row,
            None => panic!("position {index} of a collection of {}", self.len),
        }
    }
}

impl<'a, T: Model> IntoIterator for Members<'a, T> {
    type Item = &'a T;
    type IntoIter = Box<dyn ExactSizeIterator<Item = &'a T> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self { field: RelationField::unknown(), target: PhantomData }
    }
}

impl<T: Model> Clone for Many<T> {
    fn clone(&self) -> Self {
        let field = self.field.clone_with(|list| self.field.first_of(list));
        Self { field, target: PhantomData }
    }
}

impl<T: Model> fmt::Debug for Many<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.many() {
            None => f.write_str("<not loaded>"),
            Some(list) => write!(f, "<{} loaded>", list.map_or(0, List::len)),
        }
    }
}

impl<T: Model> PartialEq for Many<T> {
    /// Two are equal that lead to the same rows of the same session, in the same order.
    fn eq(&self, other: &Self) -> bool {
        match (self.field.many(), other.field.many()) {
            (None, None) => true,
            (Some(a), Some(b)) => a.into_iter().flat_map(List::iter).eq(b.into_iter().flat_map(List::iter)),
            _ => false,
        }
    }
}

impl<T: Model> Eq for Many<T> {}

impl<T: Model + Serialize> Serialize for Many<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.get() {
            Ok(members) => super::serialize::rows::<T, S>(members.slots(), serializer),
            Err(_) => serializer.serialize_none(),
        }
    }
}

impl<'de, T> Deserialize<'de> for Many<T> {
    /// Accepts a missing or null relationship and refuses anything else: links are not taken from input.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::serialize::refuse_input(deserializer).map(|()| Self::default())
    }
}
