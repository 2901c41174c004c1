use std::time::Duration;

use super::*;
use crate::engine::{BeginMode, CopyIn, Executed};
use crate::error::{Error, ErrorKind};

/// Copies rows of `(a, b)` into the table `t`.
async fn copy<'a>(
    c: &mut PooledConnection,
    rows: usize,
    value: &'a (dyn Fn(usize, usize) -> Value<'a> + Send + Sync),
) -> Result<Option<Executed>> {
    let copy = CopyIn {
        table: r#""t""#,
        sql: r#"COPY "t" ("a", "b") FROM STDIN (FORMAT binary)"#,
        insert: r#"INSERT INTO "t" ("a", "b") VALUES ($1, $2)"#,
        columns: 2,
        rows,
        value,
    };
    c.copy_in(&copy).await
}

/// A number, and a text made of it.
fn numbered(row: usize, column: usize) -> Value<'static> {
    match column {
        0 => Value::Int(row as i64),
        _ => Value::Text(format!("row {row}").into()),
    }
}

/// A connection with a transaction that has not been used, and the table.
async fn begun(schema: &Schema, table: &str) -> PooledConnection {
    schema.stranger.batch_execute(table).await.unwrap();
    let mut c = acquire(&schema.engine().await).await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c
}

const TABLE: &str = "CREATE TABLE t (a integer PRIMARY KEY, b text)";
const COUNT: &str = "SELECT count(*)::text FROM t";

#[tokio::test]
async fn many_rows_go_by_copy_in_two_round_trips_with_the_begin_before_them() {
    let schema = Schema::new().await;
    let mut c = begun(&schema, TABLE).await;
    let before = requests(&mut c);
    let executed = copy(&mut c, 100_000, &numbered).await.unwrap().unwrap();
    assert_eq!((executed.rows_affected, requests(&mut c) - before), (100_000, 2));
    assert_eq!(schema.text(COUNT).await.unwrap(), "0", "nothing is committed");
    c.commit().await.unwrap();
    let wrong = "SELECT (count(*) FILTER (WHERE b <> 'row ' || a) || '|' || sum(a)) FROM t";
    assert_eq!(schema.text(wrong).await.unwrap(), "0|4999950000");
    schema.drop().await;
}

#[tokio::test]
async fn what_only_insert_does_is_left_to_it() {
    for table in [
        "CREATE TABLE o (a integer, b text); CREATE VIEW t AS SELECT * FROM o",
        "CREATE TABLE o (a integer, b text); CREATE TABLE t (a integer, b text);
         CREATE RULE elsewhere AS ON INSERT TO t DO INSTEAD INSERT INTO o VALUES (new.a, new.b)",
        // Its values go as text.
        "CREATE TYPE mood AS ENUM ('row 0', 'row 1'); CREATE TABLE t (a integer, b mood)",
        // A text as which the program gives what the column has as a number.
        "CREATE TABLE t (a integer, b numeric)",
    ] {
        let schema = Schema::new().await;
        let mut c = begun(&schema, table).await;
        let digits = |row: usize, column: usize| match column {
            1 if table.contains("numeric") => Value::Text(row.to_string().into()),
            _ => numbered(row, column),
        };
        assert_eq!(copy(&mut c, 2, &digits).await.unwrap(), None, "{table}");
        assert!(c.in_transaction());
        c.commit().await.unwrap();
        assert_eq!(schema.text(COUNT).await.unwrap(), "0", "{table}");
        schema.drop().await;
    }
}

#[tokio::test]
async fn a_table_whose_rows_have_policies_is_left_to_insert() {
    let schema = Schema::new().await;
    let role = format!("{}_role", schema.name);
    let mut c = begun(&schema, TABLE).await;
    schema
        .stranger
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {} TO {role}; GRANT ALL ON t TO {role};
             ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY small ON t USING (a < 10)",
            schema.name
        ))
        .await
        .unwrap();
    c.execute(&format!("SET LOCAL ROLE {role}"), &[]).await.unwrap();
    assert_eq!(copy(&mut c, 5, &numbered).await.unwrap(), None);
    c.execute("INSERT INTO t VALUES (1, 'one')", &[]).await.unwrap();
    c.commit().await.unwrap();
    assert_eq!(schema.text(COUNT).await.unwrap(), "1");
    schema.stranger.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    schema.drop().await;
}

#[tokio::test]
async fn a_value_that_its_column_cannot_take_is_named_and_nothing_is_sent() {
    let schema = Schema::new().await;
    let mut c = begun(&schema, TABLE).await;
    let wide = |row: usize, column: usize| match (row, column) {
        (4_000, 0) => Value::Int(i64::MAX),
        _ => numbered(row, column),
    };
    let error = copy(&mut c, 5_000, &wide).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("8001"), "{error}");
    // The transaction is as it was.
    assert_eq!(copy(&mut c, 3, &numbered).await.unwrap().unwrap().rows_affected, 3);
    c.commit().await.unwrap();
    assert_eq!(schema.text(COUNT).await.unwrap(), "3");
    schema.drop().await;
}

