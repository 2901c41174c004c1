//! What a statement that writes gives back of its rows.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use smallvec::SmallVec;

use crate::engine::row::Row;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::sql::{Dialect, Renderer, Rendering, Statement, Value};

use super::fetch::{Fetch, Source};
use super::inherit;
use super::scope::invalid;
use super::selection::{Item, SelectList, Selection};
use super::terminal::explain;
use super::{BulkDelete, BulkUpdate, InsertAll};

/// A statement that writes rows, and gives something of each back: made by `returning` of [`InsertAll`],
/// [`BulkUpdate`] and [`BulkDelete`].
#[must_use = "nothing is written until `execute` is called"]
pub struct Returning<W, R> {
    write: W,
    items: SmallVec<[Item; 3]>,
    rows: PhantomData<fn() -> R>,
}

fn returning<W, S: Selection>(write: W, selection: S) -> Returning<W, S::Output> {
    let mut list = SelectList::default();
    selection.push_to(&mut list);
    Returning { write, items: list.items, rows: PhantomData }
}

impl<M: Model> InsertAll<M> {
    /// Gives columns, expressions or entities of the rows back, in no certain order. With `on_conflict` these are the rows
    /// that were inserted or updated; MariaDB gives those too that were left as they are. MySQL has no RETURNING. Rows
    /// that are in several tables are selected afterwards.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let rows = [User::build().username("ann"), User::build().username("bob")];
    /// let users: Vec<Entity<User>> = User::insert_all(rows).returning(User::entity).execute(&session).await?;
    /// assert_eq!(users.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn returning<S: Selection>(self, selection: S) -> Returning<Self, S::Output> {
        returning(self, selection)
    }
}

impl<M: Model> BulkUpdate<M> {
    /// Gives columns, expressions or entities of the updated rows back, with their new values, in no certain order. MariaDB
    /// and MySQL do not have it.
    pub fn returning<S: Selection>(self, selection: S) -> Returning<Self, S::Output> {
        returning(self, selection)
    }
}

impl<M: Model> BulkDelete<M> {
    /// Gives columns or expressions of the deleted rows back, in no certain order. MySQL does not have it.
    pub fn returning<S: Selection>(self, selection: S) -> Returning<Self, S::Output> {
        returning(self, selection)
    }
}

impl<M: Model, R: Fetch> Returning<InsertAll<M>, R> {
    /// Sends the statements, in the session's transaction, and gives what they return.
    ///
    /// # Errors
    /// `Unsupported` where the database has no RETURNING; `InvalidStatement` when another table's column is asked for;
    /// otherwise as [`InsertAll::execute`].
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<Vec<R>>> + Send {
        let at = Location::caller();
        async move {
            let Self { write, items, .. } = self;
            if M::def().joined_inheritance().is_some() {
                let selection = inherit::write::selection(M::def(), items)?;
                let keys = write.insert_apart(session, at).await?;
                return inherit::write::select(&selection, &keys, session, at).await;
            }
            let to = session.rendering_of(M::def());
            let dialect = to.dialect;
            let capable = dialect.capabilities().returning;
            check(M::def(), "insert_all", &items, capable, true)?;
            let mut rows = Vec::new();
            let mut wanted = Wanted { items, rows: &mut rows };
            write.send(session, Some(&mut wanted), at).await?;
            Ok(rows)
        }
    }
}

impl<M: Model, R: Fetch> Returning<BulkUpdate<M>, R> {
    /// Sends the statement, in the session's transaction, and gives what it returns.
    ///
    /// # Errors
    /// `Unsupported` where the database's UPDATE has no RETURNING; `InvalidStatement` when another table's column is asked
    /// for; otherwise as [`BulkUpdate::execute`].
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<Vec<R>>> + Send {
        let at = Location::caller();
        let to = session.rendering_of(M::def());
        let dialect = to.dialect;
        let Self { write, items, .. } = self;
        let keys = write.changes_keys();
        let statement = check(M::def(), "update", &items, dialect.capabilities().update_returning, true)
            .and_then(|()| write.prepare(to))
            .map(|statement| with_returning(statement, &items, to));
        async move { run::<M, R>(session, statement?, keys, at).await }
    }
}

impl<M: Model, R: Fetch> Returning<BulkDelete<M>, R> {
    /// Sends the statement, in the session's transaction, and gives what it returns.
    ///
    /// # Errors
    /// `Unsupported` where the database's DELETE has no RETURNING; `InvalidStatement` when entities or another table's
    /// columns are asked for; otherwise as [`BulkDelete::execute`].
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<Vec<R>>> + Send {
        let at = Location::caller();
        let to = session.rendering_of(M::def());
        let dialect = to.dialect;
        let Self { write, items, .. } = self;
        let capable = dialect.capabilities().update_returning || dialect == Dialect::MariaDb && !write.is_soft();
        let statement = check(M::def(), "delete", &items, capable, false)
            .and_then(|()| inherit::check_returning_delete(M::def()))
            .and_then(|()| write.prepare(to))
            .map(|statement| with_returning(statement, &items, to));
        async move { run::<M, R>(session, statement?, true, at).await }
    }
}

