//! The driver's own tests, against a real server.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

use crate::engine::row::Row;
use crate::engine::tests::{acquire, integer, rows};
use crate::engine::{DatabaseUrl, Engine, EngineOptions, PooledConnection};
use crate::error::Result;
use crate::sql::Value;

mod authentication;
mod cancellation;
mod cursors;
mod errors;
mod opening;
mod protocol;
mod statements;
mod values;
mod whole;

/// The server, as the environment names it.
fn server() -> String {
    std::env::var("ALUDEL_TEST_MARIADB_URL").unwrap_or_else(|_| "mysql://root@127.0.0.1:3306".to_owned())
}

/// The server's URL with another database.
fn server_url(database: &str) -> String {
    let server = server();
    let (base, query) = server.split_once('?').map_or((server.as_str(), None), |(base, query)| (base, Some(query)));
    let authority = base.split_once("://").map_or(0, |(scheme, _)| scheme.len() + 3);
    let base = base[authority..].split_once('/').map_or(base, |(host, _)| &base[..authority + host.len()]);
    match query {
        Some(query) => format!("{base}/{database}?{query}"),
        None => format!("{base}/{database}"),
    }
}

/// A connection that knows nothing of Aludel.
async fn stranger(database: &str) -> Conn {
    let url = server_url(database);
    let url = url.split_once('?').map_or(url.as_str(), |(url, _)| url).replacen("mariadb:", "mysql:", 1);
    Conn::new(Opts::from_url(&format!("{url}?prefer_socket=false")).unwrap()).await.unwrap()
}

/// A database that goes with its test.
struct Database(String);

impl Database {
    async fn new() -> Self {
        let name = format!("aludel_{}", uuid::Uuid::new_v4().simple());
        let mut conn = stranger("").await;
        conn.query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await.unwrap();
        conn.disconnect().await.unwrap();
        Self(name)
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&server_url(&self.0)).unwrap()
    }

    async fn engine(&self) -> Engine {
        self.engine_with(EngineOptions::new()).await
    }

    async fn engine_with(&self, options: EngineOptions) -> Engine {
        Engine::connect(&self.url(), &options).await.unwrap()
    }

    async fn stranger(&self) -> Conn {
        stranger(&self.0).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = self.0.clone();
        // On a thread of its own: this one may be in the middle of a runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut conn = stranger("").await;
                conn.query_drop(format!("SET lock_wait_timeout = 20; DROP DATABASE {name}")).await.unwrap();
                conn.disconnect().await.unwrap();
            });
        })
        .join();
        if !std::thread::panicking() {
            dropped.unwrap();
        }
    }
}
