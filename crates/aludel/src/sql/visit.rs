//! Walks over expressions: which columns they name, under which names of tables, and whether they can be NULL.

use std::borrow::Cow;

use super::{ColumnRef, FromClause, Node, Nulls, OrderBy, Rows, Select, TableRef};

impl Node {
    /// Shows each column of this expression, those of subqueries too, until `see` returns `Some`. A subquery's own
    /// tables are not a matter of the query around it: their columns are left out.
    pub(crate) fn find_column<'a, R>(&'a self, see: &mut dyn FnMut(&'a ColumnRef) -> Option<R>) -> Option<R> {
        match self {
            Self::Column(column) => see(column),
            Self::InSelect { value, select, .. } => value.find_column(see).or_else(|| select.find_outer_column(see)),
            Self::Exists { select, .. } | Self::Subquery { select, .. } => select.find_outer_column(see),
            other => other.find_child(&mut |child| child.find_column(see)),
        }
    }

    /// Why this expression, or one in it, could not be made.
    pub(crate) fn find_invalid(&self) -> Option<&str> {
        match self {
            Self::Invalid(reason) => Some(reason),
            Self::Exists { select, .. } | Self::Subquery { select, .. } => select.find_invalid(),
            Self::InSelect { value, select, .. } => value.find_invalid().or_else(|| select.find_invalid()),
            other => other.find_child(&mut |child| child.find_invalid()),
        }
    }

