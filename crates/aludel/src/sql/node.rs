//! Expressions without types.

use std::borrow::Cow;

use super::{ColumnRef, Form, FullTextNode, JsonAs, JsonStep, OrderBy, Select, Value};
use crate::schema::SqlType;

/// An expression, whatever its type; [`Expr`](crate::model::Expr) is its typed wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Node {
    /// A column.
    Column(ColumnRef),
    /// A bound value.
    Value(Value<'static>),
    /// SQL as it stands, without values: rendered before, or written by the application.
    Sql(Cow<'static, str>),
    /// Conditions of which all hold; none is true.
    And(Vec<Node>),
    /// Conditions of which one holds; none is false.
    Or(Vec<Node>),
    /// A condition that does not hold.
    Not(Box<Node>),
    /// `left op right`, in one box: most conditions are one of these.
    Binary(Box<(Node, BinaryOp, Node)>),
    /// `-value`
    Negative(Box<Node>),
    /// `value IS NULL`
    IsNull {
        /// What is tested.
        value: Box<Node>,
        /// `IS NOT NULL`
        negated: bool,
    },
    /// `value BETWEEN low AND high`
    Between {
        /// What is tested.
        value: Box<Node>,
        /// The lower end, inclusive.
        low: Box<Node>,
        /// The upper end, inclusive.
        high: Box<Node>,
        /// `NOT BETWEEN`
        negated: bool,
    },
    /// `value IN (list)`; an empty list is false.
    In {
        /// What is tested.
        value: Box<Node>,
        /// What it is compared with.
        list: Vec<Node>,
        /// `NOT IN`
        negated: bool,
    },
    /// `value IN (SELECT ..)`
    InSelect {
        /// What is tested.
        value: Box<Node>,
        /// A select of one column.
        select: Box<Select>,
        /// `NOT IN`
        negated: bool,
    },
    /// `value LIKE pattern`
    Like {
        /// What is tested.
        value: Box<Node>,
        /// The pattern.
        pattern: Box<Node>,
        /// Whether [`LIKE_ESCAPE`] takes `%` and `_` their meaning.
        escaped: bool,
        /// `NOT LIKE`
        negated: bool,
    },
    /// `name(args)`
    Function {
        /// The function's name, which is not quoted.
        name: &'static str,
        /// `name(DISTINCT args)`
        distinct: bool,
        /// The arguments.
        args: Vec<Node>,
        /// What NULL in the arguments makes of the result.
        nulls: Nulls,
    },
    /// A value in the type that the program reads it as: cast where the backend's own type for it is another.
    Typed(Box<Node>, SqlType),
    /// A value in a type of PostgreSQL's, where the server could not tell it: `CAST(value AS type)`.
    Cast(Box<Node>, &'static SqlType),
    /// A place in a JSON document.
    JsonPath {
        /// The document.
        document: Box<Node>,
        /// The way there.
        steps: Vec<JsonStep>,
        /// What it is read as.
        what: JsonAs,
    },
    /// Whether a JSON document contains another: `@>` of PostgreSQL, `json_contains` of MariaDB and MySQL.
    JsonContains {
        /// The document.
        document: Box<Node>,
        /// The other one.
        value: Box<Node>,
    },
    /// `EXISTS (SELECT ..)`
    Exists {
        /// The select, whose columns do not matter.
        select: Box<Select>,
        /// `NOT EXISTS`
        negated: bool,
    },
    /// What has a form of its own: CASE, CAST, a window, arithmetic of dates.
    Form(Box<Form>),
    /// `(SELECT ..)` as a value, or as what a value is compared with.
    Subquery {
        /// A select of one column.
        select: Box<Select>,
        /// Which of its rows count.
        kind: SubqueryKind,
    },
    /// A full-text search.
    FullText(Box<FullTextNode>),
    /// What could not be made; the query that uses it says why.
    Invalid(Box<str>),
    /// `row_number() OVER (PARTITION BY .. ORDER BY ..)`
    RowNumber {
        /// What is counted separately.
        partition_by: Vec<Node>,
        /// The order of the count.
        order_by: Vec<OrderBy>,
    },
}

/// The name by which [`Node::Function`] knows the value of its argument, a column, that an upsert was to insert.
pub(crate) const EXCLUDED: &str = "aludel_excluded";

/// Which rows of a subquery an expression is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubqueryKind {
    /// Its only row.
    Scalar,
    /// `ANY (SELECT ..)`
    Any,
    /// `ALL (SELECT ..)`
    All,
}

/// The character before a `%`, `_` or itself that stands for itself in an escaped pattern.
///
/// Not a backslash, which in a string literal of MySQL would have to be doubled.
pub const LIKE_ESCAPE: char = '/';

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `/` of two integers, which gives an integer: MySQL's `DIV`.
    IntDiv,
    /// `%`
    Rem,
    /// `||`
    Concat,
    /// `@>`: PostgreSQL's alone, as those below are.
    Contains,
    /// `<@`
    ContainedBy,
    /// `&&`
    Overlaps,
    /// `= ANY (..)` of an array.
    EqAny,
    /// `= ALL (..)` of an array.
    EqAll,
}

