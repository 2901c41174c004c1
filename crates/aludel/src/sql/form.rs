//! Expressions that have a form of their own, or that each backend spells in its own way.

mod aggregate;
mod cast;
mod function;
mod render;
mod temporal;

use super::node::level;
use super::{ColumnRef, Node};
use crate::schema::SqlType;

pub use aggregate::{AggregateCall, AggregateName, Bound, Frame, FrameUnit, Window};
pub use function::Function;
pub use temporal::{DatePart, Temporal, Unit};

/// An expression that has a form of its own, or that each backend spells in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// `left IS DISTINCT FROM right`: an inequality to which NULL is a value like others.
    Distinct {
        /// The left side.
        left: Node,
        /// The right side.
        right: Node,
        /// `IS NOT DISTINCT FROM`
        negated: bool,
    },
    /// LIKE with an escape character of one's own, or ILIKE.
    Like {
        /// What is tested.
        value: Node,
        /// The pattern.
        pattern: Node,
        /// The character that takes `%` and `_` their meaning.
        escape: Option<char>,
        /// `ILIKE`
        insensitive: bool,
        /// `NOT LIKE`
        negated: bool,
    },
    /// `(a, b)`
    Row(Vec<Node>),
    /// `(a, b) IN ((1, 2), (3, 4))`; an empty list is false.
    InRows {
        /// What is tested.
        row: Vec<Node>,
        /// What it is compared with.
        list: Vec<Vec<Node>>,
        /// `NOT IN`
        negated: bool,
    },
    /// `CASE WHEN condition THEN value .. ELSE value END`
    Case {
        /// The conditions and their values.
        branches: Vec<(Node, Node)>,
        /// The value where no condition holds; NULL where absent.
        otherwise: Option<Node>,
    },
    /// `CAST(value AS type)`
    Cast {
        /// The value.
        value: Node,
        /// The type that it has.
        from: SqlType,
        /// The type that it gets.
        to: SqlType,
    },
    /// A bound value where nothing tells its type to a backend that asks for it.
    Known {
        /// The value.
        value: Node,
        /// Its type.
        ty: SqlType,
    },
    /// A function that backends spell in different ways.
    Call {
        /// The function.
        function: Function,
        /// Its arguments.
        args: Vec<Node>,
    },
    /// A date or time, and what is added to it, in this order.
    Shift {
        /// The date or time.
        value: Node,
        /// What it is.
        of: Temporal,
        /// How much of which unit.
        by: Vec<(Unit, Node)>,
    },
    /// A function that the application names.
    Custom {
        /// Its name, which is not quoted.
        name: &'static str,
        /// Its arguments.
        args: Vec<Node>,
        /// Which arguments make the result NULL when they are: a bit for each, the first being the lowest.
        strict: u32,
    },
    /// An operator that the application names.
    Operator {
        /// The left side.
        left: Node,
        /// The operator.
        operator: &'static str,
        /// The right side.
        right: Node,
    },
    /// SQL that the application writes, with expressions between its pieces.
    Fragment {
        /// The SQL: one piece more than there are arguments.
        pieces: Vec<String>,
        /// What stands between the pieces.
        args: Vec<Node>,
    },
    /// An aggregate that says more than its argument.
    Aggregate(AggregateCall),
    /// `function OVER (window)`
    Over {
        /// The function.
        function: Node,
        /// The window.
        window: Window,
    },
}

impl From<Form> for Node {
    fn from(form: Form) -> Self {
        Self::Form(Box::new(form))
    }
}

impl Node {
    /// A value with its type, where a backend might not know it; other expressions as they are.
    #[must_use]
    pub fn known(self, ty: SqlType) -> Self {
        match self {
            value @ Self::Value(_) => Form::Known { value, ty }.into(),
            other => other,
        }
    }

    /// `left IS DISTINCT FROM right`; with the value NULL, IS NOT NULL.
    #[must_use]
    pub fn distinct_from(self, right: Self) -> Self {
        if right.is_null_value() {
            return Self::IsNull { value: Box::new(self), negated: true };
        }
        Form::Distinct { left: self, right, negated: false }.into()
    }
}

