//! Rows that go because others do.

mod counts;
mod cycles;

#[path = "../support/mod.rs"]
mod support;
