//! What a SELECT has beside its ordinary clauses: common table expressions, further selects, locks.

use std::borrow::Cow;

use super::{Node, Select};
use crate::schema::SqlType;

/// What few selects have, in a box of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectExtra {
    /// `WITH ..`
    pub with: Vec<CommonTable>,
    /// `DISTINCT ON (..)`
    pub distinct_on: Vec<Node>,
    /// The selects that follow, each with the operator before it. The order and the limit are those of the whole.
    pub set: Vec<(SetOperator, Select)>,
    /// `FOR UPDATE`
    pub lock: Option<Lock>,
    /// Whether softly deleted rows are seen, in this select and in the expressions of it; of several selects in the first.
    pub with_deleted: bool,
}

/// A common table expression: a result with a name, in front of a SELECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonTable {
    /// Its name.
    pub name: Cow<'static, str>,
    /// The names of its columns.
    pub columns: Vec<Cow<'static, str>>,
    /// Whether it names itself.
    pub recursive: bool,
    /// Its rows.
    pub rows: Rows,
}

/// Where the rows of a common table expression come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// A select.
    Select(Box<Select>),
    /// `VALUES (..), (..)`, and the types of the columns.
    Values(Vec<Vec<Node>>, Vec<SqlType>),
}

/// A select in the place of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedTable {
    /// The select.
    pub select: Select,
    /// Whether it may name columns of the tables before it.
    pub lateral: bool,
}

/// What joins the rows of two selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// The rows of both, equal ones once.
    Union,
    /// The rows of both.
    UnionAll,
    /// The rows that are in both, equal ones once.
    Intersect,
    /// The rows of the first that are not in the second, equal ones once.
    Except,
}

impl SetOperator {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Union => " UNION ",
            Self::UnionAll => " UNION ALL ",
            Self::Intersect => " INTERSECT ",
            Self::Except => " EXCEPT ",
        }
    }
}

/// A lock on the rows that a SELECT finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// How strong it is.
    pub strength: LockStrength,
    /// The names of the tables whose rows are locked; none is all of them.
    pub of: Vec<Cow<'static, str>>,
    /// What is done about rows that others have locked.
    pub wait: LockWait,
}

/// How strong a lock on rows is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockStrength {
    /// Nobody else may lock or change the rows.
    Update,
    /// Nobody else may change the rows.
    Share,
}

/// What is done about rows that others have locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Wait for them.
    Wait,
    /// Fail at once.
    NoWait,
    /// Leave them out.
    SkipLocked,
}

impl SelectExtra {
    /// Whether the rows depend on all that is selected.
    pub(super) fn is_distinct(&self) -> bool {
        !self.distinct_on.is_empty() || !self.set.is_empty()
    }
}

impl Select {
    /// What few selects have, to be added to.
    pub fn extra_mut(&mut self) -> &mut SelectExtra {
        self.extra.get_or_insert_default()
    }
}
