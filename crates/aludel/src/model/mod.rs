//! Typed columns and relationships, expressions, and how Rust types are column types.

mod assign;
mod child_of;
mod column;
mod column_type;
mod expression;
mod function;
mod join;
mod key_type;
pub mod metadata;
mod operand;
mod order;
mod pending_key;
mod relationship;
mod select_list;
mod settable;
mod table;
mod types;

pub use assign::{Assign, Assignable, Assignments, IntoValue, PlainValue};
pub use child_of::ChildOf;
pub(crate) use column::column_node;
pub use column::{Column, DynColumn};
pub use column_type::ColumnType;
pub use expression::{BaseOf, Condition, Expr, Expression};
pub use function::{avg, coalesce, count, count_all, count_distinct, length, lower, max, min, sum, upper};
pub(crate) use join::{JoinColumns, column_of};
pub use key_type::{KeyType, Missing, Set};
pub(crate) use operand::bound;
pub use operand::{InList, Number, Operand, Text};
pub use order::{Grouping, Order};
pub use relationship::{Load, Loading, RelationLoad, Relationship, Strategy, ToMany, ToOne};
pub use settable::{FieldWrite, Link, Settable};
pub use table::ModelTable;
pub use types::Json;
