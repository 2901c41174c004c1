//! How statements become SQL: what all have in common, and selects.

mod compound;
mod expression;

use super::compound::SelectExtra;
use super::{
    Dialect, FromClause, Join, JoinKind, Node, NullsOrder, OrderBy, Rendering, SchemaTranslation, Select, SelectColumn,
    Statement, TableRef, Tenancy, Value,
};
use crate::error::ErrorKind;

/// The clauses of a SELECT after its tables.
#[derive(Default)]
pub(crate) struct Rest {
    pub(crate) filter: Vec<Node>,
    pub(crate) group_by: Vec<Node>,
    pub(crate) having: Vec<Node>,
    pub(crate) order_by: Vec<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// Writes SQL at the end of a statement's buffer and moves the values into it.
pub(crate) struct Renderer<'a> {
    dialect: Dialect,
    schemas: Option<&'a SchemaTranslation>,
    pub(super) tenancy: Tenancy<'a>,
    /// Whether softly deleted rows are seen.
    pub(crate) with_deleted: bool,
    out: &'a mut Statement,
    /// Where parameters have numbers: of how many of the first the numbers may be used again for an equal value.
    shared: usize,
    /// The position after the parameter that was used again last: what is written twice has them in the same order.
    next_shared: usize,
}

impl Select {
    /// Appends the statement and its values to a buffer.
    pub fn render<'a>(self, to: impl Into<Rendering<'a>>, out: &'a mut Statement) {
        Renderer::new(to.into(), out).select(self);
    }
}

impl JoinKind {
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::Inner => " JOIN ",
            Self::Left => " LEFT JOIN ",
        }
    }
}

impl<'a> Renderer<'a> {
    pub(crate) fn new(to: Rendering<'a>, out: &'a mut Statement) -> Self {
        let Rendering { dialect, schemas, tenancy } = to;
        Self { dialect, schemas, tenancy, with_deleted: false, out, shared: 0, next_shared: 0 }
    }

    pub(crate) fn push(&mut self, sql: &str) {
        self.out.sql.push_str(sql);
    }

    pub(crate) fn quote(&mut self, ident: &str) {
        self.dialect.quote(ident, &mut self.out.sql);
    }

    pub(super) fn bind(&mut self, value: Value<'static>) {
        if self.shared > 0
            && let Some(at) = self.equal_parameter(&value)
        {
            self.next_shared = at + 1;
            return self.dialect.placeholder(at + 1, &mut self.out.sql);
        }
        if self.dialect.is_mysql() && matches!(value, Value::Decimal(_)) {
            // The protocol has decimals as texts, and a text is compared with a number as a float.
            self.push("CAST(");
            self.out.bind(self.dialect, value);
            return self.push(" AS DECIMAL(65, 30))");
        }
        self.out.bind(self.dialect, value);
    }

    /// The parameter that has this value already, rather the one that follows the last.
    fn equal_parameter(&self, value: &Value<'static>) -> Option<usize> {
        let shared = &self.out.params[..self.shared];
        match shared.get(self.next_shared) {
            Some(next) if next == value => Some(self.next_shared),
            _ => shared.iter().position(|other| other == value),
        }
    }

    /// Writes what repeats an expression before it, whose parameters it names again where they have numbers.
    pub(super) fn repeating(&mut self, write: impl FnOnce(&mut Self)) {
        let numbered = self.dialect.capabilities().numbered_placeholders;
        let shared = if numbered { self.out.params.len() } else { 0 };
        let before = std::mem::replace(&mut self.shared, shared);
        write(self);
        self.shared = before;
    }

