//! The settings of a `Db`.

use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::engine::{DatabaseUrl, Engine, EngineOptions};
use crate::entity::def::ModelDef;
use crate::error::Result;
use crate::model::{ModelTable, metadata};
use crate::schema::NamingConvention;
use crate::session::shared::{DbShared, Teardown, TemporaryFile};

use super::Db;

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
    models: Option<Vec<&'static ModelDef>>,
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
        let url = self.config.database_url()?;
        self.open(url, None).await
    }

    /// Connects to a temporary SQLite database, whatever URI is set, and creates the tables: see [`Db::test`].
    ///
    /// # Errors
    /// As [`connect`](Self::connect) and [`Db::create_all`].
    pub async fn test(self) -> Result<Db> {
        let path = std::env::temp_dir().join(format!("aludel-test-{}.db", Uuid::new_v4().simple()));
        let url = DatabaseUrl::file(path.clone());
        let db = self.open(url, Some(TemporaryFile(path))).await?;
        db.create_all().await?;
        Ok(db)
    }

    async fn open(self, url: DatabaseUrl, temporary: Option<TemporaryFile>) -> Result<Db> {
        let metadata = match self.models {
            Some(models) => metadata::from_models(&models, self.naming)?,
            None => metadata::from_models(&metadata::registered(), self.naming)?,
        };
        let engine = Engine::connect(&url, self.config.engine_options()).await?;
        let shared = DbShared { engine, metadata, teardown: self.teardown, label: url.to_string(), temporary };
        Ok(Db { shared: Arc::new(shared) })
    }
}

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
