//! What a database looks like: owned, comparable data that knows neither models nor a backend.
//!
//! [`MetaData`] is made from models, or from a database by reflection; [`sql::ddl`](crate::sql::ddl) turns it into
//! the statements that create it.

mod action;
mod check;
mod column;
mod constraint;
mod index;
mod metadata;
mod naming;
mod sequence;
mod sort;
mod sql_type;
mod table;
mod view;

pub use action::Action;
pub use column::{Column, Computed};
pub use constraint::{CheckConstraint, ForeignKey, PrimaryKey, UniqueConstraint};
pub use index::{Index, IndexElement, IndexKey, NullsOrder};
pub use metadata::MetaData;
pub use naming::NamingConvention;
pub use sequence::{Identity, Sequence};
pub use sort::SortedTables;
pub use sql_type::SqlType;
pub use table::Table;
pub use view::View;
