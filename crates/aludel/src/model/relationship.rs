//! Typed relationships, and how they are to be loaded.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use crate::entity::Target;
use crate::entity::def::{ModelDef, RelationshipDef};
use crate::entity::model::Model;
use crate::sql::{FromClause, Join, JoinKind, Node, OrderBy, Select};

use super::alias::{Alias, AliasedRelationship};
use super::column::Column;
use super::column_type::ColumnType;
use super::expression::{Condition, Expr};
use super::join::JoinPath;
use super::order::Order;

/// The relationship of model `M` to one row: the associated constant that the derive makes of a field `One<R>`.
pub struct ToOne<M, R> {
    index: usize,
    types: PhantomData<fn() -> (M, R)>,
}

/// The relationship of model `M` to many rows of `T`: the associated constant that the derive makes of a field
/// `Many<T>`. `K` says what links them: a foreign key of `T`, or the rows of a link model.
pub struct ToMany<M, T, K = ByKey> {
    index: usize,
    types: Types<M, T, K>,
}

/// The types that a relationship of many rows is known by.
pub(super) type Types<M, T, K> = PhantomData<fn() -> (M, T, K)>;

/// A collection whose rows have the foreign key.
#[derive(Clone, Copy, Debug)]
pub enum ByKey {}

/// A collection whose rows are linked by the rows of a link model: a many-to-many relationship.
#[derive(Clone, Copy, Debug)]
pub enum ByLink {}

/// A relationship of a model: [`ToOne`] or [`ToMany`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a relationship",
    label = "not a relationship",
    note = "give one of a model's relationships: `Post::author`"
)]
pub trait Relationship: Copy {
    /// The model that the relationship belongs to.
    type Source: Model;
    /// The model that it leads to.
    type Target: Model;

    /// The position among the model's relationships.
    fn position(self) -> usize;
}

macro_rules! relationship {
    ($name:ident<$model:ident, $other:ident: $bound:path $(, $kind:ident)?>, $target:ty) => {
        impl<$model, $other $(, $kind)?> Clone for $name<$model, $other $(, $kind)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$model, $other $(, $kind)?> Copy for $name<$model, $other $(, $kind)?> {}

        impl<$model, $other $(, $kind)?> $name<$model, $other $(, $kind)?> {
            #[doc(hidden)]
            pub const fn new(index: usize) -> Self {
                Self { index, types: PhantomData }
            }

            /// The position among the model's relationships.
            pub const fn index(self) -> usize {
                self.index
            }
        }

        impl<$model: Model, $other $(, $kind)?> $name<$model, $other $(, $kind)?> {
            /// The relationship as plain data.
            pub fn def(self) -> &'static RelationshipDef {
                &$model::def().relationships[self.index]
            }
        }

        impl<$model: Model, $other $(, $kind)?> fmt::Debug for $name<$model, $other $(, $kind)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{}", $model::def().name, self.def().name)
            }
        }

        impl<$model: Model, $other: $bound $(, $kind)?> Relationship for $name<$model, $other $(, $kind)?> {
            type Source = $model;
            type Target = $target;

            fn position(self) -> usize {
                self.index
            }
        }

        impl<$model: Model, $other: $bound $(, $kind)?> Load<$model> for $name<$model, $other $(, $kind)?> {
            fn into_load(self) -> LoadPart {
                LoadPart::Relation(RelationLoad::new(self.index))
            }
        }

        impl<$model: Model, $other: $bound $(, $kind)?> $name<$model, $other $(, $kind)?> {
            /// The relationship in a join, leading to the table under another name: `.join(User::boss.to(&boss))`.
            pub fn to(self, alias: &Alias<$target>) -> AliasedRelationship<Self> {
                AliasedRelationship::leading_to(self, alias)
            }

            /// Loads a relationship, or a deferred column, of the rows that this one brings, too.
            pub fn with(self, nested: impl Load<$target>) -> Loading<$model, $target> {
                Loading::new(self.index).with(nested)
            }

            /// Loads softly deleted rows too: see [`Loading::with_deleted`].
            pub fn with_deleted(self) -> Loading<$model, $target> {
                Loading::new(self.index).with_deleted()
            }

            /// Loads it in the query's own statement, with a join.
            ///
            /// A collection is joined only where the query has no `limit`, `offset`, `distinct` or `group_by`, which
            /// would mean the joined rows, and where the load has no `limit` of its own; else it is loaded as with
            /// `selectin`.
            pub fn joined(self) -> Loading<$model, $target> {
                Loading::new(self.index).joined()
            }

            /// Loads it in a statement of its own, for all rows at once.
            pub fn selectin(self) -> Loading<$model, $target> {
                Loading::new(self.index).selectin()
            }

            /// Does not load it, and makes loading it later an error.
            pub fn raise(self) -> Loading<$model, $target> {
                Loading::new(self.index).raise()
            }
        }
    };
}

