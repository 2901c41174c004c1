//! Aludel: the database layer for Rust web applications.

// The derives name this crate by its full path, here as in a user's crate.
extern crate self as aludel;

#[doc(hidden)]
pub mod __private;
pub mod codegen;
mod config;
mod db;
mod derive;
pub mod engine;
pub mod entity;
mod error;
pub mod model;
mod names;
pub mod prelude;
pub mod query;
pub mod schema;
mod session;
pub mod sql;
mod tuples;
#[cfg(feature = "axum")]
pub mod web;

pub use config::Config;
pub use db::{Db, DbBuilder, Models, PreparedTransaction};
pub use engine::EngineOptions;
pub use error::{Error, ErrorKind, Or404, Result};
pub use model::{Json, func};
pub use query::Polymorphic;
pub use query::keyset::{CursorPage, CursorQuery};
pub use query::page::{IterPages, Page, PageQuery};
pub use session::{
    AsyncHooks, Flushed, Hooks, IntoTenant, LazyLoad, Merge, NoAutoflush, Savepoint, SequenceRef, Session,
    SessionEvents, Teardown,
};

pub use derive::{DbEnum, DbType, Mixin, Model, Polymorphic, Projection};
