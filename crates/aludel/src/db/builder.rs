//! The settings of a `Db`.

use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::engine::{DatabaseUrl, Engine, EngineOptions, Replicas};
use crate::entity::def::ModelDef;
use crate::error::Result;
use crate::model::{ModelTable, metadata};
use crate::query::keyset::signing_key;
use crate::schema::NamingConvention;
use crate::session::SessionEvents;
use crate::session::events::Listener;
use crate::session::shared::{Database, DbShared, Teardown, TemporaryFile};

use super::{Db, two_phase};

/// The settings of a [`Db`]: see [`Db::builder`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// use aludel::{Db, Teardown};
///
/// let db = Db::builder().uri("sqlite://").teardown(Teardown::CommitOnSuccess).connect().await?;
/// assert_eq!(db.teardown(), Teardown::CommitOnSuccess);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use = "a database is there once `connect` is awaited"]
pub struct DbBuilder {
    config: Config,
    naming: NamingConvention,
    teardown: Teardown,
    two_phase: bool,
    models: Option<Vec<&'static ModelDef>>,
    listeners: Vec<Listener>,
}

impl DbBuilder {
    /// All of a configuration: [`Config::from_env`], say.
    pub fn config(mut self, config: impl Into<Config>) -> Self {
        self.config = config.into();
        self
    }

    /// The database's URI.
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.config = self.config.uri(uri);
        self
    }

    /// Another database beside the default one, for models with `#[model(bind = "audit")]`: a session spans them all,
    /// and each statement goes where its model is.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    /// }
    ///
    /// #[derive(Model, Clone, Debug)]
    /// #[model(bind = "audit")]
    /// struct Event {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     user_id: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let db = Db::builder().uri("sqlite://").bind("audit", "sqlite://").connect().await?;
    /// db.create_all().await?;
    /// let session = db.session();
    /// let user = session.add(User::build());
    /// session.flush().await?;
    /// session.add(Event::build().user_id(user.id));
    /// session.commit().await?; // both
    /// assert_eq!(Event::query().count(&session).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind(mut self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.config = self.config.bind(name, uri);
        self
    }

    /// Another database, with engine options of its own.
    pub fn bind_with(mut self, name: impl Into<String>, uri: impl Into<String>, engine: EngineOptions) -> Self {
        self.config = self.config.bind_with(name, uri, engine);
        self
    }

    /// A read replica of the database, to which reads outside of transactions go: see [`Config::replica`].
    pub fn replica(mut self, uri: impl Into<String>) -> Self {
        self.config = self.config.replica(uri);
        self
    }

    /// A read replica of the database of a bind.
    pub fn bind_replica(mut self, name: impl Into<String>, uri: impl Into<String>) -> Self {
        self.config = self.config.bind_replica(name, uri);
        self
    }

    /// What cursors are signed with: see [`Config::secret_key`].
    pub fn secret_key(mut self, secret: impl Into<String>) -> Self {
        self.config = self.config.secret_key(secret);
        self
    }

    /// The folder that relative SQLite files are in.
    pub fn instance_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.config = self.config.instance_path(path);
        self
    }

    /// How the engine and its pool behave.
    pub fn engine(mut self, options: EngineOptions) -> Self {
        self.config = self.config.engine(options);
        self
    }

    /// How constraints and indexes are named that are given no name.
    pub fn naming_convention(mut self, naming: NamingConvention) -> Self {
        self.naming = naming;
        self
    }

    /// What becomes of uncommitted work at the end of a request or scope.
    pub fn teardown(mut self, teardown: Teardown) -> Self {
        self.teardown = teardown;
        self
    }

    /// Whether a session's transaction over several databases is committed in two phases, SQLAlchemy's `twophase`: all
    /// databases prepare it, which is where a commit can still be refused, and then all commit it. So it is there in all of
    /// them or in none, whatever goes down in between: what could not be committed then stays prepared, the error
    /// ([`PartialCommit`](crate::ErrorKind::PartialCommit)) names it, and [`Db::prepared_transactions`] lists it. Off by
    /// default, and it costs a round trip for each database and a disk's flush on each server.
    ///
    /// It takes PostgreSQL for all binds, with `max_prepared_transactions` above 0; [`connect`](Self::connect) refuses others.
    /// Transactions of one database are committed as ever, and [`test`](Self::test) does not look at it.
    pub fn two_phase(mut self, two_phase: bool) -> Self {
        self.two_phase = two_phase;
        self
    }

    /// Tells somebody of the flushes, commits and rollbacks of all sessions: see [`SessionEvents`].
    pub fn listen(mut self, listener: impl SessionEvents) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// The models of this database, instead of every model that is derived in the program: `(User::TABLE, Post::TABLE)`.
    pub fn models(mut self, models: impl Models) -> Self {
        self.models = Some(models.defs());
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// `Config` when no database is set, the URI cannot be read, or two models have one table's name; `Connection` when
    /// the database cannot be reached.
    pub async fn connect(self) -> Result<Db> {
        let binds = self.config.bind_urls()?;
        let mut urls = vec![(None, self.config.database_url()?, None, self.config.engine_options().clone())];
        urls.extend(binds.into_iter().map(|(name, url, options)| (Some(name), url, None, options.clone())));
        self.config.check_replicas()?;
        self.open(urls, false).await
    }

    /// Connects to temporary SQLite databases, one for each bind that a model names beside the default one, whatever URIs
    /// are set, and creates the tables: see [`Db::test`].
    ///
    /// # Errors
    /// As [`connect`](Self::connect) and [`Db::create_all`].
    pub async fn test(self) -> Result<Db> {
        let mut names: Vec<Option<String>> = vec![None];
        for bind in self.defs().iter().filter_map(|def| def.bind) {
            if !names.iter().flatten().any(|known| known == bind) {
                names.push(Some(bind.to_owned()));
            }
        }
        let options = self.config.engine_options().clone();
        let urls = names.into_iter().map(|name| {
            let path = std::env::temp_dir().join(format!("aludel-test-{}.db", Uuid::new_v4().simple()));
            (name, DatabaseUrl::file(path.clone()), Some(TemporaryFile(path)), options.clone())
        });
        let db = self.open(urls.collect(), true).await?;
        db.create_all().await?;
        Ok(db)
    }

    fn defs(&self) -> Vec<&'static ModelDef> {
        self.models.clone().unwrap_or_else(metadata::registered)
    }

    /// Replicas and two phases are none of a test's.
    async fn open(self, urls: Vec<Opening>, for_test: bool) -> Result<Db> {
        let defs = self.defs();
        let mut databases = Vec::with_capacity(urls.len());
        for (name, url, temporary, options) in urls {
            let own: Vec<_> = defs.iter().copied().filter(|def| def.bind == name.as_deref()).collect();
            let metadata = metadata::from_models(&own, self.naming.clone())?;
            let engine = Engine::connect(&url, &options).await;
            let engine = engine.map_err(|error| match &name {
                Some(name) => error.with_message(|message| format!("bind `{name}`: {message}")),
                None => error,
            })?;
            let replicas = if for_test { Vec::new() } else { self.config.replica_urls(name.as_deref())? };
            let replicas = Replicas::open(&replicas, &options, engine.dialect()).await?;
            databases.push(Database { name, engine, replicas, metadata, label: url.to_string(), temporary });
        }
        let two_phase = self.two_phase && !for_test;
        if two_phase {
            two_phase::check(&databases, Location::caller()).await?;
        }
        let binds: Vec<&'static str> = defs.iter().filter_map(|def| def.bind).collect();
        let mut shared = DbShared::new(databases, self.teardown, two_phase, binds);
        shared.listeners = self.listeners.into();
        shared.cursors = self.config.secret()?.map(signing_key);
        Ok(Db { shared: Arc::new(shared) })
    }
}

