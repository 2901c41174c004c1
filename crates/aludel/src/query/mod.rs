//! The typed query and what its terminal methods give.

mod bulk;
mod chunks;
mod clauses;
mod deleted;
mod draft;
mod eager;
mod explain;
mod fetch;
mod inherit;
mod insert_all;
pub(crate) mod keyset;
mod locking;
mod named;
pub mod page;
mod paginate;
mod polymorphic;
mod queryable;
mod raw;
mod reflected;
mod returning;
mod scope;
mod selection;
mod set_operations;
mod shape;
mod sortable;
mod source;
mod stream;
mod subquery;
mod terminal;
mod upsert;

use std::fmt;
use std::marker::PhantomData;

use crate::entity::Entity;
use crate::entity::model::Model;

pub use bulk::{BulkDelete, BulkUpdate};
pub use chunks::EntityChunks;
pub use eager::Eager;
pub use fetch::{EntityReader, Fetch, Source};
pub use insert_all::InsertAll;
pub use named::{NamedColumns, NamedQuery, Projected, ValueFor, ValuesRow, values};
pub use polymorphic::{Polymorphic, PolymorphicReader};
pub use queryable::Queryable;
pub use raw::{IntoBind, RawSql};
pub use reflected::{Reflected, Row, RowIndex, TableColumn, TableQuery};
pub use returning::Returning;
pub use selection::{AliasEntity, EntityOf, OptionalAliasEntity, OptionalEntity, SelectList, Selection};
pub use sortable::Sortable;
pub use source::{JoinPath, JoinTable, JoinTarget, Path};
pub use stream::RowStream;
pub use subquery::{Quantified, all_, any_, exists};
pub use upsert::{OnConflict, UpsertSet, excluded};

use draft::Lazy;

/// A query for rows of `M`, which yields an `R` for each: entities, unless [`select`](Query::select) says otherwise.
///
/// It is built with its methods, in any order, and sent by one that takes the session: [`all`](Query::all),
/// [`first`](Query::first), [`one`](Query::one), [`count`](Query::count), [`exists`](Query::exists),
/// [`paginate`](Query::paginate), [`stream`](Query::stream). Values are always bound, never a part of the SQL.
///
/// Parts of queries that come again are functions, and methods of one's own are an extension trait, which is what a custom
/// query class is elsewhere:
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct Post {
///     #[column(primary_key)]
///     id: i64,
///     title: String,
///     draft: bool,
/// }
///
/// trait PostQuery {
///     fn published(self) -> Self;
///     fn titled(self, word: Option<&str>) -> Self;
/// }
///
/// impl<R> PostQuery for Query<Post, R> {
///     fn published(self) -> Self {
///         self.filter(Post::draft.eq(false))
///     }
///
///     fn titled(self, word: Option<&str>) -> Self {
///         self.filter(word.map(|word| Post::title.contains(word)))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// session.add_all([false, true].map(|draft| Post::build().title("Rust").draft(draft)));
/// assert_eq!(Post::query().published().titled(Some("Ru")).count(&session).await?, 1);
/// # Ok(())
/// # }
/// ```
///
/// What the types do not check is checked before anything is sent: a column of a table that the query does not select
/// from, a column of an outer-joined table that is not `.optional()`. These are errors of the kind `InvalidStatement`.
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
/// let best = User::query().filter(User::karma.gt(1)).order_by(User::karma.desc()).first(&session).await?;
/// assert_eq!(best.unwrap().username, "bob");
///
/// let names: Vec<String> = User::query().order_by(User::username).select(User::username).all(&session).await?;
/// assert_eq!(names, ["ann", "bob"]);
/// assert_eq!(User::query().filter(User::username.starts_with("a")).count(&session).await?, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until `all`, `first` or another method sends it"]
pub struct Query<M: Model, R = Entity<M>> {
    draft: Lazy,
    types: PhantomData<fn() -> (M, R)>,
}

impl<M: Model> Query<M> {
    pub(crate) fn new() -> Self {
        Self { draft: Lazy::new(M::def()), types: PhantomData }
    }
}

impl<M: Model> crate::model::Alias<M> {
    /// A query for the rows of the table under this name: for a subquery beside the table under its own.
    pub fn query(&self) -> Query<M> {
        let mut query = Query::new();
        query.draft.edit().rare().root = source::Root::Alias(self.shared_name());
        query
    }
}

impl<M: Model, R> Clone for Query<M, R> {
    fn clone(&self) -> Self {
        Self { draft: self.draft.clone(), types: PhantomData }
    }
}

impl<M: Model, R: Fetch> Query<M, R> {
    /// The SQL that [`all`](Query::all) sends, with its placeholders: for logs and tests.
    ///
    /// # Errors
    /// `InvalidStatement`, as [`all`](Query::all).
    pub fn to_sql(&self, dialect: crate::sql::Dialect) -> crate::Result<String> {
        self.draft.clone().prepare(dialect.into()).map(|prepared| prepared.sql.into_owned())
    }
}

impl<M: Model, R> fmt::Debug for Query<M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Query");
        out.field("model", &M::def().name);
        match self.draft.clone().prepare(crate::sql::Dialect::Sqlite.into()) {
            Ok(prepared) => out.field("sql", &prepared.sql),
            Err(error) => out.field("error", &error.to_string()),
        };
        out.finish()
    }
}