impl BinaryOp {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " <> ",
            Self::Lt => " < ",
            Self::Le => " <= ",
            Self::Gt => " > ",
            Self::Ge => " >= ",
            Self::Add => " + ",
            Self::Sub => " - ",
            Self::Mul => " * ",
            Self::Div | Self::IntDiv => " / ",
            Self::Rem => " % ",
            Self::Concat => " || ",
            Self::Contains => " @> ",
            Self::ContainedBy => " <@ ",
            Self::Overlaps => " && ",
            Self::EqAny => " = ANY (",
            Self::EqAll => " = ALL (",
        }
    }

    /// Whether only PostgreSQL has the operator.
    pub(super) const fn is_native(self) -> bool {
        matches!(self, Self::Contains | Self::ContainedBy | Self::Overlaps | Self::EqAny | Self::EqAll)
    }

    /// How strongly the operator binds.
    pub(super) const fn level(self) -> u8 {
        match self {
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => level::COMPARISON,
            Self::Contains | Self::ContainedBy | Self::Overlaps | Self::EqAny | Self::EqAll => level::COMPARISON,
            Self::Add | Self::Sub => level::SUM,
            Self::Mul | Self::Div | Self::IntDiv | Self::Rem => level::PRODUCT,
            Self::Concat => level::CONCAT,
        }
    }
}

/// What NULL among a function's arguments makes of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// NULL, as of most functions.
    Propagate,
    /// A value all the same: `count`.
    Never,
    /// A value unless all arguments are NULL: `coalesce`.
    Coalesce,
}

/// How strongly an expression binds; what binds less than its place asks for stands in parentheses.
pub(super) mod level {
    pub(in super::super) const ANY: u8 = 0;
    pub(in super::super) const OR: u8 = 1;
    pub(in super::super) const AND: u8 = 2;
    pub(in super::super) const NOT: u8 = 3;
    pub(in super::super) const COMPARISON: u8 = 4;
    pub(in super::super) const SUM: u8 = 5;
    pub(in super::super) const PRODUCT: u8 = 6;
    pub(in super::super) const CONCAT: u8 = 7;
    pub(in super::super) const NEGATIVE: u8 = 8;
    pub(in super::super) const ATOM: u8 = 9;
}

impl Node {
    /// SQL NULL.
    pub const NULL: Self = Self::Value(Value::Null);

    /// `left op right`, where a comparison with the value NULL becomes IS NULL or IS NOT NULL.
    pub fn binary(left: Self, op: BinaryOp, right: Self) -> Self {
        match op {
            BinaryOp::Eq if right.is_null_value() => Self::IsNull { value: Box::new(left), negated: false },
            BinaryOp::Ne if right.is_null_value() => Self::IsNull { value: Box::new(left), negated: true },
            _ => Self::operation(left, op, right),
        }
    }

    /// `left op right`, whatever the values.
    pub(crate) fn operation(left: Self, op: BinaryOp, right: Self) -> Self {
        Self::Binary(Box::new((left, op, right)))
    }

