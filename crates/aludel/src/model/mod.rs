//! Typed columns and relationships, expressions, and how Rust types are column types.

mod alias;
mod argument;
mod arithmetic;
mod assign;
mod cast;
mod child_of;
mod column;
mod column_list;
mod column_type;
mod container;
mod expression;
mod full_text;
pub mod func;
pub(crate) mod inherit;
mod join;
mod json_path;
mod key_type;
pub mod metadata;
mod operand;
mod order;
mod pending_key;
mod relationship;
mod select_list;
mod settable;
mod table;
mod tuple;
mod types;
mod validation;

pub use alias::{Alias, AliasColumn, AliasedRelationship};
pub use argument::Argument;
pub use arithmetic::Plus;
pub use assign::{Assign, Assignable, Assignments, IntoValue, PlainValue};
pub use cast::CastTo;
pub use child_of::ChildOf;
pub(crate) use column::column_node;
pub use column::{Column, DynColumn};
pub use column_list::ColumnList;
pub use column_type::ColumnType;
pub use container::{Array, ContainerExpression, Contains, Overlaps};
pub use expression::{BaseOf, Condition, Expr, Expression};
pub use full_text::{FullText, full_text};
pub use func::{
    Aggregate, SqlExpr, avg, coalesce, count, count_all, count_distinct, length, lower, max, min, sum, upper,
};
pub use inherit::Hierarchy;
pub(crate) use join::{JoinColumns, JoinPath, SecondaryJoin, column_of, is_one_of, listed};
pub use json_path::{Document, DocumentExpression, JsonPath, Step};
pub use key_type::{KeyType, Missing, Set};
pub(crate) use operand::bound;
pub use operand::{Dated, Fractional, InList, Number, Operand, Text, Timed};
pub use order::{Grouping, Order};
pub use relationship::{
    ByKey, ByLink, HasDeferred, Load, LoadPart, Loading, RelationLoad, Relationship, Strategy, ToMany, ToOne,
};
pub use settable::{FieldWrite, Link, Links, Settable};
pub use table::ModelTable;
pub use tuple::{RowExpression, RowOperand};
pub use types::{ArrayElement, Json, Range, RangeElement};
