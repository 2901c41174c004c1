use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

async fn table() -> (Engine, PooledConnection) {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INTEGER UNIQUE)").await.unwrap();
    (engine, c)
}

#[tokio::test]
async fn a_commit_keeps_and_a_rollback_undoes() {
    let (_engine, mut c) = table().await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    assert!(c.in_transaction());
    c.commit().await.unwrap();
    assert!(!c.in_transaction());
    c.begin(BeginMode::Deferred).await.unwrap();
    c.execute("INSERT INTO t VALUES (2)", &[]).await.unwrap();
    c.rollback().await.unwrap();
    assert!(!c.in_transaction());
    assert_eq!(count(&mut c, "t").await, 1);
    c.rollback().await.unwrap();
}

#[tokio::test]
async fn a_savepoint_undoes_its_own_part() {
    let (_engine, mut c) = table().await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    c.savepoint("sp").await.unwrap();
    c.execute("INSERT INTO t VALUES (2)", &[]).await.unwrap();
    c.rollback_to("sp").await.unwrap();
    c.release("sp").await.unwrap();
    c.commit().await.unwrap();
    assert_eq!(count(&mut c, "t").await, 1);
}

#[tokio::test]
async fn a_transaction_does_not_begin_twice() {
    let (_engine, mut c) = table().await;
    c.begin(BeginMode::Immediate).await.unwrap();
    let error = c.begin(BeginMode::Immediate).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(c.in_transaction());
}

#[tokio::test]
async fn a_transaction_that_ended_by_itself_cannot_be_committed() {
    let (_engine, mut c) = table().await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let error = c.execute("INSERT OR ROLLBACK INTO t VALUES (1)", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert!(!c.in_transaction(), "the state is the database's, not what was sent");
    let error = c.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsRollback);
    c.rollback().await.unwrap();
    assert_eq!(count(&mut c, "t").await, 0);
}

#[tokio::test]
async fn raw_statements_change_the_state_too() {
    let (_engine, mut c) = table().await;
    c.execute("BEGIN", &[]).await.unwrap();
    assert!(c.in_transaction());
    c.execute("ROLLBACK", &[]).await.unwrap();
    assert!(!c.in_transaction());
}

#[tokio::test]
async fn dropping_a_connection_rolls_back() {
    let (engine, mut c) = table().await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    drop(c);
    let mut c = acquire(&engine).await;
    assert!(!c.in_transaction());
    assert_eq!(count(&mut c, "t").await, 0);
}

#[tokio::test]
async fn a_failing_batch_in_a_transaction_leaves_it_open() {
    let (_engine, mut c) = table().await;
    c.begin(BeginMode::Immediate).await.unwrap();
    let error = c.execute_batch("INSERT INTO t VALUES (1); INSERT INTO nobody VALUES (1)").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable);
    assert!(c.in_transaction());
    c.rollback().await.unwrap();
    assert_eq!(count(&mut c, "t").await, 0);
}
