use super::*;
use crate::engine::{BeginMode, CursorId};
use crate::error::ErrorKind;

const NUMBERS: &str = "SELECT seq FROM seq_1_to_10";

async fn all(c: &mut PooledConnection, cursor: CursorId, limit: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    while c
        .fetch_some(cursor, limit, &mut |row| {
            seen.push(row.integer(0)?);
            Ok(())
        })
        .await
        .unwrap()
    {}
    seen
}

#[tokio::test]
async fn a_cursor_hands_over_its_rows_in_parts() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    for between in [false, true] {
        let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
        let mut seen = Vec::new();
        let mut parts = 0;
        loop {
            let more = c
                .fetch_some(cursor, 5, &mut |row| {
                    seen.push(row.integer(0)?);
                    Ok(())
                })
                .await
                .unwrap();
            parts += 1;
            if between {
                // Other statements run meanwhile, the same one too.
                assert_eq!(c.fetch(NUMBERS, &[], &mut |_| Ok(())).await.unwrap(), 10);
            }
            if !more {
                break;
            }
        }
        assert_eq!((seen, parts), ((1..=10).collect(), 2));
        assert!(!c.fetch_some(cursor, 4, &mut |_| panic!("no row is left")).await.unwrap());
        c.close_cursor(cursor);
        c.close_cursor(cursor);
        assert_eq!(c.fetch_some(cursor, 4, &mut |_| Ok(())).await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    }
}

#[tokio::test]
async fn several_cursors_stand_side_by_side() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let a = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert!(c.fetch_some(a, 3, &mut |_| Ok(())).await.unwrap());
    let b = c.open_cursor("SELECT seq + ? FROM seq_1_to_2", &[Value::Int(100)]).await.unwrap();
    assert_eq!(all(&mut c, a, 2).await, [4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(all(&mut c, b, 1).await, [101, 102]);
}

#[tokio::test]
async fn a_cursor_sees_what_was_there_when_it_was_opened() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT); INSERT INTO t SELECT seq FROM seq_1_to_1000").await.unwrap();
    c.begin(BeginMode::Immediate).await.unwrap();
    let cursor = c.open_cursor("SELECT n FROM t", &[]).await.unwrap();
    assert!(c.fetch_some(cursor, 10, &mut |_| Ok(())).await.unwrap());
    c.execute("DELETE FROM t", &[]).await.unwrap();
    assert_eq!(all(&mut c, cursor, 100).await.len(), 990);
    c.commit().await.unwrap();
}

#[tokio::test]
async fn commit_and_rollback_end_cursors() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    for commit in [true, false] {
        c.begin(BeginMode::Deferred).await.unwrap();
        let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
        assert!(c.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap());
        assert!(c.in_transaction());
        if commit {
            c.commit().await.unwrap()
        } else {
            c.rollback().await.unwrap()
        }
        assert!(!c.in_transaction());
        let error = c.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidStatement);
        assert!(error.to_string().contains("commit"), "{error}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_cursor_ends_it() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert!(c.fetch_some(cursor, 3, &mut |row| row.text(0).map(drop)).await.is_err());
    assert!(!c.fetch_some(cursor, 3, &mut |_| panic!("it has ended")).await.unwrap());
    assert!(c.open_cursor("SELECT ?", &[]).await.is_err());
    assert!(c.open_cursor("SELEC", &[]).await.is_err());
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_connection_with_rows_still_to_come_is_not_given_to_another() {
    let database = Database::new().await;
    let engine = database.engine_with(EngineOptions::new().pool_size(1).max_overflow(0)).await;
    let mut c = acquire(&engine).await;
    let before = integer(&mut c, "SELECT CONNECTION_ID()").await;
    let cursor = c.open_cursor("SELECT seq FROM seq_1_to_1000000", &[]).await.unwrap();
    assert!(c.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap());
    drop(c);
    let mut c = acquire(&engine).await;
    let after = integer(&mut c, "SELECT CONNECTION_ID()").await;
    assert_ne!(before, after);
    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    all(&mut c, cursor, 100).await;
    drop(c);
    let mut c = acquire(&engine).await;
    assert_eq!(integer(&mut c, "SELECT CONNECTION_ID()").await, after, "one that was read to its end is");
}

#[tokio::test]
async fn rows_of_a_cursor_that_are_waited_for_are_not_lost() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let cursor = c.open_cursor("SELECT seq, SLEEP(0.05) FROM seq_1_to_6", &[]).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let mut part = Vec::new();
        let mut sink = |row: &Row<'_>| {
            part.push(row.integer(0)?);
            Ok(())
        };
        let some = c.fetch_some(cursor, 1, &mut sink);
        let outcome = tokio::time::timeout(std::time::Duration::from_millis(20), some).await;
        seen.extend(part);
        if let Ok(more) = outcome
            && !more.unwrap()
        {
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_stream_that_ends_the_transaction_lets_nothing_follow_by_itself() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut a = acquire(&engine).await;
    let mut b = acquire(&engine).await;
    a.execute_batch("CREATE TABLE t (id INT PRIMARY KEY, text CHAR(200)); INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_5000")
        .await
        .unwrap();
    a.begin(BeginMode::Immediate).await.unwrap();
    b.begin(BeginMode::Immediate).await.unwrap();
    // The server ends the transaction that has changed less.
    b.execute("UPDATE t SET text = 'b' WHERE id > 3000", &[]).await.unwrap();
    // It locks row after row, and its first rows arrive before it stands before the one that is locked.
    let cursor = a.open_cursor("SELECT * FROM t ORDER BY id FOR UPDATE", &[]).await.unwrap();
    assert!(a.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap());
    let (insert, update) = tokio::join!(
        a.execute("INSERT INTO t VALUES (6000, 'a')", &[]),
        b.execute("UPDATE t SET text = 'b' WHERE id = 1", &[]),
    );
    update.unwrap();
    let error = insert.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsRollback, "{error:?}");
    assert!(!a.in_transaction());
    let error = a.fetch_some(cursor, 10_000, &mut |_| Ok(())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock, "the stream says why");
    b.rollback().await.unwrap();
    let left: i64 = database.stranger().await.query_first("SELECT count(*) FROM t").await.unwrap().unwrap();
    assert_eq!(left, 5000, "nothing was committed by itself");
}
