use std::time::Duration;

use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

async fn counter(folder: &Folder, options: EngineOptions) -> Engine {
    let engine = connect(&folder.file("app.db"), options).await;
    acquire(&engine)
        .await
        .execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER); DELETE FROM t; INSERT INTO t VALUES (0)")
        .await
        .unwrap();
    engine
}

/// Reads, gives way, and writes one more: loses increments unless writers take turns.
async fn increment(engine: Engine, times: usize) {
    for _ in 0..times {
        let mut c = acquire(&engine).await;
        c.begin(BeginMode::Immediate).await.unwrap();
        let n = integer(&mut c, "SELECT n FROM t").await;
        tokio::task::yield_now().await;
        c.execute("UPDATE t SET n = ?", &[Value::Int(n + 1)]).await.unwrap();
        c.commit().await.unwrap();
    }
}

async fn take_turns() {
    let folder = Folder::new();
    let engine = counter(&folder, EngineOptions::new()).await;
    // A second engine on the same file, by another spelling of its path.
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let other = connect(&folder.file("sub/../app.db"), EngineOptions::new()).await;
    let tasks: Vec<_> = [&engine, &other, &engine, &other]
        .into_iter()
        .map(|engine| tokio::spawn(increment(engine.clone(), 20)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(integer(&mut acquire(&engine).await, "SELECT n FROM t").await, 80);
}

#[tokio::test]
async fn writers_take_turns_on_one_thread() {
    take_turns().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn writers_take_turns_on_several_threads() {
    take_turns().await;
}

#[tokio::test]
async fn a_writer_that_waits_too_long_names_the_holder() {
    let folder = Folder::new();
    let engine = counter(&folder, EngineOptions::new().busy_timeout(Duration::from_millis(20))).await;
    let here = line!() + 1;
    let mut holder = acquire(&engine).await;
    holder.begin(BeginMode::Immediate).await.unwrap();
    let mut waiting = acquire(&engine).await;
    for statement in ["BEGIN", "INSERT INTO t VALUES (1)"] {
        let error = match statement {
            "BEGIN" => waiting.begin(BeginMode::Immediate).await.unwrap_err(),
            _ => waiting.execute(statement, &[]).await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.is_retryable());
        assert!(error.to_string().contains(&format!("{}:{here}", file!())), "{error}");
    }
    assert_eq!(integer(&mut waiting, "SELECT n FROM t").await, 0, "readers do not wait");
    holder.commit().await.unwrap();
    waiting.begin(BeginMode::Immediate).await.unwrap();
}

#[tokio::test]
async fn the_right_to_write_comes_back_however_a_transaction_ends() {
    let folder = Folder::new();
    let options = EngineOptions::new().busy_timeout(Duration::from_millis(20));
    let engine = counter(&folder, options).await;
    let mut other = acquire(&engine).await;
    for end in ["commit", "rollback", "drop", "raw", "failure", "autocommit", "returning"] {
        let mut c = acquire(&engine).await;
        if !matches!(end, "autocommit" | "returning") {
            c.begin(BeginMode::Immediate).await.unwrap();
        }
        match end {
            "commit" => c.commit().await.unwrap(),
            "rollback" => c.rollback().await.unwrap(),
            "raw" => drop(c.execute("COMMIT", &[]).await.unwrap()),
            "failure" => {
                c.execute_batch("CREATE UNIQUE INDEX ix ON t (n)").await.unwrap();
                c.execute("INSERT OR ROLLBACK INTO t VALUES (0)", &[]).await.unwrap_err();
            }
            "autocommit" => drop(c.execute("UPDATE t SET n = 0", &[]).await.unwrap()),
            "returning" => {
                drop(rows(&mut c, "UPDATE t SET n = 0 RETURNING n", &[], |row| row.integer(0)).await.unwrap())
            }
            _ => drop(c),
        }
        other.begin(BeginMode::Immediate).await.unwrap_or_else(|error| panic!("after {end}: {error}"));
        other.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn a_deferred_transaction_takes_the_right_to_write_at_its_first_write() {
    let folder = Folder::new();
    let engine = counter(&folder, EngineOptions::new().busy_timeout(Duration::from_millis(20))).await;
    let mut reader = acquire(&engine).await;
    reader.begin(BeginMode::Deferred).await.unwrap();
    integer(&mut reader, "SELECT n FROM t").await;
    let mut writer = acquire(&engine).await;
    writer.begin(BeginMode::Immediate).await.unwrap();
    writer.execute("UPDATE t SET n = 5", &[]).await.unwrap();
    assert_eq!(reader.execute("UPDATE t SET n = 6", &[]).await.unwrap_err().kind(), ErrorKind::Busy);
    writer.commit().await.unwrap();
    assert_eq!(integer(&mut reader, "SELECT n FROM t").await, 0, "the snapshot stays");
    let error = reader.execute("UPDATE t SET n = 6", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Serialization);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn another_process_is_met_by_trying_again() {
    let folder = Folder::new();
    let engine = counter(&folder, EngineOptions::new()).await;
    let stranger = Stranger::new(&folder);
    stranger.execute_batch("BEGIN IMMEDIATE; UPDATE t SET n = 41");
    let waiting = tokio::spawn(increment(engine.clone(), 1));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished());
    stranger.execute_batch("COMMIT");
    waiting.await.unwrap();
    assert_eq!(integer(&mut acquire(&engine).await, "SELECT n FROM t").await, 42);
}

#[tokio::test]
async fn another_process_that_never_ends_is_busy() {
    let folder = Folder::new();
    let engine = counter(&folder, EngineOptions::new().busy_timeout(Duration::from_millis(20))).await;
    let stranger = Stranger::new(&folder);
    stranger.execute_batch("BEGIN IMMEDIATE");
    let mut c = acquire(&engine).await;
    for outcome in [
        c.begin(BeginMode::Immediate).await,
        c.execute("UPDATE t SET n = 1", &[]).await.map(drop),
        c.execute_batch("UPDATE t SET n = 1").await,
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.to_string().contains("locked by another connection"), "{error}");
    }
    stranger.execute_batch("ROLLBACK");
    c.begin(BeginMode::Immediate).await.unwrap();
}

/// A connection that knows nothing of the queue of this process's writers.
pub(super) struct Stranger(std::sync::Mutex<crate::engine::sqlite::Connection>);

impl Stranger {
    pub(super) fn new(folder: &Folder) -> Self {
        let Ok(crate::engine::url::Target::File(file)) = folder.file("app.db").target() else { panic!("a file") };
        Self(crate::engine::sqlite::Connection::open(&file, &EngineOptions::new()).unwrap().into())
    }

    pub(super) fn execute_batch(&self, sql: &str) {
        self.0.lock().unwrap().execute_batch(sql, Duration::ZERO).unwrap();
    }
}
