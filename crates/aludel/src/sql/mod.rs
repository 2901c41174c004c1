//! Statements as values, and their rendering in each dialect.

mod value;

pub use value::Value;
