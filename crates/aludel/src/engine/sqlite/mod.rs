//! SQLite, compiled in and executed on the calling task.

pub(crate) mod row;