    /// A column that can make this expression NULL, because `nullable` says that it can be NULL itself.
    pub(crate) fn find_null<'a>(&'a self, nullable: &dyn Fn(&ColumnRef) -> bool) -> Option<&'a ColumnRef> {
        match self {
            Self::Column(column) => nullable(column).then_some(column),
            Self::Function { nulls: Nulls::Never, .. } | Self::IsNull { .. } | Self::RowNumber { .. } => None,
            // Its type is an Option: what is not there is NULL whatever the column may be.
            Self::JsonPath { .. } => None,
            // Where there is no text there is no match, which is no NULL to who orders by it.
            Self::FullText(_) => None,
            Self::Function { nulls: Nulls::Coalesce, args, .. } => {
                let mut columns = args.iter().map(|arg| arg.find_null(nullable));
                let first = columns.next().flatten();
                if columns.all(|column| column.is_some()) { first } else { None }
            }
            Self::Form(form) => form.find_null(nullable),
            other => other.find_child(&mut |child| child.find_null(nullable)),
        }
    }

    /// Shows the expressions that this one is made of, without those of subqueries, until `see` returns `Some`.
    fn find_child<'a, R>(&'a self, see: &mut dyn FnMut(&'a Self) -> Option<R>) -> Option<R> {
        match self {
            Self::Column(_)
            | Self::Value(_)
            | Self::Sql(_)
            | Self::Exists { .. }
            | Self::Subquery { .. }
            | Self::Invalid(_) => None,
            Self::And(nodes) | Self::Or(nodes) | Self::Function { args: nodes, .. } => nodes.iter().find_map(see),
            Self::Not(inner) | Self::Negative(inner) | Self::Typed(inner, _) | Self::Cast(inner, _) => see(inner),
            Self::JsonPath { document, .. } => see(document),
            Self::FullText(search) => search.columns.iter().find_map(see),
            Self::Binary(operation) => see(&operation.0).or_else(|| see(&operation.2)),
            Self::JsonContains { document: left, value: right } => see(left).or_else(|| see(right)),
            Self::IsNull { value, .. } | Self::InSelect { value, .. } => see(value),
            Self::Between { value, low, high, .. } => [value, low, high].into_iter().find_map(|node| see(node)),
            Self::In { value, list, .. } => see(value).or_else(|| list.iter().find_map(see)),
            Self::Like { value, pattern, .. } => see(value).or_else(|| see(pattern)),
            Self::Form(form) => form.children().into_iter().find_map(see),
            Self::RowNumber { partition_by, order_by } => {
                partition_by.iter().chain(order_by.iter().map(|order| &order.node)).find_map(see)
            }
        }
    }

    /// Whether a subquery in this expression selects from a table under this name.
    pub(crate) fn selects_from(&self, name: &str) -> bool {
        let select = match self {
            Self::Exists { select, .. } | Self::InSelect { select, .. } | Self::Subquery { select, .. } => Some(select),
            _ => None,
        };
        select.is_some_and(|select| select.selects_from(name))
            || self.find_child(&mut |child| child.selects_from(name).then_some(())).is_some()
    }

    /// Gives a table another name in this expression.
    pub(crate) fn rename_table(&mut self, from: &str, to: &str) {
        self.columns_mut(&mut |column| {
            if column.table == from {
                column.table = Cow::Owned(to.to_owned());
            }
        });
    }

    pub(crate) fn columns_mut(&mut self, change: &mut dyn FnMut(&mut ColumnRef)) {
        match self {
            Self::Column(column) => change(column),
            Self::Value(_) | Self::Sql(_) | Self::Invalid(_) => {}
            Self::And(nodes) | Self::Or(nodes) => nodes.iter_mut().for_each(|node| node.columns_mut(change)),
            Self::Not(inner) | Self::Negative(inner) | Self::Typed(inner, _) | Self::Cast(inner, _) => {
                inner.columns_mut(change);
            }
            Self::JsonPath { document, .. } => document.columns_mut(change),
            Self::FullText(search) => search.columns.iter_mut().for_each(|node| node.columns_mut(change)),
            Self::Binary(operation) => {
                operation.0.columns_mut(change);
                operation.2.columns_mut(change);
            }
            Self::JsonContains { document: left, value: right } => {
                left.columns_mut(change);
                right.columns_mut(change);
            }
            Self::IsNull { value, .. } => value.columns_mut(change),
            Self::Between { value, low, high, .. } => {
                [value, low, high].into_iter().for_each(|node| node.columns_mut(change));
            }
            Self::In { value, list, .. } => {
                value.columns_mut(change);
                list.iter_mut().for_each(|node| node.columns_mut(change));
            }
            Self::InSelect { value, select, .. } => {
                value.columns_mut(change);
                select.outer_columns_mut(change);
            }
            Self::Like { value, pattern, .. } => {
                value.columns_mut(change);
                pattern.columns_mut(change);
            }
            Self::Function { args, .. } => args.iter_mut().for_each(|node| node.columns_mut(change)),
            Self::Exists { select, .. } | Self::Subquery { select, .. } => select.outer_columns_mut(change),
            Self::Form(form) => form.children_mut().into_iter().for_each(|node| node.columns_mut(change)),
            Self::RowNumber { partition_by, order_by } => {
                partition_by.iter_mut().for_each(|node| node.columns_mut(change));
                order_by.iter_mut().for_each(|order| order.node.columns_mut(change));
            }
        }
    }
}

impl Select {
    /// Whether a table stands in this select's FROM, under this name.
    fn has_table(&self, name: &str) -> bool {
        let from = match &self.from {
            FromClause::Nothing => false,
            FromClause::Table(table) => table.qualifier() == name,
            FromClause::Select(_, alias) => alias == name,
        };
        from || self.joins.iter().any(|join| join.table.qualifier() == name)
    }

    /// All expressions of this select, in the order of its clauses, without those of the selects in it.
    fn nodes(&self) -> impl Iterator<Item = &Node> {
        let columns = self.columns.iter().map(|column| &column.node);
        let orders = self.order_by.iter().map(|order: &OrderBy| &order.node);
        let extra = self.extra.iter().flat_map(|extra| &extra.distinct_on);
        columns
            .chain(self.joins.iter().map(|join| &join.on))
            .chain(&self.filter)
            .chain(&self.group_by)
            .chain(&self.having)
            .chain(orders)
            .chain(extra)
    }

    /// The tables of this select.
    fn tables(&self) -> impl Iterator<Item = &TableRef> {
        let from = match &self.from {
            FromClause::Table(table) => Some(table),
            FromClause::Nothing | FromClause::Select(..) => None,
        };
        from.into_iter().chain(self.joins.iter().map(|join| &join.table))
    }

