use super::*;
use crate::engine::BeginMode;
use crate::error::{Error, ErrorKind};

const TABLES: &str = "CREATE TABLE parent (id integer PRIMARY KEY, name text NOT NULL, small smallint, code varchar(3), \
                      CONSTRAINT uq_parent_name UNIQUE (name, small), CONSTRAINT ck_parent_small CHECK (small < 100)); \
                      CREATE TABLE child (id integer PRIMARY KEY, parent_id integer, \
                      CONSTRAINT fk_child_parent FOREIGN KEY (parent_id) REFERENCES parent (id)); \
                      INSERT INTO parent VALUES (1, 'secret', 1, 'abc')";

async fn failing(c: &mut PooledConnection, sql: &str) -> Error {
    let error = c.execute(sql, &[]).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.split("statement: ").next().unwrap_or_default().contains("secret"), "{shown} quotes a value");
    assert!(!format!("{:?}", std::error::Error::source(&error)).contains("secret"), "{shown} quotes a value");
    assert_eq!(error.statement(), Some(sql));
    error
}

#[tokio::test]
async fn violations_name_the_constraint_the_table_and_the_columns() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(TABLES).await.unwrap();

    let error = failing(&mut c, "INSERT INTO parent VALUES (2, 'secret', 1)").await;
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert_eq!((error.constraint(), error.table()), (Some("uq_parent_name"), Some("parent")));
    assert_eq!(error.columns(), ["name", "small"]);
    assert_eq!(error.to_string(), "`parent` has a row with the same `name`, `small` already");

    let error = failing(&mut c, "INSERT INTO child VALUES (1, 7)").await;
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!((error.constraint(), error.table()), (Some("fk_child_parent"), Some("child")));
    assert_eq!(error.columns(), ["parent_id"]);

    let error = failing(&mut c, "INSERT INTO parent VALUES (2, NULL)").await;
    assert_eq!(error.kind(), ErrorKind::NotNullViolation);
    assert_eq!((error.table(), error.columns()), (Some("parent"), &["name".to_owned()][..]));
    assert_eq!(error.to_string(), "`name` of `parent` may not be NULL; give it a value");

    let error = failing(&mut c, "INSERT INTO parent VALUES (2, 'x', 100)").await;
    assert_eq!(error.kind(), ErrorKind::CheckViolation);
    assert_eq!((error.constraint(), error.table()), (Some("ck_parent_small"), Some("parent")));

    assert_eq!(schema.text("SELECT count(*)::text FROM parent").await.unwrap(), "1");
    schema.drop().await;
}

#[tokio::test]
async fn errors_have_their_kinds_and_quote_no_values() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(TABLES).await.unwrap();
    for (sql, kind, message) in [
        ("SELECT * FROM nowhere", ErrorKind::MissingTable, "the table `nowhere` does not exist"),
        ("SELECT nothing FROM parent", ErrorKind::MissingTable, "the column `nothing` does not exist"),
        ("SELECT parent.nothing FROM parent", ErrorKind::MissingTable, "the column `nothing` of `parent`"),
        ("INSERT INTO parent (nothing) VALUES (1)", ErrorKind::MissingTable, "the column `nothing` of `parent`"),
        ("", ErrorKind::InvalidStatement, "the statement is empty"),
        ("-- nothing", ErrorKind::InvalidStatement, "the statement is empty"),
        ("SELECT 1; SELECT 2", ErrorKind::InvalidStatement, "multiple commands"),
        ("SELEKT 1", ErrorKind::InvalidStatement, "syntax error"),
        ("SELECT 'secret'::integer", ErrorKind::Decode, "not of the form that its type takes"),
        ("SELECT 'secret'::date", ErrorKind::Decode, "not a date or time"),
        ("UPDATE parent SET code = 'secret'", ErrorKind::Decode, "longer than its column allows"),
        ("SELECT 1 / 0", ErrorKind::Database, "divides by zero"),
        ("SELECT 2147483647 + 1", ErrorKind::Decode, "out of range"),
        ("COPY parent FROM STDIN", ErrorKind::Unsupported, "COPY"),
        ("COPY parent TO STDOUT", ErrorKind::Unsupported, "COPY"),
        ("SELECT pg_cancel_backend(pg_backend_pid())", ErrorKind::Busy, "ended before it was done"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no such luck'; END $$", ErrorKind::Database, "no such luck"),
        ("CREATE DATABASE \"a\0b\"", ErrorKind::InvalidStatement, "NUL"),
    ] {
        let error = failing(&mut c, sql).await;
        assert_eq!(error.kind(), kind, "{sql}: {error}");
        assert!(error.to_string().contains(message), "{sql}: {error}");
    }
    assert_eq!(integer(&mut c, "SELECT 1").await, 1, "the connection is as good as before");
    schema.drop().await;
}

