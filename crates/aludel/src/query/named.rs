//! Queries with a name: common table expressions, subqueries in FROM, lists of values.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::entity::model::Model;
use crate::error::Result;
use crate::model::{ColumnType, Expr, Operand};
use crate::schema::SqlType;
use crate::sql::{ColumnRef, CommonTable, DerivedTable, Node, Rows, Select, SetOperator, TableRef};

use super::Query;
use super::draft::Draft;
use super::fetch::Fetch;
use super::scope::invalid;
use super::selection::Item;
use super::source::{JoinTable, JoinTarget, Rare, Root, Source, Table};

/// A projection whose fields have names in SQL: every struct with `#[derive(Projection)]`.
pub trait Projected: Fetch {
    /// The columns, by their names: the struct's columns struct.
    type Columns;

    /// The names of the fields.
    #[doc(hidden)]
    const NAMES: &'static [&'static str];

    /// The columns of a table that has one for each field.
    #[doc(hidden)]
    fn columns(table: &NamedColumns) -> Self::Columns;
}

/// Makes the columns of a query that has a name.
#[doc(hidden)]
pub struct NamedColumns(Cow<'static, str>);

impl NamedColumns {
    /// The column of a field.
    pub fn column<T: Fetch>(&self, name: &'static str) -> Expr<T> {
        if T::width() != 1 {
            return Expr::new(Node::Invalid(
                format!("the field `{name}` is no single column, as the columns of `{}` have to be", self.0).into(),
            ));
        }
        Expr::new(Node::Column(ColumnRef { table: self.0.clone(), name: name.into(), nullable: T::MAY_BE_NULL }))
    }
}

/// A row for [`values`]: the columns struct of a projection, with a value for each field.
pub trait ValuesRow {
    /// The projection.
    type Projection: Projected;

    /// The types of the columns.
    #[doc(hidden)]
    fn types() -> Vec<SqlType>;

    /// Appends the values.
    #[doc(hidden)]
    fn push_to(self, values: &mut Vec<Node>);
}

/// A value for a field of type `T`.
#[doc(hidden)]
pub trait ValueFor<T> {
    const SQL_TYPE: SqlType;

    fn into_value(self) -> Node;
}

impl<T: ColumnType, V: Operand<T::Base>> ValueFor<T> for V {
    const SQL_TYPE: SqlType = T::SQL_TYPE;

    fn into_value(self) -> Node {
        self.into_operand()
    }
}

/// A query that has a name in another one's FROM: made by [`Query::cte`], [`Query::recursive_cte`],
/// [`Query::subquery`], [`Query::lateral`] and [`values`].
///
/// It is joined with [`join_on`](Query::join_on), or selected from with [`query`](NamedQuery::query). Its columns are
/// those of the projection, by name: [`columns`](NamedQuery::columns).
pub struct NamedQuery<M, R> {
    source: Source,
    types: PhantomData<fn() -> (M, R)>,
}

/// What stands behind the name.
pub(super) struct NamedTable {
    name: Cow<'static, str>,
    kind: Kind,
    columns: &'static [&'static str],
    rows: Rows,
    /// Why it could not be made.
    pub(super) invalid: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Common {
        recursive: bool,
    },
    /// A recursive one, in its own definition.
    Itself,
    Subquery,
    Lateral,
}

impl NamedTable {
    /// The table under a name, which may be another than its own.
    pub(super) fn table(&self, name: Cow<'static, str>, with: &mut Vec<CommonTable>) -> Result<TableRef> {
        match (&self.kind, &self.rows) {
            (Kind::Common { recursive }, rows) => {
                let columns = self.columns.iter().map(|&column| column.into()).collect();
                let (recursive, rows) = (*recursive, rows.clone());
                add_common(with, CommonTable { name: self.name.clone(), columns, recursive, rows })?;
            }
            (Kind::Subquery | Kind::Lateral, Rows::Select(select)) => {
                let derived = DerivedTable { select: (**select).clone(), lateral: self.kind == Kind::Lateral };
                return Ok(TableRef { derived: Some(Box::new(derived)), ..TableRef::new(name) });
            }
            (Kind::Itself | Kind::Subquery | Kind::Lateral, _) => {}
        }
        Ok(if name == self.name { TableRef::new(name) } else { TableRef::aliased(self.name.clone(), name) })
    }

    /// The select that may name columns of the tables before it.
    pub(super) fn lateral(&self) -> Option<&Select> {
        match &self.rows {
            Rows::Select(select) if self.kind == Kind::Lateral => Some(select),
            _ => None,
        }
    }
}

