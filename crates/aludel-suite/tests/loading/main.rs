//! Relationships that are loaded.

mod again;
mod eager;
mod round_trips;

#[path = "../support/mod.rs"]
mod support;
