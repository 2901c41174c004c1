//! The field behind `One` and `Many`.

use std::sync::atomic::AtomicPtr;

/// The field behind `One<T>` and `Many<T>`, of one type for all models.
#[derive(Debug)]
pub struct RelationField {
    pub(crate) state: AtomicPtr<()>,
}
