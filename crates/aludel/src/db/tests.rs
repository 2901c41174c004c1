//! What stands on the disk and in the database; models are given by hand as tables.

use std::path::PathBuf;

use uuid::Uuid;

use super::*;
use crate::engine::{DatabaseUrl, Engine, EngineOptions};
use crate::error::ErrorKind;
use crate::schema::{Column, ForeignKey, NamingConvention, SqlType, Table};
use crate::session::shared::Database;

/// A folder that is deleted at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("aludel-test-{}", Uuid::new_v4().simple())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database in memory whose models are these tables.
async fn with_tables(tables: Vec<Table>) -> Db {
    let mut metadata = MetaData::new(NamingConvention::default());
    for table in tables {
        metadata.add_table(table).unwrap();
    }
    let url = DatabaseUrl::parse("sqlite://").unwrap();
    let engine = Engine::connect(&url, &EngineOptions::default()).await.unwrap();
    let database = Database {
        name: None,
        engine,
        replicas: crate::engine::Replicas::default(),
        metadata,
        label: url.to_string(),
        temporary: None,
    };
    let shared = DbShared::new(vec![database], Teardown::default(), false, Vec::new());
    Db { shared: Arc::new(shared) }
}

fn table(name: &str) -> Table {
    Table::new(name).with_column(Column::new("id", SqlType::BigInt)).with_primary_key(["id"])
}

fn pointing(name: &str, target: &str) -> Table {
    table(name).with_column(Column::new("other", SqlType::BigInt).nullable()).with_foreign_key(ForeignKey::new(
        ["other"],
        target,
        ["id"],
    ))
}

async fn run(db: &Db, sql: &str) {
    let mut connection = db.shared.engine(DEFAULT).acquire(std::panic::Location::caller()).await.unwrap();
    connection.execute_batch(sql).await.unwrap();
}

async fn names(db: &Db) -> Vec<String> {
    let mut names = Vec::new();
    let mut connection = db.shared.engine(DEFAULT).acquire(std::panic::Location::caller()).await.unwrap();
    connection
        .fetch("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", &[], &mut |row| {
            names.push(row.text(0)?.to_owned());
            Ok(())
        })
        .await
        .unwrap();
    names
}

#[tokio::test]
async fn debug_shows_the_url() {
    assert_eq!(format!("{:?}", Db::connect("sqlite:///:memory:").await.unwrap()), "<Db sqlite://>");
}

#[tokio::test]
async fn without_a_database_connect_says_what_to_set() {
    let error = Db::builder().connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("'ALUDEL_DATABASE_URI'"), "{error}");
}

#[tokio::test]
async fn a_relative_file_is_in_the_instance_folder_which_is_created() {
    let folder = Folder::new();
    let instance = folder.0.join("deep/instance");
    let db = Db::builder().uri("sqlite:///app.db").instance_path(&instance).models([]).connect().await.unwrap();
    assert!(instance.join("app.db").is_file());
    assert_eq!(format!("{db:?}"), format!("<Db sqlite:///{}>", instance.join("app.db").display()));
    // only the instance folder itself is made
    let below = Db::builder().uri("sqlite:///a/b.db").instance_path(&instance).models([]).connect().await;
    assert_eq!(below.unwrap_err().kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn a_test_database_is_a_file_that_goes_with_its_last_handle() {
    let db = Db::builder().models([]).test().await.unwrap();
    run(&db, "CREATE TABLE t (id)").await;
    let path = db.shared.database(DEFAULT).temporary.as_ref().unwrap().0.clone();
    let other = db.clone();
    drop(db);
    assert!(path.is_file());
    drop(other);
    for suffix in ["", "-wal", "-shm"] {
        assert!(!PathBuf::from(format!("{}{suffix}", path.display())).exists(), "{suffix}");
    }
}

#[tokio::test]
async fn two_test_databases_do_not_see_each_other() {
    let (one, other) = (Db::builder().models([]).test().await.unwrap(), Db::builder().models([]).test().await.unwrap());
    run(&one, "CREATE TABLE t (id)").await;
    assert_eq!((names(&one).await, names(&other).await), (vec!["t".to_owned()], vec![]));
}

#[tokio::test]
async fn create_all_adds_what_is_missing_and_alters_nothing() {
    let db = with_tables(vec![pointing("book", "author"), table("author")]).await;
    run(&db, "CREATE TABLE author (id INTEGER PRIMARY KEY, extra TEXT); INSERT INTO author VALUES (1, 'kept')").await;
    db.create_all().await.unwrap();
    db.create_all().await.unwrap();
    assert_eq!(names(&db).await, ["author", "book"]);
    run(&db, "UPDATE author SET extra = 'still there'; INSERT INTO book VALUES (1, 1)").await;
}

#[tokio::test]
async fn create_all_creates_all_or_nothing() {
    let db = with_tables(vec![table("first"), table("second")]).await;
    // an index of the name of a table is in the way of the second one
    run(&db, "CREATE TABLE x (id); CREATE INDEX second ON x (id)").await;
    assert!(db.create_all().await.is_err());
    assert_eq!(names(&db).await, ["x"]);
}

#[tokio::test]
async fn drop_all_removes_tables_that_point_at_each_other_and_leaves_others_alone() {
    let tables = vec![pointing("a", "b"), pointing("b", "a"), pointing("itself", "itself")];
    let db = with_tables(tables).await;
    run(&db, "CREATE TABLE stranger (id)").await;
    db.drop_all().await.unwrap();
    db.create_all().await.unwrap();
    run(
        &db,
        "INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1), (2, 1); UPDATE a SET other = 2;
         INSERT INTO itself VALUES (1, 1), (2, 1)",
    )
    .await;
    db.drop_all().await.unwrap();
    assert_eq!(names(&db).await, ["stranger"]);
}

#[tokio::test]
async fn drop_all_drops_nothing_that_a_stranger_still_points_at() {
    let db = with_tables(vec![table("a"), table("b")]).await;
    db.create_all().await.unwrap();
    run(
        &db,
        "CREATE TABLE stranger (a_id REFERENCES a (id)); INSERT INTO a VALUES (1); INSERT INTO stranger VALUES (1)",
    )
    .await;
    assert_eq!(db.drop_all().await.unwrap_err().kind(), ErrorKind::ForeignKeyViolation);
    assert_eq!(names(&db).await, ["a", "b", "stranger"]);
}

#[tokio::test]
async fn a_closed_database_gives_no_connection() {
    let db = with_tables(vec![table("a")]).await;
    db.close().await;
    assert!(db.create_all().await.is_err());
}

#[tokio::test]
async fn a_unique_violation_gets_the_name_of_its_constraint() {
    let db = with_tables(vec![
        table("author")
            .with_column(Column::new("name", SqlType::Text))
            .with_unique(crate::schema::UniqueConstraint::new(["name"])),
    ])
    .await;
    db.create_all().await.unwrap();
    let mut connection = db.shared.engine(DEFAULT).acquire(std::panic::Location::caller()).await.unwrap();
    let twice = connection.execute_batch("INSERT INTO author VALUES (1, 'ann'), (2, 'ann')").await.unwrap_err();
    let explained = db.shared.database(DEFAULT).explain(twice);
    assert_eq!((explained.table(), explained.constraint()), (Some("author"), Some("uq_author_name")));
    let key = connection.execute_batch("INSERT INTO author VALUES (3, 'b'), (3, 'c')").await.unwrap_err();
    assert_eq!(db.shared.database(DEFAULT).explain(key).constraint(), Some("pk_author"));
}