#[tokio::test]
async fn a_row_that_the_server_refuses_takes_all_others_with_it() {
    let schema = Schema::new().await;
    let mut c = begun(&schema, TABLE).await;
    let twice = |row: usize, column: usize| numbered(if row == 9_000 { 7 } else { row }, column);
    let same = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::UniqueViolation);
        assert_eq!(
            (error.constraint(), error.table(), error.columns()),
            (Some("t_pkey"), Some("t"), &["a".to_owned()][..])
        );
    };
    same(copy(&mut c, 10_000, &twice).await.unwrap_err());
    let next = c.execute("INSERT INTO t VALUES (1, 'one')", &[]).await.unwrap_err();
    assert_eq!(next.kind(), ErrorKind::NeedsRollback, "{next}");
    c.rollback().await.unwrap();
    assert_eq!(schema.text(COUNT).await.unwrap(), "0");

    // As INSERT has it, of the columns that a row leaves empty too.
    c.execute("INSERT INTO t VALUES (7, 'seven')", &[]).await.unwrap();
    same(c.execute("INSERT INTO t VALUES (7, 'seven')", &[]).await.unwrap_err());
    schema.stranger.batch_execute("ALTER TABLE t ALTER b SET NOT NULL").await.unwrap();
    c.begin(BeginMode::Immediate).await.unwrap();
    let empty = |row: usize, column: usize| if column == 1 { Value::Null } else { numbered(row + 10, column) };
    let error = copy(&mut c, 10, &empty).await.unwrap_err();
    assert_eq!((error.kind(), error.columns()), (ErrorKind::NotNullViolation, &["b".to_owned()][..]));
    schema.drop().await;
}

#[tokio::test]
async fn what_does_not_compile_is_named_as_by_insert() {
    let schema = Schema::new().await;
    let mut c = begun(&schema, "CREATE TABLE t (a integer)").await;
    let copied = copy(&mut c, 2, &numbered).await.unwrap_err();
    c.rollback().await.unwrap();
    let inserted = c.execute(r#"INSERT INTO "t" ("a", "b") VALUES ($1, $2)"#, &[]).await.unwrap_err();
    assert_eq!(copied.kind(), inserted.kind());
    assert!(copied.statement().is_some_and(|sql| sql.starts_with("COPY")));
    schema.drop().await;
}

#[tokio::test]
async fn a_column_that_only_the_database_may_write_is_refused_as_by_insert() {
    let schema = Schema::new().await;
    let mut c = begun(&schema, "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY, b text)").await;
    let copied = copy(&mut c, 2, &numbered).await.unwrap_err();
    c.rollback().await.unwrap();
    let inserted = c.execute("INSERT INTO t (a, b) VALUES (1, 'one')", &[]).await.unwrap_err();
    assert_eq!((copied.kind(), copied.columns()), (inserted.kind(), inserted.columns()));
    assert_eq!(schema.text(COUNT).await.unwrap(), "0");
    schema.drop().await;
}

#[tokio::test]
async fn a_server_that_talks_while_it_takes_rows_is_listened_to() {
    let schema = Schema::new().await;
    let table = "CREATE TABLE t (a integer, b text);
        CREATE FUNCTION talk() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE NOTICE '%', repeat('x', 500); RETURN new; END $$;
        CREATE TRIGGER talk BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION talk()";
    let mut c = begun(&schema, table).await;
    // Several times what the sockets hold, in both directions.
    let long = |row: usize, column: usize| match column {
        1 => Value::Text("y".repeat(500).into()),
        _ => numbered(row, column),
    };
    let copied = tokio::time::timeout(Duration::from_secs(60), copy(&mut c, 10_000, &long)).await;
    assert_eq!(copied.expect("it ends").unwrap().unwrap().rows_affected, 10_000);
    c.commit().await.unwrap();
    assert_eq!(schema.text(COUNT).await.unwrap(), "10000");
    schema.drop().await;
}

#[tokio::test]
async fn a_copy_whose_future_is_dropped_leaves_nothing() {
    let schema = Schema::new().await;
    let mut c = begun(&schema, TABLE).await;
    schema.stranger.batch_execute("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE").await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(300), copy(&mut c, 100_000, &numbered)).await;
    assert!(dropped.is_err(), "the table is locked");
    assert!(c.in_transaction(), "its BEGIN is under way");
    schema.stranger.batch_execute("COMMIT").await.unwrap();
    c.rollback().await.unwrap();
    assert!(!c.in_transaction());
    assert_eq!(schema.text(COUNT).await.unwrap(), "0");
    c.begin(BeginMode::Immediate).await.unwrap();
    copy(&mut c, 10, &numbered).await.unwrap().unwrap();
    c.commit().await.unwrap();
    assert_eq!(schema.text(COUNT).await.unwrap(), "10");
    schema.drop().await;
}

#[tokio::test]
async fn statements_that_nobody_keeps_go_by_copy_too() {
    let schema = Schema::new().await;
    schema.stranger.batch_execute(TABLE).await.unwrap();
    let url = DatabaseUrl::parse(&format!("{}&prepare=off", schema.url_text())).unwrap();
    let engine = Engine::connect(&url, &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    c.begin(BeginMode::Immediate).await.unwrap();
    copy(&mut c, 1_000, &numbered).await.unwrap().unwrap();
    c.commit().await.unwrap();
    assert_eq!(schema.text(COUNT).await.unwrap(), "1000");
    schema.drop().await;
}
