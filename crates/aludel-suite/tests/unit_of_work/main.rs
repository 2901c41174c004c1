//! Random programs, whose rows are known without a session.

mod links;
mod rows;

#[path = "../support/mod.rs"]
mod support;