relationship! { ToOne<M, R: Target>, R::Model }
relationship! { ToMany<M, T: Model, K>, T }

impl<M: Model, R: Target> ToOne<M, R> {
    /// Whether there is a row at the other end that the condition holds for: `EXISTS (..)`.
    pub fn has(self, condition: impl Condition) -> Expr<bool> {
        Expr::new(exists(M::def(), M::def().table.into(), self.index, None, condition.into_condition()))
    }
}

impl<M: Model, T: Model, K> ToMany<M, T, K> {
    /// Whether there is a row at the other end that the condition holds for: `EXISTS (..)`.
    pub fn any(self, condition: impl Condition) -> Expr<bool> {
        Expr::new(exists(M::def(), M::def().table.into(), self.index, None, condition.into_condition()))
    }

    /// Loads only the rows that a condition on them holds for. They are what `get` then gives; a later `load`, or a
    /// `with` that has no condition, reads the whole collection.
    pub fn filter(self, condition: impl Condition) -> Loading<M, T> {
        Loading::new(self.index).filter(condition)
    }

    /// Loads the rows in this order.
    pub fn order_by(self, order: impl Order) -> Loading<M, T> {
        Loading::new(self.index).order_by(order)
    }

    /// Loads at most so many rows for each parent. They are what `get` then gives; a later `load` reads the whole
    /// collection.
    pub fn limit(self, rows: u64) -> Loading<M, T> {
        Loading::new(self.index).limit(rows)
    }
}

/// What `with` takes: a relationship of `M`, alone or with what is said of its loading.
#[diagnostic::on_unimplemented(message = "`{Self}` does not load from `{M}`", label = "not a relationship of `{M}`")]
pub trait Load<M: Model> {
    /// What is to be loaded, without types.
    fn into_load(self) -> LoadPart;
}

/// What `with` loads, without types.
#[derive(Clone, Debug)]
pub enum LoadPart {
    /// The rows that a relationship leads to.
    Relation(RelationLoad),
    /// A deferred column, by its position.
    Column(usize),
}

/// A model with deferred columns.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` is no relationship, and none of them is deferred",
    label = "neither a relationship nor a deferred column of `{Self}`",
    note = "a column that is loaded when it is asked for is declared `#[column(deferred)]`, with the type `Deferred<..>`"
)]
pub trait HasDeferred: Model {}

impl<M: HasDeferred, T: ColumnType> Load<M> for Column<M, T> {
    fn into_load(self) -> LoadPart {
        LoadPart::Column(self.index())
    }
}

/// A relationship of `M` to rows of `T`, with what is said of its loading.
#[must_use = "give it to `with`"]
pub struct Loading<M, T> {
    load: RelationLoad,
    types: PhantomData<fn() -> (M, T)>,
}

/// What is to be loaded along with a query's rows.
#[derive(Clone, Debug)]
pub struct RelationLoad {
    /// The relationship's position.
    pub relationship: usize,
    /// How it is loaded, where that was said.
    pub strategy: Option<Strategy>,
    /// A condition on the rows, naming the target's table.
    pub filter: Option<Node>,
    /// The order of the rows; else it is the relationship's own.
    pub order_by: Vec<OrderBy>,
    /// At most so many rows for each parent.
    pub limit: Option<u64>,
    /// Whether softly deleted rows are loaded too.
    pub with_deleted: bool,
    /// Deferred columns of the rows that are loaded.
    pub undeferred: Vec<usize>,
    /// What is loaded for the rows in turn.
    pub nested: Vec<RelationLoad>,
}

/// How a relationship is loaded. Left to itself, `with` joins to one row, and selects many in a second statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// In the query's own statement.
    Joined,
    /// In a statement of its own, for all rows at once.
    SelectIn,
    /// Not at all: loading it later is an error.
    Raise,
}

