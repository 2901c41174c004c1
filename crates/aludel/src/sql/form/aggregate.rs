//! Aggregates and windows.

use std::borrow::Cow;

use crate::sql::ddl::quote_text;
use crate::sql::node::level;
use crate::sql::render::Renderer;
use crate::sql::{ColumnRef, Dialect, Node, Nulls, OrderBy};

use super::Form;

/// An aggregate with DISTINCT, FILTER or an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateCall {
    /// Which one.
    pub name: AggregateName,
    /// What is gathered; `*` where absent.
    pub arg: Option<Node>,
    /// Whether equal values count once.
    pub distinct: bool,
    /// Which rows count.
    pub filter: Option<Node>,
    /// In which order values are gathered.
    pub order_by: Vec<OrderBy>,
    /// What NULL in the argument makes of the result.
    pub nulls: Nulls,
}

/// The name of an aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AggregateName {
    /// One that has the same name everywhere.
    Plain(&'static str),
    /// `string_agg`, `group_concat`: texts one after the other.
    StringAgg {
        /// What stands between them.
        separator: Cow<'static, str>,
    },
}

/// What stands in the parentheses of OVER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Which rows belong together.
    pub partition_by: Vec<Node>,
    /// Their order.
    pub order_by: Vec<OrderBy>,
    /// Which of them count for a row.
    pub frame: Option<Frame>,
}

/// Which rows of a window's part count for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What is counted.
    pub unit: FrameUnit,
    /// The first of them.
    pub start: Bound,
    /// The last of them.
    pub end: Bound,
}

/// What the ends of a frame count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// The difference of the values that the window is ordered by.
    Range,
    /// Groups of rows that are equal in the window's order.
    Groups,
}

/// The end of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The first row of the part, or the last.
    Unbounded,
    /// So many before the row, where negative, or after it; 0 is the row itself.
    Offset(i64),
}

impl AggregateCall {
    pub(super) fn find_null<'a>(&'a self, nullable: &dyn Fn(&ColumnRef) -> bool) -> Option<&'a ColumnRef> {
        match self.nulls {
            Nulls::Never => None,
            Nulls::Propagate | Nulls::Coalesce => self.arg.as_ref()?.find_null(nullable),
        }
    }

    pub(super) fn children(&self) -> Vec<&Node> {
        self.arg.iter().chain(&self.filter).chain(self.order_by.iter().map(|order| &order.node)).collect()
    }

    pub(super) fn children_mut(&mut self) -> Vec<&mut Node> {
        let orders = self.order_by.iter_mut().map(|order| &mut order.node);
        self.arg.iter_mut().chain(&mut self.filter).chain(orders).collect()
    }
}

impl Window {
    pub(super) fn children(&self) -> impl Iterator<Item = &Node> {
        self.partition_by.iter().chain(self.order_by.iter().map(|order| &order.node))
    }

    pub(super) fn children_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.partition_by.iter_mut().chain(self.order_by.iter_mut().map(|order| &mut order.node))
    }
}

impl Renderer<'_> {
    pub(super) fn aggregate(&mut self, call: AggregateCall) {
        let AggregateCall { name, mut arg, distinct, mut filter, order_by, .. } = call;
        if self.dialect().is_mysql()
            && let Some(condition) = filter.take()
        {
            let value = arg.take().unwrap_or_else(|| Node::Sql("1".into()));
            arg = Some(Form::Case { branches: vec![(condition, value)], otherwise: None }.into());
        }
        self.push(match (&name, self.dialect()) {
            (AggregateName::Plain(name), _) => name,
            (AggregateName::StringAgg { .. }, Dialect::Postgres) => "string_agg",
            (AggregateName::StringAgg { .. }, _) => "group_concat",
        });
        self.push(if distinct { "(DISTINCT " } else { "(" });
        match arg {
            Some(arg) => self.node(arg),
            None => self.push("*"),
        }
        match name {
            AggregateName::StringAgg { separator } => self.gathered_text(&separator, distinct, order_by),
            AggregateName::Plain(_) => self.list(" ORDER BY ", order_by, Self::order),
        }
        self.push(")");
        if let Some(condition) = filter {
            self.push(" FILTER (WHERE ");
            self.node(condition);
            self.push(")");
        }
    }

    /// The separator and the order of texts that are gathered.
    fn gathered_text(&mut self, separator: &str, distinct: bool, order_by: Vec<OrderBy>) {
        match self.dialect() {
            Dialect::MariaDb | Dialect::MySql => {
                self.list(" ORDER BY ", order_by, Self::order);
                self.push(" SEPARATOR ");
                // Whether a backslash escapes is a setting of the server's.
                if separator.contains('\\') {
                    self.push("x'");
                    separator.bytes().for_each(|byte| self.push(&format!("{byte:02x}")));
                    self.push("'");
                } else {
                    quote_text(separator, self.sql());
                }
            }
            Dialect::Sqlite if distinct => {
                // With DISTINCT it takes one argument, and a comma for the separator.
                if separator != "," {
                    let what = "string_agg of distinct values: on SQLite the separator can only be `,`";
                    self.unsupported(what.to_owned());
                }
                self.list(" ORDER BY ", order_by, Self::order);
            }
            Dialect::Sqlite | Dialect::Postgres => {
                self.push(", ");
                quote_text(separator, self.sql());
                // With DISTINCT PostgreSQL orders by what is gathered alone, and knows it by its parameters.
                self.repeating(|out| out.list(" ORDER BY ", order_by, Self::order));
            }
        }
    }

    pub(super) fn over(&mut self, function: Node, window: Window) {
        if self.dialect().is_mysql()
            && let Node::Form(form) = &function
            && matches!(&**form, Form::Aggregate(AggregateCall { name: AggregateName::StringAgg { .. }, .. }))
        {
            self.unsupported("string_agg over a window: MariaDB and MySQL gather texts in groups alone".to_owned());
        }
        self.operand(function, level::ATOM);
        self.push(" OVER (");
        let Window { partition_by, order_by, frame } = window;
        let mut blank = false;
        if !partition_by.is_empty() {
            self.list("PARTITION BY ", partition_by, Self::node);
            blank = true;
        }
        if !order_by.is_empty() {
            self.list(if blank { " ORDER BY " } else { "ORDER BY " }, order_by, Self::order);
            blank = true;
        }
        if let Some(frame) = frame {
            self.push(if blank { " " } else { "" });
            self.frame(frame);
        }
        self.push(")");
    }

    fn frame(&mut self, frame: Frame) {
        self.push(match frame.unit {
            FrameUnit::Rows => "ROWS BETWEEN ",
            FrameUnit::Range => "RANGE BETWEEN ",
            FrameUnit::Groups => "GROUPS BETWEEN ",
        });
        if frame.unit == FrameUnit::Groups && self.dialect().is_mysql() {
            let what = "a window's frame of groups: MariaDB and MySQL count rows and ranges alone";
            self.unsupported(what.to_owned());
        }
        self.bound(frame.start, "PRECEDING");
        self.push(" AND ");
        self.bound(frame.end, "FOLLOWING");
    }

    fn bound(&mut self, bound: Bound, side: &str) {
        match bound {
            Bound::Unbounded => {
                self.push("UNBOUNDED ");
                self.push(side);
            }
            Bound::Offset(0) => self.push("CURRENT ROW"),
            Bound::Offset(offset) => {
                self.push(&offset.unsigned_abs().to_string());
                self.push(if offset < 0 { " PRECEDING" } else { " FOLLOWING" });
            }
        }
    }
}
