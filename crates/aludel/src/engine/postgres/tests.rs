//! The driver's own tests, against a real server.

use crate::engine::driver::Driver;
use crate::engine::row::Row;
use crate::engine::tests::{acquire, integer, rows};
use crate::engine::{DatabaseUrl, Engine, EngineOptions, PooledConnection};
use crate::error::Result;
use crate::sql::Value;

mod authentication;
mod cancellation;
mod copying;
mod cursors;
mod errors;
mod opening;
mod pipelining;
mod statements;
mod values;
mod whole;

/// The server and a database of it, as the environment names them.
fn server() -> String {
    std::env::var("ALUDEL_TEST_POSTGRES_URL")
        .unwrap_or_else(|_| "postgresql://postgres@127.0.0.1:5432/test?sslmode=disable".to_owned())
}

/// The server's URL with another parameter.
fn with(parameter: &str) -> String {
    let server = server();
    format!("{server}{}{parameter}", if server.contains('?') { '&' } else { '?' })
}

/// The server's URL without its parameters, with another place in it.
fn elsewhere(authority: &str, database: &str) -> String {
    let server = server();
    let query = server.split_once('?').map_or("sslmode=disable", |(_, query)| query);
    format!("postgresql://{authority}/{database}?{query}")
}

/// How many requests the connection has sent.
fn requests(c: &mut PooledConnection) -> u64 {
    match c.lease_for_tests().and_then(|lease| lease.driver()) {
        Some(Driver::Postgres(connection)) => connection.wire.requests,
        _ => panic!("a connection to PostgreSQL"),
    }
}

/// A schema that goes with its test, and a client that knows nothing of Aludel.
struct Schema {
    name: String,
    stranger: tokio_postgres::Client,
}

impl Schema {
    async fn new() -> Self {
        let name = format!("aludel_{}", uuid::Uuid::new_v4().simple());
        let stranger = stranger().await;
        stranger.batch_execute(&format!("CREATE SCHEMA {name}; SET search_path = {name}")).await.unwrap();
        Self { name, stranger }
    }

    fn url_text(&self) -> String {
        with(&format!("options=-csearch_path%3D{}&application_name={0}", self.name))
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&self.url_text()).unwrap()
    }

    async fn engine(&self) -> Engine {
        self.engine_with(EngineOptions::new()).await
    }

    async fn engine_with(&self, options: EngineOptions) -> Engine {
        Engine::connect(&self.url(), &options).await.unwrap()
    }

    /// One text that the stranger reads.
    async fn text(&self, sql: &str) -> Option<String> {
        self.stranger.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What the connections of this test do, as the server sees it.
    async fn states(&self) -> Vec<String> {
        let rows = self
            .stranger
            .query("SELECT state FROM pg_stat_activity WHERE application_name = $1 ORDER BY 1", &[&self.name])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Waits until the connections of this test do what they should.
    async fn until(&self, wanted: impl Fn(&[String]) -> bool) {
        for _ in 0..500 {
            if wanted(&self.states().await) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the connections stayed {:?}", self.states().await);
    }

    /// Kills the connections of this test.
    async fn kill(&self) {
        self.stranger
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
                &[&self.name],
            )
            .await
            .unwrap();
        self.until(<[String]>::is_empty).await;
    }

    async fn drop(self) {
        self.stranger.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await.unwrap();
    }
}

async fn stranger() -> tokio_postgres::Client {
    let server = server();
    let (client, connection) =
        tokio_postgres::connect(server.split_once('?').map_or(server.as_str(), |(url, _)| url), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    client
}
