use super::*;
use crate::engine::BeginMode;
use crate::error::{Error, ErrorKind};

/// How many statements the server has prepared for a connection.
async fn prepared(c: &mut PooledConnection) -> i64 {
    integer(c, "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared%'").await
}

#[tokio::test]
async fn a_statement_says_how_many_rows_it_changed() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer); INSERT INTO t VALUES (0)").await.unwrap();
    let changed = c.execute("INSERT INTO t SELECT generate_series(1, 5)", &[]).await.unwrap();
    assert_eq!((changed.rows_affected, changed.last_insert_id), (5, 0));
    assert_eq!(c.execute("UPDATE t SET n = n + 1 WHERE n > 3", &[]).await.unwrap().rows_affected, 2);
    assert_eq!(c.execute("SELECT * FROM t", &[]).await.unwrap().rows_affected, 0);
    assert_eq!(c.execute("DELETE FROM t RETURNING n", &[]).await.unwrap().rows_affected, 6);
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "0");
    schema.drop().await;
}

#[tokio::test]
async fn a_statement_is_prepared_once_and_the_least_recently_used_goes_first() {
    let schema = Schema::new().await;
    let engine = schema.engine_with(EngineOptions::new().statement_cache_size(3)).await;
    let mut c = acquire(&engine).await;
    assert_eq!(prepared(&mut c).await, 0);
    for _ in 0..3 {
        assert_eq!(integer(&mut c, "SELECT 1").await, 1);
        assert_eq!(integer(&mut c, "SELECT 2").await, 2);
    }
    assert_eq!(prepared(&mut c).await, 2);
    for n in 3..20 {
        assert_eq!(integer(&mut c, &format!("SELECT {n}")).await, n);
    }
    assert_eq!(prepared(&mut c).await, 2, "of three, one is the question itself");
    schema.drop().await;
}

#[tokio::test]
async fn without_a_cache_nothing_is_left_on_the_server() {
    let schema = Schema::new().await;
    let url = DatabaseUrl::parse(&format!("{}&prepare=off", schema.url_text())).unwrap();
    let engine = Engine::connect(&url, &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    for n in 0..3 {
        assert_eq!(c.execute("INSERT INTO t VALUES ($1)", &[Value::Int(n)]).await.unwrap().rows_affected, 1);
    }
    let error = c.execute("INSERT INTO t VALUES ($1)", &[Value::Int(1 << 40)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    let names = rows(&mut c, "SELECT name FROM pg_prepared_statements WHERE name <> ''", &[], |row| {
        Ok(row.text(0)?.to_owned())
    });
    assert!(names.await.unwrap().is_empty());
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "3");
    schema.drop().await;
}

#[tokio::test]
async fn a_statement_whose_table_changed_is_prepared_again() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer); INSERT INTO t VALUES (1)").await.unwrap();
    let columns = |row: &Row<'_>| Ok(row.len());
    assert_eq!(rows(&mut c, "SELECT * FROM t", &[], columns).await.unwrap(), [1]);
    schema.stranger.batch_execute("ALTER TABLE t ADD m integer").await.unwrap();
    assert_eq!(rows(&mut c, "SELECT * FROM t", &[], columns).await.unwrap(), [2]);

    schema.stranger.batch_execute("ALTER TABLE t ADD o integer").await.unwrap();
    c.begin(BeginMode::Deferred).await.unwrap();
    let error = rows(&mut c, "SELECT * FROM t", &[], columns).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    c.rollback().await.unwrap();
    c.begin(BeginMode::Deferred).await.unwrap();
    assert_eq!(rows(&mut c, "SELECT * FROM t", &[], columns).await.unwrap(), [3]);
    c.commit().await.unwrap();

    c.execute_batch("DEALLOCATE ALL").await.unwrap();
    assert_eq!(rows(&mut c, "SELECT * FROM t", &[], columns).await.unwrap(), [3]);
    schema.drop().await;
}

#[tokio::test]
async fn an_error_of_the_reader_ends_the_statement_and_not_the_connection() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    let mut seen = 0;
    let error = c
        .fetch("SELECT generate_series(1, 100000)", &[], &mut |_| {
            seen += 1;
            if seen == 3 { Err(Error::new(ErrorKind::Aborted, "enough")) } else { Ok(()) }
        })
        .await
        .unwrap_err();
    assert_eq!((error.kind(), seen), (ErrorKind::Aborted, 3));
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
    schema.drop().await;
}

#[tokio::test]
async fn a_batch_without_a_transaction_is_undone_as_a_whole() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    let error = c.execute_batch("CREATE TABLE t (n integer); SELECT 1 / 0").await.unwrap_err();
    assert!(error.statement().is_some());
    assert!(!c.in_transaction());
    assert_eq!(c.execute("SELECT * FROM t", &[]).await.unwrap_err().kind(), ErrorKind::MissingTable);
    schema.drop().await;
}

#[tokio::test]
async fn transactions_are_seen_by_others_when_they_are_committed() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n integer)").await.unwrap();
    assert!(!c.in_transaction());
    c.begin(BeginMode::Immediate).await.unwrap();
    assert!(c.in_transaction());
    c.execute("INSERT INTO t VALUES ($1)", &[Value::Int(1)]).await.unwrap();
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "0");
    c.commit().await.unwrap();
    assert!(!c.in_transaction());
    assert_eq!(schema.text("SELECT count(*)::text FROM t").await.unwrap(), "1");
    schema.drop().await;
}

#[tokio::test]
async fn rows_of_any_number_and_size_are_read() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    let sql = "SELECT n, repeat('x', (n % 5 * 40000)::int) FROM generate_series(1, 200) n";
    let lengths = rows(&mut c, sql, &[], |row| Ok((row.integer(0)?, row.text(1)?.len()))).await.unwrap();
    assert_eq!(lengths, (1..=200).map(|n| (n, n as usize % 5 * 40_000)).collect::<Vec<_>>());
    let sum = rows(&mut c, "SELECT generate_series(1, 100000)", &[], |row| row.integer(0)).await.unwrap();
    assert_eq!(sum.iter().sum::<i64>(), 5_000_050_000);
    schema.drop().await;
}
