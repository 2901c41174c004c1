//! UNION, INTERSECT and EXCEPT of queries.

use crate::entity::model::Model;
use crate::error::Result;
use crate::sql::{ColumnRef, CommonTable, FromClause, Node, OrderBy, Select, SelectColumn, SetOperator};

use super::Query;
use super::draft::Draft;
use super::fetch::Fetch;
use super::named::add_common;
use super::scope::invalid;
use super::source::{Compound, Rare, Root};

impl<M: Model, R: Fetch> Query<M, R> {
    /// The rows of both queries, equal ones once: `UNION`.
    ///
    /// What follows is about the whole: [`order_by`](Query::order_by), by what the first query selects, `limit` and
    /// `offset`. Filters, joins and the like belong to the queries before they are joined.
    ///
    /// ```standalone_crate
    /// # use aludel::prelude::*;
    /// # #[derive(Model, Clone, Debug)]
    /// # struct User {
    /// #     #[column(primary_key)]
    /// #     id: i64,
    /// #     username: String,
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// # session.add_all(["ann", "bob", "cas"].map(|name| User::build().username(name)));
    /// let first = User::query().filter(User::username.eq("ann"));
    /// let last = User::query().filter(User::username.eq("cas"));
    /// let both = first.union(last).order_by(User::username.desc()).all(&session).await?;
    /// assert_eq!(both.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["cas", "ann"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn union<N: Model>(self, other: Query<N, R>) -> Self {
        self.combined(SetOperator::Union, other)
    }

    /// The rows of both queries, as often as they come: `UNION ALL`.
    pub fn union_all<N: Model>(self, other: Query<N, R>) -> Self {
        self.combined(SetOperator::UnionAll, other)
    }

    /// The rows that are in both queries, equal ones once: `INTERSECT`.
    pub fn intersect<N: Model>(self, other: Query<N, R>) -> Self {
        self.combined(SetOperator::Intersect, other)
    }

    /// The rows of this query that are not in the other, equal ones once: `EXCEPT`.
    pub fn except<N: Model>(self, other: Query<N, R>) -> Self {
        self.combined(SetOperator::Except, other)
    }

    fn combined<N: Model>(mut self, operator: SetOperator, other: Query<N, R>) -> Self {
        let second = other.draft.into_draft();
        let draft = self.draft.edit();
        if let Some(compound) = draft.plain_compound()
            && compound.rest.iter().all(|(before, _)| may_follow(*before, operator))
        {
            compound.rest.push((operator, second));
            return self;
        }
        let mut first = Box::new(std::mem::replace(draft, Draft::new(M::def())));
        // These are about the entities, of which there are only those of the whole.
        draft.loads = std::mem::take(&mut first.loads);
        draft.undeferred = std::mem::take(&mut first.undeferred);
        draft.populate_existing = first.populate_existing;
        let root = Root::Compound(Box::new(Compound { first, rest: vec![(operator, second)] }));
        draft.rare = Some(Box::new(Rare { root, ..Rare::default() }));
        self
    }
}

/// Whether one operator after the other is understood from the left everywhere: INTERSECT binds tighter on servers.
fn may_follow(before: SetOperator, operator: SetOperator) -> bool {
    let union = |operator| matches!(operator, SetOperator::Union | SetOperator::UnionAll);
    before == operator || (union(before) && union(operator))
}

impl Draft {
    /// The queries that this one joins, where nothing was said of the whole yet.
    fn plain_compound(&mut self) -> Option<&mut Compound> {
        if !self.order_by.is_empty() || self.limit.is_some() || self.offset.is_some() || self.says_more().is_some() {
            return None;
        }
        match &mut self.rare.as_mut()?.root {
            Root::Compound(compound) => Some(compound),
            _ => None,
        }
    }

