//! UPDATE and DELETE of many rows, without loading them.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::error::Result;
use crate::model::{Assign, Assignments, column_node};
use crate::session::{Session, mark};
use crate::sql::{BinaryOp, Delete, Node, Rendering, Statement, Update, Value};

use super::Query;
use super::draft::{Draft, check_parameters};
use super::inherit;
use super::scope::invalid;

/// An UPDATE of the rows that a query's filters find: made by [`Query::update`].
#[must_use = "an update does nothing until it is executed"]
pub struct BulkUpdate<M> {
    draft: Box<Draft>,
    assignments: Vec<(usize, Node)>,
    /// Another model, whose rows the new values come from.
    from: Option<&'static ModelDef>,
    model: PhantomData<fn() -> M>,
}

/// A DELETE of the rows that a query's filters find: made by [`Query::delete`].
#[must_use = "a delete does nothing until it is executed"]
pub struct BulkDelete<M> {
    draft: Box<Draft>,
    /// Whether the rows leave the database, whatever their model declares.
    hard: bool,
    model: PhantomData<fn() -> M>,
}

impl<M: Model, R> Query<M, R> {
    /// New values for all rows that the filters find, written in one statement without loading them:
    /// `Post::query().filter(..).update((Post::title.set("x"), Post::views.set(Post::views + 1))).execute(session)`.
    ///
    /// Columns with an `on_update` value get it, and a version is raised, unless one is set here. Entities of the table that the session has
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
        BulkUpdate { draft: self.draft.into_draft(), assignments, from: None, model: PhantomData }
    }

    /// Deletes all rows that the filters find in one statement, without loading them. Cascades of relationships do not
    /// run, those of the database's foreign keys do. Loaded collections keep the rows, for whoever reads them, until
    /// the next `load`.
    ///
    /// Rows that inheritance has put in several tables are deleted from each of them, by the keys that a first statement
    /// finds and locks.
    ///
    /// Rows of a model with a `#[column(soft_delete)]` are softly deleted, by an UPDATE; see
    /// [`delete_hard`](Query::delete_hard).
    pub fn delete(self) -> BulkDelete<M> {
        BulkDelete { draft: self.draft.into_draft(), hard: false, model: PhantomData }
    }

    /// Deletes all rows that the filters find from the database, also where their model declares soft deletion. Rows that
    /// are softly deleted already are found with [`only_deleted`](Query::only_deleted) or
    /// [`with_deleted`](Query::with_deleted).
    pub fn delete_hard(self) -> BulkDelete<M> {
        BulkDelete { draft: self.draft.into_draft(), hard: true, model: PhantomData }
    }
}

