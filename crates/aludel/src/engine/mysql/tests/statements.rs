use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

#[tokio::test]
async fn a_transaction_is_open_as_the_server_says() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT PRIMARY KEY)").await.unwrap();
    assert!(!c.in_transaction());
    c.begin(BeginMode::Deferred).await.unwrap();
    assert!(c.in_transaction());
    c.execute("INSERT INTO t VALUES (?)", &[Value::Int(1)]).await.unwrap();
    assert_eq!(c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    assert!(c.in_transaction(), "an error leaves the transaction open");
    c.savepoint("a").await.unwrap();
    c.execute("INSERT INTO t VALUES (2)", &[]).await.unwrap();
    c.rollback_to("a").await.unwrap();
    c.release("a").await.unwrap();
    c.commit().await.unwrap();
    assert!(!c.in_transaction());
    let mut stranger = database.stranger().await;
    let seen: Vec<i64> = stranger.query("SELECT n FROM t").await.unwrap();
    assert_eq!(seen, [1]);
}

#[tokio::test]
async fn after_ddl_has_committed_a_transaction_there_is_another() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT)").await.unwrap();
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    c.execute("CREATE TABLE u (n INT)", &[]).await.unwrap();
    assert!(c.in_transaction());
    let done = c.execute("INSERT INTO t VALUES (2), (3)", &[]).await.unwrap();
    assert_eq!(done.rows_affected, 2);
    c.rollback().await.unwrap();
    assert!(!c.in_transaction());
    let seen: Vec<i64> = database.stranger().await.query("SELECT n FROM t").await.unwrap();
    assert_eq!(seen, [1], "what came before is committed, what came after is not");
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("DROP TABLE u", &[]).await.unwrap();
    c.commit().await.unwrap();
    c.execute("CREATE TABLE u (n INT)", &[]).await.unwrap();
    assert!(!c.in_transaction(), "none is begun where none was open");
}

#[tokio::test]
async fn what_was_changed_is_counted_by_the_rows_found() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT); -- two rows\n-- follow").await.unwrap();
    let done = c.execute("INSERT INTO t (n) VALUES (?), (?)", &[Value::Int(5), Value::Int(5)]).await.unwrap();
    assert_eq!((done.rows_affected, done.last_insert_id), (2, 1));
    let done = c.execute("UPDATE t SET n = 5", &[]).await.unwrap();
    assert_eq!(done.rows_affected, 2, "an UPDATE that changes nothing counts its rows");
    let done = c.execute("DELETE FROM t WHERE id = 2", &[]).await.unwrap();
    assert_eq!(done.rows_affected, 1);
    let done = c.execute("SELECT * FROM t", &[]).await.unwrap();
    assert_eq!(done.rows_affected, 0);
    let ids = rows(&mut c, "INSERT INTO t (n) VALUES (7), (8) RETURNING id", &[], |row| row.integer(0)).await.unwrap();
    assert_eq!(ids, [3, 4]);
    let done = c.execute("INSERT INTO t (n) VALUES (9), (9) RETURNING id", &[]).await.unwrap();
    assert_eq!(done.rows_affected, 2);
}

#[tokio::test]
async fn statements_are_prepared_once() {
    let database = Database::new().await;
    let engine = database.engine_with(EngineOptions::new().statement_cache_size(2)).await;
    let mut c = acquire(&engine).await;
    let prepared = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.session_status WHERE variable_name = 'Com_stmt_prepare'";
    let before = integer(&mut c, prepared).await;
    for n in 0..5 {
        assert_eq!(rows(&mut c, "SELECT ?", &[Value::Int(n)], |row| row.integer(0)).await.unwrap(), [n]);
    }
    assert_eq!(integer(&mut c, prepared).await, before + 1);
    for n in 0..5 {
        rows(&mut c, &format!("SELECT {n}"), &[], |row| row.integer(0)).await.unwrap();
    }
    let open = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status WHERE variable_name = 'Prepared_stmt_count'";
    assert!(integer(&mut c, open).await < 1000);
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_long_result_gives_way_to_others() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let counted =
        tokio::spawn(async move { c.fetch("SELECT seq FROM seq_1_to_100000", &[], &mut |_| Ok(())).await.unwrap() });
    let mut turns = 0;
    while !counted.is_finished() {
        tokio::task::yield_now().await;
        turns += 1;
    }
    assert_eq!(counted.await.unwrap(), 100_000);
    assert!(turns > 5, "{turns}");
}

#[tokio::test]
async fn an_error_of_what_takes_the_rows_leaves_the_connection_fit() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let error = c.fetch("SELECT seq FROM seq_1_to_1000", &[], &mut |row| row.text(0).map(drop)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "expected text, found an integer");
    assert_eq!(integer(&mut c, "SELECT 2").await, 2);
}

#[tokio::test]
async fn a_procedure_gives_the_rows_of_its_first_result() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE PROCEDURE p() BEGIN SELECT 1 AS a; SELECT 2 AS b; END").await.unwrap();
    assert_eq!(rows(&mut c, "CALL p()", &[], |row| row.integer(0)).await.unwrap(), [1]);
    assert_eq!(integer(&mut c, "SELECT 3").await, 3);
}

#[tokio::test]
async fn a_statement_that_is_not_sent_leaves_the_transaction_open() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.begin(BeginMode::Immediate).await.unwrap();
    assert!(c.execute("SELECT ?, ? + 1", &[Value::Int(1)]).await.is_err());
    assert!(c.in_transaction());
    assert!(c.execute("SELEC", &[]).await.is_err());
    assert!(c.in_transaction());
    assert!(c.open_cursor("SELECT ?, ? + 2", &[Value::Int(1)]).await.is_err());
    assert!(c.in_transaction());
    c.rollback().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_is_too_long_costs_no_connection() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    let limit = integer(&mut c, "SELECT @@max_allowed_packet").await;
    let long = "x".repeat(usize::try_from(limit).unwrap());
    let error = c.execute("SELECT LENGTH(?)", &[Value::Text(long.as_str().into())]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("`max_allowed_packet`"), "{error}");
    let just = &long[..long.len() - 1000];
    let length = rows(&mut c, "SELECT LENGTH(?)", &[Value::Text(just.into())], |row| row.integer(0)).await.unwrap();
    assert_eq!(length, [i64::try_from(just.len()).unwrap()]);
    assert_eq!(integer(&mut c, "SELECT CONNECTION_ID()").await, id);
}

#[tokio::test]
async fn a_cached_statement_follows_a_changed_table() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)").await.unwrap();
    let all = "SELECT * FROM t";
    for _ in 0..2 {
        assert_eq!(rows(&mut c, all, &[], |row| Ok((row.len(), row.integer(0)?))).await.unwrap(), [(1, 1)]);
    }
    let mut stranger = database.stranger().await;
    stranger.query_drop("ALTER TABLE t ADD COLUMN b VARCHAR(5) DEFAULT 'x', MODIFY a VARCHAR(9)").await.unwrap();
    for _ in 0..2 {
        let seen = rows(&mut c, all, &[], |row| Ok(format!("{} {}", row.text(0)?, row.text(1)?))).await.unwrap();
        assert_eq!(seen, ["1 x"]);
    }
    stranger.query_drop("DROP TABLE t").await.unwrap();
    assert_eq!(c.execute(all, &[]).await.unwrap_err().kind(), ErrorKind::MissingTable);
}