/// Adds a common table expression to those of a statement, unless it is there.
///
/// # Errors
/// `InvalidStatement` when another one has its name.
pub(super) fn add_common(with: &mut Vec<CommonTable>, table: CommonTable) -> Result<()> {
    match with.iter().find(|other| other.name == table.name) {
        None => with.push(table),
        Some(other) if *other == table => {}
        Some(_) => {
            return Err(invalid(format!(
                "cte(\"{}\"): two different queries have this name in one statement; give one of them another",
                table.name
            )));
        }
    }
    Ok(())
}

impl<M: Model, R: Projected> Query<M, R> {
    /// The query as a common table expression: `WITH name AS (..)`. It goes in front of each statement that joins it or
    /// selects from it.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Post {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     user_id: i64,
    /// }
    ///
    /// #[derive(Projection, Debug, PartialEq)]
    /// struct PerUser {
    ///     user_id: i64,
    ///     posts: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// session.add_all([1, 1, 2].map(|user| Post::build().user_id(user)));
    ///
    /// let per_user = Post::query()
    ///     .group_by(Post::user_id)
    ///     .select(PerUserColumns { user_id: Post::user_id, posts: count(Post::id) })
    ///     .cte("per_user");
    /// let busy = per_user.query().filter(per_user.columns().posts.gt(1)).all(&session).await?;
    /// assert_eq!(busy, [PerUser { user_id: 1, posts: 2 }]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn cte(self, name: impl Into<Cow<'static, str>>) -> NamedQuery<M, R> {
        self.named(name.into(), Kind::Common { recursive: false })
    }

    /// The query as a subquery in FROM: `(SELECT ..) AS name`.
    pub fn subquery(self, name: impl Into<Cow<'static, str>>) -> NamedQuery<M, R> {
        self.named(name.into(), Kind::Subquery)
    }

    /// The query as a subquery in FROM that may name columns of the tables before it: `LATERAL (SELECT ..) AS name`.
    /// Join it with [`join_on`](Query::join_on), with `None::<Expr<bool>>` for the condition where it says all itself.
    ///
    /// PostgreSQL and MySQL have it; elsewhere the query is an error of the kind `Unsupported`.
    pub fn lateral(self, name: impl Into<Cow<'static, str>>) -> NamedQuery<M, R> {
        self.named(name.into(), Kind::Lateral)
    }

    /// A recursive common table expression: this query's rows, and those that `step` finds to each row found before,
    /// until there are none (`UNION ALL`). `step` gets the expression itself, to join it.
    ///
    /// Where the rows may lead in a circle use [`recursive_cte_distinct`](Query::recursive_cte_distinct).
    pub fn recursive_cte<N: Model>(
        self,
        name: impl Into<Cow<'static, str>>,
        step: impl FnOnce(&NamedQuery<M, R>) -> Query<N, R>,
    ) -> NamedQuery<M, R> {
        self.recursive(name.into(), SetOperator::UnionAll, step)
    }

    /// The same with `UNION`: a row that was found before is not followed again, so that circles come to an end.
    pub fn recursive_cte_distinct<N: Model>(
        self,
        name: impl Into<Cow<'static, str>>,
        step: impl FnOnce(&NamedQuery<M, R>) -> Query<N, R>,
    ) -> NamedQuery<M, R> {
        self.recursive(name.into(), SetOperator::Union, step)
    }

    fn recursive<N: Model>(
        self,
        name: Cow<'static, str>,
        operator: SetOperator,
        step: impl FnOnce(&NamedQuery<M, R>) -> Query<N, R>,
    ) -> NamedQuery<M, R> {
        let itself = named(name.clone(), Kind::Itself, R::NAMES, Ok(Rows::Select(Box::default())));
        let step = step(&itself).draft.into_draft();
        let rows = body(self.draft.into_draft(), R::NAMES, &name, false).and_then(|mut first| {
            let mut step = body(step, R::NAMES, &name, false)?;
            let with = step.extra.as_mut().map(|extra| std::mem::take(&mut extra.with)).unwrap_or_default();
            let extra = first.extra_mut();
            with.into_iter().try_for_each(|table| add_common(&mut extra.with, table))?;
            extra.set.push((operator, step));
            Ok(Rows::Select(Box::new(first)))
        });
        named(name, Kind::Common { recursive: true }, R::NAMES, rows)
    }

    fn named(self, name: Cow<'static, str>, kind: Kind) -> NamedQuery<M, R> {
        let rows = body(self.draft.into_draft(), R::NAMES, &name, kind == Kind::Lateral).map(|mut select| {
            if !matches!(kind, Kind::Common { .. }) {
                // What stands in FROM has no list of names, as a common table expression has.
                for (column, &name) in select.columns.iter_mut().zip(R::NAMES) {
                    column.alias = Some(name.into());
                }
            }
            Rows::Select(Box::new(select))
        });
        named(name, kind, R::NAMES, rows)
    }
}

