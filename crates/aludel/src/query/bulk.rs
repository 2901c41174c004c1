//! UPDATE and DELETE of many rows, without loading them.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::entity::model::Model;
use crate::error::Result;
use crate::model::{Assign, Assignments};
use crate::session::Session;
use crate::sql::{Delete, Dialect, Node, Statement, Update};

use super::Query;
use super::draft::{Draft, check_parameters};
use super::scope::invalid;

/// An UPDATE of the rows that a query's filters find: made by [`Query::update`].
#[must_use = "an update does nothing until it is executed"]
pub struct BulkUpdate<M> {
    draft: Box<Draft>,
    assignments: Vec<(usize, Node)>,
    model: PhantomData<fn() -> M>,
}

/// A DELETE of the rows that a query's filters find: made by [`Query::delete`].
#[must_use = "a delete does nothing until it is executed"]
pub struct BulkDelete<M> {
    draft: Box<Draft>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model, R> Query<M, R> {
    /// New values for all rows that the filters find, written in one statement without loading them:
    /// `Post::query().filter(..).update((Post::title.set("x"), Post::views.set(Post::views + 1))).execute(session)`.
    ///
    /// Columns with an `on_update` value get it, unless one is set here. Entities of the table that the session has
    /// stay as they are until the next query, or `get`, names them: it then refreshes those without changes. Loaded
    /// relationships to the table stay readable, and the next `load` reads them again.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    ///     karma: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// User::insert_all([User::build().username("ann").karma(3), User::build().username("bob").karma(7)])
    ///     .execute(&session)
    ///     .await?;
    /// let poor = User::query().filter(User::karma.lt(5));
    /// assert_eq!(poor.update(User::karma.set(User::karma + 10)).execute(&session).await?, 1);
    ///
    /// let karma: Vec<i64> = User::query().order_by(User::username).select(User::karma).all(&session).await?;
    /// assert_eq!(karma, [13, 7]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(self, assignments: impl Assignments<M>) -> BulkUpdate<M> {
        let mut list: Vec<Assign<M>> = Vec::new();
        assignments.push_to(&mut list);
        let assignments = list.into_iter().map(|assign| (assign.column, assign.value)).collect();
        BulkUpdate { draft: self.draft.into_draft(), assignments, model: PhantomData }
    }

    /// Deletes all rows that the filters find in one statement, without loading them. Cascades of relationships do not
    /// run, those of the database's foreign keys do. Loaded collections keep the rows, for whoever reads them, until
    /// the next `load`.
    pub fn delete(self) -> BulkDelete<M> {
        BulkDelete { draft: self.draft.into_draft(), model: PhantomData }
    }
}

impl<M: Model> BulkUpdate<M> {
    /// Sends the statement, in the session's transaction, and gives the number of rows.
    ///
    /// # Errors
    /// `InvalidStatement` when the query has more than filters, or nothing is set; `UniqueViolation` and others as the
    /// database reports them; those of [`Session::flush`], which comes first.
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<u64>> + Send {
        let at = Location::caller();
        let keys = self.assignments.iter().any(|(column, _)| M::def().primary_key.contains(column));
        let statement = self.prepare(session.dialect_of(M::def()));
        async move { execute::<M>(session, statement?, keys, at).await }
    }

    fn prepare(self, dialect: Dialect) -> Result<Statement> {
        let filter = only_filter(self.draft, "update", self.assignments.iter().map(|(_, value)| value))?;
        if self.assignments.is_empty() {
            return Err(invalid(format!("update of {}: nothing is set", M::def().table)));
        }
        let columns = M::def().columns;
        let touched = columns.iter().enumerate().filter_map(|(at, column)| {
            let given = self.assignments.iter().any(|(column, _)| *column == at);
            let value = column.on_update.filter(|_| !given)?;
            Some((column.name, Node::Value(value())))
        });
        let touched: Vec<_> = touched.collect();
        let set = self.assignments.into_iter().map(|(column, value)| (columns[column].name, value));
        let set = set.chain(touched).collect();
        let mut statement = Statement::default();
        Update { set, filter, ..Update::table(M::def().table) }.render(dialect, &mut statement);
        check_parameters(dialect, &statement)?;
        Ok(statement)
    }
}

