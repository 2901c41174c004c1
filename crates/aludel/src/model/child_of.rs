//! What can be given for a parent's children.

use crate::entity::Entity;
use crate::entity::model::Model;
use crate::entity::new::{IntoLink, LinkTarget, New};

use super::relationship::{ByKey, ByLink};

/// What can be given to the builder of a `Parent` for the rows that hold its key: entities, structs, and builders that
/// miss nothing but that key.
///
/// `User::build().username("ann").posts([Post::build().title("one"), Post::build().title("two")])`
///
/// Where the child has several required keys to the parent's model, its builder may miss one of them: the parent fills
/// in that of the relationship. If it was the other one that is missing, the next flush fails with `NotNullViolation`
/// and names it.
///
/// Rows that a link model links (`K` is [`ByLink`]) hold no key, so that their builders may miss nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of `{Child}` that belongs to a `{Parent}`",
    label = "expected a `{Child}`",
    note = "give an `Entity<{Child}>`, a `{Child}`, or its builder with all required fields but the key to `{Parent}`"
)]
pub trait ChildOf<Parent: Model, Child: Model, K = ByKey>: Sized {
    /// The other end of the link from the parent.
    fn into_link(self) -> LinkTarget;
}

impl<P: Model, C: Model> ChildOf<P, C> for &Entity<C> {
    fn into_link(self) -> LinkTarget {
        IntoLink::<C>::into_link(self)
    }
}

impl<P: Model, C: Model> ChildOf<P, C> for Entity<C> {
    fn into_link(self) -> LinkTarget {
        IntoLink::<C>::into_link(self)
    }
}

impl<P: Model, C: Model> ChildOf<P, C, ByLink> for &Entity<C> {
    fn into_link(self) -> LinkTarget {
        IntoLink::<C>::into_link(self)
    }
}

impl<P: Model, C: Model> ChildOf<P, C, ByLink> for Entity<C> {
    fn into_link(self) -> LinkTarget {
        IntoLink::<C>::into_link(self)
    }
}

impl<P: Model, N: New> ChildOf<P, N::Model, ByLink> for N {
    fn into_link(self) -> LinkTarget {
        IntoLink::<N::Model>::into_link(self)
    }
}
