//! Keys of several columns.

mod links;
mod natural;

#[path = "../support/mod.rs"]
mod support;