    /// What was said of the whole of several queries, and belongs to them.
    fn says_more(&self) -> Option<&'static str> {
        let rare = self.rare.as_deref();
        let more = [
            ("filter", !self.filter.is_empty()),
            ("join", !self.joins.is_empty()),
            ("select", self.items.is_some()),
            ("group_by", !self.group_by.is_empty()),
            ("having", !self.having.is_empty()),
            ("distinct", self.distinct),
            ("distinct_on", rare.is_some_and(|rare| !rare.distinct_on.is_empty())),
            ("for_update", rare.is_some_and(|rare| rare.lock.is_some())),
        ];
        more.into_iter().find(|(_, said)| *said).map(|(clause, _)| clause)
    }

    /// # Errors
    /// `InvalidStatement` for what the whole of several queries cannot have, and for what is wrong in one of them.
    pub(super) fn check_compound(&self, compound: &Compound, inner: bool) -> Result<()> {
        if let Some(clause) = self.says_more() {
            return Err(invalid(format!(
                "{clause}(..): this query joins several with union, intersect or except, and takes an order, a limit and \
                 relationships to load alone; say it of the queries before, or give this one a name with `.cte(..)`"
            )));
        }
        let parts = std::iter::once(&compound.first).chain(compound.rest.iter().map(|(_, draft)| draft));
        for part in parts {
            if part.def.bind != self.def.bind {
                return Err(invalid(format!(
                    "union(..): `{}` and `{}` are in different databases, which no statement joins",
                    self.def.name, part.def.name
                )));
            }
            if part.rare.as_ref().is_some_and(|rare| rare.lock.is_some()) {
                return Err(invalid(
                    "for_update(): rows cannot be locked through a union; lock them in a query of \
                    their own"
                        .to_owned(),
                ));
            }
            part.check_in(inner)?;
        }
        Ok(())
    }

    /// What the first query selects, column by column.
    fn leftmost(&self) -> Result<Vec<Node>> {
        if let Some(Root::Compound(compound)) = self.rare.as_ref().map(|rare| &rare.root) {
            return compound.first.leftmost();
        }
        let select = Box::new(self.clone()).into_inner()?;
        Ok(select.columns.into_iter().map(|column| column.node).collect())
    }

    /// The select of several queries, its order by the positions of columns.
    pub(super) fn into_compound(self, compound: Compound) -> Result<Select> {
        let mut with = Vec::new();
        let columns = compound.first.leftmost()?;
        let mut first = compound.first.into_inner()?;
        for (at, column) in first.columns.iter_mut().enumerate() {
            // Two columns of one name could not be counted from outside.
            column.alias = Some(format!("c{}", at + 1).into());
        }
        let mut select = part(first, 1, &mut with)?;
        for (at, (operator, draft)) in compound.rest.into_iter().enumerate() {
            let next = part(draft.into_inner()?, at + 2, &mut with)?;
            select.extra_mut().set.push((operator, next));
        }
        select.extra_mut().with = with;
        select.order_by = self.order_by.into_iter().map(|order| position(order, &columns)).collect::<Result<_>>()?;
        (select.limit, select.offset) = (self.limit, self.offset);
        Ok(select)
    }
}

/// A part of a compound select: in FROM of another where it has an order or a limit of its own.
fn part(mut select: Select, number: usize, with: &mut Vec<CommonTable>) -> Result<Select> {
    if let Some(extra) = &mut select.extra {
        std::mem::take(&mut extra.with).into_iter().try_for_each(|table| add_common(with, table))?;
    }
    let compound = select.extra.as_ref().is_some_and(|extra| !extra.set.is_empty() || !extra.distinct_on.is_empty());
    if select.order_by.is_empty() && select.limit.is_none() && select.offset.is_none() && !compound {
        return Ok(select);
    }
    for (at, column) in select.columns.iter_mut().enumerate() {
        column.alias = Some(format!("c{}", at + 1).into());
    }
    let name = format!("part_{number}");
    let column = |column: &SelectColumn| {
        let name = ColumnRef::new(name.clone(), column.alias.clone().unwrap_or_default());
        SelectColumn { node: Node::Column(name), alias: column.alias.clone() }
    };
    let columns = select.columns.iter().map(column).collect();
    Ok(Select { columns, from: FromClause::Select(Box::new(select), name.into()), ..Select::default() })
}

/// An order by the number of a column, which is all that compound selects take.
fn position(order: OrderBy, columns: &[Node]) -> Result<OrderBy> {
    let Some(at) = columns.iter().position(|column| *column == order.node) else {
        return Err(invalid(
            "order_by(..): the whole of a union is ordered by what its first query selects, and this is none of it"
                .to_owned(),
        ));
    };
    Ok(OrderBy { node: Node::Sql((at + 1).to_string().into()), ..order })
}