    /// Shows softly deleted rows in what is written, or does not.
    pub(super) fn lifting<T>(&mut self, with_deleted: bool, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.with_deleted, with_deleted);
        let written = write(self);
        self.with_deleted = before;
        written
    }

    pub(super) fn select(&mut self, mut select: Select) {
        let Some(mut extra) = select.extra.take() else { return self.plain_select(select, None) };
        // A query that has a name says for itself what it sees.
        self.lifting(false, |to| to.with(std::mem::take(&mut extra.with)));
        let with_deleted = self.with_deleted || extra.with_deleted;
        self.lifting(with_deleted && extra.set.is_empty() || self.with_deleted, |to| {
            to.plain_select(select, Some(extra))
        });
    }

    /// A select without its common table expressions.
    fn plain_select(&mut self, mut select: Select, extra: Option<Box<SelectExtra>>) {
        let mut lock = None;
        if let Some(extra) = extra {
            if !extra.set.is_empty() {
                let whole = Rest {
                    order_by: std::mem::take(&mut select.order_by),
                    limit: select.limit.take(),
                    offset: select.offset.take(),
                    ..Rest::default()
                };
                return self.compound(select, *extra, whole);
            }
            self.push("SELECT ");
            if extra.distinct_on.is_empty() {
                self.push(if select.distinct { "DISTINCT " } else { "" });
            } else {
                self.distinct_on(extra.distinct_on);
            }
            lock = extra.lock;
        } else {
            self.push(if select.distinct { "SELECT DISTINCT " } else { "SELECT " });
        }
        self.push(select.list);
        self.columns(!select.list.is_empty(), select.columns);
        match select.from {
            FromClause::Nothing => {}
            FromClause::Table(table) => {
                self.push(" FROM ");
                let confined = self.table(table);
                select.filter.extend(confined);
            }
            FromClause::Select(inner, name) => {
                self.push(" FROM (");
                self.select(*inner);
                self.push(") AS ");
                self.quote(&name);
            }
        }
        select.joins.into_iter().for_each(|join| self.join(join));
        self.rest(Rest {
            filter: select.filter,
            group_by: select.group_by,
            having: select.having,
            order_by: select.order_by,
            limit: select.limit,
            offset: select.offset,
        });
        if let Some(lock) = lock {
            self.lock(&lock);
        }
    }

    /// What follows the tables of a SELECT.
    pub(crate) fn rest(&mut self, rest: Rest) {
        let selected = self.out.params.len();
        self.conditions(" WHERE ", rest.filter);
        // PostgreSQL takes `a + $1` in the list and `a + $2` in GROUP BY for two expressions, whatever is bound.
        let numbered = self.dialect.capabilities().numbered_placeholders;
        let shared = std::mem::replace(&mut self.shared, if numbered { selected } else { 0 });
        self.list(" GROUP BY ", rest.group_by, Self::node);
        self.conditions(" HAVING ", rest.having);
        self.list(" ORDER BY ", rest.order_by, Self::order);
        self.shared = shared;
        self.limit(rest.limit, rest.offset);
    }

    pub(crate) fn columns(&mut self, mut comma: bool, columns: impl IntoIterator<Item = SelectColumn>) {
        for column in columns {
            if std::mem::replace(&mut comma, true) {
                self.push(", ");
            }
            self.node(column.node);
            if let Some(alias) = column.alias {
                self.push(" AS ");
                self.quote(&alias);
            }
        }
    }

    /// A table by its own name, with its schema.
    pub(crate) fn table_name(&mut self, schema: Option<&str>, name: &str) {
        match schema {
            None => self.quote(name),
            Some(_) => {
                let to = Rendering { schemas: self.schemas, ..self.dialect.into() };
                to.quote_table(schema, name, &mut self.out.sql);
            }
        }
    }

    /// A table; what its rows have to be is the caller's to write.
    #[must_use = "the rows that nobody may see are left out by this condition"]
    pub(crate) fn table(&mut self, mut table: TableRef) -> Option<Node> {
        if let Some(derived) = table.derived.take() {
            self.lifting(false, |to| to.derived(*derived));
            self.push(" AS ");
            self.quote(&table.name);
            return self.confined(&table);
        }
        self.named_table(&table)
    }

    /// A table that is no select.
    #[must_use = "the rows that nobody may see are left out by this condition"]
    pub(crate) fn named_table(&mut self, table: &TableRef) -> Option<Node> {
        self.table_name(table.schema.as_deref(), &table.name);
        if let Some(alias) = &table.alias {
            self.push(" AS ");
            self.quote(alias);
        }
        self.confined(table)
    }

    pub(crate) fn join(&mut self, join: Join) {
        self.push(join.kind.sql());
        let confined = self.table(join.table);
        self.push(" ON ");
        self.node(match confined {
            None => join.on,
            Some(confined) => join.on.and(confined),
        });
    }

    pub(crate) fn conditions(&mut self, clause: &str, mut conditions: Vec<Node>) {
        let condition = match conditions.len() {
            0 => return,
            1 => conditions.swap_remove(0),
            _ => Node::And(conditions),
        };
        self.push(clause);
        self.node(condition);
    }

    pub(super) fn list<T>(&mut self, clause: &str, items: Vec<T>, write: fn(&mut Self, T)) {
        for (at, item) in items.into_iter().enumerate() {
            self.push(if at == 0 { clause } else { ", " });
            write(self, item);
        }
    }

    pub(super) fn order(&mut self, order: OrderBy) {
        let native = self.dialect.capabilities().nulls_ordering;
        if !native {
            // Without the words NULL is less than all values. The condition is 1 where it holds, which comes last.
            let negated = match (order.nulls, order.descending) {
                (Some(NullsOrder::First), true) => Some(true),
                (Some(NullsOrder::Last), false) => Some(false),
                _ => None,
            };
            if let Some(negated) = negated {
                self.node(Node::IsNull { value: Box::new(order.node.clone()), negated });
                self.push(", ");
            }
        }
        self.node(order.node);
        if order.descending {
            self.push(" DESC");
        }
        match order.nulls {
            Some(NullsOrder::First) if native => self.push(" NULLS FIRST"),
            Some(NullsOrder::Last) if native => self.push(" NULLS LAST"),
            _ => {}
        }
    }

    fn limit(&mut self, limit: Option<u64>, offset: Option<u64>) {
        match (limit, self.dialect.capabilities().unlimited) {
            (Some(limit), _) => {
                self.push(" LIMIT ");
                self.bind(Value::rows(limit));
            }
            (None, Some(unlimited)) if offset.is_some() => {
                self.push(" LIMIT ");
                self.push(unlimited);
            }
            (None, _) => {}
        }
        if let Some(offset) = offset {
            self.push(" OFFSET ");
            self.bind(Value::rows(offset));
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The end of the statement's text.
    pub(super) fn sql(&mut self) -> &mut String {
        &mut self.out.sql
    }

    #[cold]
    pub(super) fn unsupported(&mut self, what: String) {
        self.out.refused.get_or_insert_with(|| Box::new((ErrorKind::Unsupported, what)));
    }

    /// The statement cannot be sent.
    #[cold]
    pub(super) fn refuse(&mut self, why: String) {
        self.out.refused.get_or_insert_with(|| Box::new((ErrorKind::InvalidStatement, why)));
    }
}
