use super::*;
use crate::engine::lease::Lease;

impl PooledConnection {
    fn cached_statements(&mut self) -> usize {
        self.lease_for_tests().and_then(Lease::sqlite).unwrap().cached_statements()
    }
}

#[tokio::test]
async fn the_statement_cache_is_bounded() {
    let url = DatabaseUrl::parse("sqlite://").unwrap();
    let engine = connect(&url, EngineOptions::new().statement_cache_size(3)).await;
    let mut c = acquire(&engine).await;
    for round in 0..3 {
        for n in 0..10 {
            assert_eq!(integer(&mut c, &format!("SELECT {n}")).await, n, "round {round}");
            assert!(c.cached_statements() <= 3);
        }
    }
    assert_eq!(c.cached_statements(), 3);
}

#[tokio::test]
async fn a_cache_of_no_statements_still_works() {
    let url = DatabaseUrl::parse("sqlite://").unwrap();
    let engine = connect(&url, EngineOptions::new().statement_cache_size(0)).await;
    let mut c = acquire(&engine).await;
    for n in 0..3 {
        assert_eq!(integer(&mut c, &format!("SELECT {n}")).await, n);
        assert_eq!(integer(&mut c, "SELECT 7").await, 7);
    }
}

#[tokio::test]
async fn a_cached_statement_sees_a_changed_schema() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(rows(&mut c, "SELECT * FROM t", &[], |row| Ok(row.len())).await.unwrap(), [1]);
    c.execute_batch("ALTER TABLE t ADD COLUMN b DEFAULT 2").await.unwrap();
    assert_eq!(rows(&mut c, "SELECT * FROM t", &[], |row| row.integer(1)).await.unwrap(), [2]);
}

#[tokio::test]
async fn bound_values_do_not_stay_from_one_execution_to_the_next() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    for text in ["one", "another", ""] {
        let owned = text.to_owned();
        let params = [Value::Text(owned.as_str().into())];
        let back = rows(&mut c, "SELECT ?", &params, |row| Ok(row.text(0)?.to_owned())).await.unwrap();
        assert_eq!(back, [text]);
    }
}

#[tokio::test]
async fn rows_affected_are_those_of_this_statement() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)").await.unwrap();
    let insert = c.execute("INSERT INTO t (n) VALUES (1), (2), (3)", &[]).await.unwrap();
    assert_eq!((insert.rows_affected, insert.last_insert_id), (3, 3));
    assert_eq!(c.execute("UPDATE t SET n = 0 WHERE n > 1", &[]).await.unwrap().rows_affected, 2);
    assert_eq!(c.execute("UPDATE t SET n = 0 WHERE n > 1", &[]).await.unwrap().rows_affected, 0);
    assert_eq!(c.execute("SELECT * FROM t", &[]).await.unwrap().rows_affected, 0);
    assert_eq!(c.execute("CREATE TABLE u (id INTEGER)", &[]).await.unwrap().rows_affected, 0);
    assert_eq!(c.execute("DELETE FROM t", &[]).await.unwrap().rows_affected, 3);
}

#[tokio::test]
async fn a_row_that_is_refused_ends_the_statement() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n";
    let mut seen = 0;
    let error = c
        .fetch(sql, &[], &mut |row| {
            seen = row.integer(0)?;
            if seen == 100 { row.text(0).map(drop) } else { Ok(()) }
        })
        .await
        .unwrap_err();
    assert_eq!((seen, error.statement()), (100, Some(sql)));
    assert_eq!(c.fetch(sql, &[], &mut |_| Ok(())).await.unwrap(), 1000);
}

#[tokio::test]
async fn a_panic_while_a_row_is_read_leaves_the_connection_usable() {
    let engine = memory().await;
    let task = tokio::spawn({
        let engine = engine.clone();
        async move {
            let mut c = acquire(&engine).await;
            c.begin(crate::engine::BeginMode::Immediate).await.unwrap();
            c.fetch("SELECT 1", &[], &mut |_| panic!("reading a row")).await
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    let mut c = acquire(&engine).await;
    assert!(!c.in_transaction());
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
}

#[tokio::test]
async fn each_statement_is_observed_once() {
    let (options, log) = recorded();
    let engine = connect(&DatabaseUrl::parse("sqlite://").unwrap(), options).await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n)").await.unwrap();
    c.begin(crate::engine::BeginMode::Immediate).await.unwrap();
    c.savepoint("a\"b").await.unwrap();
    c.execute("INSERT INTO t VALUES (?)", &[Value::Int(1)]).await.unwrap();
    c.rollback_to("a\"b").await.unwrap();
    c.release("a\"b").await.unwrap();
    c.commit().await.unwrap();
    c.begin(crate::engine::BeginMode::Deferred).await.unwrap();
    assert!(c.is_readonly("SELECT * FROM t").unwrap());
    drop(c);
    let expected = [
        "CREATE TABLE t (n)",
        "BEGIN IMMEDIATE",
        "SAVEPOINT \"a\"\"b\"",
        "INSERT INTO t VALUES (?)",
        "ROLLBACK TO \"a\"\"b\"",
        "RELEASE \"a\"\"b\"",
        "COMMIT",
        "BEGIN",
        "ROLLBACK",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_statement_knows_whether_it_only_reads() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n)").await.unwrap();
    for (sql, readonly) in [
        ("SELECT n FROM t", true),
        ("WITH x AS (SELECT 1) SELECT * FROM x", true),
        ("INSERT INTO t VALUES (1)", false),
        ("DELETE FROM t RETURNING n", false),
        ("CREATE TABLE u (n)", false),
    ] {
        assert_eq!(c.is_readonly(sql).unwrap(), readonly, "{sql}");
    }
    assert!(c.is_readonly("SELECT FROM").is_err());
}