impl<M: Model> BulkUpdate<M> {
    /// Takes new values from another table, whose rows the filters join to the updated ones: `UPDATE .. FROM ..`. A row
    /// that several of its rows are joined to gets the values of any one of these.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     name: String,
    /// }
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Post {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     byline: String,
    ///     #[column(references = User::id)]
    ///     user_id: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let ann = session.add(User::build().name("Ann"));
    /// session.flush().await?;
    /// let post = session.add(Post::build().byline("").user_id(ann.id));
    /// Post::query()
    ///     .filter(Post::user_id.eq(User::id))
    ///     .update(Post::byline.set(User::name))
    ///     .from::<User>()
    ///     .execute(&session)
    ///     .await?;
    /// session.refresh(&post).await?;
    /// assert_eq!(post.byline, "Ann");
    /// # Ok(())
    /// # }
    /// ```
    #[allow(clippy::should_implement_trait, reason = "SQL's name for it")]
    pub fn from<U: Model>(mut self) -> Self {
        self.from = Some(U::def());
        self
    }

    /// Sends the statement, in the session's transaction, and gives the number of rows.
    ///
    /// # Errors
    /// `InvalidStatement` when the query has more than filters, or nothing is set; `UniqueViolation` and others as the
    /// database reports them; those of [`Session::flush`], which comes first.
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<u64>> + Send {
        let at = Location::caller();
        let keys = self.changes_keys();
        let statement = self.prepare(session.rendering_of(M::def()));
        async move { execute::<M>(session, statement?, keys, at).await }
    }

    /// Whether rows may get other keys.
    pub(super) fn changes_keys(&self) -> bool {
        self.assignments.iter().any(|(column, _)| M::def().primary_key.contains(column))
    }

    pub(super) fn prepare(self, to: Rendering<'_>) -> Result<Statement> {
        check_tenant(M::def(), "update", to, self.assignments.iter().map(|(column, _)| *column))?;
        let values = self.assignments.iter().map(|(_, value)| value);
        let with_deleted = self.draft.with_deleted;
        let filter = only_filter(self.draft, "update", self.from, values)?;
        if self.assignments.is_empty() {
            return Err(invalid(format!("update of {}: nothing is set", M::def().table)));
        }
        let columns = M::def().columns;
        inherit::check_update(M::def(), self.assignments.iter().map(|(column, _)| *column))?;
        let touched = written_by_itself(M::def(), |column| self.assignments.iter().any(|(given, _)| *given == column));
        let touched = touched.into_iter().filter(|(column, _)| inherit::is_own(M::def(), *column));
        let set = self.assignments.into_iter().chain(touched).map(|(column, value)| (columns[column].name, value));
        let set = set.collect();
        let from = self.from.map(ModelDef::table_ref);
        let mut statement = Statement::default();
        Update { set, from, filter, with_deleted, ..Update::table(M::def().own_table()) }.render(to, &mut statement);
        check_parameters(to.dialect, &statement)?;
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
        let prepared = match self.is_in_pieces() {
            true => check_only_filter(&self.draft, "delete", None, []).map(|()| Prepared::Pieces(self)),
            false => self.prepare(session.rendering_of(M::def())).map(Prepared::One),
        };
        async move {
            match prepared? {
                Prepared::One(statement) => execute::<M>(session, statement, true, at).await,
                Prepared::Pieces(delete) => {
                    Box::pin(inherit::write::delete(delete.draft, delete.hard, session, at)).await
                }
            }
        }
    }

    /// Whether it takes a statement for each of the tables that its rows are in.
    fn is_in_pieces(&self) -> bool {
        let root_is_marked = self.is_soft() && M::def().joined_inheritance().is_none();
        M::def().is_deleted_in_pieces() && !root_is_marked
    }

    /// Whether its statement is an UPDATE.
    pub(super) fn is_soft(&self) -> bool {
        !self.hard && M::def().options.soft_delete().is_some()
    }

    pub(super) fn prepare(self, to: Rendering<'_>) -> Result<Statement> {
        let with_deleted = self.draft.with_deleted;
        let filter = only_filter(self.draft, "delete", None, [])?;
        let mut statement = Statement::default();
        match M::def().options.soft_delete().filter(|_| !self.hard) {
            None => {
                let delete = Delete { filter, with_deleted, ..Delete::from_table(M::def().own_table()) };
                delete.render(to, &mut statement);
            }
            Some(column) => {
                // Rows that are deleted already keep their time.
                let mut set = vec![(column.column, Node::Value(mark(M::def(), column.position)))];
                let touched = written_by_itself(M::def(), |given| given == column.position);
                set.extend(touched.into_iter().map(|(column, value)| (M::def().columns[column].name, value)));
                Update { set, filter, ..Update::table(M::def().own_table()) }.render(to, &mut statement);
            }
        }
        check_parameters(to.dialect, &statement)?;
        Ok(statement)
    }
}

/// What a DELETE is.
enum Prepared<M> {
    One(Statement),
    Pieces(BulkDelete<M>),
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
fn only_filter<'a>(
    draft: Box<Draft>,
    word: &str,
    from: Option<&'static ModelDef>,
    values: impl IntoIterator<Item = &'a Node>,
) -> Result<Vec<Node>> {
    check_only_filter(&draft, word, from, values)?;
    let def = draft.def;
    let mut filter = draft.filter.into_vec();
    inherit::check_columns(def, word, &filter)?;
    filter.extend(def.confinement());
    Ok(filter)
}

/// # Errors
/// The same.
fn check_only_filter<'a>(
    draft: &Draft,
    word: &str,
    from: Option<&'static ModelDef>,
    values: impl IntoIterator<Item = &'a Node>,
) -> Result<()> {
    let table = draft.def.table;
    let other = [
        ("a join", !draft.joins.is_empty()),
        ("a selection", draft.items.is_some()),
        ("an order", !draft.order_by.is_empty()),
        ("a limit or offset", draft.limit.is_some() || draft.offset.is_some()),
        ("a distinct", draft.distinct),
        ("a group_by or having", !draft.group_by.is_empty() || !draft.having.is_empty()),
        ("relationships or columns to load", !draft.loads.is_empty() || !draft.undeferred.is_empty()),
        ("an alias, a lock or another source of rows", draft.rare.is_some()),
    ];
    if let Some((what, _)) = other.into_iter().find(|(_, present)| *present) {
        return Err(invalid(format!(
            "{word} of {table}: it takes the query's filters alone, and this query has {what}; choose the rows with \
             `.filter(..)`, related ones with `.any(..)` or `.has(..)`"
        )));
    }
    if let Some(from) = from.filter(|from| from.table == table || from.bind != draft.def.bind) {
        return Err(invalid(format!(
            "{word} of {table}: from::<{}>(): it has to be another table of the same database",
            from.name
        )));
    }
    let mut tables = vec![table];
    tables.extend(from.map(|from| from.table));
    draft.filter.iter().try_for_each(|node| check_tables(word, &tables, node))?;
    values.into_iter().try_for_each(|node| check_tables(word, &tables, node))
}