impl Form {
    pub(super) fn level(&self) -> u8 {
        match self {
            // MariaDB has only the positive form.
            Self::Distinct { .. } => level::NOT,
            Self::Like { .. } | Self::InRows { .. } => level::COMPARISON,
            // the application's own SQL may be anything
            Self::Fragment { .. } => level::OR,
            _ => level::ATOM,
        }
    }

    pub(super) fn negate(self) -> Node {
        match self {
            Self::Distinct { left, right, negated } => Self::Distinct { left, right, negated: !negated }.into(),
            Self::Like { value, pattern, escape, insensitive, negated } => {
                Self::Like { value, pattern, escape, insensitive, negated: !negated }.into()
            }
            Self::InRows { row, list, negated } => Self::InRows { row, list, negated: !negated }.into(),
            other => Node::Not(Box::new(other.into())),
        }
    }

    /// A column that can make this expression NULL.
    pub(super) fn find_null<'a>(&'a self, nullable: &dyn Fn(&ColumnRef) -> bool) -> Option<&'a ColumnRef> {
        let null = |node: &'a Node| node.find_null(nullable);
        match self {
            // What the application writes has the type that it says.
            Self::Distinct { .. } | Self::Fragment { .. } => None,
            Self::Case { branches, otherwise } => {
                branches.iter().map(|(_, value)| value).chain(otherwise).find_map(null)
            }
            Self::Custom { args, strict, .. } => {
                let decides = |at: usize| at >= 32 || strict & (1 << at) != 0;
                args.iter().enumerate().filter(|(at, _)| decides(*at)).find_map(|(_, arg)| null(arg))
            }
            Self::Aggregate(call) => call.find_null(nullable),
            Self::Over { function, .. } => null(function),
            other => other.children().into_iter().find_map(null),
        }
    }

    /// The expressions that this one is made of.
    pub(super) fn children(&self) -> Vec<&Node> {
        match self {
            Self::Distinct { left, right, .. } | Self::Operator { left, right, .. } => vec![left, right],
            Self::Like { value, pattern, .. } => vec![value, pattern],
            Self::InRows { row, list, .. } => row.iter().chain(list.iter().flatten()).collect(),
            Self::Case { branches, otherwise } => {
                branches.iter().flat_map(|(condition, value)| [condition, value]).chain(otherwise).collect()
            }
            Self::Cast { value, .. } | Self::Known { value, .. } => vec![value],
            Self::Row(args) | Self::Call { args, .. } | Self::Custom { args, .. } | Self::Fragment { args, .. } => {
                args.iter().collect()
            }
            Self::Shift { value, by, .. } => {
                std::iter::once(value).chain(by.iter().map(|(_, amount)| amount)).collect()
            }
            Self::Aggregate(call) => call.children(),
            Self::Over { function, window } => std::iter::once(function).chain(window.children()).collect(),
        }
    }

    /// The same, to be changed.
    pub(super) fn children_mut(&mut self) -> Vec<&mut Node> {
        match self {
            Self::Distinct { left, right, .. } | Self::Operator { left, right, .. } => vec![left, right],
            Self::Like { value, pattern, .. } => vec![value, pattern],
            Self::InRows { row, list, .. } => row.iter_mut().chain(list.iter_mut().flatten()).collect(),
            Self::Case { branches, otherwise } => {
                branches.iter_mut().flat_map(|(condition, value)| [condition, value]).chain(otherwise).collect()
            }
            Self::Cast { value, .. } | Self::Known { value, .. } => vec![value],
            Self::Row(args) | Self::Call { args, .. } | Self::Custom { args, .. } | Self::Fragment { args, .. } => {
                args.iter_mut().collect()
            }
            Self::Shift { value, by, .. } => {
                std::iter::once(value).chain(by.iter_mut().map(|(_, amount)| amount)).collect()
            }
            Self::Aggregate(call) => call.children_mut(),
            Self::Over { function, window } => std::iter::once(function).chain(window.children_mut()).collect(),
        }
    }
}
