//! What a `One` leads to: exactly one row, or at most one.

use super::def::RelationshipKind;
use super::model::Model;

/// What a `One<R>` leads to: `One<User>` to exactly one row, `One<Option<User>>` to one or none.
pub trait Target: 'static {
    /// The model at the other end.
    type Model: Model;
    /// Whether there may be no row.
    const KIND: RelationshipKind;
}

impl<M: Model> Target for M {
    type Model = M;
    const KIND: RelationshipKind = RelationshipKind::One;
}

impl<M: Model> Target for Option<M> {
    type Model = M;
    const KIND: RelationshipKind = RelationshipKind::OptionalOne;
}