    /// The selects in the places of this one's tables, which may name columns of the tables before them.
    fn derived(&self) -> impl Iterator<Item = &Self> {
        let from = match &self.from {
            FromClause::Select(inner, _) => Some(&**inner),
            FromClause::Nothing | FromClause::Table(_) => None,
        };
        from.into_iter().chain(self.tables().filter_map(|table| table.derived.as_deref()).map(|table| &table.select))
    }

    /// The selects that follow this one.
    fn set(&self) -> impl Iterator<Item = &Self> {
        self.extra.iter().flat_map(|extra| extra.set.iter().map(|(_, select)| select))
    }

    /// The selects of common table expressions.
    fn common(&self) -> impl Iterator<Item = &Self> {
        self.extra.iter().flat_map(|extra| &extra.with).filter_map(|table| match &table.rows {
            Rows::Select(select) => Some(&**select),
            Rows::Values(..) => None,
        })
    }

    /// Why an expression in this select could not be made.
    pub(crate) fn find_invalid(&self) -> Option<&str> {
        let nodes = self.nodes().find_map(Node::find_invalid);
        nodes.or_else(|| self.derived().chain(self.set()).chain(self.common()).find_map(Self::find_invalid))
    }

    /// Whether it, or a select in it, selects from a table under this name.
    fn selects_from(&self, name: &str) -> bool {
        self.has_table(name)
            || self.nodes().any(|node| node.selects_from(name))
            || self.derived().chain(self.set()).any(|select| select.selects_from(name))
    }

    /// Shows each column that is of none of this select's tables, until `see` returns `Some`.
    pub(crate) fn find_outer_column<'a, R>(&'a self, see: &mut dyn FnMut(&'a ColumnRef) -> Option<R>) -> Option<R> {
        let mut outside = |column: &'a ColumnRef| if self.has_table(&column.table) { None } else { see(column) };
        let inner = self.derived().find_map(|derived| derived.find_outer_column(&mut outside));
        inner
            .or_else(|| self.nodes().find_map(|node| node.find_column(&mut outside)))
            .or_else(|| self.set().find_map(|select| select.find_outer_column(see)))
    }

    fn outer_columns_mut(&mut self, change: &mut dyn FnMut(&mut ColumnRef)) {
        let own: Vec<Cow<'static, str>> = match &self.from {
            FromClause::Nothing => None,
            FromClause::Table(table) => Some(table.qualifier().clone()),
            FromClause::Select(_, alias) => Some(alias.clone()),
        }
        .into_iter()
        .chain(self.joins.iter().map(|join| join.table.qualifier().clone()))
        .collect();
        if let Some(extra) = &mut self.extra {
            extra.set.iter_mut().for_each(|(_, select)| select.outer_columns_mut(change));
        }
        let mut outside = |column: &mut ColumnRef| {
            if !own.contains(&column.table) {
                change(column);
            }
        };
        match &mut self.from {
            FromClause::Select(inner, _) => inner.outer_columns_mut(&mut outside),
            FromClause::Table(TableRef { derived: Some(derived), .. }) => {
                derived.select.outer_columns_mut(&mut outside)
            }
            FromClause::Nothing | FromClause::Table(_) => {}
        }
        self.columns.iter_mut().for_each(|column| column.node.columns_mut(&mut outside));
        for join in &mut self.joins {
            join.on.columns_mut(&mut outside);
            if let Some(derived) = &mut join.table.derived {
                derived.select.outer_columns_mut(&mut outside);
            }
        }
        let distinct_on = self.extra.iter_mut().flat_map(|extra| &mut extra.distinct_on);
        let conditions = self.filter.iter_mut().chain(&mut self.group_by).chain(&mut self.having).chain(distinct_on);
        conditions.for_each(|node| node.columns_mut(&mut outside));
        self.order_by.iter_mut().for_each(|order| order.node.columns_mut(&mut outside));
    }
}
