//! Typed columns and relationships, and how Rust types are column types.

mod column;
mod column_type;
mod join;
pub mod metadata;

pub use column::Column;
pub use column_type::ColumnType;
pub(crate) use join::{JoinColumns, join_columns};
