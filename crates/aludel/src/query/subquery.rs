//! Queries as expressions of other queries.

use crate::entity::model::Model;
use crate::model::{ColumnType, Expr, InList, Operand};
use crate::sql::{Node, Select, SubqueryKind};

use super::Query;

/// Whether a query finds a row: `EXISTS (SELECT ..)`; `!exists(..)` is `NOT EXISTS`.
///
/// The query may name columns of the one around it, which makes it a correlated subquery. Where both select from one
/// table, one of them needs an [alias](crate::model::Alias).
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct User {
///     #[column(primary_key)]
///     id: i64,
///     username: String,
///     boss_id: Option<i64>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// let ann = session.add(User::build().username("ann"));
/// session.flush().await?;
/// session.add(User::build().username("bob").boss_id(ann.id));
///
/// let report = User::alias("report");
/// let bosses = User::query().filter(exists(report.query().filter(report.col(User::boss_id).eq(User::id))));
/// assert_eq!(bosses.one(&session).await?.username, "ann");
/// # Ok(())
/// # }
/// ```
pub fn exists<M: Model, R>(query: Query<M, R>) -> Expr<bool> {
    Expr::new(match query.draft.into_draft().into_inner() {
        Ok(select) => Node::Exists { select: Box::new(select.for_exists()), negated: false },
        Err(error) => Node::Invalid(error.to_string().into()),
    })
}

impl<M: Model, T: ColumnType> Query<M, T> {
    /// The query of one column as a value: a scalar subquery. Where it finds no row it is NULL, more than one is the
    /// database's error (SQLite takes the first).
    ///
    /// ```standalone_crate
    /// # use aludel::prelude::*;
    /// # #[derive(Model, Clone, Debug)]
    /// # struct User {
    /// #     #[column(primary_key)]
    /// #     id: i64,
    /// #     age: i64,
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// # session.add_all([20, 30].map(|age| User::build().age(age)));
    /// let oldest = User::query().select(max(User::age)).scalar();
    /// assert_eq!(User::query().filter(User::age.eq(oldest)).one(&session).await?.age, 30);
    /// # Ok(())
    /// # }
    /// ```
    pub fn scalar(self) -> Expr<Option<T::Base>>
    where
        Option<T::Base>: ColumnType,
    {
        Expr::new(self.into_value(SubqueryKind::Scalar))
    }

    fn into_value(self, kind: SubqueryKind) -> Node {
        match self.draft.into_draft().into_inner() {
            Ok(select) => Node::Subquery { select: Box::new(select), kind },
            Err(error) => Node::Invalid(error.to_string().into()),
        }
    }
}

/// The rows of a query of one column, to be compared with: see [`any_`] and [`all_`].
#[must_use = "compare something with it"]
pub struct Quantified<M: Model, T> {
    query: Query<M, T>,
    kind: SubqueryKind,
}

/// For comparisons that hold for one of a query's rows: `User::age.gt(any_(query))`. Not on SQLite, where the query is an
/// error of the kind `Unsupported`.
pub fn any_<M: Model, T: ColumnType>(query: Query<M, T>) -> Quantified<M, T> {
    Quantified { query, kind: SubqueryKind::Any }
}

/// For comparisons that hold for all of a query's rows: `User::age.ge(all_(query))`. Not on SQLite, where the query is an
/// error of the kind `Unsupported`.
pub fn all_<M: Model, T: ColumnType>(query: Query<M, T>) -> Quantified<M, T> {
    Quantified { query, kind: SubqueryKind::All }
}

impl<M: Model, T: ColumnType> Operand<T::Base> for Quantified<M, T> {
    fn into_operand(self) -> Node {
        self.query.into_value(self.kind)
    }
}

/// A query of one column is a list to look in: `Post::user_id.in_(User::query().select(User::id))`.
impl<M: Model, T: ColumnType> InList<T::Base> for Query<M, T> {
    fn into_in(self, value: Node) -> Node {
        match self.draft.into_draft().into_inner() {
            Ok(select) => Node::InSelect { value: Box::new(value), select: Box::new(select), negated: false },
            Err(error) => Node::Invalid(error.to_string().into()),
        }
    }
}

impl Select {
    /// The select where it is only asked whether it has a row.
    fn for_exists(mut self) -> Self {
        if self.extra.is_none() && !self.distinct && self.group_by.is_empty() && self.having.is_empty() {
            self.columns.clear();
            self.list = "1";
        }
        self.order_by.clear();
        self
    }
}
