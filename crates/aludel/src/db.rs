//! The database of a program: an engine, the metadata and the settings together.

mod builder;
mod create;
mod scope;
mod two_phase;

pub use builder::{DbBuilder, Models};
pub use two_phase::PreparedTransaction;

use std::fmt;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::{PoolStatus, ReplicaStatus};
use crate::error::Result;
use crate::schema::MetaData;
use crate::session::Session;
use crate::session::shared::{DEFAULT, DbShared, Teardown};
use crate::sql::{SchemaName, SchemaTranslation};
#[cfg(feature = "axum")]
use crate::web::SessionLayer;

/// A database, with its pool of connections and the models that are stored in it.
///
/// Cheap to clone: all clones are the same database. Keep one in the program, hand [`layer`](Db::layer) to the router,
/// and take [`session`](Db::session), [`scope`](Db::scope) or [`transaction`](Db::transaction) outside of requests.
#[derive(Clone)]
pub struct Db {
    shared: Arc<DbShared>,
}

impl Db {
    /// Connects to a database, of a URI or a [`Config`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// use aludel::Db;
    ///
    /// let db = Db::connect("sqlite://").await?;
    /// assert_eq!(format!("{db:?}"), "<Db sqlite://>");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Config` when no database is set, the URI cannot be read, or two models have one table's name; `Connection` when
    /// the database cannot be reached.
    pub async fn connect(config: impl Into<Config>) -> Result<Self> {
        Self::builder().config(config).connect().await
    }

    /// Begins a database with more settings.
    pub fn builder() -> DbBuilder {
        DbBuilder::default()
    }

    /// A temporary SQLite database with all tables created, for a test of its own: a file, as a program's database is,
    /// so that several connections see each other as they do there. It is deleted with the last handle.
    ///
    /// # Errors
    /// As [`connect`](Db::connect) and [`create_all`](Db::create_all).
    pub async fn test() -> Result<Self> {
        Self::builder().test().await
    }

    /// A session of its own, outside of any request. It takes no connection before its first statement; what is not
    /// committed when its last clone goes is rolled back.
    pub fn session(&self) -> Session {
        Session::open(Arc::clone(&self.shared))
    }

    /// A session that sees and writes the rows of one tenant, of the models that have tenants: see
    /// [`Session::set_tenant`].
    ///
    /// # Errors
    /// `InvalidStatement` for NULL, or for the key of a row that was not flushed yet.
    pub fn session_for(&self, tenant: impl crate::IntoTenant) -> Result<Session> {
        let session = self.session();
        session.set_tenant(tenant)?;
        Ok(session)
    }

    /// The same database, in which schemas are called otherwise: its sessions, requests and scopes,
    /// [`create_all`](Db::create_all) and [`drop_all`](Db::drop_all) take the tables of models with
    /// `#[model(schema = "tenant")]` from the schema that this names, or from the connection's own for `None`. The
    /// pools of connections are the same.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// #[model(schema = "tenant")]
    /// struct Invoice {
    ///     #[column(primary_key)]
    ///     id: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// // SQLite has no schemas: there the table is in the database itself.
    /// let db = Db::connect("sqlite://").await?.translate_schemas([("tenant", None)]);
    /// db.create_all().await?;
    /// let session = db.session();
    /// session.add(Invoice::build());
    /// session.commit().await?;
    /// assert_eq!(Invoice::query().count(&session).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn translate_schemas<K: Into<String>, V: SchemaName>(&self, names: impl IntoIterator<Item = (K, V)>) -> Self {
        Self { shared: Arc::new(self.shared.with_schemas(SchemaTranslation::new(names))) }
    }

    /// The layer that gives each request a session: see [`Teardown`] for what becomes of it at the end.
    ///
    /// The session is opened when a handler asks for it, by an argument of type [`Session`] or by
    /// [`Session::current`]. When the request has been answered it is closed, with all its clones; a request that panics
    /// or whose client goes away is rolled back. The body of the response is streamed after that.
    ///
    /// It is a plain tower layer: any service of `http` requests takes it whose responses can have a text as their body.
    #[cfg(feature = "axum")]
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(Arc::clone(&self.shared), self.shared.teardown)
    }

    /// The backend whose SQL the default database understands.
    pub fn dialect(&self) -> crate::sql::Dialect {
        self.shared.database(DEFAULT).engine.dialect()
    }

    /// The tables of the models that name no other bind.
    pub fn metadata(&self) -> &MetaData {
        &self.shared.database(DEFAULT).metadata
    }

    /// The tables of the models of a bind.
    ///
    /// # Errors
    /// `Config` when the bind is not set.
    pub fn metadata_of(&self, bind: &str) -> Result<&MetaData> {
        Ok(&self.shared.database(self.shared.bind_named(bind)?).metadata)
    }

    /// What becomes of uncommitted work at the end of a request or scope.
    pub fn teardown(&self) -> Teardown {
        self.shared.teardown
    }

    /// How many connections to the default database there are, and what they are doing.
    pub fn pool_status(&self) -> PoolStatus {
        self.shared.engine(DEFAULT).pool_status()
    }

    /// The same of a bind.
    ///
    /// # Errors
    /// `Config` when the bind is not set.
    pub fn pool_status_of(&self, bind: &str) -> Result<PoolStatus> {
        Ok(self.shared.engine(self.shared.bind_named(bind)?).pool_status())
    }

    /// The read replicas of the default database, and their pools.
    pub fn replica_status(&self) -> Vec<ReplicaStatus> {
        self.shared.database(DEFAULT).replicas.status()
    }

    /// The same of a bind.
    ///
    /// # Errors
    /// `Config` when the bind is not set.
    pub fn replica_status_of(&self, bind: &str) -> Result<Vec<ReplicaStatus>> {
        Ok(self.shared.database(self.shared.bind_named(bind)?).replicas.status())
    }

    /// Closes the pools of all binds: idle connections at once, those in use when they come back, for which this waits as long as for a
    /// connection of the pool (`pool_timeout`). Whoever asks for one from now on gets an error.
    pub async fn close(&self) {
        for database in self.shared.databases() {
            database.engine.close().await;
            database.replicas.close().await;
        }
    }
}

impl fmt::Debug for Db {
    /// `<Db sqlite:///app.db>`, or `<Db sqlite:///app.db +2 engines>` with two binds; passwords masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Db {}", self.shared.database(DEFAULT).label)?;
        match self.shared.databases().len() - 1 {
            0 => f.write_str(">"),
            binds => write!(f, " +{binds} engines>"),
        }
    }
}

#[cfg(test)]
mod tests;
