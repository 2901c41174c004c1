//! What the derives' output names. No part of the public interface.

mod checks;
mod mixins;
mod newtypes;
mod projections;
mod rows;
mod sql_types;

pub use std::borrow::Cow;
pub use std::vec::Vec;

pub use aludel_macros::model_with_mixins;
pub use inventory;

pub use crate::engine::row::Row;
pub use crate::entity::Deferred;
pub use crate::entity::def::{
    Action, Cascade, ColumnDef, ComputedDef, ConstraintDef, DefCache, ForeignKeyDef, Generated, IndexDef,
    IndexElementDef, IndexKeyDef, ModelDef, ModelOptions, NullsOrder, ReferenceDef, RelationshipDef, RelationshipKind,
    SequenceDef,
};
pub use crate::entity::hooks::HookTable;
pub use crate::entity::inherit::{InheritsCache, InheritsDef};
pub use crate::entity::model::Model;
pub use crate::entity::new::{ColumnSet, IntoLink, LinkTarget, New, NewLink, NewRow};
pub use crate::entity::relation_field::RelationField;
pub use crate::entity::vtable::VTable;
pub use crate::entity::{AnyEntity, Entity};
pub use crate::error::Result;
pub use crate::model::func::operator;
pub use crate::model::inherit::{confined_alike, discriminates, member};
pub use crate::model::metadata::ModelRegistration;
pub use crate::model::{
    ByKey, ByLink, ChildOf, Column, ColumnType, Expr, HasDeferred, Hierarchy, IntoValue, KeyType, Missing, Operand,
    Set, Text, ToMany, ToOne,
};
pub use crate::query::{
    Fetch, NamedColumns, Polymorphic, PolymorphicReader, Projected, SelectList, Selection, Source, ValueFor, ValuesRow,
};
pub use crate::schema::{Identity, SqlType};
pub use crate::session::hooks::{DeclaresAsyncHooks, DeclaresHooks, loaded};
pub use crate::sql::{Criteria, Node, SoftDelete, TenantColumn, Value};

pub use checks::{
    InverseByLink, InverseOfMany, InverseOfOne, References, Relationships, SameType, column_of, is_deletion_flag,
    key_to, links_both, only_key, points_back, points_back_by_link, points_back_to_one, reference, target,
};
pub use mixins::{Mixin, MixinColumn, MixinDefault, MixinOnUpdate, no_mixin_column};
pub use newtypes::{InnerKey, InnerText, decode_enum, enum_value, operand};
pub use projections::Columns;
pub use rows::{
    child, given, given_beside, given_or, given_or_blank, link, link_child, link_children, link_rows, literal_row,
    no_column, no_relationship, owned, unlink,
};
pub use sql_types::{as_text, with_length, with_precision};
