//! What all sessions of one `Db` share.

use std::path::PathBuf;
use std::sync::Arc;

use hmac::Hmac;
use sha2::Sha256;

use super::events::Listener;
use crate::engine::{Engine, Replicas};
use crate::entity::def::ModelDef;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{MetaData, Table};
use crate::sql::SchemaTranslation;

/// What becomes of a session's uncommitted work at the end of a request or `db.scope`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Teardown {
    /// It is rolled back, and a warning names what to do: the handler commits when it is done.
    #[default]
    Rollback,
    /// It is committed before the response goes out when the status is below 400, or the scope's result is `Ok`; a
    /// failing commit becomes the response, or the result. Otherwise it is rolled back.
    CommitOnSuccess,
}

/// Which of a program's databases: its place in [`DbShared`]; 0 is the default one.
pub(crate) type Bind = usize;

/// The database of models that name no other.
pub(crate) const DEFAULT: Bind = 0;

/// One of the program's databases.
pub(crate) struct Database {
    /// None for the default one.
    pub(crate) name: Option<String>,
    pub(crate) engine: Engine,
    pub(crate) replicas: Replicas,
    pub(crate) metadata: MetaData,
    /// The database's URL, its password masked.
    pub(crate) label: String,
    /// After `engine`: the file goes when its connections are closed.
    #[allow(dead_code, reason = "it is there to be dropped")]
    pub(crate) temporary: Option<TemporaryFile>,
}

/// What all sessions of one `Db` share.
pub(crate) struct DbShared {
    /// The default database first.
    databases: Arc<[Database]>,
    pub(crate) teardown: Teardown,
    /// What schemas are called, unless a session says otherwise.
    pub(crate) schemas: Option<SchemaTranslation>,
    /// Whether transactions over several databases are prepared before they are committed.
    pub(crate) two_phase: bool,
    /// The binds that models name.
    named: Vec<&'static str>,
    /// What cursors of pages are signed with.
    pub(crate) cursors: Option<Hmac<Sha256>>,
    /// Who is told of what all sessions do.
    pub(crate) listeners: Arc<[Listener]>,
}

impl DbShared {
    /// The default database comes first.
    pub(crate) fn new(
        databases: Vec<Database>,
        teardown: Teardown,
        two_phase: bool,
        mut named: Vec<&'static str>,
    ) -> Self {
        named.sort_unstable();
        named.dedup();
        Self {
            databases: databases.into(),
            teardown,
            schemas: None,
            two_phase,
            named,
            cursors: None,
            listeners: [].into(),
        }
    }

    /// The same databases, in which schemas are called otherwise.
    pub(crate) fn with_schemas(&self, schemas: SchemaTranslation) -> Self {
        Self {
            databases: Arc::clone(&self.databases),
            teardown: self.teardown,
            schemas: Some(schemas),
            two_phase: self.two_phase,
            named: self.named.clone(),
            cursors: self.cursors.clone(),
            listeners: Arc::clone(&self.listeners),
        }
    }

    /// What cursors of pages are signed with.
    ///
    /// # Errors
    /// `Config` when no secret key is set.
    pub(crate) fn secret_key(&self) -> Result<Hmac<Sha256>> {
        self.cursors.clone().ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                "paginate_by_key: no secret key is set, with which cursors are signed; set ALUDEL_SECRET_KEY, or \
                 `Db::builder().secret_key(..)`",
            )
        })
    }

    pub(crate) fn databases(&self) -> &[Database] {
        &self.databases
    }

    pub(crate) fn database(&self, bind: Bind) -> &Database {
        &self.databases[bind]
    }

    #[inline]
    pub(crate) fn engine(&self, bind: Bind) -> &Engine {
        &self.databases[bind].engine
    }

    /// Where a model's rows are.
    ///
    /// # Errors
    /// `Config` when the model names a bind that is not set.
    #[inline]
    pub(crate) fn bind_of(&self, def: &ModelDef) -> Result<Bind> {
        def.check_inheritance()?;
        match def.bind {
            None => Ok(DEFAULT),
            Some(name) => self.bind_named(name).map_err(|error| {
                error.with_message(|message| format!("the model `{}` is in another database: {message}", def.name))
            }),
        }
    }

    /// The database of a name.
    ///
    /// # Errors
    /// `Config` when it is not set.
    pub(crate) fn bind_named(&self, name: &str) -> Result<Bind> {
        let known = self.databases.iter().position(|database| database.name.as_deref() == Some(name));
        known.ok_or_else(|| {
            Error::new(
                ErrorKind::Config,
                format!(
                    "the bind `{name}` is not set; set `Db::builder().bind(\"{name}\", \"sqlite:///{name}.db\")` or the \
                     variable ALUDEL_BINDS__{}",
                    name.to_ascii_uppercase()
                ),
            )
        })
    }

    /// Whether every bind that a model names is set.
    ///
    /// # Errors
    /// `Config`, naming the first one that is not.
    pub(crate) fn check_binds(&self) -> Result<()> {
        self.named.iter().try_for_each(|name| self.bind_named(name).map(drop))
    }
}

impl Database {
    /// Completes an error of the database with what the metadata knows: the name of the unique constraint, where the
    /// database names its columns alone, and the table of a check or index, where it names that alone.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match (error.kind(), error.table(), error.constraint()) {
            (ErrorKind::UniqueViolation, Some(table), None) => {
                let table = self.table_named(table);
                match table.and_then(|table| table.unique_name(error.columns())).map(str::to_owned) {
                    Some(name) => error.with_constraint(name),
                    None => error,
                }
            }
            (ErrorKind::UniqueViolation | ErrorKind::CheckViolation, None, Some(constraint)) => {
                match self.table_of(constraint) {
                    Some((table, columns)) => {
                        let error = error.with_message(|message| format!("{message} (table `{table}`)"));
                        let unknown = error.columns().is_empty();
                        let error = if unknown { error.with_columns(columns) } else { error };
                        error.with_table(table)
                    }
                    None => error,
                }
            }
            _ => error,
        }
    }

    /// A table by its name; the only one of the name in any schema, for databases do not always say which.
    fn table_named(&self, name: &str) -> Option<&Table> {
        self.metadata.table(name).or_else(|| {
            let mut tables = self.metadata.tables().iter().filter(|table| table.name == name);
            tables.next().filter(|_| tables.next().is_none())
        })
    }

    /// The only table with a check, a unique constraint or an index of this name, and the columns of the latter two.
    fn table_of(&self, constraint: &str) -> Option<(String, Vec<String>)> {
        let has = |table: &Table| {
            let checks = table.checks.iter().map(|check| (&check.name, Vec::new()));
            let uniques = table.uniques.iter().map(|unique| (&unique.name, unique.columns.clone()));
            let indexes = table
                .indexes
                .iter()
                .map(|index| (&index.name, index.columns().into_iter().map(str::to_owned).collect()));
            let mut all = checks.chain(uniques).chain(indexes);
            all.find(|(name, _)| name.as_deref() == Some(constraint)).map(|(_, columns)| columns)
        };
        let mut tables = self.metadata.tables().iter().filter_map(|table| Some((table.name.clone(), has(table)?)));
        let found = tables.next()?;
        tables.next().is_none().then_some(found)
    }
}

/// A SQLite file that is deleted, with what stands beside it, when the last handle is gone.
pub(crate) struct TemporaryFile(pub(crate) PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            // most of them are gone already
            let _ = std::fs::remove_file(path);
        }
    }
}
