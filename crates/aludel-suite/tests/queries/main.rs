//! Queries: what they find, the SQL that they are, and what they are composed of.

mod aliases;
mod ctes;
mod explain;
mod pending_keys;
mod results;
mod set_operations;
mod shapes;
mod sql;
mod subqueries;

#[path = "../support/mod.rs"]
mod support;
