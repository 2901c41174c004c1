//! The engine's own tests, on databases in memory and in files.

use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::row::Row;
use super::{DatabaseUrl, Engine, EngineOptions, PooledConnection};
use crate::error::Result;
use crate::sql::Value;

mod cancellation;
mod cursors;
mod errors;
mod offloading;
mod opening;
mod pooling;
mod statements;
mod transactions;
mod values;
mod writers;

/// A folder that goes with its test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("aludel-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(std::fs::canonicalize(path).unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, name: &str) -> DatabaseUrl {
        DatabaseUrl::file(self.0.join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn memory() -> Engine {
    Engine::connect(&DatabaseUrl::parse("sqlite://").unwrap(), &EngineOptions::new()).await.unwrap()
}

async fn connect(url: &DatabaseUrl, options: EngineOptions) -> Engine {
    Engine::connect(url, &options).await.unwrap()
}

#[track_caller]
pub(super) fn acquire(engine: &Engine) -> impl Future<Output = PooledConnection> {
    let at = Location::caller();
    let engine = engine.clone();
    async move { engine.acquire(at).await.unwrap() }
}

/// What `read` makes of each row.
pub(super) async fn rows<T: Send>(
    connection: &mut PooledConnection,
    sql: &str,
    params: &[Value<'_>],
    mut read: impl FnMut(&Row<'_>) -> Result<T> + Send,
) -> Result<Vec<T>> {
    let mut out = Vec::new();
    let count = connection
        .fetch(sql, params, &mut |row| {
            out.push(read(row)?);
            Ok(())
        })
        .await?;
    assert_eq!(count, out.len() as u64);
    Ok(out)
}

pub(super) async fn integer(connection: &mut PooledConnection, sql: &str) -> i64 {
    rows(connection, sql, &[], |row| row.integer(0)).await.unwrap()[0]
}

async fn count(connection: &mut PooledConnection, table: &str) -> i64 {
    integer(connection, &format!("SELECT count(*) FROM {table}")).await
}

/// Options that note each statement.
fn recorded() -> (EngineOptions, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let observer = Arc::clone(&log);
    let options =
        EngineOptions::new().on_statement(Arc::new(move |sql: &str| observer.lock().unwrap().push(sql.to_owned())));
    (options, log)
}

#[test]
fn futures_of_a_connection_may_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    fn check(engine: &'static Engine, connection: &'static mut PooledConnection) {
        is_send(engine.acquire(Location::caller()));
        is_send(connection.fetch("", &[], Box::leak(Box::new(|_: &Row<'_>| Ok(())))));
    }
    let _ = check;
}
