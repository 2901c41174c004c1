//! A database of a test's own, the log of its statements, and a second pair of eyes on its rows.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aludel::prelude::*;
use aludel::{DbBuilder, Models};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

/// A database in a file, with its tables created.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    log: Arc<Mutex<Vec<String>>>,
    path: PathBuf,
    // Deleted last, when nobody has the file open.
    _folder: TempDir,
}

impl TestDb {
    /// The tables of all models of the test program.
    pub(crate) async fn new() -> Self {
        Self::connect(Db::builder()).await
    }

    /// The tables of some models.
    pub(crate) async fn of(models: impl Models) -> Self {
        Self::connect(Db::builder().models(models)).await
    }

    async fn connect(builder: DbBuilder) -> Self {
        let test = Self::without_tables(builder).await;
        test.db.create_all().await.expect("the tables are created");
        test.statements();
        test
    }

    /// A database of these settings, in which nothing is created.
    pub(crate) async fn without_tables(builder: DbBuilder) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        let options = EngineOptions::new()
            .on_statement(Arc::new(move |sql: &str| sink.lock().expect("the log").push(sql.to_owned())));
        let uri = format!("sqlite:///{}", path.display());
        let db = builder.uri(uri).engine(options).connect().await.expect("a database");
        Self { db, log, path, _folder: folder }
    }

    pub(crate) fn dialect(&self) -> aludel::sql::Dialect {
        aludel::sql::Dialect::Sqlite
    }

    pub(crate) fn session(&self) -> Session {
        self.db.session()
    }

    /// The statements since this was last asked for.
    pub(crate) fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().expect("the log"))
    }

    /// The same without BEGIN, COMMIT and ROLLBACK.
    pub(crate) fn work(&self) -> Vec<String> {
        let mut statements = self.statements();
        statements.retain(|sql| !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| sql.starts_with(word)));
        statements
    }

    /// A connection that the library knows nothing of.
    pub(crate) fn outside(&self) -> Connection {
        Connection::open(&self.path).expect("a second connection")
    }

    /// What is committed, as the second connection reads it: a text for each row, its columns parted by `|`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let connection = self.outside();
        let mut statement = connection.prepare(sql).expect("a statement");
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let fields: Vec<String> = (0..columns).map(|at| text_of(row.get_ref_unwrap(at))).collect();
            Ok(fields.join("|"))
        });
        rows.expect("rows").collect::<Result<_, _>>().expect("rows")
    }

    /// What somebody else changes in the meantime.
    pub(crate) fn change(&self, sql: &str) {
        self.outside().execute_batch(sql).expect("a change from outside");
    }
}

fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => format!("{value:?}"),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
