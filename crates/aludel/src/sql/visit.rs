//! Walks over expressions: which columns they name, under which names of tables, and whether they can be NULL.

use std::borrow::Cow;

use super::{ColumnRef, FromClause, Node, Nulls, OrderBy, Select};

impl Node {
    /// Shows each column of this expression, those of subqueries too, until `see` returns `Some`. A subquery's own
    /// tables are not a matter of the query around it: their columns are left out.
    pub(crate) fn find_column<'a, R>(&'a self, see: &mut dyn FnMut(&'a ColumnRef) -> Option<R>) -> Option<R> {
        match self {
            Self::Column(column) => see(column),
            Self::InSelect { value, select, .. } => value.find_column(see).or_else(|| select.find_outer_column(see)),
            Self::Exists { select, .. } => select.find_outer_column(see),
            other => other.find_child(&mut |child| child.find_column(see)),
        }
    }

    /// Why this expression, or one in it, could not be made.
    pub(crate) fn find_invalid(&self) -> Option<&str> {
        match self {
            Self::Invalid(reason) => Some(reason),
            Self::Exists { select, .. } => select.nodes().find_map(Self::find_invalid),
            Self::InSelect { value, select, .. } => {
                value.find_invalid().or_else(|| select.nodes().find_map(Self::find_invalid))
            }
            other => other.find_child(&mut |child| child.find_invalid()),
        }
    }

    /// A column that can make this expression NULL, because `nullable` says that it can be NULL itself.
    pub(crate) fn find_null<'a>(&'a self, nullable: &dyn Fn(&ColumnRef) -> bool) -> Option<&'a ColumnRef> {
        match self {
            Self::Column(column) => nullable(column).then_some(column),
            Self::Function { nulls: Nulls::Never, .. } | Self::IsNull { .. } | Self::RowNumber { .. } => None,
            Self::Function { nulls: Nulls::Coalesce, args, .. } => {
                let mut columns = args.iter().map(|arg| arg.find_null(nullable));
                let first = columns.next().flatten();
                if columns.all(|column| column.is_some()) { first } else { None }
            }
            other => other.find_child(&mut |child| child.find_null(nullable)),
        }
    }

    /// Shows the expressions that this one is made of, without those of subqueries, until `see` returns `Some`.
    fn find_child<'a, R>(&'a self, see: &mut dyn FnMut(&'a Self) -> Option<R>) -> Option<R> {
        match self {
            Self::Column(_) | Self::Value(_) | Self::Sql(_) | Self::Exists { .. } | Self::Invalid(_) => None,
            Self::And(nodes) | Self::Or(nodes) | Self::Function { args: nodes, .. } => nodes.iter().find_map(see),
            Self::Not(inner) | Self::Negative(inner) | Self::Typed(inner, _) => see(inner),
            Self::Binary(left, _, right) => see(left).or_else(|| see(right)),
            Self::IsNull { value, .. } | Self::InSelect { value, .. } => see(value),
            Self::Between { value, low, high, .. } => [value, low, high].into_iter().find_map(|node| see(node)),
            Self::In { value, list, .. } => see(value).or_else(|| list.iter().find_map(see)),
            Self::Like { value, pattern, .. } => see(value).or_else(|| see(pattern)),
            Self::RowNumber { partition_by, order_by } => {
                partition_by.iter().chain(order_by.iter().map(|order| &order.node)).find_map(see)
            }
        }
    }

    /// Whether a subquery in this expression selects from a table under this name.
    pub(crate) fn selects_from(&self, name: &str) -> bool {
        let select = match self {
            Self::Exists { select, .. } | Self::InSelect { select, .. } => Some(select),
            _ => None,
        };
        select.is_some_and(|select| select.has_table(name) || select.nodes().any(|node| node.selects_from(name)))
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

    fn columns_mut(&mut self, change: &mut dyn FnMut(&mut ColumnRef)) {
        match self {
            Self::Column(column) => change(column),
            Self::Value(_) | Self::Sql(_) | Self::Invalid(_) => {}
            Self::And(nodes) | Self::Or(nodes) => nodes.iter_mut().for_each(|node| node.columns_mut(change)),
            Self::Not(inner) | Self::Negative(inner) | Self::Typed(inner, _) => inner.columns_mut(change),
            Self::Binary(left, _, right) => {
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
            Self::Exists { select, .. } => select.outer_columns_mut(change),
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

    /// All expressions of this select, in the order of its clauses.
    fn nodes(&self) -> impl Iterator<Item = &Node> {
        let columns = self.columns.iter().map(|column| &column.node);
        let orders = self.order_by.iter().map(|order: &OrderBy| &order.node);
        columns
            .chain(self.joins.iter().map(|join| &join.on))
            .chain(&self.filter)
            .chain(&self.group_by)
            .chain(&self.having)
            .chain(orders)
    }

    fn find_outer_column<'a, R>(&'a self, see: &mut dyn FnMut(&'a ColumnRef) -> Option<R>) -> Option<R> {
        let mut outside = |column: &'a ColumnRef| if self.has_table(&column.table) { None } else { see(column) };
        if let FromClause::Select(inner, _) = &self.from
            && let Some(found) = inner.find_outer_column(&mut outside)
        {
            return Some(found);
        }
        self.nodes().find_map(|node| node.find_column(&mut outside))
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
        let mut outside = |column: &mut ColumnRef| {
            if !own.contains(&column.table) {
                change(column);
            }
        };
        if let FromClause::Select(inner, _) = &mut self.from {
            inner.outer_columns_mut(&mut outside);
        }
        self.columns.iter_mut().for_each(|column| column.node.columns_mut(&mut outside));
        self.joins.iter_mut().for_each(|join| join.on.columns_mut(&mut outside));
        let conditions = self.filter.iter_mut().chain(&mut self.group_by).chain(&mut self.having);
        conditions.for_each(|node| node.columns_mut(&mut outside));
        self.order_by.iter_mut().for_each(|order| order.node.columns_mut(&mut outside));
    }
}
