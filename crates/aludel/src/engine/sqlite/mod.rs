//! SQLite, compiled in and executed on the calling task.
//!
//! A thin layer on the C interface: one handle for the database, prepared statements in a bounded cache, values bound
//! and read by position. A [`Connection`] owns all of it, so that it may move between threads and is never shared.
#![allow(unsafe_code, reason = "the C interface of SQLite")]

mod bind;
mod cache;
mod connection;
mod database;
mod decimal;
mod error;
mod execution;
mod file;
pub(crate) mod row;
mod statement;
mod temporal;

pub(super) use connection::{Connection, Paused, Running};
pub(super) use execution::{Prepared, StepError};
pub(super) use file::DatabaseFile;
