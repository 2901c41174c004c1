//! Statements as values, and their rendering in each dialect.

mod column_ref;
mod compound;
mod criteria;
pub mod ddl;
mod delete;
mod dialect;
mod form;
mod full_text;
mod insert;
mod json;
mod node;
mod render;
mod rendering;
mod select;
mod statement;
mod update;
mod value;
mod visit;

pub use crate::schema::NullsOrder;
pub use column_ref::ColumnRef;
pub use compound::{CommonTable, DerivedTable, Lock, LockStrength, LockWait, Rows, SelectExtra, SetOperator};
pub use criteria::{Criteria, Kinds, SoftDelete, Tenancy, TenantColumn};
pub(crate) use criteria::{Tenant, no_tenant};
pub use delete::Delete;
pub use dialect::{Capabilities, Dialect};
pub use form::{
    AggregateCall, AggregateName, Bound, DatePart, Form, Frame, FrameUnit, Function, Temporal, Unit, Window,
};
pub use full_text::FullTextNode;
pub use insert::Insert;
pub use json::{JsonAs, JsonStep};
pub use node::{BinaryOp, LIKE_ESCAPE, Node, Nulls, SubqueryKind};
pub(crate) use node::{EXCLUDED, count_rows};
pub(crate) use render::{Renderer, Rest};
pub use rendering::{Rendering, SchemaName, SchemaTranslation};
pub use select::{FromClause, Join, JoinKind, OrderBy, Select, SelectColumn, TableRef};
pub use statement::Statement;
pub use update::Update;
pub use value::{PendingKey, Value};

#[cfg(test)]
mod tests;
