//! What a model is in memory: its definition, the arena that holds its rows, the handles that reach them.

pub(crate) mod arena;
pub(crate) mod arena_ref;
mod chunk;
mod decode_value;
pub mod def;
pub(crate) mod deferred;
pub(crate) mod foreign_key;
mod handle;
mod history;
pub(crate) mod hooks;
pub(crate) mod identity_map;
pub mod inherit;
mod list;
pub(crate) mod loader;
#[cfg(all(test, aludel_loom))]
mod loom_tests;
mod many;
pub mod model;
pub mod new;
pub(crate) mod one;
pub(crate) mod placeholder;
pub mod relation_field;
pub mod serialize;
pub(crate) mod slot;
mod sync;
pub mod target;
pub(crate) mod tracker;
pub mod vtable;

pub(crate) use decode_value::value_of_type;
pub use deferred::Deferred;
pub use handle::Entity;
pub(crate) use handle::publish_columns;
pub use history::History;
pub use many::{Many, Members};
pub use new::AnyEntity;
pub use one::One;
pub use target::Target;