    /// Both conditions; a chain stays flat.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut all), Self::And(others)) => {
                all.extend(others);
                Self::And(all)
            }
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// One of the conditions; a chain stays flat.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Or(mut any), Self::Or(others)) => {
                any.extend(others);
                Self::Or(any)
            }
            (Self::Or(mut any), other) => {
                any.push(other);
                Self::Or(any)
            }
            (one, other) => Self::Or(vec![one, other]),
        }
    }

    /// The opposite condition: `IS NOT NULL` rather than `NOT .. IS NULL`. What is NULL stays NULL.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            Self::IsNull { value, negated } => Self::IsNull { value, negated: !negated },
            Self::Between { value, low, high, negated } => Self::Between { value, low, high, negated: !negated },
            Self::In { value, list, negated } => Self::In { value, list, negated: !negated },
            Self::InSelect { value, select, negated } => Self::InSelect { value, select, negated: !negated },
            Self::Like { value, pattern, escaped, negated } => {
                Self::Like { value, pattern, escaped, negated: !negated }
            }
            Self::Exists { select, negated } => Self::Exists { select, negated: !negated },
            Self::Form(form) => (*form).negate(),
            other => Self::Not(Box::new(other)),
        }
    }

    /// `value IN (list)`. A NULL in the list, which IN would never find, is looked for with IS NULL.
    pub fn in_list(value: Self, list: Vec<Self>) -> Self {
        let (nulls, list): (Vec<_>, Vec<_>) = list.into_iter().partition(Self::is_null_value);
        if nulls.is_empty() {
            return Self::In { value: Box::new(value), list, negated: false };
        }
        let is_null = Self::IsNull { value: Box::new(value.clone()), negated: false };
        if list.is_empty() {
            return is_null;
        }
        Self::In { value: Box::new(value), list, negated: false }.or(is_null)
    }

    /// `value LIKE` a pattern of which `text` is the literal part.
    pub fn like_literal(value: Self, before: &str, text: &str, after: &str) -> Self {
        let mut pattern = String::with_capacity(before.len() + text.len() + after.len());
        pattern.push_str(before);
        for character in text.chars() {
            if matches!(character, '%' | '_' | LIKE_ESCAPE) {
                pattern.push(LIKE_ESCAPE);
            }
            pattern.push(character);
        }
        pattern.push_str(after);
        let pattern = Box::new(Self::Value(Value::Text(pattern.into())));
        Self::Like { value: Box::new(value), pattern, escaped: true, negated: false }
    }

    /// Whether this is the value NULL.
    pub fn is_null_value(&self) -> bool {
        matches!(self, Self::Value(Value::Null))
    }

    pub(super) fn level(&self) -> u8 {
        match self {
            Self::And(all) => chain_level(all, level::AND),
            Self::Or(any) => chain_level(any, level::OR),
            Self::Not(_) => level::NOT,
            Self::Binary(operation) => operation.1.level(),
            Self::IsNull { .. } | Self::Between { .. } | Self::InSelect { .. } | Self::Like { .. } => level::COMPARISON,
            // an empty list is a comparison too: `0 = 1`
            Self::In { .. } => level::COMPARISON,
            Self::Exists { negated: true, .. } => level::NOT,
            Self::Negative(_) => level::NEGATIVE,
            Self::Form(form) => form.level(),
            Self::FullText(search) if search.rank => level::NEGATIVE,
            Self::FullText(_) => level::COMPARISON,
            // the application's own SQL may be anything
            Self::Sql(_) => level::OR,
            Self::Column(_)
            | Self::Value(_)
            | Self::Function { .. }
            | Self::Typed(..)
            | Self::Cast(..)
            | Self::JsonPath { .. }
            | Self::JsonContains { .. }
            | Self::Exists { negated: false, .. }
            | Self::RowNumber { .. }
            | Self::Subquery { .. }
            | Self::Invalid(_) => level::ATOM,
        }
    }
}

fn chain_level(chain: &[Node], several: u8) -> u8 {
    match chain {
        [] => level::COMPARISON,
        [one] => one.level(),
        _ => several,
    }
}

/// `count(*)`
pub(crate) fn count_rows() -> Node {
    Node::Function { name: "count", distinct: false, args: vec![Node::Sql("*".into())], nulls: Nulls::Never }
}
