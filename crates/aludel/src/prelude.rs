//! All that a program with models usually names: `use aludel::prelude::*;`.
//!
//! It has no `Json`, so that axum's extractor and a column of JSON ([`aludel::Json`](crate::Json)) do not clash.

pub use std::time::Duration;

pub use jiff::Timestamp;
pub use uuid::Uuid;

pub use crate::derive::{DbEnum, DbType, Mixin, Model, Polymorphic, Projection};

pub use crate::config::Config;
pub use crate::db::Db;
pub use crate::engine::EngineOptions;
pub use crate::entity::{Deferred, Entity, Many, One};
pub use crate::error::{Error, ErrorKind, Or404, Result};
pub use crate::model::func::{self, case, window};
pub use crate::model::{
    Alias, Column, ColumnType, ContainerExpression, DocumentExpression, Expr, Expression, RowExpression, avg, coalesce,
    count, count_all, count_distinct, length, lower, max, min, sum, upper,
};
pub use crate::query::keyset::{CursorPage, CursorQuery};
pub use crate::query::page::{IterPages, Page, PageQuery};
pub use crate::query::{Polymorphic, Query, Queryable, excluded, exists};
pub use crate::schema::{MetaData, NamingConvention};
pub use crate::session::{AsyncHooks, Flushed, Hooks, Savepoint, Session, SessionEvents, Teardown};
