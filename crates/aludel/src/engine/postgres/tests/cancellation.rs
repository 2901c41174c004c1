use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

/// Polls a future until the server works on it, and then drops it.
async fn dropped(schema: &Schema, future: impl Future) {
    let mut future = pin!(future);
    tokio::select! {
        _ = &mut future => panic!("the statement ended by itself"),
        () = schema.until(|states| states.contains(&"active".to_owned())) => {}
    }
}

#[tokio::test]
async fn a_statement_dropped_with_its_connection_is_ended_on_the_server_at_once() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer); INSERT INTO t VALUES (1)").await.unwrap();
    c.begin(BeginMode::Deferred).await.unwrap();
    c.execute("UPDATE t SET n = 2", &[]).await.unwrap();
    dropped(&schema, c.execute("SELECT pg_sleep(600)", &[])).await;
    drop(c);
    schema.until(<[String]>::is_empty).await;
    assert_eq!(schema.text("UPDATE t SET n = n + 10 RETURNING n::text").await.unwrap(), "11", "no lock was left");
    let mut c = acquire(&engine).await;
    assert_eq!(integer(&mut c, "SELECT n FROM t").await, 11);
    schema.drop().await;
}

#[tokio::test]
async fn a_transaction_dropped_between_statements_is_rolled_back_and_its_connection_used_again() {
    let schema = Schema::new().await;
    let engine = schema.engine_with(EngineOptions::new().pool_size(1).max_overflow(0)).await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    let process = integer(&mut c, "SELECT pg_backend_pid()").await;
    for _ in 0..3 {
        c.begin(BeginMode::Deferred).await.unwrap();
        c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
        drop(c);
        schema.until(|states| states == ["idle"]).await;
        c = acquire(&engine).await;
        assert!(!c.in_transaction());
        drop(c);
        c = acquire(&engine).await;
        assert_eq!(integer(&mut c, "SELECT pg_backend_pid()").await, process);
    }
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "0");
    schema.drop().await;
}

#[tokio::test]
async fn a_statement_whose_future_was_dropped_is_ended_before_the_next() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    dropped(&schema, c.execute("SELECT pg_sleep(600)", &[])).await;
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);

    c.begin(BeginMode::Deferred).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    dropped(&schema, c.execute("SELECT pg_sleep(600)", &[])).await;
    let error = c.execute("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsRollback);
    assert!(error.to_string().contains("its future was dropped"), "{error}");
    c.rollback().await.unwrap();
    assert_eq!(integer(&mut c, "SELECT count(*) FROM t").await, 0);
    schema.drop().await;
}

#[tokio::test]
async fn a_future_may_be_dropped_at_every_point_where_it_waits() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    for polls in 0..40 {
        let sql = format!("SELECT generate_series(1, 20000), {polls} + $1::int");
        {
            let params = [Value::Int(1)];
            let mut sink = |_: &Row<'_>| Ok(());
            let mut fetch = pin!(c.fetch(&sql, &params, &mut sink));
            for _ in 0..polls {
                if fetch.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
        }
        assert_eq!(integer(&mut c, "SELECT 7").await, 7);
        let all = c.fetch(&sql, &[Value::Int(1)], &mut |_| Ok(())).await.unwrap();
        assert_eq!(all, 20_000, "the statement that was dropped starts again from the beginning");
    }
    schema.drop().await;
}

#[tokio::test]
async fn a_long_read_gives_way_to_others() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    let mut waits = 0;
    {
        let mut sink = |_: &Row<'_>| Ok(());
        let mut fetch = pin!(c.fetch("SELECT generate_series(1, 300000)", &[], &mut sink));
        let rows = std::future::poll_fn(|context| match fetch.as_mut().poll(context) {
            Poll::Pending => {
                waits += 1;
                Poll::Pending
            }
            done => done,
        });
        assert_eq!(rows.await.unwrap(), 300_000);
    }
    assert!(waits > 10, "it waited {waits} times");
    schema.drop().await;
}

#[tokio::test]
async fn an_idle_connection_that_the_server_ended_is_opened_again() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    let process = integer(&mut c, "SELECT pg_backend_pid()").await;
    drop(c);
    schema.kill().await;
    let mut c = acquire(&engine).await;
    assert_ne!(integer(&mut c, "SELECT pg_backend_pid()").await, process);

    c.begin(BeginMode::Deferred).await.unwrap();
    drop(c);
    schema.kill().await;
    let mut c = acquire(&engine).await;
    assert_eq!(integer(&mut c, "SELECT 1").await, 1, "one with a rollback under way too");
    schema.drop().await;
}

#[tokio::test]
async fn a_connection_that_is_ended_in_use_is_an_error_and_does_not_come_back() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.begin(BeginMode::Deferred).await.unwrap();
    schema.kill().await;
    assert_eq!(integer(&mut c, "SELECT 1").await, 1, "nothing was done yet, so that another connection will do");
    schema.kill().await;
    let error = c.execute("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert!(!c.in_transaction());
    assert_eq!(c.execute("SELECT 1", &[]).await.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(c.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    c.rollback().await.unwrap();
    drop(c);
    let mut c = acquire(&engine).await;
    let sleeping = tokio::spawn(async move { (c.execute("SELECT pg_sleep(600)", &[]).await, c) });
    schema.until(|states| states == ["active"]).await;
    schema.kill().await;
    let (outcome, c) = sleeping.await.unwrap();
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    drop(c);
    assert_eq!(integer(&mut acquire(&engine).await, "SELECT 1").await, 1);
    schema.drop().await;
}
