use std::error::Error as _;
use std::time::Duration;

use super::*;
use crate::engine::BeginMode;
use crate::error::{Error, ErrorKind};

const SCHEMA: &str = "
    CREATE TABLE user (id INT PRIMARY KEY, username VARCHAR(20) NOT NULL, age TINYINT, first VARCHAR(5), born DATE,
        UNIQUE KEY uq_user_username (username), CONSTRAINT ck_user_age CHECK (age >= 0));
    CREATE TABLE post (id INT PRIMARY KEY, user_id INT NOT NULL, doc JSON,
        CONSTRAINT fk_post_user_id_user FOREIGN KEY (user_id) REFERENCES user (id));
    INSERT INTO user VALUES (1, 'ann', 30, 'Ann', '2000-01-01'), (2, 'bob', 30, 'Bob', NULL);
    INSERT INTO post VALUES (1, 1, NULL);";

async fn schema() -> (Database, Engine, PooledConnection) {
    let database = Database::new().await;
    let engine = database.engine_with(EngineOptions::new().busy_timeout(Duration::from_secs(1))).await;
    let mut c = acquire(&engine).await;
    c.execute_batch(SCHEMA).await.unwrap();
    (database, engine, c)
}

async fn refused(c: &mut PooledConnection, sql: &str) -> Error {
    let error = c.execute(sql, &[]).await.expect_err(sql);
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
async fn a_violated_constraint_names_itself() {
    let (_database, _engine, mut c) = schema().await;
    let error = refused(&mut c, "INSERT INTO user (id, username) VALUES (3, 'ann')").await;
    // MySQL names the table too.
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::UniqueViolation, Some("uq_user_username")));
    let error = refused(&mut c, "INSERT INTO user (id, username) VALUES (1, 'b')").await;
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::UniqueViolation, Some("PRIMARY")));
    check(
        &refused(&mut c, "INSERT INTO post VALUES (2, 99, NULL)").await,
        ErrorKind::ForeignKeyViolation,
        Some("post"),
        &["user_id"],
        Some("fk_post_user_id_user"),
    );
    let error = refused(&mut c, "DELETE FROM user WHERE id = 1").await;
    check(&error, ErrorKind::ForeignKeyViolation, Some("post"), &["user_id"], Some("fk_post_user_id_user"));
    assert_eq!(
        error.to_string(),
        "the foreign key `fk_post_user_id_user` of `post` (`user_id`) refused the change: rows still point at the row"
    );
    check(
        &refused(&mut c, "INSERT INTO user (id) VALUES (3)").await,
        ErrorKind::NotNullViolation,
        None,
        &["username"],
        None,
    );
    check(
        &refused(&mut c, "INSERT INTO user (id, username) VALUES (3, NULL)").await,
        ErrorKind::NotNullViolation,
        None,
        &["username"],
        None,
    );
    let error = refused(&mut c, "INSERT INTO user (id, username, age) VALUES (3, 'c', -1)").await;
    assert_eq!((error.kind(), error.constraint()), (ErrorKind::CheckViolation, Some("ck_user_age")));
    let error = refused(&mut c, "UPDATE post SET doc = 'no json'").await;
    assert_eq!(error.kind(), ErrorKind::CheckViolation, "{error:?}");
}

#[tokio::test]
async fn what_does_not_exist_is_named_with_its_cure() {
    let (_database, _engine, mut c) = schema().await;
    let error = refused(&mut c, "SELECT * FROM nobody").await;
    check(&error, ErrorKind::MissingTable, Some("nobody"), &[], None);
    assert!(error.to_string().contains("db.create_all()"));
    check(&refused(&mut c, "SELECT nope FROM user").await, ErrorKind::MissingTable, None, &["nope"], None);
    check(&refused(&mut c, "SELECT user.nope FROM user").await, ErrorKind::MissingTable, Some("user"), &["nope"], None);
    check(&refused(&mut c, "DROP TABLE nobody").await, ErrorKind::MissingTable, Some("nobody"), &[], None);
}

#[tokio::test]
async fn a_statement_that_the_server_cannot_read_is_invalid() {
    let (_database, _engine, mut c) = schema().await;
    for sql in ["SELEC 1", "SELECT", "SELECT nothing(1)", "", "SELECT 1; SELECT 2", "INSERT INTO user VALUES (1)"] {
        let error = refused(&mut c, sql).await;
        assert_eq!(error.kind(), ErrorKind::InvalidStatement, "{sql}: {error}");
    }
    let error = c.execute("SELECT ?, ?", &[Value::Int(1)]).await.unwrap_err();
    assert_eq!(error.to_string(), "the statement has 2 placeholders, and 1 values were given");
    let error = c.execute("SELECT :name", &[Value::Int(1)]).await.unwrap_err();
    assert!(error.to_string().contains("write a `?`"), "{error}");
}

