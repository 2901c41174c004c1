use std::pin::pin;
use std::time::Duration;

use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

/// Waits until the server has no connection of this number any more.
async fn gone(stranger: &mut Conn, id: i64) {
    for _ in 0..500 {
        let there: i64 = stranger
            .query_first(format!("SELECT count(*) FROM information_schema.processlist WHERE id = {id}"))
            .await
            .unwrap()
            .unwrap();
        if there == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the connection {id} is still there");
}

/// Waits until the server has so many open transactions of this connection. It looks anew only when it was not asked for
/// a tenth of a second.
async fn transactions(stranger: &mut Conn, id: i64, expected: i64) {
    let sql = format!("SELECT count(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = {id}");
    for _ in 0..50 {
        let found: i64 = stranger.query_first(&sql).await.unwrap().unwrap();
        if found == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    panic!("the connection {id} never had {expected} open transactions");
}

#[tokio::test]
async fn a_statement_whose_future_is_dropped_ends_on_the_server_too() {
    let database = Database::new().await;
    let engine = database.engine_with(EngineOptions::new().pool_size(1).max_overflow(0)).await;
    let mut stranger = database.stranger().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT)").await.unwrap();
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    transactions(&mut stranger, id, 1).await;
    let slow = c.execute("SELECT SLEEP(600)", &[]);
    assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
    assert!(!c.in_transaction());
    let error = c.execute("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(c.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    c.rollback().await.unwrap();
    // The server is told at once, while the connection is still lent.
    gone(&mut stranger, id).await;
    transactions(&mut stranger, id, 0).await;
    drop(c);
    let mut c = acquire(&engine).await;
    assert!(!c.in_transaction());
    assert_ne!(integer(&mut c, "SELECT CONNECTION_ID()").await, id);
    assert_eq!(integer(&mut c, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_long_result_that_is_dropped_is_not_read_to_its_end() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut stranger = database.stranger().await;
    let mut c = acquire(&engine).await;
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    {
        let mut sink = |_: &Row<'_>| Ok(());
        let mut long = pin!(c.fetch("SELECT seq FROM seq_1_to_100000000000", &[], &mut sink));
        assert!(tokio::time::timeout(Duration::from_millis(30), &mut long).await.is_err());
    }
    drop(c);
    gone(&mut stranger, id).await;
}

#[tokio::test]
async fn a_connection_dropped_with_its_transaction_rolls_back() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut stranger = database.stranger().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT)").await.unwrap();
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    drop(c);
    gone(&mut stranger, id).await;
    let mut c = acquire(&engine).await;
    assert!(!c.in_transaction());
    assert_eq!(integer(&mut c, "SELECT count(*) FROM t").await, 0);
}

#[tokio::test]
async fn a_connection_that_the_server_ends_says_so() {
    let database = Database::new().await;
    let engine = database.engine_with(EngineOptions::new().pool_size(1).max_overflow(0)).await;
    let mut stranger = database.stranger().await;

    // While it is idle.
    let mut c = acquire(&engine).await;
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    c.begin(BeginMode::Immediate).await.unwrap();
    stranger.query_drop(format!("KILL {id}")).await.unwrap();
    gone(&mut stranger, id).await;
    let error = c.execute("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert!(!c.in_transaction());
    c.rollback().await.unwrap();
    drop(c);

    // While a statement runs.
    let mut c = acquire(&engine).await;
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    let (outcome, ()) = tokio::join!(c.execute("SELECT SLEEP(600)", &[]), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stranger.query_drop(format!("KILL {id}")).await.unwrap();
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Connection);
    drop(c);

    // The next one is a new one.
    let mut c = acquire(&engine).await;
    assert_ne!(integer(&mut c, "SELECT CONNECTION_ID()").await, id);

    // A statement that is ended leaves its connection as it is.
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    let (outcome, ()) = tokio::join!(c.execute("SELECT SLEEP(600) FROM seq_1_to_3", &[]), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stranger.query_drop(format!("KILL QUERY {id}")).await.unwrap();
    });
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Database);
    assert_eq!(integer(&mut c, "SELECT CONNECTION_ID()").await, id);
}

#[tokio::test]
async fn connections_that_are_closed_leave_nothing_behind() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut stranger = database.stranger().await;
    let mut c = acquire(&engine).await;
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    drop(c);
    engine.close().await;
    gone(&mut stranger, id).await;
}
