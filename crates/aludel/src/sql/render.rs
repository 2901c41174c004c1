//! How expressions and selects become SQL.

use std::fmt::Write;

use super::compound::SelectExtra;
use super::node::level;
use super::{
    BinaryOp, ColumnRef, Dialect, FromClause, Join, JoinKind, LIKE_ESCAPE, Node, NullsOrder, OrderBy, Rendering,
    SchemaTranslation, Select, SelectColumn, Statement, SubqueryKind, TableRef, Tenancy, Value,
};
use crate::error::ErrorKind;
use crate::schema::SqlType;

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

impl Node {
    /// Appends the expression and its values to a buffer.
    pub fn render<'a>(self, to: impl Into<Rendering<'a>>, out: &'a mut Statement) {
        Renderer::new(to.into(), out).node(self);
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

    fn columns(&mut self, mut comma: bool, columns: Vec<SelectColumn>) {
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
        let value = |rows: u64| Value::Int(i64::try_from(rows).unwrap_or(i64::MAX));
        match (limit, self.dialect.capabilities().unlimited) {
            (Some(limit), _) => {
                self.push(" LIMIT ");
                self.bind(value(limit));
            }
            (None, Some(unlimited)) if offset.is_some() => {
                self.push(" LIMIT ");
                self.push(unlimited);
            }
            (None, _) => {}
        }
        if let Some(offset) = offset {
            self.push(" OFFSET ");
            self.bind(value(offset));
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The end of the statement's text.
    pub(super) fn sql(&mut self) -> &mut String {
        &mut self.out.sql
    }

    /// An expression that stands alone, or in parentheses.
    pub(super) fn atom(&mut self, node: Node) {
        self.operand(node, level::ATOM);
    }

    pub(crate) fn node(&mut self, node: Node) {
        self.operand(node, level::ANY);
    }

    /// An expression in a place that asks for one that binds at least so strongly.
    pub(super) fn operand(&mut self, node: Node, least: u8) {
        if node.level() < least {
            self.push("(");
            self.bare(node);
            self.push(")");
        } else {
            self.bare(node);
        }
    }

    fn bare(&mut self, node: Node) {
        match node {
            Node::Column(column) => self.column(&column),
            Node::Value(value) => self.bind(value),
            Node::Sql(sql) => self.push(&sql),
            Node::And(all) => self.chain(all, " AND ", "1 = 1", level::AND),
            Node::Or(any) => self.chain(any, " OR ", "0 = 1", level::OR),
            Node::Not(inner) => {
                self.push("NOT ");
                self.operand(*inner, level::ATOM);
            }
            Node::Binary(left, op, right) => self.binary(*left, op, *right),
            Node::Negative(inner) => {
                self.push("-");
                self.operand(*inner, level::ATOM);
            }
            Node::IsNull { value, negated } => {
                self.operand(*value, level::SUM);
                self.push(if negated { " IS NOT NULL" } else { " IS NULL" });
            }
            Node::Between { value, low, high, negated } => {
                self.operand(*value, level::SUM);
                self.push(if negated { " NOT BETWEEN " } else { " BETWEEN " });
                self.operand(*low, level::SUM);
                self.push(" AND ");
                self.operand(*high, level::SUM);
            }
            Node::In { value, list, negated } => self.in_list(*value, list, negated),
            Node::InSelect { value, select, negated } => {
                self.operand(*value, level::SUM);
                self.push(if negated { " NOT IN (" } else { " IN (" });
                self.select(*select);
                self.push(")");
            }
            Node::Like { value, pattern, escaped, negated } => self.like(*value, *pattern, escaped, negated),
            Node::Typed(value, ty) => self.typed(*value, &ty),
            Node::Cast(value, ty) => self.native_cast(*value, ty),
            Node::JsonPath { document, steps, what } => self.json_path(*document, steps, what),
            Node::JsonContains { document, value } => self.json_contains(*document, *value),
            Node::Function { name: crate::sql::EXCLUDED, args, .. } => self.excluded(args),
            Node::Function { name, distinct, args, .. } => {
                // MySQL's `length` counts bytes.
                self.push(if name == "length" && self.dialect.is_mysql() { "char_length" } else { name });
                self.push(if distinct { "(DISTINCT " } else { "(" });
                self.list("", args, Self::node);
                self.push(")");
            }
            Node::Exists { select, negated } => {
                self.push(if negated { "NOT EXISTS (" } else { "EXISTS (" });
                self.select(*select);
                self.push(")");
            }
            Node::Form(form) => self.form(*form),
            Node::FullText(search) => self.full_text(*search),
            Node::Subquery { select, kind } => self.subquery(*select, kind),
            // nothing is sent that holds one; a debugger or a log may still want to see the rest
            Node::Invalid(_) => self.push("NULL"),
            Node::RowNumber { partition_by, order_by } => {
                self.push("row_number() OVER (");
                let ordered = !partition_by.is_empty() && !order_by.is_empty();
                self.list("PARTITION BY ", partition_by, Self::node);
                self.list(if ordered { " ORDER BY " } else { "ORDER BY " }, order_by, Self::order);
                self.push(")");
            }
        }
    }

    /// The value of a column that was to be inserted.
    fn excluded(&mut self, args: Vec<Node>) {
        let mysql = self.dialect.is_mysql();
        self.push(if mysql { "VALUES(" } else { "excluded." });
        for node in args {
            if let Node::Column(column) = node {
                self.quote(&column.name);
            }
        }
        self.push(if mysql { ")" } else { "" });
    }

    fn subquery(&mut self, select: Select, kind: SubqueryKind) {
        if kind != SubqueryKind::Scalar && self.dialect == Dialect::Sqlite {
            self.unsupported(
                "any_(..) and all_(..): SQLite has no ANY and ALL; use `.in_(..)`, or compare with the `.scalar()` of a \
                 query of `min(..)` or `max(..)`"
                    .to_owned(),
            );
        }
        self.push(match kind {
            SubqueryKind::Scalar => "(",
            SubqueryKind::Any => "ANY (",
            SubqueryKind::All => "ALL (",
        });
        self.select(select);
        self.push(")");
    }

    fn column(&mut self, column: &ColumnRef) {
        self.quote(&column.table);
        self.push(".");
        self.quote(&column.name);
    }

    /// Conditions side by side; `none` stands for no condition at all.
    fn chain(&mut self, chain: Vec<Node>, separator: &str, none: &str, least: u8) {
        if chain.is_empty() {
            return self.push(none);
        }
        // a single condition is written as itself, and its level is what `Node::level` said
        let least = if chain.len() == 1 { level::ANY } else { least };
        for (at, node) in chain.into_iter().enumerate() {
            if at > 0 {
                self.push(separator);
            }
            self.operand(node, least);
        }
    }

    /// A value, cast where the backend has another type for it than the program.
    fn typed(&mut self, value: Node, ty: &SqlType) {
        let name = match (self.dialect, ty) {
            (Dialect::Postgres, SqlType::BigInt) => "BIGINT",
            (Dialect::Postgres, SqlType::Double) => "DOUBLE PRECISION",
            (Dialect::MariaDb | Dialect::MySql, SqlType::BigInt) => "SIGNED",
            (Dialect::MariaDb | Dialect::MySql, SqlType::UnsignedBigInt) => "UNSIGNED",
            (Dialect::MariaDb | Dialect::MySql, SqlType::Double) => "DOUBLE",
            _ => return self.operand(value, level::ATOM),
        };
        self.push("CAST(");
        self.node(value);
        self.push(" AS ");
        self.push(name);
        self.push(")");
    }

    fn binary(&mut self, left: Node, op: BinaryOp, right: Node) {
        if op == BinaryOp::Concat && self.dialect.is_mysql() {
            // `||` is OR there.
            self.push("concat(");
            self.node(left);
            self.push(", ");
            self.node(right);
            return self.push(")");
        }
        if op.is_native() {
            return self.native(left, op, right);
        }
        let own = op.level();
        // operators of arithmetic gather from the left; a comparison of comparisons needs parentheses on both sides
        self.operand(left, if own == level::COMPARISON { own + 1 } else { own });
        self.push(if op == BinaryOp::IntDiv && self.dialect.is_mysql() { " DIV " } else { op.sql() });
        self.operand(right, own + 1);
    }

    /// An operator of PostgreSQL's.
    fn native(&mut self, left: Node, op: BinaryOp, right: Node) {
        if self.dialect != Dialect::Postgres {
            let operator = op.sql().trim().trim_end_matches(" (");
            self.unsupported(format!("the operator `{operator}` on arrays and ranges is PostgreSQL's alone"));
        }
        self.operand(left, level::SUM);
        self.push(op.sql());
        if matches!(op, BinaryOp::EqAny | BinaryOp::EqAll) {
            self.node(right);
            return self.push(")");
        }
        self.operand(right, level::SUM);
    }

    /// Of arrays and ranges, which PostgreSQL alone has.
    fn native_cast(&mut self, value: Node, ty: &SqlType) {
        if self.dialect != Dialect::Postgres {
            self.unsupported("arrays and ranges are PostgreSQL's alone".to_owned());
        }
        self.cast_as(value, ty);
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

    fn in_list(&mut self, value: Node, mut list: Vec<Node>, negated: bool) {
        if list.is_empty() {
            return self.push(if negated { "1 = 1" } else { "0 = 1" });
        }
        if self.dialect == Dialect::Postgres
            && matches!(value, Node::Column(_))
            && let Some(array) = array(&list)
        {
            self.operand(value, level::SUM);
            self.push(if negated { " <> ALL (" } else { " = ANY (" });
            self.bind(Value::Text(array.into()));
            return self.push(")");
        }
        pad(&mut list);
        self.operand(value, level::SUM);
        self.push(if negated { " NOT IN (" } else { " IN (" });
        self.list("", list, Self::node);
        self.push(")");
    }

    fn like(&mut self, value: Node, pattern: Node, escaped: bool, negated: bool) {
        self.operand(value, level::SUM);
        self.push(if negated { " NOT LIKE " } else { " LIKE " });
        self.operand(pattern, level::SUM);
        if escaped {
            self.push(" ESCAPE '");
            self.out.sql.push(LIKE_ESCAPE);
            self.push("'");
        }
    }
}

/// The integers or UUIDs of a list as one array, as PostgreSQL writes it: one parameter in place of many, and one statement
/// for lists of all lengths. Its type is that of the column's array, which the server finds out.
fn array(list: &[Node]) -> Option<String> {
    let mut array = String::with_capacity(list.len() * 6 + 2);
    for node in list {
        array.push(if array.is_empty() { '{' } else { ',' });
        // Writing into a `String` does not fail.
        let _ = match node {
            Node::Value(Value::Int(value)) => write!(array, "{value}"),
            Node::Value(Value::Uuid(value)) => write!(array, "{value}"),
            _ => return None,
        };
    }
    array.push('}');
    Some(array)
}

/// Lists above this stay as they are: they are rare, and twice their length might be too many parameters.
const LARGEST_PADDED: usize = 8_192;

/// Repeats the last value until the length is a power of two, so that lists of all lengths make few statements, which
/// the connections keep prepared.
fn pad(list: &mut Vec<Node>) {
    if list.len() > LARGEST_PADDED || !list.iter().all(|node| matches!(node, Node::Value(_))) {
        return;
    }
    if let Some(last) = list.last().cloned() {
        list.resize(list.len().next_power_of_two(), last);
    }
}
