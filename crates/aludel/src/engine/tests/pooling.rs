use std::time::Duration;

use super::*;
use crate::error::ErrorKind;

fn small() -> EngineOptions {
    EngineOptions::new().pool_size(1).max_overflow(1).pool_timeout(Duration::from_millis(20))
}

#[tokio::test]
async fn a_pool_that_is_empty_names_its_holders() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), small()).await;
    let here = line!() + 1;
    let (_a, _b) = (acquire(&engine).await, acquire(&engine).await);
    let error = engine.acquire(Location::caller()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    let message = error.to_string();
    assert!(message.contains(&format!("all 2 are held, by {}:{here} (2 times)", file!())), "{message}");
}

#[tokio::test]
async fn memory_is_one_connection_that_all_share() {
    let url = DatabaseUrl::parse("sqlite://").unwrap();
    let engine = connect(&url, small().pool_size(7)).await;
    let mut first = acquire(&engine).await;
    first.execute_batch("CREATE TABLE t (n)").await.unwrap();
    let error = engine.acquire(Location::caller()).await.err().unwrap();
    assert!(error.to_string().contains("the one connection of the pool did not come free"), "{error}");
    assert!(error.to_string().contains(file!()), "{error}");
    drop(first);
    assert_eq!(count(&mut acquire(&engine).await, "t").await, 0);
    assert_eq!(count(&mut acquire(&engine.clone()).await, "t").await, 0);
}

#[tokio::test]
async fn whoever_waits_gets_the_next_connection() {
    let engine = memory().await;
    let held = acquire(&engine).await;
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { integer(&mut acquire(&engine).await, "SELECT 1").await }
    });
    tokio::task::yield_now().await;
    drop(held);
    assert_eq!(waiting.await.unwrap(), 1);
}

#[tokio::test]
async fn a_dropped_wait_takes_nothing() {
    let engine = memory().await;
    let held = acquire(&engine).await;
    let mut waiting = Box::pin(engine.acquire(Location::caller()));
    assert!(futures_poll(&mut waiting).is_pending());
    drop(held);
    drop(waiting);
    assert_eq!(integer(&mut acquire(&engine).await, "SELECT 1").await, 1);
}

fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context)
}

#[tokio::test]
async fn a_closed_engine_says_so() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), small()).await;
    let mut lent = acquire(&engine).await;
    engine.close().await;
    let error = engine.acquire(Location::caller()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("closed"), "{error}");
    assert_eq!(integer(&mut lent, "SELECT 1").await, 1, "a connection on loan is still good");
    drop(lent);
    assert!(!folder.path().join("app.db-wal").exists(), "it closes when it comes back");
}

#[tokio::test]
async fn a_closed_engine_wakes_those_who_wait() {
    let engine = memory().await;
    let held = acquire(&engine).await;
    let waiting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.acquire(Location::caller()).await.err().map(|error| error.kind()) }
    });
    tokio::task::yield_now().await;
    let closing = tokio::spawn(async move { engine.close().await });
    assert_eq!(waiting.await.unwrap(), Some(ErrorKind::Connection));
    assert!(!closing.is_finished(), "a connection is in use");
    drop(held);
    closing.await.unwrap();
}

#[tokio::test]
async fn the_status_counts_what_is_lent_idle_and_waited_for() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), EngineOptions::new().pool_size(2).max_overflow(0)).await;
    let status = || {
        let status = engine.pool_status();
        (status.capacity, status.in_use, status.idle, status.waiting)
    };
    assert_eq!(status(), (2, 0, 1, 0), "the first connection is opened at once");
    let (a, b) = (acquire(&engine).await, acquire(&engine).await);
    assert_eq!(status(), (2, 2, 0, 0));
    let mut waiting = Box::pin(engine.acquire(Location::caller()));
    assert!(futures_poll(&mut waiting).is_pending());
    assert_eq!(status(), (2, 2, 0, 1));
    drop(waiting);
    drop((a, b));
    assert_eq!(status(), (2, 0, 2, 0));
}

#[tokio::test]
async fn connections_beyond_the_pools_size_are_closed_when_they_come_back() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), small()).await;
    let mut a = acquire(&engine).await;
    let mut b = acquire(&engine).await;
    // A temporary table belongs to its connection.
    a.execute_batch("CREATE TEMP TABLE mine (n)").await.unwrap();
    b.execute_batch("CREATE TEMP TABLE mine (n)").await.unwrap();
    drop(a);
    drop(b);
    let mut first = acquire(&engine).await;
    let mut second = acquire(&engine).await;
    let sql = "SELECT count(*) FROM temp.sqlite_schema";
    assert_eq!((integer(&mut first, sql).await, integer(&mut second, sql).await), (1, 0));
}

#[tokio::test]
async fn a_pool_of_nothing_still_lends_one_connection() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), small().pool_size(0).max_overflow(0)).await;
    for _ in 0..3 {
        assert_eq!(integer(&mut acquire(&engine).await, "SELECT 1").await, 1);
    }
}
