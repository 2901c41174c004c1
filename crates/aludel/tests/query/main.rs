//! Queries, as the book shows them, on SQLite.

mod bulk;
mod eager;
mod errors;
mod models;
mod raw;
mod rows;
mod sql;
mod statements;
mod stream;
