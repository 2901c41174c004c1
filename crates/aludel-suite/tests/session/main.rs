//! Sessions: what they know of rows, what they do to them, and how they begin and end.

mod cascades;
mod chunks;
mod events;
mod identity;
mod keys;
mod push;
mod recycling;
mod row_switch;
mod sharing;
mod states;
mod transactions;
mod values;

#[path = "../support/mod.rs"]
mod support;
