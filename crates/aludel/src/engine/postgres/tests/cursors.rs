use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

const NUMBERS: &str = "SELECT generate_series(1, 5)";

async fn some(c: &mut PooledConnection, cursor: crate::engine::CursorId, limit: usize) -> Result<(Vec<i64>, bool)> {
    let mut out = Vec::new();
    let more = c
        .fetch_some(cursor, limit, &mut |row| {
            out.push(row.integer(0)?);
            Ok(())
        })
        .await?;
    Ok((out, more))
}

#[tokio::test]
async fn a_cursor_hands_out_its_rows_little_by_little_while_others_run() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.begin(BeginMode::Deferred).await.unwrap();
    let a = c.open_cursor("SELECT generate_series(1, $1::int)", &[Value::Int(5)]).await.unwrap();
    let b = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert_eq!(some(&mut c, a, 2).await.unwrap(), (vec![1, 2], true));
    assert_eq!(some(&mut c, b, 4).await.unwrap(), (vec![1, 2, 3, 4], true));
    assert_eq!(integer(&mut c, "SELECT 7").await, 7);
    assert_eq!(some(&mut c, a, 10).await.unwrap(), (vec![3, 4, 5], false));
    assert_eq!(some(&mut c, a, 10).await.unwrap(), (vec![], false));
    c.close_cursor(b);
    assert_eq!(some(&mut c, b, 1).await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    assert_eq!(integer(&mut c, "SELECT count(*) FROM pg_cursors WHERE name <> ''").await, 1, "one was closed");
    c.commit().await.unwrap();
    schema.drop().await;
}

#[tokio::test]
async fn a_commit_or_rollback_ends_the_cursors() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    for commit in [true, false] {
        c.begin(BeginMode::Deferred).await.unwrap();
        let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
        assert_eq!(some(&mut c, cursor, 1).await.unwrap(), (vec![1], true));
        if commit {
            c.commit().await.unwrap()
        } else {
            c.rollback().await.unwrap()
        }
        assert_eq!(some(&mut c, cursor, 1).await.unwrap_err().kind(), ErrorKind::InvalidStatement);
        c.close_cursor(cursor);
    }
    c.begin(BeginMode::Deferred).await.unwrap();
    c.savepoint("a").await.unwrap();
    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    c.rollback_to("a").await.unwrap();
    let error = some(&mut c, cursor, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement, "{error}");
    c.rollback().await.unwrap();
    schema.drop().await;
}

#[tokio::test]
async fn a_cursor_outside_a_transaction_has_one_of_its_own() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert!(!c.in_transaction(), "it is not the session's");
    assert_eq!(some(&mut c, cursor, 3).await.unwrap(), (vec![1, 2, 3], true));
    assert_eq!(some(&mut c, cursor, 3).await.unwrap(), (vec![4, 5], false));
    assert_eq!(schema.states().await, ["idle"], "it ends with the last row");
    assert_eq!(some(&mut c, cursor, 3).await.unwrap(), (vec![], false));
    c.close_cursor(cursor);

    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert_eq!(some(&mut c, cursor, 1).await.unwrap(), (vec![1], true));
    assert_eq!(schema.states().await, ["idle in transaction"]);
    c.close_cursor(cursor);
    assert_eq!(c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap().rows_affected, 1, "it does not only read");
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "1");

    let cursor = c.open_cursor("INSERT INTO t VALUES (2), (3) RETURNING n", &[]).await.unwrap();
    assert_eq!(some(&mut c, cursor, 5).await.unwrap(), (vec![2, 3], false));
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "3", "what it wrote is committed");

    let cursor = c.open_cursor(NUMBERS, &[]).await.unwrap();
    assert_eq!(some(&mut c, cursor, 1).await.unwrap(), (vec![1], true));
    drop(c);
    schema.until(|states| states == ["idle"]).await;
    schema.drop().await;
}

#[tokio::test]
async fn a_cursor_that_cannot_be_opened_leaves_nothing_behind() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    let error = c.open_cursor("SELECT * FROM nowhere", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable);
    let error = c.open_cursor("SELECT $1::int", &[Value::Int(1 << 40)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!c.in_transaction());
    assert_eq!(schema.states().await, ["idle"]);
    schema.drop().await;
}
