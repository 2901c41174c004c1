//! Aludel: the database layer for Rust web applications.

// The derives name this crate by its full path, here as in a user's crate.
extern crate self as aludel;

pub mod engine;
pub mod entity;
mod error;
pub mod model;
pub mod query;
pub mod schema;
pub mod sql;
#[cfg(feature = "axum")]
mod web;

pub use error::{Error, ErrorKind, Or404, Result};
pub use query::page::{IterPages, Page, PageQuery};
