//! Types of columns.

mod basic;
mod derived;
mod native;

#[path = "../support/mod.rs"]
mod support;
