//! A relationship to one row.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::def::RelationshipDef;
use super::handle::Entity;
use super::relation_field::RelationField;
use super::slot::SlotPtr;
use super::target::Target;
use crate::error::{Error, ErrorKind, Result};

/// A relationship to one row, as a field of a model: `One<User>`, or `One<Option<User>>` where there may be none.
///
/// It is read with [`get`](One::get) once it is loaded, by `.with(Post::author)` on the query or
/// `post.load(Post::author).await`; reading never touches the database. It is written with
/// `post.set(Post::author, &user)`.
#[repr(transparent)]
pub struct One<R> {
    field: RelationField,
    target: PhantomData<fn() -> R>,
}

// Without a bound on the target: what is no model is reported once, at the field.
impl<R> One<R> {
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

impl<R: Target> One<R> {
    /// The row: `&User`, or `Option<&User>` for a `One<Option<User>>`.
    ///
    /// # Errors
    /// `NotLoaded` when the relationship has not been loaded; `NotFound` when there is no row and the field is not
    /// optional.
    pub fn get(&self) -> Result<R::Ref<'_>> {
        let slot = self.slot()?;
        // The slot is of the relationship's target model, and this field keeps or lies in its arena.
        R::of_ref(slot.map(super::handle::head_of::<R::Model>))
    }

    /// The row as an entity, which can be changed.
    ///
    /// # Errors
    /// As [`get`](One::get).
    pub fn entity(&self) -> Result<R::Entity> {
        let entity = match self.slot()? {
            Some(slot) => Some(Entity::upgrade(slot)?),
            None => None,
        };
        R::of_entity(entity)
    }

    /// Whether the relationship has been loaded.
    pub fn is_loaded(&self) -> bool {
        self.field.is_loaded()
    }

    fn slot(&self) -> Result<Option<SlotPtr>> {
        self.field.one().ok_or_else(|| not_loaded(&self.field, "row"))
    }
}

/// The error of a relationship that is read before it is loaded.
#[cold]
pub(crate) fn not_loaded(field: &RelationField, what: &str) -> Error {
    use super::relation_field::Loaded;
    let message = match field.loaded() {
        Loaded::No(Some(def)) if field.is_raised() => format!(
            "the query that brought the row asked with `.with({owner}::{name}.raise())` that `{owner}::{name}` is not \
             loaded; load it with the query, or leave out `.raise()`",
            owner = def.owner,
            name = def.name,
        ),
        Loaded::No(Some(def)) => format!(
            "the relationship `{owner}::{name}` is not loaded; add `.with({owner}::{name})` to the query, or call \
             `.load({owner}::{name}).await` on the entity",
            owner = def.owner,
            name = def.name,
        ),
        _ => format!("the {what} of this relationship is not loaded: the value was never in a session"),
    };
    Error::new(ErrorKind::NotLoaded, message)
}

impl<R> Default for One<R> {
    fn default() -> Self {
        Self { field: RelationField::unknown(), target: PhantomData }
    }
}

impl<R: Target> Clone for One<R> {
    fn clone(&self) -> Self {
        let field = self.field.clone_with(|row| self.field.slot_of(row));
        Self { field, target: PhantomData }
    }
}

impl<R: Target> fmt::Debug for One<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.one() {
            None => f.write_str("<not loaded>"),
            Some(None) => f.write_str("<none>"),
            Some(Some(slot)) => slot.fmt_key(f),
        }
    }
}

impl<R: Target> PartialEq for One<R> {
    /// Two are equal that lead to the same row of the same session.
    fn eq(&self, other: &Self) -> bool {
        self.field.one() == other.field.one()
    }
}

impl<R: Target> Eq for One<R> {}

impl<R: Target> Serialize for One<R>
where
    R::Model: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.field.one() {
            Some(Some(slot)) => super::serialize::row::<R::Model, S>(slot, serializer),
            None | Some(None) => serializer.serialize_none(),
        }
    }
}

impl<'de, R> Deserialize<'de> for One<R> {
    /// Accepts a missing or null relationship and refuses anything else: links are not taken from input.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::serialize::refuse_input(deserializer).map(|()| Self::default())
    }
}
