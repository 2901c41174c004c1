//! A database of a MariaDB server.

use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, Opts, Row, Value};

use super::backend::{apart, float, hex, instant};
use super::quoted;

const URL: &str = "mysql://root@127.0.0.1:3306";

pub(super) struct Database {
    name: String,
}

impl Database {
    pub(super) fn new(name: String) -> Self {
        apart(async || run(&mut connect(&server()).await, &format!("CREATE DATABASE {name}")).await);
        Self { name }
    }

    pub(super) fn uri(&self) -> String {
        let url = url();
        let (server, parameters) = match url.split_once('?') {
            Some((_, parameters)) => (server(), format!("?{parameters}")),
            None => (server(), String::new()),
        };
        format!("{server}/{}{parameters}", self.name)
    }

    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        let sql = quoted(sql);
        apart(async || {
            let mut connection = connect(&format!("{}/{}", server(), self.name)).await;
            // As texts, which the server writes.
            let rows: Vec<Row> = connection.query(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            connection.disconnect().await.expect("the end of a connection");
            let fields = |row: Row| {
                let columns = row.columns();
                let fields = row.unwrap().into_iter().zip(columns.iter()).map(|(value, column)| text_of(value, column));
                fields.collect::<Vec<_>>().join("|")
            };
            rows.into_iter().map(fields).collect()
        })
    }

    pub(super) fn change(&self, sql: &str) {
        let sql = quoted(sql);
        apart(async || run(&mut connect(&format!("{}/{}", server(), self.name)).await, &sql).await);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        apart(async || {
            let mut connection = connect(&server()).await;
            // What the test has left open would hold its tables.
            let open = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
            let open: Vec<u64> = connection.query(open).await.expect("the connections");
            for id in open {
                // One that has gone by itself cannot be ended, which is as well.
                let _ = connection.query_drop(format!("KILL {id}")).await;
            }
            run(&mut connection, &format!("DROP DATABASE {name}")).await;
        });
    }
}

fn url() -> String {
    std::env::var("ALUDEL_TEST_MARIADB_URL").unwrap_or_else(|_| URL.to_owned())
}

/// The URL without database and parameters, as a client of MySQL understands it.
fn server() -> String {
    let url = url();
    let url = url.split_once('?').map_or(url.as_str(), |(url, _)| url);
    let (_, rest) = url.split_once("://").expect("a URL");
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    format!("mysql://{authority}")
}

async fn connect(url: &str) -> Conn {
    let mut connection = Conn::new(Opts::from_url(url).expect("a URL")).await.expect("MariaDB answers");
    // The tests' SQL quotes and concatenates as the standard says.
    let mode = "SET sql_mode = concat(@@sql_mode, ',ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'), time_zone = '+00:00', \
                max_recursive_iterations = 1000000";
    run(&mut connection, mode).await;
    connection
}

async fn run(connection: &mut Conn, sql: &str) {
    connection.query_drop(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The character set of what is no text.
const BINARY: u16 = 63;

fn text_of(value: Value, column: &Column) -> String {
    let bytes = match value {
        Value::NULL => return "NULL".to_owned(),
        Value::Bytes(bytes) => bytes,
        other => panic!("{other:?} is no text"),
    };
    let text = || String::from_utf8_lossy(&bytes).into_owned();
    let string = matches!(
        column.column_type(),
        ColumnType::MYSQL_TYPE_STRING
            | ColumnType::MYSQL_TYPE_VAR_STRING
            | ColumnType::MYSQL_TYPE_BLOB
            | ColumnType::MYSQL_TYPE_LONG_BLOB
    );
    match column.column_type() {
        _ if string && column.character_set() == BINARY => hex(&bytes),
        ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => float(&text()),
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIME => {
            instant(&text())
        }
        _ => text(),
    }
}
