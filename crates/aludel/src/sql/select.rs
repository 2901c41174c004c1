//! SELECT.

use std::borrow::Cow;

use super::compound::{DerivedTable, SelectExtra};
use super::{Criteria, Node, NullsOrder};

/// A SELECT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    /// Columns rendered before, at the head of the list; may be empty.
    pub list: &'static str,
    /// The columns after `list`.
    pub columns: Vec<SelectColumn>,
    /// Whether equal rows are one.
    pub distinct: bool,
    /// What is selected from.
    pub from: FromClause,
    /// The tables joined to it.
    pub joins: Vec<Join>,
    /// The conditions, of which all must hold.
    pub filter: Vec<Node>,
    /// What rows are gathered by.
    pub group_by: Vec<Node>,
    /// The conditions on the groups.
    pub having: Vec<Node>,
    /// The order of the rows.
    pub order_by: Vec<OrderBy>,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// After so many rows.
    pub offset: Option<u64>,
    /// What few selects have.
    pub extra: Option<Box<SelectExtra>>,
}

/// What a SELECT reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FromClause {
    /// Nothing: `SELECT EXISTS (..)`.
    #[default]
    Nothing,
    /// A table.
    Table(TableRef),
    /// A subquery, with the name that it has.
    Select(Box<Select>, Cow<'static, str>),
}

/// A table, as a statement names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRef {
    /// The schema that it is in; none is the connection's own.
    pub schema: Option<Cow<'static, str>>,
    /// The table's name.
    pub name: Cow<'static, str>,
    /// Another name that it has in this statement.
    pub alias: Option<Cow<'static, str>>,
    /// A select in its place, which has the name.
    pub derived: Option<Box<DerivedTable>>,
    /// Which of its rows are seen.
    pub criteria: Option<&'static Criteria>,
}

impl TableRef {
    /// A table under its own name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A table under another name.
    pub fn aliased(name: impl Into<Cow<'static, str>>, alias: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), alias: Some(alias.into()), ..Self::default() }
    }

    /// The same table, in a schema.
    #[must_use]
    pub fn in_schema(self, schema: impl Into<Cow<'static, str>>) -> Self {
        Self { schema: Some(schema.into()), ..self }
    }

    /// The name that columns are qualified with.
    pub fn qualifier(&self) -> &Cow<'static, str> {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

impl<N: Into<Cow<'static, str>>> From<N> for TableRef {
    fn from(name: N) -> Self {
        Self::new(name)
    }
}

/// An expression in the list of a SELECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectColumn {
    /// The expression.
    pub node: Node,
    /// `AS alias`
    pub alias: Option<Cow<'static, str>>,
}

impl From<Node> for SelectColumn {
    fn from(node: Node) -> Self {
        Self { node, alias: None }
    }
}

/// A table joined to a SELECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Which rows stay.
    pub kind: JoinKind,
    /// The table.
    pub table: TableRef,
    /// Which rows belong together.
    pub on: Node,
}

/// Which rows a join keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Those that have a partner.
    Inner,
    /// All of the left side.
    Left,
}

/// A term of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// What is compared.
    pub node: Node,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Where NULL comes; the backend's own way where absent.
    pub nulls: Option<NullsOrder>,
}

impl OrderBy {
    /// From the least to the greatest.
    pub fn asc(node: Node) -> Self {
        Self { node, descending: false, nulls: None }
    }

    /// From the greatest to the least.
    pub fn desc(node: Node) -> Self {
        Self { node, descending: true, nulls: None }
    }

    /// NULL before all values.
    #[must_use]
    pub fn nulls_first(self) -> Self {
        Self { nulls: Some(NullsOrder::First), ..self }
    }

    /// NULL after all values.
    #[must_use]
    pub fn nulls_last(self) -> Self {
        Self { nulls: Some(NullsOrder::Last), ..self }
    }
}

impl Select {
    /// A select from a table, without columns yet.
    pub fn from_table(table: impl Into<TableRef>) -> Self {
        Self { from: FromClause::Table(table.into()), ..Self::default() }
    }

    /// `SELECT count(*)` of what this select gives: its order does not matter and is left out. Where rows are gathered
    /// or cut, they are counted from outside.
    #[must_use]
    pub fn into_count(mut self) -> Self {
        self.order_by.clear();
        let count = vec![SelectColumn::from(super::count_rows())];
        let distinct = self.distinct || self.extra.as_deref().is_some_and(SelectExtra::is_distinct);
        let whole = distinct
            || self.limit.is_some()
            || self.offset.is_some()
            || !self.group_by.is_empty()
            || !self.having.is_empty();
        if !whole {
            return Self { list: "", columns: count, ..self };
        }
        if !distinct {
            self.list = "1";
            self.columns.clear();
        }
        Self { columns: count, from: FromClause::Select(Box::new(self), "counted".into()), ..Self::default() }
    }

    /// `SELECT EXISTS (..)` of this select.
    #[must_use]
    pub fn into_exists(mut self) -> Self {
        self.order_by.clear();
        // what makes rows equal must stay where equal rows are one and an offset counts them
        let distinct = self.distinct || self.extra.as_deref().is_some_and(SelectExtra::is_distinct);
        if !distinct {
            self.list = "1";
            self.columns.clear();
        }
        let exists = Node::Exists { select: Box::new(self), negated: false };
        Self { columns: vec![exists.into()], ..Self::default() }
    }
}