/// # Errors
/// `InvalidStatement` when rows would be given to another tenant by a session that has one.
pub(super) fn check_tenant(
    def: &'static ModelDef,
    word: &str,
    to: Rendering<'_>,
    mut set: impl Iterator<Item = usize>,
) -> Result<()> {
    match def.options.tenant() {
        Some(column) if to.tenancy.one().is_some() && set.any(|set| set == column.position) => Err(invalid(format!(
            "{word} of {}: `{}::{}` says whose a row is, and a session of one tenant cannot give its rows away; \
             `session.all_tenants()` may",
            def.table, def.name, column.field
        ))),
        _ => Ok(()),
    }
}

/// What an UPDATE writes that does not say so: `on_update` values, and the next version.
pub(super) fn written_by_itself(def: &'static ModelDef, is_given: impl Fn(usize) -> bool) -> Vec<(usize, Node)> {
    let columns = def.columns.iter().enumerate().filter(|(at, _)| !is_given(*at));
    let mut written: Vec<(usize, Node)> =
        columns.filter_map(|(at, column)| Some((at, Node::Value(column.on_update?())))).collect();
    if let Some(version) = def.options.version.filter(|&version| !is_given(version)) {
        let next = Node::binary(column_node(def, version), BinaryOp::Add, Node::Value(Value::Int(1)));
        written.push((version, next));
    }
    written
}

/// # Errors
/// `InvalidStatement` when an expression names another table.
pub(super) fn check_own(word: &str, table: &str, node: &Node) -> Result<()> {
    check_tables(word, &[table], node)
}

fn check_tables(word: &str, tables: &[&str], node: &Node) -> Result<()> {
    let table = tables[0];
    if let Some(reason) = node.find_invalid() {
        return Err(invalid(format!("{word} of {table}: {reason}")));
    }
    if let Some(column) = node.find_column(&mut |column| (!tables.contains(&&*column.table)).then_some(column)) {
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