#[tokio::test]
async fn a_failed_transaction_says_what_failed_it_until_it_is_rolled_back() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(TABLES).await.unwrap();
    c.begin(BeginMode::Deferred).await.unwrap();
    c.execute("INSERT INTO parent VALUES (5, 'five')", &[]).await.unwrap();
    failing(&mut c, "INSERT INTO parent VALUES (1, 'again')").await;
    assert!(c.in_transaction());
    let error = failing(&mut c, "SELECT 1").await;
    assert_eq!(error.kind(), ErrorKind::NeedsRollback);
    assert!(error.to_string().contains("`parent` has a row with the same `id` already"), "{error}");
    let error = c.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NeedsRollback, "a commit that became a rollback is no success");
    assert!(error.to_string().contains("rolled back") && error.to_string().contains("same `id`"), "{error}");
    assert!(!c.in_transaction());
    assert_eq!(schema.text("SELECT count(*)::text FROM parent").await.unwrap(), "1");

    c.begin(BeginMode::Deferred).await.unwrap();
    c.savepoint("a").await.unwrap();
    failing(&mut c, "SELECT 1 / 0").await;
    c.rollback_to("a").await.unwrap();
    failing(&mut c, "SELECT * FROM nowhere").await;
    let error = failing(&mut c, "SELECT 1").await;
    assert!(error.to_string().contains("the table `nowhere` does not exist"), "the newest failure: {error}");
    c.rollback_to("a").await.unwrap();
    c.release("a").await.unwrap();
    c.execute("INSERT INTO parent VALUES (6, 'six')", &[]).await.unwrap();
    c.commit().await.unwrap();
    assert_eq!(schema.text("SELECT count(*)::text FROM parent").await.unwrap(), "2");
    schema.drop().await;
}

#[tokio::test]
async fn a_deferred_constraint_refuses_the_commit_and_ends_the_transaction() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(
        "CREATE TABLE node (id integer PRIMARY KEY, up integer REFERENCES node (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    .await
    .unwrap();
    c.begin(BeginMode::Deferred).await.unwrap();
    c.execute("INSERT INTO node VALUES (1, 2)", &[]).await.unwrap();
    let error = c.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    assert!(!c.in_transaction());
    c.rollback().await.unwrap();
    schema.drop().await;
}

#[tokio::test]
async fn a_deadlock_and_a_conflict_of_snapshots_may_be_run_again() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let (mut a, mut b) = (acquire(&engine).await, acquire(&engine).await);
    a.execute_batch(TABLES).await.unwrap();
    a.execute("INSERT INTO parent VALUES (2, 'two')", &[]).await.unwrap();
    a.begin(BeginMode::Deferred).await.unwrap();
    b.begin(BeginMode::Deferred).await.unwrap();
    a.execute("UPDATE parent SET small = 2 WHERE id = 1", &[]).await.unwrap();
    b.execute("UPDATE parent SET small = 2 WHERE id = 2", &[]).await.unwrap();
    let (one, two) = tokio::join!(
        async {
            let outcome = a.execute("UPDATE parent SET small = 3 WHERE id = 2", &[]).await;
            a.rollback().await.unwrap();
            outcome
        },
        async {
            let outcome = b.execute("UPDATE parent SET small = 3 WHERE id = 1", &[]).await;
            b.rollback().await.unwrap();
            outcome
        }
    );
    let error = one.and(two).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadlock);
    assert!(error.is_retryable());

    a.begin(BeginMode::Deferred).await.unwrap();
    a.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", &[]).await.unwrap();
    assert_eq!(integer(&mut a, "SELECT count(*) FROM parent").await, 2);
    b.execute("UPDATE parent SET small = 4 WHERE id = 1", &[]).await.unwrap();
    let error = failing(&mut a, "UPDATE parent SET small = 5 WHERE id = 1").await;
    assert_eq!(error.kind(), ErrorKind::Serialization);
    assert!(error.is_retryable());
    a.rollback().await.unwrap();

    b.begin(BeginMode::Deferred).await.unwrap();
    b.execute("UPDATE parent SET small = 6 WHERE id = 1", &[]).await.unwrap();
    let error = failing(&mut a, "SELECT * FROM parent WHERE id = 1 FOR UPDATE NOWAIT").await;
    assert_eq!(error.kind(), ErrorKind::Busy);
    b.rollback().await.unwrap();
    schema.drop().await;
}