#[tokio::test]
async fn a_value_that_the_column_cannot_hold_is_a_decode_error_and_never_cut() {
    let (database, _engine, mut c) = schema().await;
    for (sql, column) in [
        ("UPDATE user SET age = 500 WHERE id = 1", "age"),
        ("UPDATE user SET age = 'old' WHERE id = 1", "age"),
        ("UPDATE user SET first = 'Annabella' WHERE id = 1", "first"),
        ("UPDATE user SET born = '2000-02-31' WHERE id = 1", "born"),
        ("UPDATE user SET born = '0000-00-00' WHERE id = 1", "born"),
    ] {
        check(&refused(&mut c, sql).await, ErrorKind::Decode, None, &[column], None);
    }
    let mut stranger = database.stranger().await;
    let row: (i64, String, String) =
        stranger.query_first("SELECT age, first, born FROM user WHERE id = 1").await.unwrap().unwrap();
    assert_eq!(row, (30, "Ann".to_owned(), "2000-01-01".to_owned()));
}

#[tokio::test]
async fn a_deadlock_ends_the_transaction() {
    let (_database, engine, mut a) = schema().await;
    let mut b = acquire(&engine).await;
    a.begin(BeginMode::Immediate).await.unwrap();
    b.begin(BeginMode::Immediate).await.unwrap();
    a.execute("UPDATE user SET age = 1 WHERE id = 1", &[]).await.unwrap();
    b.execute("UPDATE user SET age = 2 WHERE id = 2", &[]).await.unwrap();
    let (first, second) = tokio::join!(
        a.execute("UPDATE user SET age = 1 WHERE id = 2", &[]),
        b.execute("UPDATE user SET age = 2 WHERE id = 1", &[]),
    );
    let (error, loser) = match (first, second) {
        (Err(error), Ok(_)) => (error, &a),
        (Ok(_), Err(error)) => (error, &b),
        other => panic!("{other:?}"),
    };
    assert_eq!(error.kind(), ErrorKind::Deadlock, "{error:?}");
    assert!(error.is_retryable());
    assert!(!loser.in_transaction(), "the server has rolled it back");
}

#[tokio::test]
async fn a_lock_that_stays_is_busy() {
    let (_database, engine, mut a) = schema().await;
    let mut b = acquire(&engine).await;
    a.begin(BeginMode::Immediate).await.unwrap();
    b.begin(BeginMode::Immediate).await.unwrap();
    a.execute("UPDATE user SET age = 1 WHERE id = 1", &[]).await.unwrap();
    let error = refused(&mut b, "UPDATE user SET age = 2 WHERE id = 1").await;
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(b.in_transaction(), "only the statement was rolled back");
    let mut c = acquire(&engine).await;
    let error = refused(&mut c, "ALTER TABLE user ADD COLUMN extra INT").await;
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
}

#[tokio::test]
async fn a_transaction_for_reading_refuses_to_write() {
    let (_database, _engine, mut c) = schema().await;
    c.execute("START TRANSACTION READ ONLY", &[]).await.unwrap();
    let error = refused(&mut c, "DELETE FROM post").await;
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
    assert!(c.in_transaction());
    c.rollback().await.unwrap();
}

#[tokio::test]
async fn a_batch_that_fails_names_its_reason_and_leaves_the_state_known() {
    let (database, _engine, mut c) = schema().await;
    let error =
        c.execute_batch("INSERT INTO post VALUES (5, 2, NULL); BEGIN; INSERT INTO post VALUES (1, 1, NULL)").await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::UniqueViolation);
    assert!(c.in_transaction());
    c.rollback().await.unwrap();
    let seen: Vec<i64> = database.stranger().await.query("SELECT id FROM post ORDER BY id").await.unwrap();
    assert_eq!(seen, [1, 5]);
    c.execute_batch("").await.unwrap();
    c.execute_batch("-- nothing\n# at all").await.unwrap();
}

#[tokio::test]
async fn no_error_shows_values() {
    let (_database, _engine, mut c) = schema().await;
    for (sql, param) in [
        ("INSERT INTO user (id, username) VALUES (3, 'ann' /* ? */) ON DUPLICATE KEY UPDATE id = ?", "s3cret"),
        ("UPDATE user SET username = ?", "s3cret"),
        ("UPDATE user SET age = ?", "s3cret"),
        ("UPDATE user SET born = ?", "s3cret"),
        ("UPDATE user SET first = ?", "s3cret"),
        ("UPDATE post SET doc = ?", "s3cret"),
    ] {
        let params = vec![Value::Text(param.into()); sql.replace("/* ? */", "").matches('?').count()];
        let Err(error) = c.execute(sql, &params).await else { panic!("{sql}") };
        let shown = format!("{error} {error:?} {}", error.source().unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