impl<M: Model> BulkDelete<M> {
    /// Sends the statement, in the session's transaction, and gives the number of rows.
    ///
    /// # Errors
    /// `InvalidStatement` when the query has more than filters; `ForeignKeyViolation` and others as the database reports
    /// them; those of [`Session::flush`], which comes first.
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<u64>> + Send {
        let at = Location::caller();
        let statement = self.prepare(session.dialect_of(M::def()));
        async move { execute::<M>(session, statement?, true, at).await }
    }

    fn prepare(self, dialect: Dialect) -> Result<Statement> {
        let filter = only_filter(self.draft, "delete", [])?;
        let mut statement = Statement::default();
        Delete { filter, ..Delete::from_table(M::def().table) }.render(dialect, &mut statement);
        check_parameters(dialect, &statement)?;
        Ok(statement)
    }
}

/// Sends the statement. Where it takes keys away, the database may change rows that point at them.
async fn execute<M: Model>(
    session: &Session,
    statement: Statement,
    keys: bool,
    at: &'static Location<'static>,
) -> Result<u64> {
    session.autoflush(at).await?;
    let executed = session
        .execute(session.bind_of(M::def())?, &statement.sql, &statement.params, Some(M::def().table), at)
        .await?;
    if keys {
        session.arena().tracker().raise_followers(M::def());
    }
    Ok(executed.rows_affected)
}

/// The conditions of a query that has nothing else.
///
/// # Errors
/// `InvalidStatement` when it has, or when a condition or a new value names another table.
fn only_filter<'a>(draft: Box<Draft>, word: &str, values: impl IntoIterator<Item = &'a Node>) -> Result<Vec<Node>> {
    let table = draft.def.table;
    let other = [
        ("a join", !draft.joins.is_empty()),
        ("a selection", draft.items.is_some()),
        ("an order", !draft.order_by.is_empty()),
        ("a limit or offset", draft.limit.is_some() || draft.offset.is_some()),
        ("a distinct", draft.distinct),
        ("a group_by or having", !draft.group_by.is_empty() || !draft.having.is_empty()),
        ("relationships to load", !draft.loads.is_empty()),
    ];
    if let Some((what, _)) = other.into_iter().find(|(_, present)| *present) {
        return Err(invalid(format!(
            "{word} of {table}: it takes the query's filters alone, and this query has {what}; choose the rows with \
             `.filter(..)`, related ones with `.any(..)` or `.has(..)`"
        )));
    }
    draft.filter.iter().try_for_each(|node| check_own(word, table, node))?;
    values.into_iter().try_for_each(|node| check_own(word, table, node))?;
    Ok(draft.filter)
}

/// # Errors
/// `InvalidStatement` when an expression names another table.
fn check_own(word: &str, table: &str, node: &Node) -> Result<()> {
    if let Some(reason) = node.find_invalid() {
        return Err(invalid(format!("{word} of {table}: {reason}")));
    }
    if let Some(column) = node.find_column(&mut |column| (column.table != table).then_some(column)) {
        return Err(invalid(format!(
            "{word} of {table}: {}.{} is a column of another table; choose the rows by related ones with `.any(..)` or \
                 `.has(..)`",
            column.table, column.name
        )));
    }
    Ok(())
}

impl<M: Model> fmt::Debug for BulkUpdate<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkUpdate").field("model", &M::def().name).finish_non_exhaustive()
    }
}

impl<M: Model> fmt::Debug for BulkDelete<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkDelete").field("model", &M::def().name).finish_non_exhaustive()
    }
}
