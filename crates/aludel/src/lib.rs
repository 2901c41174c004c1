//! Aludel: the database layer for Rust web applications.

// The derives name this crate by its full path, here as in a user's crate.
extern crate self as aludel;

#[doc(hidden)]
pub mod __private;
mod config;
mod db;
mod derive;
pub mod engine;
pub mod entity;
mod error;
pub mod model;
pub mod prelude;
pub mod query;
pub mod schema;
mod session;
pub mod sql;
#[cfg(feature = "axum")]
pub mod web;

pub use config::Config;
pub use db::{Db, DbBuilder, Models};
pub use engine::EngineOptions;
pub use error::{Error, ErrorKind, Or404, Result};
pub use model::Json;
pub use query::page::{IterPages, Page, PageQuery};
pub use session::{LazyLoad, NoAutoflush, Savepoint, Session, Teardown};

pub use derive::{DbEnum, DbType, Model, Projection};
