use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

const UPDATE: &str = "UPDATE t SET n = $1 WHERE id = $2";

#[tokio::test]
async fn many_statements_go_in_one_round_trip_and_so_does_the_begin_before_them() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (id integer, n integer); INSERT INTO t SELECT i, 0 FROM generate_series(1, 99) i")
        .await
        .unwrap();
    // Prepared once.
    c.execute(UPDATE, &[Value::Int(1), Value::Int(1)]).await.unwrap();
    let before = requests(&mut c);
    c.begin(BeginMode::Immediate).await.unwrap();
    assert!(c.in_transaction());
    assert_eq!(requests(&mut c), before, "it goes with the first statement");
    let params: Vec<[Value<'_>; 2]> = (1..=100).map(|id| [Value::Int(7), Value::Int(id)]).collect();
    let statements: Vec<(&str, &[Value<'_>])> = params.iter().map(|params| (UPDATE, params.as_slice())).collect();
    let several = c.execute_all(&statements, &mut |_, _| Ok(())).await;
    assert!(several.failed.is_none());
    let changed: Vec<u64> = several.done.iter().map(|executed| executed.rows_affected).collect();
    assert_eq!(changed, [vec![1; 99], vec![0]].concat(), "of the last there is no row");
    assert_eq!(requests(&mut c), before + 1);
    assert_eq!(schema.text("SELECT count(*)::text FROM t WHERE n = 7").await.unwrap(), "0", "nothing is committed");
    c.commit().await.unwrap();
    assert_eq!(requests(&mut c), before + 2);
    assert_eq!(schema.text("SELECT count(*)::text FROM t WHERE n = 7").await.unwrap(), "99");
    schema.drop().await;
}

#[tokio::test]
async fn of_many_statements_the_one_that_fails_is_named_and_ends_them() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (id integer, n integer CHECK (n < 10)); INSERT INTO t VALUES (1, 0), (2, 0)")
        .await
        .unwrap();
    c.begin(BeginMode::Immediate).await.unwrap();
    let (one, two) = ([Value::Int(5), Value::Int(1)], [Value::Int(50), Value::Int(2)]);
    let several = c.execute_all(&[(UPDATE, &one), (UPDATE, &two), (UPDATE, &one)], &mut |_, _| Ok(())).await;
    let (at, error) = several.failed.unwrap();
    assert_eq!((several.done.len(), at, error.kind()), (1, 1, ErrorKind::CheckViolation));
    c.rollback().await.unwrap();

    // One whose values cannot be sent, and one that does not compile: nothing is sent of them.
    let wrong = [Value::Int(i64::MAX), Value::Int(1)];
    c.begin(BeginMode::Immediate).await.unwrap();
    let (at, error) = c.execute_all(&[(UPDATE, &one), (UPDATE, &wrong)], &mut |_, _| Ok(())).await.failed.unwrap();
    assert_eq!((at, error.kind()), (1, ErrorKind::Decode));
    c.rollback().await.unwrap();
    c.begin(BeginMode::Immediate).await.unwrap();
    let (at, error) = c.execute_all(&[(UPDATE, &one), ("UPDAT", &[])], &mut |_, _| Ok(())).await.failed.unwrap();
    assert_eq!((at, error.kind(), error.statement()), (1, ErrorKind::InvalidStatement, Some("UPDAT")));
    c.rollback().await.unwrap();
    assert!(!c.in_transaction());
    assert_eq!(schema.text("SELECT count(*)::text FROM t WHERE n = 0").await.unwrap(), "2");

    // What was begun and not used leaves nothing behind.
    c.begin(BeginMode::Immediate).await.unwrap();
    c.commit().await.unwrap();
    c.begin(BeginMode::Immediate).await.unwrap();
    drop(c);
    let mut c = acquire(&engine).await;
    c.execute(UPDATE, &one).await.unwrap();
    assert_eq!(schema.text("SELECT n::text FROM t WHERE id = 1").await.unwrap(), "5");
    schema.drop().await;
}

#[tokio::test]
async fn more_shapes_than_statements_are_kept_run_one_by_one() {
    let schema = Schema::new().await;
    let engine = schema.engine_with(EngineOptions::new().statement_cache_size(2)).await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    let sql: Vec<String> = (0..6).map(|n| format!("INSERT INTO t VALUES ({n})")).collect();
    let statements: Vec<(&str, &[Value<'_>])> = sql.iter().map(|sql| (sql.as_str(), [].as_slice())).collect();
    let several = c.execute_all(&statements, &mut |_, _| Ok(())).await;
    assert!(several.failed.is_none() && several.done.len() == 6);
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "6");
    schema.drop().await;
}
