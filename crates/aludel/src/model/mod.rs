//! Typed columns and relationships, and how Rust types are column types.

mod assign;
mod child_of;
mod column;
mod column_type;
mod expression;
pub mod function;
mod join;
mod key_type;
pub mod metadata;
mod operand;
mod order;
mod relationship;
mod select_list;
mod settable;
mod types;

pub use assign::{Assign, Assignable, Assignments, IntoValue};
pub use child_of::ChildOf;
pub use column::{Column, DynColumn};
pub use column_type::ColumnType;
pub use expression::{Condition, Expr, Expression};
pub(crate) use join::JoinColumns;
pub use relationship::{Load, Loading, RelationLoad, Relationship, Strategy, ToMany, ToOne};
pub use settable::{FieldWrite, Link, Settable};
pub use key_type::{KeyType, Missing, Set};
pub use types::Json;
