//! Statements as values, and their rendering in each dialect.

mod column_ref;
pub mod ddl;
mod delete;
mod dialect;
mod insert;
mod node;
mod render;
mod select;
mod statement;
mod update;
mod value;
mod visit;

pub use column_ref::ColumnRef;
pub use delete::Delete;
pub use dialect::{Capabilities, Dialect};
pub use insert::Insert;
pub(crate) use node::count_rows;
pub use node::{BinaryOp, LIKE_ESCAPE, Node, Nulls};
pub(crate) use render::{Renderer, Rest};
pub use select::{FromClause, Join, JoinKind, NullsOrder, OrderBy, Select, SelectColumn, TableRef};
pub use statement::Statement;
pub use update::Update;
pub use value::{PendingKey, Value};

#[cfg(test)]
mod tests;
