//! Typed columns and relationships, and how Rust types are column types.

mod column;
mod column_type;
mod join;
mod key_type;
pub mod metadata;
mod types;

pub use column::Column;
pub use column_type::ColumnType;
pub(crate) use join::{JoinColumns, join_columns};
pub use key_type::{KeyType, Missing, Set};
pub use types::Json;
