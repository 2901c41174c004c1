use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n";

#[tokio::test]
async fn a_cursor_hands_over_its_rows_in_parts() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    let mut seen = Vec::new();
    let mut parts = 0;
    loop {
        let more = c
            .fetch_some(cursor, 4, &mut |row| {
                seen.push(row.integer(0)?);
                Ok(())
            })
            .await
            .unwrap();
        parts += 1;
        // Other statements run meanwhile, the same one too.
        assert_eq!(c.fetch(NUMBERS, &[], &mut |_| Ok(())).await.unwrap(), 10);
        if !more {
            break;
        }
    }
    assert_eq!((seen, parts), ((1..=10).collect(), 3));
    assert!(!c.fetch_some(cursor, 4, &mut |_| panic!("no row is left")).await.unwrap());
    c.close_cursor(cursor);
    c.close_cursor(cursor);
    assert_eq!(c.fetch_some(cursor, 4, &mut |_| Ok(())).await.unwrap_err().kind(), ErrorKind::InvalidStatement);
}

#[tokio::test]
async fn a_cursor_keeps_its_values() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let text = "x".repeat(100);
    let cursor = c.open_cursor("SELECT ? UNION ALL SELECT 'y'", &[Value::Text(text.as_str().into())]).await.unwrap();
    drop(text);
    let mut lengths = Vec::new();
    while c
        .fetch_some(cursor, 1, &mut |row| {
            lengths.push(row.text(0)?.len());
            Ok(())
        })
        .await
        .unwrap()
    {}
    assert_eq!(lengths, [100, 1]);
}

#[tokio::test]
async fn commit_and_rollback_end_cursors() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    for commit in [true, false] {
        c.begin(BeginMode::Deferred).await.unwrap();
        let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
        assert!(c.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap());
        if commit {
            c.commit().await.unwrap()
        } else {
            c.rollback().await.unwrap()
        }
        let error = c.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap_err();
        assert!(error.to_string().contains("commit"), "{error}");
    }
}

#[tokio::test]
async fn a_connection_goes_home_with_its_cursors_closed() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), EngineOptions::new().pool_size(1)).await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1), (2)").await.unwrap();
    let cursor = c.open_cursor("SELECT n FROM t", &[]).await.unwrap();
    assert!(c.fetch_some(cursor, 1, &mut |_| Ok(())).await.unwrap());
    drop(c);
    // A statement left open would hold the old snapshot, and a write from it would be refused.
    let mut other = acquire(&engine).await;
    let mut third = acquire(&engine).await;
    third.execute("INSERT INTO t VALUES (3)", &[]).await.unwrap();
    assert_eq!(count(&mut other, "t").await, 3);
    other.begin(BeginMode::Immediate).await.unwrap();
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_cursor_ends_it() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert!(c.fetch_some(cursor, 3, &mut |row| row.text(0).map(drop)).await.is_err());
    assert!(!c.fetch_some(cursor, 3, &mut |_| panic!("it has ended")).await.unwrap());
    assert!(c.open_cursor("SELECT ?", &[]).await.is_err());
    assert!(c.open_cursor("SELEC", &[]).await.is_err());
}
