//! A table under another name.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::entity::Target;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::sql::Node;

use super::expression::{Condition, Expr, Expression};
use super::join::column_of;
use super::relationship::exists;
use super::{Column, ColumnType, Relationship, ToMany, ToOne};

/// A model's table under another name, so that a query can have it twice: made by
/// [`User::alias("boss")`](crate::query::Queryable::alias).
///
/// Its columns are named with [`col`](Alias::col), its entities with [`entity`](Alias::entity).
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct User {
///     #[column(primary_key)]
///     id: i64,
///     username: String,
///     boss_id: Option<i64>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// let ann = session.add(User::build().username("ann"));
/// session.flush().await?;
/// session.add(User::build().username("bob").boss_id(ann.id));
///
/// let boss = User::alias("boss");
/// let pairs: Vec<(String, String)> = User::query()
///     .join_on(&boss, boss.col(User::id).eq(User::boss_id))
///     .select((User::username, boss.col(User::username)))
///     .all(&session)
///     .await?;
/// assert_eq!(pairs, [("bob".to_owned(), "ann".to_owned())]);
/// # Ok(())
/// # }
/// ```
pub struct Alias<M> {
    name: Cow<'static, str>,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for Alias<M> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Alias<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alias").field(&self.name).finish()
    }
}

impl<M: Model> Alias<M> {
    pub(crate) fn new(name: Cow<'static, str>) -> Self {
        Self { name, model: PhantomData }
    }

    /// The name that the table has in the statement.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Cow<'static, str> {
        self.name.clone()
    }

    /// A column of the table under this name.
    pub fn col<T>(&self, column: Column<M, T>) -> AliasColumn<M, T> {
        AliasColumn { name: self.name.clone(), column }
    }

    /// A relationship that leads from the table under this name.
    pub fn rel<R: Relationship<Source = M>>(&self, relationship: R) -> AliasedRelationship<R> {
        AliasedRelationship { relationship, source: Some(self.name.clone()), target: None }
    }
}

/// A column of a table under another name: made by [`Alias::col`].
pub struct AliasColumn<M, T> {
    name: Cow<'static, str>,
    column: Column<M, T>,
}

impl<M, T> Clone for AliasColumn<M, T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), column: self.column }
    }
}

impl<M: Model, T> fmt::Debug for AliasColumn<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.column.def().field)
    }
}

impl<M: Model, T: ColumnType> Expression for AliasColumn<M, T> {
    type Type = T;

    fn into_node(self) -> Node {
        column_of(M::def(), self.name, self.column.index())
    }

    fn column(&self) -> Option<(&'static ModelDef, usize)> {
        Some((M::def(), self.column.index()))
    }
}

/// A relationship that leads from an alias, to one, or both: made by [`Alias::rel`] and [`ToOne::to`].
#[derive(Clone, Debug)]
pub struct AliasedRelationship<R> {
    pub(crate) relationship: R,
    /// The name of the table that it leads from, where it is an alias.
    pub(crate) source: Option<Cow<'static, str>>,
    /// The name of the table that it leads to, where it is an alias.
    pub(crate) target: Option<Cow<'static, str>>,
}

impl<R: Relationship> AliasedRelationship<R> {
    pub(super) fn leading_to(relationship: R, alias: &Alias<R::Target>) -> Self {
        Self { relationship, source: None, target: Some(alias.name.clone()) }
    }

    /// The same relationship, leading to the table under another name.
    #[must_use]
    pub fn to(self, alias: &Alias<R::Target>) -> Self {
        Self { target: Some(alias.name.clone()), ..self }
    }

    fn exists(self, condition: impl Condition) -> Expr<bool> {
        let source = self.source.unwrap_or(Cow::Borrowed(R::Source::def().table));
        Expr::new(exists(
            R::Source::def(),
            source,
            self.relationship.position(),
            self.target,
            condition.into_condition(),
        ))
    }
}

impl<M: Model, R: Target> AliasedRelationship<ToOne<M, R>> {
    /// Whether there is a row at the other end that the condition holds for: `EXISTS (..)`.
    pub fn has(self, condition: impl Condition) -> Expr<bool> {
        self.exists(condition)
    }
}

impl<M: Model, T: Model, K> AliasedRelationship<ToMany<M, T, K>> {
    /// Whether there is a row at the other end that the condition holds for: `EXISTS (..)`.
    pub fn any(self, condition: impl Condition) -> Expr<bool> {
        self.exists(condition)
    }
}
