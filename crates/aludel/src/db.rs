//! The database of a program: an engine, the metadata and the settings together.

mod builder;
mod create;
mod scope;

pub use builder::{DbBuilder, Models};

use std::fmt;
use std::sync::Arc;

use crate::config::Config;
use crate::engine::PoolStatus;
use crate::error::Result;
use crate::schema::MetaData;
use crate::session::Session;
use crate::session::shared::{DbShared, Teardown};
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
        Session::new(Arc::clone(&self.shared))
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

    /// The tables of the models.
    pub fn metadata(&self) -> &MetaData {
        &self.shared.metadata
    }

    /// What becomes of uncommitted work at the end of a request or scope.
    pub fn teardown(&self) -> Teardown {
        self.shared.teardown
    }

    /// How many connections there are, and what they are doing.
    pub fn pool_status(&self) -> PoolStatus {
        self.shared.engine.pool_status()
    }

    /// Closes the pool: idle connections at once, those in use when they come back, for which this waits as long as for a
    /// connection of the pool (`pool_timeout`). Whoever asks for one from now on gets an error.
    pub async fn close(&self) {
        self.shared.engine.close().await;
    }
}

impl fmt::Debug for Db {
    /// `<Db sqlite:///app.db>`, a password masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Db {}>", self.shared.label)
    }
}

#[cfg(test)]
mod tests;