impl RelationLoad {
    pub(crate) fn new(relationship: usize) -> Self {
        Self {
            relationship,
            strategy: None,
            filter: None,
            order_by: Vec::new(),
            limit: None,
            with_deleted: false,
            undeferred: Vec::new(),
            nested: Vec::new(),
        }
    }

    /// Whether it brings just the rows that the relationship leads to.
    pub(crate) fn is_whole(&self) -> bool {
        self.filter.is_none() && self.limit.is_none() && !self.with_deleted
    }
}

impl<M: Model, T: Model> Loading<M, T> {
    fn new(relationship: usize) -> Self {
        Self { load: RelationLoad::new(relationship), types: PhantomData }
    }

    fn strategy(mut self, strategy: Strategy) -> Self {
        self.load.strategy = Some(strategy);
        self
    }

    /// Loads only the rows that a condition on them holds for.
    pub fn filter(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.load.filter = Some(match self.load.filter {
                Some(before) => before.and(condition),
                None => condition,
            });
        }
        self
    }

    /// Loads the rows in this order.
    pub fn order_by(mut self, order: impl Order) -> Self {
        order.push_to(&mut self.load.order_by);
        self
    }

    /// Loads at most so many rows for each parent.
    pub fn limit(mut self, rows: u64) -> Self {
        self.load.limit = Some(rows);
        self
    }

    /// Loads softly deleted rows too, in a statement of its own. They are what `get` then gives; a later `load`, or a
    /// `with` that does not say it, reads the others alone.
    pub fn with_deleted(mut self) -> Self {
        self.load.with_deleted = true;
        self
    }

    /// Loads a relationship, or a deferred column, of the rows that this one brings, too.
    pub fn with(mut self, nested: impl Load<T>) -> Self {
        match nested.into_load() {
            LoadPart::Relation(load) => self.load.nested.push(load),
            LoadPart::Column(column) => self.load.undeferred.push(column),
        }
        self
    }

    /// Loads it in the query's own statement: see [`ToMany::joined`].
    pub fn joined(self) -> Self {
        self.strategy(Strategy::Joined)
    }

    /// Loads it in a statement of its own, for all rows at once.
    pub fn selectin(self) -> Self {
        self.strategy(Strategy::SelectIn)
    }

    /// Does not load it, and makes loading it later an error.
    pub fn raise(self) -> Self {
        self.strategy(Strategy::Raise)
    }
}

impl<M: Model, T: Model> Load<M> for Loading<M, T> {
    fn into_load(self) -> LoadPart {
        LoadPart::Relation(self.load)
    }
}

/// `EXISTS (SELECT 1 FROM target WHERE ..)`; a target that would have the same name as the table around it has another
/// one inside.
pub(super) fn exists(
    model: &'static ModelDef,
    outer: Cow<'static, str>,
    relationship: usize,
    alias: Option<Cow<'static, str>>,
    mut condition: Option<Node>,
) -> Node {
    let def = &model.relationships[relationship];
    let target = (def.target)();
    let path = match def.path(model) {
        Ok(path) => path,
        Err(error) => return Node::Invalid(error.to_string().into()),
    };
    let mut table = target.table_ref();
    if let Some(alias) = alias {
        table = target.table_as(alias);
    } else if target.table == outer {
        // conditions may hold further ones on the same table, each with a name of its own
        let taken = |name: &str| condition.as_ref().is_some_and(|condition| condition.selects_from(name));
        let free = (1_u32..).map(|number| format!("{}_{number}", target.table)).find(|name| !taken(name));
        let inner = free.unwrap_or_default();
        if let Some(condition) = &mut condition {
            condition.rename_table(target.table, &inner);
        }
        table = target.table_as(inner.into());
    }
    let inner = table.qualifier();
    let mut select = Select { list: "1", ..Select::default() };
    match path {
        JoinPath::Direct(columns) => select.filter.push(columns.condition((model, &outer), (target, inner))),
        JoinPath::Secondary(join) => {
            let name = Cow::Borrowed(join.link.table);
            let on = join.far.condition((join.link, &name), (target, inner));
            let near = join.near.condition((model, &outer), (join.link, &name));
            select.joins.push(Join { kind: JoinKind::Inner, table: join.link.table_ref(), on });
            select.filter.push(near);
        }
    }
    select.filter.extend(condition);
    select.from = FromClause::Table(table);
    Node::Exists { select: Box::new(select), negated: false }
}