/// What the statements of an `insert_all` return.
pub(super) struct Wanted<'r, R> {
    items: SmallVec<[Item; 3]>,
    rows: &'r mut Vec<R>,
}

/// [`Wanted`] without its type.
pub(super) trait Returned: Send {
    /// Appends the RETURNING clause.
    fn render(&self, to: Rendering<'_>, out: &mut Statement);

    /// Sends the statement and keeps what it returns.
    fn fetch<'a>(
        &'a mut self,
        session: &'a Session,
        def: &'static ModelDef,
        sql: &'a str,
        params: &'a [Value<'a>],
        at: &'static Location<'static>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<u64>> + Send + 'a>>;
}

impl<R: Fetch> Returned for Wanted<'_, R> {
    fn render(&self, to: Rendering<'_>, out: &mut Statement) {
        write_returning(&self.items, to, out);
    }

    fn fetch<'a>(
        &'a mut self,
        session: &'a Session,
        def: &'static ModelDef,
        sql: &'a str,
        params: &'a [Value<'a>],
        at: &'static Location<'static>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<u64>> + Send + 'a>> {
        Box::pin(fetch(session, def, sql, params, self.rows, at))
    }
}

/// Sends a statement that returns rows, which are read into `R`.
async fn fetch<R: Fetch>(
    session: &Session,
    def: &'static ModelDef,
    sql: &str,
    params: &[Value<'_>],
    rows: &mut Vec<R>,
    at: &'static Location<'static>,
) -> Result<u64> {
    let arena = session.arena();
    let mut reader =
        R::reader(&mut Source { arena: &arena, alone: false, populate_existing: true, eager: None, keys: &[] });
    let mut sink = |row: &Row<'_>| R::push(&mut reader, row, rows);
    session.fetch_written(session.bind_of(def)?, sql, params, def.table, at, &mut sink).await.map_err(explain)
}

async fn run<M: Model, R: Fetch>(
    session: &Session,
    statement: Statement,
    keys: bool,
    at: &'static Location<'static>,
) -> Result<Vec<R>> {
    session.autoflush(at).await?;
    let mut rows = Vec::new();
    fetch(session, M::def(), &statement.sql, &statement.params, &mut rows, at).await?;
    if keys {
        session.arena().tracker().raise_followers(M::def());
    }
    Ok(rows)
}

fn with_returning(mut statement: Statement, items: &[Item], to: Rendering<'_>) -> Statement {
    write_returning(items, to, &mut statement);
    statement
}

fn write_returning(items: &[Item], to: Rendering<'_>, out: &mut Statement) {
    let dialect = to.dialect;
    let mut to = Renderer::new(to, out);
    for (at, item) in items.iter().enumerate() {
        to.push(if at == 0 { " RETURNING " } else { ", " });
        match item {
            Item::Value { node, .. } => to.node(node.clone()),
            Item::Entity { def, .. } => to.push(def.select_list(dialect)),
        }
    }
}

/// # Errors
/// `Unsupported` when the backend cannot do it; `InvalidStatement` when something else than the statement's own rows is
/// asked for, or entities of rows that are gone.
fn check(def: &'static ModelDef, word: &str, items: &[Item], capable: bool, entities: bool) -> Result<()> {
    if !capable {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{word} of {}: this database returns nothing of the rows; select them before or afterwards",
                def.table
            ),
        ));
    }
    items.iter().try_for_each(|item| match item {
        Item::Entity { .. } if def.joined_inheritance().is_some() => Err(invalid(format!(
            "{word} of {}: the rows of `{}` are in several tables, and the statement writes one: return columns of it, or \
             select the rows afterwards",
            def.table, def.name
        ))),
        Item::Entity { def: other, .. } if !other.is(def) => {
            Err(invalid(format!("{word} of {}: returning({}::entity): only its own rows are returned", def.table, other.name)))
        }
        Item::Entity { .. } if !entities => Err(invalid(format!(
            "{word} of {}: a deleted row is no entity; return its columns, for example `{}::{}`",
            def.table, def.name, def.columns[def.primary_key[0]].field
        ))),
        Item::Entity { .. } => Ok(()),
        Item::Value { node, nullable } => {
            super::bulk::check_own(word, def.table, node)?;
            inherit::check_columns(def, word, [node])?;
            let null = (!nullable).then(|| node.find_null(&|column| column.nullable)).flatten();
            null.map_or(Ok(()), |column| {
                Err(invalid(format!(
                    "{word} of {}: returning({}.{}): the column may be NULL, and the expression's type is not an `Option`: use \
                     `.optional()`",
                    def.table, column.table, column.name
                )))
            })
        }
    })
}

impl<W: fmt::Debug, R> fmt::Debug for Returning<W, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returning").field("write", &self.write).field("items", &self.items.len()).finish()
    }
}
