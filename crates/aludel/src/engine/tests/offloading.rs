use super::*;
use crate::engine::{BeginMode, Synchronous};
use crate::error::ErrorKind;

/// The thread that the database's own functions run on is not seen from outside; what is seen is that a statement
/// went through the offloaded path: the future is pending on a current-thread runtime.
fn goes_elsewhere<F: Future>(future: F) -> impl Future<Output = (F::Output, bool)> {
    let mut future = Box::pin(future);
    let mut pended = false;
    std::future::poll_fn(move |context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready((output, pended)),
        std::task::Poll::Pending => {
            pended = true;
            std::task::Poll::Pending
        }
    })
}

/// A first step that takes at least some milliseconds: all rows are made before the first comes out.
const SLOW: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
    SELECT max(i), length(?) FROM n";

#[tokio::test]
async fn a_statement_that_is_slow_to_start_moves_to_another_thread() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let text = "x".repeat(10);
    let params = [Value::Text(text.as_str().into())];
    let mut moved = Vec::new();
    for _ in 0..8 {
        let mut seen = Vec::new();
        let (outcome, elsewhere) = goes_elsewhere(c.fetch(SLOW, &params, &mut |row| {
            seen.push((row.integer(0)?, row.integer(1)?));
            Ok(())
        }))
        .await;
        assert_eq!(outcome.unwrap(), 1);
        assert_eq!(seen, [(60_000, 10)]);
        moved.push(elsewhere);
    }
    assert!(!moved[0], "nothing is known of it at first");
    assert!(moved[7], "{moved:?}");
    let (_, elsewhere) = goes_elsewhere(c.fetch("SELECT 1", &[], &mut |_| Ok(()))).await;
    assert!(!elsewhere, "others stay where they are");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_runs_in_place_on_several_threads() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    for _ in 0..6 {
        let seen = rows(&mut c, SLOW, &[Value::Text("abc".into())], |row| row.integer(1)).await.unwrap();
        assert_eq!(seen, [3]);
    }
    // In a task too, where the worker's other tasks move away.
    let task = tokio::spawn(async move {
        c.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)").await.unwrap();
        rows(&mut c, SLOW, &[Value::Text("abc".into())], |row| row.integer(1)).await.unwrap()
    });
    assert_eq!(task.await.unwrap(), [3]);
}

#[tokio::test]
async fn a_slow_cursor_starts_elsewhere_and_goes_on_here() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    for _ in 0..6 {
        let cursor = c.open_cursor(SLOW, &[Value::Text("abc".into())]).await.unwrap();
        let mut seen = Vec::new();
        let more = c
            .fetch_some(cursor, 10, &mut |row| {
                seen.push(row.integer(0)?);
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!((more, seen), (false, vec![60_000]));
        c.close_cursor(cursor);
    }
}

#[tokio::test]
async fn a_commit_that_waits_for_the_disk_runs_elsewhere() {
    for (synchronous, waits) in [(Synchronous::Full, true), (Synchronous::Normal, false)] {
        let folder = Folder::new();
        let engine = connect(&folder.file("app.db"), EngineOptions::new().synchronous(synchronous)).await;
        let mut c = acquire(&engine).await;
        c.execute_batch("CREATE TABLE t (n INTEGER UNIQUE)").await.unwrap();
        let (outcome, elsewhere) = goes_elsewhere(c.execute("INSERT INTO t VALUES (1)", &[])).await;
        assert_eq!((outcome.unwrap().rows_affected, elsewhere), (1, waits), "a write that commits itself");
        let (outcome, elsewhere) = goes_elsewhere(c.begin(BeginMode::Immediate)).await;
        outcome.unwrap();
        assert!(!elsewhere);
        // A text of its own: nothing is known of its time.
        let (outcome, elsewhere) = goes_elsewhere(c.execute("INSERT INTO t VALUES (2)", &[])).await;
        outcome.unwrap();
        assert!(!elsewhere, "a write in a transaction waits for nothing");
        let (outcome, elsewhere) = goes_elsewhere(c.commit()).await;
        outcome.unwrap();
        assert_eq!(elsewhere, waits);
        let outcome = c.execute("INSERT INTO t VALUES (?)", &[Value::Int(2)]).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UniqueViolation);
        assert_eq!(count(&mut c, "t").await, 2);
    }
}

#[test]
fn a_batch_runs_where_no_runtime_does() {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut work = std::pin::pin!(async {
        let engine = memory().await;
        let mut c = acquire(&engine).await;
        c.execute_batch("CREATE TABLE t (n)").await.unwrap();
        c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
        count(&mut c, "t").await
    });
    assert_eq!(work.as_mut().poll(&mut context), std::task::Poll::Ready(1));
}
