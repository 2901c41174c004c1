//! Hooks of models.

mod calls;
mod statements;

#[path = "../support/mod.rs"]
mod support;
