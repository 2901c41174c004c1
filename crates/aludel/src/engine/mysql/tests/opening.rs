use std::time::Duration;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::sql::Dialect;

async fn refused(url: &str) -> Error {
    let opened = match DatabaseUrl::parse(url) {
        Ok(url) => Engine::connect(&url, &EngineOptions::new()).await.map(drop),
        Err(error) => Err(error),
    };
    let error = opened.expect_err(url);
    assert!(!format!("{error} {error:?}").contains("s3cret"), "no message shows a password: {error:?}");
    error
}

/// The host and port of the server.
fn address() -> String {
    let url = server_url("");
    let authority = url.split_once("://").unwrap().1.split('/').next().unwrap();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}

#[tokio::test]
async fn a_session_is_strict_and_in_utc_and_knows_all_of_unicode() {
    let database = Database::new().await;
    let engine = database.engine_with(EngineOptions::new().busy_timeout(Duration::from_millis(1500))).await;
    let mut c = acquire(&engine).await;
    rows(
        &mut c,
        "SELECT @@sql_mode, @@time_zone, @@character_set_client, @@character_set_results, @@autocommit,
            @@innodb_lock_wait_timeout, @@lock_wait_timeout, DATABASE()",
        &[],
        |row| {
            for mode in ["STRICT_ALL_TABLES", "STRICT_TRANS_TABLES", "NO_ZERO_DATE", "NO_ENGINE_SUBSTITUTION"] {
                assert!(row.text(0)?.contains(mode));
            }
            assert_eq!(row.text(1)?, "+00:00");
            assert_eq!((row.text(2)?, row.text(3)?), ("utf8mb4", "utf8mb4"));
            assert_eq!((row.integer(4)?, row.integer(5)?, row.integer(6)?), (1, 2, 2));
            assert_eq!(row.text(7)?, database.0);
            Ok(())
        },
    )
    .await
    .unwrap();
    let mut stranger = database.stranger().await;
    let version: String = stranger.query_first("SELECT VERSION()").await.unwrap().unwrap();
    let expected = if version.contains("MariaDB") { Dialect::MariaDb } else { Dialect::MySql };
    assert_eq!(engine.dialect(), expected);
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why() {
    let address = address();
    let error = refused(&format!("mysql://nobody:s3cret@{address}/test")).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("does not let the user `nobody` in: the password is wrong"), "{error}");
    let error = refused(&server_url("aludel_there_is_no_such_database")).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(
        error.to_string(),
        format!("the database `aludel_there_is_no_such_database` does not exist on the server at {address}; create it")
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let error = refused("mysql://root:s3cret@127.0.0.1:1/test").await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().starts_with("no server can be reached at 127.0.0.1:1: "), "{error}");
    let error = refused("mysql:///test?unix_socket=/nowhere/mysqld.sock").await;
    assert!(error.to_string().starts_with("no server can be reached at /nowhere/mysqld.sock: "), "{error}");
}

#[tokio::test]
async fn the_hosts_are_tried_in_turn() {
    let database = Database::new().await;
    let url = server_url(&database.0).replacen(&address(), &format!("127.0.0.1:1,{}", address()), 1);
    let engine = Engine::connect(&DatabaseUrl::parse(&url).unwrap(), &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
    let error = refused("mysql://root@127.0.0.1:1,127.0.0.1:2/test").await;
    assert!(error.to_string().contains("127.0.0.1:1") && error.to_string().contains("127.0.0.1:2"), "{error}");
}

#[tokio::test]
async fn a_unix_socket_is_a_place_too() {
    let database = Database::new().await;
    let socket: String = database.stranger().await.query_first("SELECT @@socket").await.unwrap().unwrap();
    let separator = if server_url("").contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}unix_socket={socket}", server_url(&database.0));
    let engine = Engine::connect(&DatabaseUrl::parse(&url).unwrap(), &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    let seen = rows(&mut c, "SELECT DATABASE()", &[], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
    assert_eq!(seen, [database.0.clone()]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let error = refused(&format!("mysql://root@{address}/test?connect_timeout=1")).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(error.to_string(), format!("the server at {address} did not answer within 1s"));
}

#[tokio::test]
async fn a_parameter_that_is_wrong_is_named() {
    for (query, expected) in [
        ("charset=latin1", "the charset `latin1`; it is utf8mb4 always"),
        ("colour=blue", "the unknown parameter `colour`; it may have charset, connect_timeout"),
        ("connect_timeout=soon", "the `connect_timeout` of the database URL is not a number of seconds"),
        ("connect_timeout=0", "the `connect_timeout` of the database URL is not a number of seconds"),
        ("ssl-mode=often", "the `ssl-mode` of the database URL is one of disabled, preferred"),
    ] {
        let error = refused(&format!("mysql://root@127.0.0.1:1/test?{query}")).await;
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let database = Database::new().await;
    let separator = if server_url("").contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}charset=utf8mb4&ssl-mode=preferred&connect_timeout=5", server_url(&database.0));
    Engine::connect(&DatabaseUrl::parse(&url).unwrap(), &EngineOptions::new()).await.unwrap();
}

/// The server's URL with parameters.
fn with(database: &Database, parameters: &str) -> DatabaseUrl {
    let separator = if server_url("").contains('?') { '&' } else { '?' };
    DatabaseUrl::parse(&format!("{}{separator}{parameters}", server_url(&database.0))).unwrap()
}

#[tokio::test]
async fn a_connection_is_encrypted_where_the_url_insists() {
    let database = Database::new().await;
    let able: String = database.stranger().await.query_first("SELECT @@have_ssl").await.unwrap().unwrap();
    let connect = async |parameters: &str| Engine::connect(&with(&database, parameters), &EngineOptions::new()).await;
    let cipher = async |engine: Engine| {
        let mut c = acquire(&engine).await;
        rows(&mut c, "SHOW SESSION STATUS LIKE 'Ssl_cipher'", &[], |row| Ok(row.text(1)?.to_owned()))
            .await
            .unwrap()
            .remove(0)
    };
    assert_eq!(cipher(connect("ssl-mode=disabled").await.unwrap()).await, "");
    let preferred = cipher(connect("ssl-mode=preferred").await.unwrap()).await;
    let required = connect("ssl-mode=required").await;
    if able == "YES" {
        assert_ne!(preferred, "");
        assert_ne!(cipher(required.unwrap()).await, "");
        let error = connect("ssl-mode=verify_identity").await.map(drop).expect_err("nobody vouches for the server");
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        // Where the authority's certificate is on this machine, it is asked.
        let authority: Option<String> =
            database.stranger().await.query_first("SELECT @@ssl_ca").await.unwrap().unwrap();
        if let Some(path) = authority.filter(|path| std::path::Path::new(path).is_file()) {
            let checked = connect(&format!("ssl-mode=verify_ca&ssl-ca={path}")).await.unwrap();
            assert_ne!(cipher(checked).await, "");
        }
    } else {
        assert_eq!(preferred, "");
        let error = required.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert!(error.to_string().contains("cannot encrypt the connection, and `ssl-mode`"), "{error}");
    }
    let error = connect("ssl-mode=verify_ca&ssl-ca=/nowhere.pem").await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("the certificates of `ssl-ca` cannot be read from `/nowhere.pem`"), "{error}");
    let error = refused("mysql:///test?unix_socket=/nowhere.sock&ssl-mode=required").await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
