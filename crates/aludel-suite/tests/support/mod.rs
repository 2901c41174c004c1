//! A database of a test's own, the log of its statements, and a second pair of eyes on its rows.
//!
//! `ALUDEL_TEST_BACKEND` says of which backend: `sqlite`, where nothing is said, `postgres` or `mariadb`.
//! `cargo xtask test` runs all three.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses a part of it")]

mod backend;
mod mariadb;
mod needs;
mod postgres;
mod sql;
mod sqlite;
mod wire;

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use aludel::prelude::*;
use aludel::{DbBuilder, Models};

pub(crate) use backend::Backend;
pub(crate) use needs::{Skipped, needs, skips};
pub(crate) use sql::{native, neutral, one_of, quoted};
pub(crate) use wire::Wire;

use backend::Place;

/// A database with its tables created, which is gone when the test is over.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    log: Arc<Mutex<Vec<String>>>,
    place: Place,
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

    /// The tables of a builder's models, with its settings.
    pub(crate) async fn connect(builder: DbBuilder) -> Self {
        let test = Self::without_tables(builder).await;
        test.db.create_all().await.expect("the tables are created");
        test.statements();
        test
    }

    /// A database of these settings, in which nothing is created.
    pub(crate) async fn without_tables(builder: DbBuilder) -> Self {
        let place = Place::new(Backend::current());
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        // Several tests run at once, and a server has not many connections.
        let options = EngineOptions::new()
            .pool_size(3)
            .max_overflow(5)
            .on_statement(Arc::new(move |sql: &str| sink.lock().expect("the log").push(sql.to_owned())));
        let db = builder.uri(place.uri()).engine(options).connect().await.expect("a database");
        Self { db, log, place }
    }

    /// Where the database is.
    pub(crate) fn uri(&self) -> String {
        self.place.uri()
    }

    /// The same database once more, with a pool of its own.
    pub(crate) async fn again(&self, options: EngineOptions) -> Db {
        Db::builder().uri(self.uri()).engine(options).connect().await.expect("a database")
    }

    /// The SQL of the backend at hand.
    pub(crate) fn dialect(&self) -> aludel::sql::Dialect {
        use aludel::sql::Dialect::{MariaDb, Postgres, Sqlite};
        Backend::current().pick(Sqlite, Postgres, MariaDb)
    }

    pub(crate) fn session(&self) -> Session {
        self.db.session()
    }

    /// The statements since this was last asked for, with names and values as SQLite has them: see [`neutral`].
    pub(crate) fn statements(&self) -> Vec<String> {
        let statements = std::mem::take(&mut *self.log.lock().expect("the log"));
        statements.iter().map(|sql| neutral(sql)).collect()
    }

    /// The same without BEGIN, COMMIT and ROLLBACK.
    pub(crate) fn work(&self) -> Vec<String> {
        let mut statements = self.statements();
        statements.retain(|sql| !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| sql.starts_with(word)));
        statements
    }

    /// What is committed, as a connection reads it that the library knows nothing of: a text for each row, its columns
    /// parted by `|`. Names are lower-case there, and key words upper-case: see [`quoted`].
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        self.place.rows(sql)
    }

    /// What somebody else changes in the meantime. Keys that the database counts up come after those that are there.
    pub(crate) fn change(&self, sql: &str) {
        self.place.change(sql);
    }

    /// The same with foreign keys that nobody looks at.
    pub(crate) fn change_unchecked(&self, sql: &str) {
        let off = Backend::current().pick(
            "PRAGMA foreign_keys = OFF",
            "SET session_replication_role = replica",
            "SET foreign_key_checks = 0",
        );
        self.place.change(&format!("{off}; {sql}"));
    }
}

/// For what takes a `Db`.
impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}
