//! What a `One` leads to: exactly one row, or at most one.

use super::def::RelationshipKind;
use super::handle::Entity;
use super::model::Model;
use crate::error::{Error, ErrorKind, Result};

/// What a `One<R>` leads to: `One<User>` to exactly one row, `One<Option<User>>` to one or none.
#[diagnostic::on_unimplemented(
    message = "`One<{Self}>` leads to no model",
    note = "write `One<User>` or, for a relationship that may be empty, `One<Option<User>>`"
)]
pub trait Target: 'static {
    /// The model at the other end.
    type Model: Model;
    /// What `get` gives: `&User` or `Option<&User>`.
    type Ref<'a>;
    /// What `entity` gives: `Entity<User>` or `Option<Entity<User>>`.
    type Entity;
    /// Whether there may be no row.
    const KIND: RelationshipKind;

    #[doc(hidden)]
    fn of_ref(found: Option<&Self::Model>) -> Result<Self::Ref<'_>>;
    #[doc(hidden)]
    fn of_entity(found: Option<Entity<Self::Model>>) -> Result<Self::Entity>;
}

impl<M: Model> Target for M {
    type Model = M;
    type Ref<'a> = &'a M;
    type Entity = Entity<M>;
    const KIND: RelationshipKind = RelationshipKind::One;

    fn of_ref(found: Option<&M>) -> Result<&M> {
        found.ok_or_else(no_row::<M>)
    }

    fn of_entity(found: Option<Entity<M>>) -> Result<Entity<M>> {
        found.ok_or_else(no_row::<M>)
    }
}

impl<M: Model> Target for Option<M> {
    type Model = M;
    type Ref<'a> = Option<&'a M>;
    type Entity = Option<Entity<M>>;
    const KIND: RelationshipKind = RelationshipKind::OptionalOne;

    fn of_ref(found: Option<&M>) -> Result<Option<&M>> {
        Ok(found)
    }

    fn of_entity(found: Option<Entity<M>>) -> Result<Option<Entity<M>>> {
        Ok(found)
    }
}

#[cold]
fn no_row<M: Model>() -> Error {
    let def = M::def();
    if def.options.soft_delete().is_some() {
        return Error::new(
            ErrorKind::NotFound,
            format!(
                "the relationship leads to a row of `{}` that is softly deleted, or does not exist; \
                 `.with(..)` of a query that says `.with_deleted()` loads it",
                def.table
            ),
        )
        .with_table(def.table);
    }
    Error::new(
        ErrorKind::NotFound,
        format!(
            "the relationship leads to a row of `{}` that does not exist; declare it `One<Option<{}>>` if it may be absent",
            def.table, def.name
        ),
    )
    .with_table(def.table)
}
