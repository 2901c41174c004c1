//! The clauses of a query.

use std::marker::PhantomData;

use crate::entity::Entity;
use crate::entity::model::Model;
use crate::model::{Condition, Grouping, Load, LoadPart, Order};
use crate::sql::JoinKind;

use super::Query;
use super::selection::{SelectList, Selection};
use super::source::{JoinPath, JoinTarget};

impl<M: Model, R> Query<M, R> {
    /// Only rows that the condition holds for; several filters must all hold. `None` asks nothing.
    pub fn filter(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.draft.edit().filter.push(condition);
        }
        self
    }

    /// The order of the rows: a column or expression, `.asc()` or `.desc()` of one, or a tuple of these. A second call
    /// orders what the first leaves equal.
    pub fn order_by(mut self, order: impl Order) -> Self {
        order.push_to(&mut self.draft.edit().order_by);
        self
    }

    /// At most so many rows.
    pub fn limit(mut self, rows: u64) -> Self {
        self.draft.edit().limit = Some(rows);
        self
    }

    /// Leaves out so many rows at the beginning.
    pub fn offset(mut self, rows: u64) -> Self {
        self.draft.edit().offset = Some(rows);
        self
    }

    /// Rows that are equal in all that is selected come once.
    pub fn distinct(mut self) -> Self {
        self.draft.edit().distinct = true;
        self
    }

    /// Joins the table that a relationship leads to: a row comes once for each partner, and not at all without one.
    ///
    /// The relationship may belong to the query's model or to one that was joined before. A table that the query has
    /// already is joined under another name: `.join(User::boss.to(&boss))`, see [`Alias`](crate::model::Alias).
    pub fn join(self, relationship: impl JoinPath) -> Self {
        self.joined(relationship, JoinKind::Inner)
    }

    /// Joins the table that a relationship leads to, and keeps rows without a partner: its columns are NULL there.
    pub fn left_join(self, relationship: impl JoinPath) -> Self {
        self.joined(relationship, JoinKind::Left)
    }

    fn joined(mut self, relationship: impl JoinPath, kind: JoinKind) -> Self {
        self.draft.edit().join(relationship.into_path().joined(kind));
        self
    }

    /// Joins a table on a condition: an alias, a model's table (`Post::TABLE`), or a query that has a name. A row comes
    /// once for each partner. Without a condition (`None::<Expr<bool>>`) every row is a partner.
    pub fn join_on(mut self, table: impl JoinTarget, on: impl Condition) -> Self {
        self.draft.edit().join(table.into_target().joined(JoinKind::Inner, on));
        self
    }

    /// The same, keeping rows without a partner: its columns are NULL there.
    pub fn left_join_on(mut self, table: impl JoinTarget, on: impl Condition) -> Self {
        self.draft.edit().join(table.into_target().joined(JoinKind::Left, on));
        self
    }

    /// Of the rows that are equal in these expressions only the first, as the order says, which has to begin with them:
    /// `DISTINCT ON (..)`. PostgreSQL's alone; elsewhere the query is an error of the kind `Unsupported`.
    pub fn distinct_on(mut self, expressions: impl Grouping) -> Self {
        expressions.push_to(&mut self.draft.edit().rare().distinct_on);
        self
    }

    /// Gathers rows that are equal in these expressions into one.
    pub fn group_by(mut self, expressions: impl Grouping) -> Self {
        expressions.push_to(&mut self.draft.edit().group_by);
        self
    }

    /// Only groups that the condition holds for: `.having(count(Post::id).gt(3))`. A query for entities needs a
    /// `group_by` with it.
    pub fn having(mut self, condition: impl Condition) -> Self {
        self.draft.edit().having.extend(condition.into_condition());
        self
    }

    /// What to select instead of entities: columns, expressions, entities of several models, or a tuple or projection
    /// of these.
    pub fn select<S: Selection>(mut self, selection: S) -> Query<M, S::Output> {
        let mut list = SelectList::default();
        selection.push_to(&mut list);
        self.draft.edit().items = Some(list.items);
        Query { draft: self.draft, types: PhantomData }
    }
}

impl<M: Model> Query<M, Entity<M>> {
    /// Loads a relationship along with the entities: to one row in the same statement, to many in a second one, unless
    /// `.joined()`, `.selectin()` or `.raise()` says otherwise. Or a [deferred](crate::entity::Deferred) column, in the
    /// same statement; what SQLAlchemy calls `undefer`.
    pub fn with(mut self, load: impl Load<M>) -> Self {
        let draft = self.draft.edit();
        match load.into_load() {
            LoadPart::Relation(load) => draft.loads.push(load),
            LoadPart::Column(column) => draft.undeferred.push(column),
        }
        self
    }

    /// Overwrites entities that the session has already with what the database says now, except those with changes
    /// that were not flushed.
    pub fn populate_existing(mut self) -> Self {
        self.draft.edit().populate_existing = true;
        self
    }
}