/// The select of a query that gets a name.
fn body(draft: Box<Draft>, names: &[&str], name: &str, lateral: bool) -> Result<Select> {
    let select = draft.into_inner()?;
    if select.columns.len() != names.len() {
        return Err(invalid(format!(
            "`{name}`: each field of a projection has to be a single column here; select columns instead of entities"
        )));
    }
    let stranger = select.find_outer_column(&mut |column| Some(format!("{}.{}", column.table, column.name)));
    match stranger {
        Some(column) if !lateral => Err(invalid(format!(
            "`{name}`: {column} is a column of none of its tables; add a join, or use `.lateral(..)` for a subquery that \
             names columns of the query around it"
        ))),
        _ => Ok(select),
    }
}

fn named<M, R>(
    name: Cow<'static, str>,
    kind: Kind,
    columns: &'static [&'static str],
    rows: Result<Rows>,
) -> NamedQuery<M, R> {
    let (rows, invalid) = match rows {
        Ok(rows) => (rows, None),
        Err(error) => (Rows::Select(Box::default()), Some(error.to_string())),
    };
    let table = Arc::new(NamedTable { name: name.clone(), kind, columns, rows, invalid });
    NamedQuery { source: Source { name, table: Table::Named(table) }, types: PhantomData }
}

/// A list of rows as a table: `WITH name (..) AS (VALUES (..), (..))`. Each row is the columns struct of a projection,
/// with values for its fields.
///
/// ```standalone_crate
/// use aludel::prelude::*;
/// use aludel::query::values;
///
/// #[derive(Model, Clone, Debug)]
/// struct User {
///     #[column(primary_key)]
///     id: i64,
///     username: String,
/// }
///
/// #[derive(Projection)]
/// struct Wanted {
///     id: i64,
///     why: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// session.add(User::build().username("ann"));
/// session.flush().await?;
///
/// let wanted = values("wanted", [WantedColumns { id: 1, why: "late" }, WantedColumns { id: 7, why: "gone" }]);
/// let found: Vec<(String, String)> = User::query()
///     .join_on(&wanted, wanted.columns().id.eq(User::id))
///     .select((User::username, wanted.columns().why))
///     .all(&session)
///     .await?;
/// assert_eq!(found, [("ann".to_owned(), "late".to_owned())]);
/// # Ok(())
/// # }
/// ```
pub fn values<W: ValuesRow>(
    name: impl Into<Cow<'static, str>>,
    rows: impl IntoIterator<Item = W>,
) -> NamedQuery<(), W::Projection> {
    let name = name.into();
    let rows: Vec<Vec<Node>> = rows
        .into_iter()
        .map(|row| {
            let mut values = Vec::new();
            row.push_to(&mut values);
            values
        })
        .collect();
    let rows = if rows.is_empty() {
        Err(invalid(format!("values(\"{name}\", ..): there is no row in it, and SQL has no empty list")))
    } else {
        Ok(Rows::Values(rows, W::types()))
    };
    named(name, Kind::Common { recursive: false }, W::Projection::NAMES, rows)
}

impl<M, R: Projected> NamedQuery<M, R> {
    /// Its columns, by name: `per_user.columns().posts`.
    pub fn columns(&self) -> R::Columns {
        R::columns(&NamedColumns(self.source.name.clone()))
    }

    /// The same under another name, for a query that has it twice.
    #[must_use]
    pub fn alias(&self, name: impl Into<Cow<'static, str>>) -> Self {
        Self { source: Source { name: name.into(), table: self.source.table.clone() }, types: PhantomData }
    }
}

impl<M: Model, R: Projected> NamedQuery<M, R> {
    /// A query for its rows.
    pub fn query(&self) -> Query<M, R> {
        let mut query = Query::<M>::new();
        let draft = query.draft.edit();
        let column = |&name: &&'static str| {
            let column = ColumnRef { table: self.source.name.clone(), name: name.into(), nullable: true };
            // What is read into a field fitted it when it was selected into the projection.
            Item::Value { node: Node::Column(column), nullable: true }
        };
        draft.items = Some(R::NAMES.iter().map(column).collect::<SmallVec<[Item; 3]>>());
        draft.rare = Some(Box::new(Rare { root: Root::Named(self.source.clone()), ..Rare::default() }));
        Query { draft: query.draft, types: PhantomData }
    }
}

impl<M, R> JoinTarget for &NamedQuery<M, R> {
    fn into_target(self) -> JoinTable {
        JoinTable(self.source.clone())
    }
}

impl<M, R> Clone for NamedQuery<M, R> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), types: PhantomData }
    }
}

impl<M, R> fmt::Debug for NamedQuery<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedQuery").field(&self.source.name).finish()
    }
}