/// The name of a bind, none for the default database; its URL; a file to be deleted; the engine's options.
type Opening = (Option<String>, DatabaseUrl, Option<TemporaryFile>, EngineOptions);

/// Some models: a tuple, array or vector of `User::TABLE`.
pub trait Models {
    /// Their definitions.
    fn defs(self) -> Vec<&'static ModelDef>;
}

impl Models for ModelTable {
    fn defs(self) -> Vec<&'static ModelDef> {
        vec![(self.0)()]
    }
}

impl<const N: usize> Models for [ModelTable; N] {
    fn defs(self) -> Vec<&'static ModelDef> {
        self.into_iter().flat_map(Models::defs).collect()
    }
}

impl Models for Vec<ModelTable> {
    fn defs(self) -> Vec<&'static ModelDef> {
        self.into_iter().flat_map(Models::defs).collect()
    }
}

/// A tuple's members may be lists of models themselves.
macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Models, $($rest: Models),*> Models for ($first, $($rest,)*) {
            #[allow(non_snake_case)]
            fn defs(self) -> Vec<&'static ModelDef> {
                let ($first, $($rest,)*) = self;
                [$first.defs(), $($rest.defs()),*].concat()
            }
        }
        tuples!($($rest)*);
    };
    () => {};
}

tuples!(A B C D E F G H I J K L M N O P);
