use super::*;
use crate::error::ErrorKind;

async fn pragma(connection: &mut PooledConnection, name: &str) -> String {
    rows(connection, &format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), &[], |row| Ok(row.text(0)?.to_owned()))
        .await
        .unwrap()
        .remove(0)
}

#[tokio::test]
async fn a_file_is_opened_with_a_write_ahead_log_and_foreign_keys() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), EngineOptions::new()).await;
    // The first connection and one opened later.
    let (mut a, mut b) = (acquire(&engine).await, acquire(&engine).await);
    for c in [&mut a, &mut b] {
        assert_eq!(pragma(c, "journal_mode").await, "wal");
        assert_eq!(pragma(c, "foreign_keys").await, "1");
        assert_eq!(pragma(c, "synchronous").await, "1");
        assert_eq!(rows(c, "PRAGMA busy_timeout", &[], |row| row.integer(0)).await.unwrap(), [0]);
    }
}

#[tokio::test]
async fn the_synchronous_option_is_set() {
    use crate::engine::Synchronous;
    for (option, number) in
        [(Synchronous::Off, "0"), (Synchronous::Normal, "1"), (Synchronous::Full, "2"), (Synchronous::Extra, "3")]
    {
        let folder = Folder::new();
        let engine = connect(&folder.file("app.db"), EngineOptions::new().synchronous(option)).await;
        assert_eq!(pragma(&mut acquire(&engine).await, "synchronous").await, number);
    }
}

#[tokio::test]
async fn memory_has_foreign_keys_too() {
    assert_eq!(pragma(&mut acquire(&memory().await).await, "foreign_keys").await, "1");
}

#[tokio::test]
async fn a_read_only_file_is_read_and_not_written() {
    let folder = Folder::new();
    let engine = connect(&folder.file("app.db"), EngineOptions::new()).await;
    acquire(&engine).await.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)").await.unwrap();
    engine.close().await;
    let url = DatabaseUrl::parse("sqlite:///file:app.db?mode=ro&uri=true").unwrap().in_folder(folder.path()).unwrap();
    let engine = connect(&url, EngineOptions::new()).await;
    let mut c = acquire(&engine).await;
    assert_eq!(count(&mut c, "t").await, 1);
    let error = c.execute("INSERT INTO t VALUES (2)", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert!(error.to_string().contains("app.db` is read-only"), "{error}");
}

#[tokio::test]
async fn a_file_uri_with_odd_characters_is_opened_where_it_says() {
    let folder = Folder::new();
    let url = DatabaseUrl::parse("sqlite:///file:a%20b%3Fc%23d.db?mode=rwc").unwrap().in_folder(folder.path()).unwrap();
    let engine = connect(&url, EngineOptions::new()).await;
    acquire(&engine).await.execute_batch("CREATE TABLE t (n)").await.unwrap();
    assert!(folder.path().join("a b?c#d.db").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("text.db"), "this is not a database, and long enough to be told from one")
        .unwrap();
    let error = Engine::connect(&folder.file("text.db"), &EngineOptions::new()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("text.db` is not a SQLite database"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("folder.db")).unwrap();
    let error = Engine::connect(&folder.file("folder.db"), &EngineOptions::new()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("folder.db"), "{error}");
    let error = Engine::connect(&folder.file("none/app.db"), &EngineOptions::new()).await.err().unwrap();
    assert!(error.to_string().contains("does not exist; create it"), "{error}");
    let url = DatabaseUrl::parse("sqlite:///file:none.db?mode=rw").unwrap().in_folder(folder.path()).unwrap();
    assert_eq!(Engine::connect(&url, &EngineOptions::new()).await.err().unwrap().kind(), ErrorKind::Connection);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_may_be_opened_by_many_at_once() {
    for _ in 0..5 {
        let folder = Folder::new();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let url = folder.file("app.db");
                tokio::spawn(async move { Engine::connect(&url, &EngineOptions::new()).await.map(drop) })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    }
}
