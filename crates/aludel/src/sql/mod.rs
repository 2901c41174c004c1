//! Statements as values, and their rendering in each dialect.

pub mod ddl;
mod dialect;
mod value;

pub use dialect::Dialect;
pub use value::Value;
