use std::error::Error as _;

use super::*;
use crate::error::{Error, ErrorKind};

const SCHEMA: &str = "
    CREATE TABLE user (id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, age INTEGER,
        first TEXT, last TEXT, UNIQUE (first, last), CONSTRAINT ck_user_age CHECK (age >= 0));
    CREATE TABLE tag (name TEXT);
    CREATE UNIQUE INDEX ix_lower ON tag (lower(name));
    INSERT INTO tag VALUES ('rust');
    CREATE TABLE post (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE RESTRICT);
    CREATE TABLE comment (id INTEGER PRIMARY KEY, post_id INTEGER REFERENCES post (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE strict_one (n INTEGER) STRICT;
    CREATE TABLE pair (a INTEGER, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
    INSERT INTO user VALUES (1, 'ann', 30, 'Ann', 'A');
    INSERT INTO post VALUES (1, 1);
    INSERT INTO pair VALUES (1, 2);";

async fn database() -> (Engine, PooledConnection) {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(SCHEMA).await.unwrap();
    (engine, c)
}

async fn refused(sql: &str) -> Error {
    let (_engine, mut c) = database().await;
    let error = c.execute(sql, &[]).await.unwrap_err();
    assert_eq!(error.statement(), Some(sql));
    error
}

#[track_caller]
fn check(error: &Error, kind: ErrorKind, table: Option<&str>, columns: &[&str], constraint: Option<&str>) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!(error.table(), table, "{error:?}");
    assert_eq!(error.columns(), columns, "{error:?}");
    assert_eq!(error.constraint(), constraint, "{error:?}");
}

#[tokio::test]
async fn a_violated_constraint_names_table_columns_and_itself() {
    let error = refused("INSERT INTO user (username) VALUES ('ann')").await;
    check(&error, ErrorKind::UniqueViolation, Some("user"), &["username"], None);
    assert_eq!(error.to_string(), "`user` has a row with the same `username` already");
    assert!(error.source().unwrap().to_string().contains("UNIQUE constraint failed: user.username"));

    let error = refused("INSERT INTO user (username, first, last) VALUES ('b', 'Ann', 'A')").await;
    check(&error, ErrorKind::UniqueViolation, Some("user"), &["first", "last"], None);

    let error = refused("INSERT INTO tag VALUES ('RUST')").await;
    check(&error, ErrorKind::UniqueViolation, None, &[], Some("ix_lower"));

    let error = refused("INSERT INTO user (id, username) VALUES (1, 'b')").await;
    check(&error, ErrorKind::UniqueViolation, Some("user"), &["id"], None);

    let error = refused("INSERT INTO pair VALUES (1, 2)").await;
    check(&error, ErrorKind::UniqueViolation, Some("pair"), &["a", "b"], None);

    let error = refused("INSERT INTO user (first) VALUES ('x')").await;
    check(&error, ErrorKind::NotNullViolation, Some("user"), &["username"], None);

    let error = refused("INSERT INTO user (username, age) VALUES ('b', -1)").await;
    check(&error, ErrorKind::CheckViolation, None, &[], Some("ck_user_age"));
}

#[tokio::test]
async fn a_foreign_key_is_checked_on_both_sides_and_at_commit() {
    check(&refused("INSERT INTO post VALUES (2, 99)").await, ErrorKind::ForeignKeyViolation, None, &[], None);
    check(&refused("DELETE FROM user WHERE id = 1").await, ErrorKind::ForeignKeyViolation, None, &[], None);

    let (_engine, mut c) = database().await;
    c.begin(super::super::BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO comment VALUES (1, 99)", &[]).await.unwrap();
    let error = c.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    assert!(c.in_transaction(), "a COMMIT that is refused leaves the transaction open");
    c.rollback().await.unwrap();
    assert_eq!(count(&mut c, "comment").await, 0);
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_its_cure() {
    let error = refused("SELECT * FROM nobody").await;
    check(&error, ErrorKind::MissingTable, Some("nobody"), &[], None);
    assert!(error.to_string().contains("db.create_all()"));
    check(&refused("SELECT nope FROM user").await, ErrorKind::MissingTable, None, &["nope"], None);
    check(&refused("SELECT user.nope FROM user").await, ErrorKind::MissingTable, Some("user"), &["nope"], None);
    check(&refused("INSERT INTO user (nope) VALUES (1)").await, ErrorKind::MissingTable, Some("user"), &["nope"], None);
}

#[tokio::test]
async fn a_missing_column_in_double_quotes_is_no_string() {
    let error = refused("SELECT \"nope\" FROM \"user\"").await;
    check(&error, ErrorKind::MissingTable, None, &["nope"], None);
    assert!(error.to_string().contains("the column `nope` does not exist"), "{error}");
}

#[tokio::test]
async fn a_statement_that_does_not_compile_is_invalid() {
    for sql in [
        "SELEC 1",
        "SELECT",
        "SELECT nothing(1)",
        "",
        " -- only a comment",
        "SELECT 1; SELECT 2",
        "SELECT ?1, (?40000)",
    ] {
        let error = refused(sql).await;
        assert_eq!(error.kind(), ErrorKind::InvalidStatement, "{sql}: {error}");
    }
    let (_engine, mut c) = database().await;
    let error = c.execute("SELECT ?, ?", &[Value::Int(1)]).await.unwrap_err();
    assert_eq!(error.to_string(), "the statement has 2 placeholders, and 1 values were given");
    let error = c.execute_batch("INSERT INTO pair VALUES (?, 1)").await.unwrap_err();
    assert!(error.to_string().contains("takes no values"));
    c.execute("SELECT 1; -- nothing more", &[]).await.unwrap();
}

#[tokio::test]
async fn a_value_that_the_column_refuses_is_a_decode_error() {
    assert_eq!(refused("INSERT INTO strict_one VALUES ('x')").await.kind(), ErrorKind::Decode);
    assert_eq!(refused("INSERT INTO user (id, username) VALUES ('x', 'b')").await.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn a_full_disk_and_a_read_only_database_have_kinds() {
    let (_engine, mut c) = database().await;
    c.execute("PRAGMA max_page_count = 1", &[]).await.unwrap();
    let error = c.execute("INSERT INTO user (username) VALUES (hex(randomblob(100000)))", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
    c.execute("PRAGMA query_only = 1", &[]).await.unwrap();
    assert_eq!(c.execute("DELETE FROM pair", &[]).await.unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[tokio::test]
async fn no_error_shows_values() {
    let (_engine, mut c) = database().await;
    let error = c
        .execute("INSERT INTO user (id, username) VALUES (?, ?)", &[Value::Int(77_777), Value::Text("ann".into())])
        .await
        .unwrap_err();
    let shown = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(!shown.contains("77777") && !shown.contains("'ann'"), "{shown}");
}
