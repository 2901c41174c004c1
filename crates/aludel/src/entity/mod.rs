//! What a model is in memory: its definition, the arena that holds its rows, the handles that reach them.

pub mod def;
pub mod model;
pub mod relation_field;
pub mod target;
pub mod vtable;
