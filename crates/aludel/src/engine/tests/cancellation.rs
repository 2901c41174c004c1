use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::writers::Stranger;
use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

/// Enough rows that reading them gives way.
const MANY: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i, ? FROM n";

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn a_fetch_gives_way_and_may_be_dropped_there() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.begin(BeginMode::Immediate).await.unwrap();
    let text = "borrowed".repeat(10);
    {
        let params = [Value::Text(text.as_str().into())];
        let mut sink = |_: &Row<'_>| Ok(());
        let mut fetch = pin!(c.fetch(MANY, &params, &mut sink));
        assert!(poll(fetch.as_mut()).is_pending(), "a long read gives way to others");
    }
    drop(text);
    assert!(c.in_transaction());
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
    let same =
        rows(&mut c, &MANY.replace("200000", "3"), &[Value::Text("x".into())], |row| row.integer(0)).await.unwrap();
    assert_eq!(same, [1, 2, 3]);
    let all = c.fetch(MANY, &[Value::Null], &mut |_| Ok(())).await.unwrap();
    assert_eq!(all, 200_000, "the statement that was dropped starts again from the beginning");
    c.commit().await.unwrap();
}

#[tokio::test]
async fn a_fetch_that_is_leaked_does_not_hurt_the_next_statement() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    {
        let text = "borrowed".repeat(10);
        let params = [Value::Text(text.as_str().into())];
        let mut sink = |_: &Row<'_>| Ok(());
        let mut fetch = Box::pin(c.fetch(MANY, &params, &mut sink));
        assert!(poll(fetch.as_mut()).is_pending());
        std::mem::forget(fetch);
    }
    assert_eq!(c.fetch(MANY, &[Value::Null], &mut |_| Ok(())).await.unwrap(), 200_000);
    c.execute_batch("CREATE TABLE t (n)").await.unwrap();
}

#[tokio::test]
async fn a_connection_dropped_with_its_fetch_goes_home() {
    let engine = memory().await;
    let task = tokio::spawn({
        let engine = engine.clone();
        async move {
            let mut c = acquire(&engine).await;
            c.begin(BeginMode::Immediate).await.unwrap();
            c.execute_batch("CREATE TABLE t (n)").await.unwrap();
            c.fetch(MANY, &[Value::Null], &mut |_| Ok(())).await
        }
    });
    // One turn for the batch's thread, and some for the rows.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    task.abort();
    let _ = task.await;
    let mut c = acquire(&engine).await;
    assert!(!c.in_transaction());
    let error = c.execute("SELECT * FROM t", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable, "what it had begun is rolled back");
}

/// On a current-thread runtime a batch runs on a thread of its own, with the connection. Another process holds it up.
#[tokio::test]
async fn a_batch_dropped_half_way_brings_the_connection_home_rolled_back() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), EngineOptions::new().pool_size(1).max_overflow(0)).await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n)").await.unwrap();
    c.begin(BeginMode::Deferred).await.unwrap();
    let stranger = Stranger::new(&folder);
    stranger.execute_batch("BEGIN IMMEDIATE");
    {
        let mut batch = pin!(c.execute_batch("INSERT INTO t VALUES (1)"));
        assert!(poll(batch.as_mut()).is_pending());
    }
    assert!(!c.in_transaction());
    let error = c.execute("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("rolled back"), "{error}");
    assert_eq!(c.commit().await.unwrap_err().kind(), ErrorKind::Connection);
    drop(c);
    stranger.execute_batch("COMMIT");
    // It comes home from there, and not before it is done.
    let mut c = acquire(&engine).await;
    assert!(!c.in_transaction());
    assert_eq!(count(&mut c, "t").await, 0);
    c.begin(BeginMode::Immediate).await.unwrap();
}

#[tokio::test]
async fn a_begin_dropped_while_it_waits_takes_nothing() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), EngineOptions::new()).await;
    let mut holder = acquire(&engine).await;
    holder.begin(BeginMode::Immediate).await.unwrap();
    let mut waiting = acquire(&engine).await;
    {
        let mut begin = pin!(waiting.begin(BeginMode::Immediate));
        assert!(poll(begin.as_mut()).is_pending());
    }
    assert!(!waiting.in_transaction());
    holder.commit().await.unwrap();
    holder.begin(BeginMode::Immediate).await.unwrap();
    holder.rollback().await.unwrap();
    waiting.begin(BeginMode::Immediate).await.unwrap();
}

#[tokio::test]
async fn an_acquire_dropped_while_it_opens_gives_its_seat_back() {
    let folder = Folder::new();
    let options = EngineOptions::new().pool_size(1).max_overflow(1);
    let engine = connect(&folder.file("app.db"), options).await;
    let first = acquire(&engine).await;
    for _ in 0..5 {
        let mut second = pin!(engine.acquire(Location::caller()));
        // Pending nearly always; a quick thread may have opened it already.
        drop(poll(second.as_mut()));
    }
    let _second = acquire(&engine).await;
    drop(first);
}
