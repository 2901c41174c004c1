//! Queries, as the book shows them, on SQLite.

mod bulk;
mod dialects;
mod eager;
mod errors;
mod golden;
mod models;
mod one_to_one;
mod raw;
mod rows;
mod sql;
mod statements;
mod stream;
