//! A schema of a PostgreSQL database.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::backend::{apart, float, instant};
use super::quoted;

const URL: &str = "postgresql://postgres@127.0.0.1:5432/test?sslmode=disable";

pub(super) struct Schema {
    name: String,
}

impl Schema {
    pub(super) fn new(name: String) -> Self {
        apart(async || run(&connect(&url()).await, &format!("CREATE SCHEMA {name}")).await);
        Self { name }
    }

    pub(super) fn uri(&self) -> String {
        let url = url();
        let separator = if url.contains('?') { '&' } else { '?' };
        // The application's name tells the connections of this test from others on the server.
        format!("{url}{separator}options=-csearch_path%3D{0}&application_name={0}", self.name)
    }

    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        let sql = quoted(sql);
        apart(async || {
            let client = connect(&self.uri()).await;
            let statement = client.prepare(&sql).await.expect("a statement");
            let types: Vec<Type> = statement.columns().iter().map(|column| column.type_().clone()).collect();
            let names: Vec<String> = (0..types.len()).map(|at| format!("c{at}")).collect();
            let texts: Vec<String> = names.iter().zip(&types).map(|(name, ty)| as_text(name, ty)).collect();
            // The server writes the texts: no types are decoded here.
            let sql = format!("SELECT {} FROM ({sql}) AS t ({})", texts.join(", "), names.join(", "));
            let messages = client.simple_query(&sql).await.expect("rows");
            let rows = messages.iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            });
            let fields = |row: &tokio_postgres::SimpleQueryRow| {
                let fields = (0..types.len()).map(|at| text_of(row.get(at), &types[at]));
                fields.collect::<Vec<_>>().join("|")
            };
            rows.map(fields).collect()
        })
    }

    pub(super) fn change(&self, sql: &str) {
        let sql = quoted(sql);
        apart(async || {
            let client = connect(&self.uri()).await;
            run(&client, &sql).await;
            run(&client, COUNT_ON).await;
        });
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = &self.name;
        apart(async || {
            let client = connect(&url()).await;
            // What the test has left open would hold its tables.
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation \
                 WHERE relnamespace = '{name}'::regnamespace AND pid <> pg_backend_pid() \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            );
            run(&client, &end).await;
            run(&client, &format!("DROP SCHEMA {name} CASCADE")).await;
        });
    }
}

/// Lets the keys that the database counts up come after those that are there, as elsewhere they do by themselves.
const COUNT_ON: &str = r#"
DO $$
DECLARE identity record; greatest bigint;
BEGIN
    FOR identity IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = current_schema() AND is_identity = 'YES'
    LOOP
        EXECUTE format('SELECT max(%I) FROM %I', identity.column_name, identity.table_name) INTO greatest;
        IF greatest > 0 THEN
            PERFORM setval(pg_get_serial_sequence(format('%I', identity.table_name), identity.column_name), greatest);
        END IF;
    END LOOP;
END $$"#;

fn url() -> String {
    std::env::var("ALUDEL_TEST_POSTGRES_URL").unwrap_or_else(|_| URL.to_owned())
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    client
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// A column as the text that SQLite has for it.
fn as_text(name: &str, ty: &Type) -> String {
    match *ty {
        Type::BOOL => format!("{name}::int::text"),
        Type::BYTEA => format!("encode({name}, 'hex')"),
        Type::TIMESTAMPTZ => format!("({name} AT TIME ZONE 'UTC')::text"),
        _ => format!("{name}::text"),
    }
}

fn text_of(text: Option<&str>, ty: &Type) -> String {
    match (text, ty) {
        (None, _) => "NULL".to_owned(),
        (Some(text), &(Type::FLOAT4 | Type::FLOAT8)) => float(text),
        (Some(text), &(Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME)) => instant(text),
        (Some(text), _) => text.to_owned(),
    }
}
