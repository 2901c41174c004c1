//! How expressions become SQL.

use std::fmt::Write;

use super::Renderer;
use crate::schema::SqlType;
use crate::sql::node::level;
use crate::sql::{BinaryOp, ColumnRef, Dialect, LIKE_ESCAPE, Node, Rendering, Select, Statement, SubqueryKind, Value};

impl Node {
    /// Appends the expression and its values to a buffer.
    pub fn render<'a>(self, to: impl Into<Rendering<'a>>, out: &'a mut Statement) {
        Renderer::new(to.into(), out).node(self);
    }
}

impl Renderer<'_> {
    /// An expression that stands alone, or in parentheses.
    pub(in crate::sql) fn atom(&mut self, node: Node) {
        self.operand(node, level::ATOM);
    }

    pub(crate) fn node(&mut self, node: Node) {
        self.operand(node, level::ANY);
    }

    /// An expression in a place that asks for one that binds at least so strongly.
    pub(in crate::sql) fn operand(&mut self, node: Node, least: u8) {
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
