use super::*;
use crate::error::{Error, ErrorKind};

async fn refused(url: &str) -> Error {
    match Engine::connect(&DatabaseUrl::parse(url).unwrap(), &EngineOptions::new()).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error,
    }
}

async fn connected(url: &str) -> PooledConnection {
    let engine = Engine::connect(&DatabaseUrl::parse(url).unwrap(), &EngineOptions::new()).await.unwrap();
    acquire(&engine).await
}

/// Who enters the server, where it is, and which database.
fn parts() -> (String, String, String) {
    let server = server();
    let rest = server.split_once("://").unwrap().1.split('?').next().unwrap();
    let (authority, database) = rest.split_once('/').unwrap();
    let (login, host) = authority.rsplit_once('@').unwrap();
    (login.to_owned(), host.to_owned(), database.to_owned())
}

/// A user with a password.
async fn user(schema: &Schema) -> String {
    let name = format!("{}_user", schema.name);
    schema.stranger.batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'right p@ss'")).await.unwrap();
    name
}

#[tokio::test]
async fn a_setting_of_the_server_goes_with_the_options() {
    let schema = Schema::new().await;
    let mut c = connected(&schema.url_text()).await;
    let path = rows(&mut c, "SELECT current_schema()", &[], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    assert_eq!(path, [schema.name.clone()]);
    let name = rows(&mut c, "SHOW application_name", &[], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    assert_eq!(name, [schema.name.clone()]);
    schema.drop().await;
}

#[tokio::test]
async fn what_the_url_gets_wrong_is_named() {
    for (parameter, message) in [
        ("sslmod=require", "the unknown parameter `sslmod`"),
        ("sslmode=always", "`sslmode` in the database URL is one of disable, allow"),
        ("connect_timeout=soon", "`connect_timeout` in the database URL is a number of seconds"),
        ("target_session_attrs=best", "`target_session_attrs` in the database URL is one of any"),
        ("prepare=maybe", "`prepare` in the database URL is one of on, off"),
        ("client_encoding=latin1", "can only be UTF8"),
        ("application_name=a%00b", "NUL"),
        ("sslmode=verify-full&sslrootcert=/nowhere.pem", "cannot be read from `/nowhere.pem`"),
    ] {
        let error = refused(&with(parameter)).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named_with_its_address() {
    let error = refused(&elsewhere("someone:secret@127.0.0.1:1", "test")).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().starts_with("the PostgreSQL server cannot be reached: 127.0.0.1:1: "), "{error}");
    let error = refused(&elsewhere("someone:secret@127.0.0.1:1,[::1]:2", "test")).await;
    assert!(error.to_string().contains("127.0.0.1:1: ") && error.to_string().contains("; [::1]:2: "), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"));
    let error = refused("postgresql:///test?host=/nowhere&user=a").await;
    assert!(error.to_string().contains("/nowhere/.s.PGSQL.5432: "), "{error}");
    let error = refused("postgresql://a@nowhere.invalid/test").await;
    assert!(error.to_string().contains("nowhere.invalid:5432: "), "{error}");
}

#[tokio::test]
async fn what_answers_and_is_no_postgresql_is_an_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 100]).await;
            let _ = stream.write_all(answer).await;
        }
        // Accepts and says nothing.
        let _held = listener.accept().await;
        std::future::pending::<()>().await;
    });
    let url = format!("postgresql://a@127.0.0.1:{port}/test?sslmode=disable&connect_timeout=1");
    for message in ["does not speak PostgreSQL's protocol", "the server closed it", "no answer within 1s"] {
        let error = refused(&url).await;
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[tokio::test]
async fn the_first_host_that_is_right_is_taken() {
    let (login, host, database) = parts();
    let hosts = elsewhere(&format!("{login}@127.0.0.1:1,{host}"), &database);
    assert_eq!(integer(&mut connected(&hosts).await, "SELECT 1").await, 1);
    for wanted in ["read-write", "primary", "prefer-standby", "any"] {
        let mut c = connected(&with(&format!("target_session_attrs={wanted}"))).await;
        assert_eq!(integer(&mut c, "SELECT 1").await, 1, "{wanted}");
    }
    let error = refused(&with("target_session_attrs=standby")).await;
    assert!(error.to_string().contains("the server is not a standby"), "{error}");
    let error = refused(&with("target_session_attrs=read-only")).await;
    assert!(error.to_string().contains("the server is not read-only"), "{error}");
    let read_only = with("target_session_attrs=read-only&options=-cdefault_transaction_read_only%3Don");
    let mut c = connected(&read_only).await;
    let error = c.execute("CREATE TABLE t (n integer)", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
}

#[tokio::test]
async fn a_database_or_user_that_is_not_there_is_named() {
    let (login, host, database) = parts();
    let error = refused(&elsewhere(&format!("{login}@{host}"), "nowhere")).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("the database `nowhere` does not exist on "), "{error}");
    let schema = Schema::new().await;
    let name = user(&schema).await;
    schema.stranger.batch_execute(&format!("ALTER ROLE {name} NOLOGIN")).await.unwrap();
    let error = refused(&elsewhere(&format!("{name}:right%20p%40ss@{host}"), &database)).await;
    assert!(error.to_string().contains(&format!("does not let the user `{name}` in")), "{error}");
    assert!(!format!("{error} {error:?}").contains("p@ss"));
    schema.stranger.batch_execute(&format!("DROP ROLE {name}")).await.unwrap();
    schema.drop().await;
}
