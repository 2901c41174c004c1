//! Several databases behind one session.

use aludel::ErrorKind;
use aludel::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(back_populates = user)]
    events: Many<Event>,
}

#[derive(Model, Clone, Debug)]
#[model(bind = "audit")]
struct Event {
    #[column(primary_key)]
    id: i64,
    what: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = events)]
    user: One<User>,
}

/// The same table in another database.
mod archive {
    use aludel::prelude::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "user", bind = "archive")]
    pub(super) struct User {
        #[column(primary_key)]
        pub(super) id: i64,
        pub(super) name: String,
    }
}

struct Files {
    db: Db,
    folder: TempDir,
}

impl Files {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uri = |name: &str| format!("sqlite:///{}", folder.path().join(name).display());
        let db = Db::builder().uri(uri("main")).bind("audit", uri("audit")).bind("archive", uri("archive"));
        let db = db.connect().await.unwrap();
        db.create_all().await.unwrap();
        Self { db, folder }
    }

    fn outside(&self, name: &str) -> Connection {
        Connection::open(self.folder.path().join(name)).unwrap()
    }

    fn count(&self, file: &str, table: &str) -> i64 {
        self.outside(file).query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0)).unwrap()
    }

    fn tables(&self, file: &str) -> Vec<String> {
        let connection = self.outside(file);
        let mut statement =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

#[tokio::test]
async fn each_table_is_in_the_database_of_its_bind() {
    let files = Files::new().await;
    assert_eq!(files.tables("main"), ["user"]);
    assert_eq!(files.tables("audit"), ["event"]);
    assert_eq!(files.tables("archive"), ["user"]);
    assert_eq!(format!("{:?}", files.db).matches(" +2 engines>").count(), 1);
    assert_eq!(files.db.metadata_of("audit").unwrap().tables().len(), 1);
    assert!(files.db.reflect_of("audit").await.unwrap().table("event").is_some());
    files.db.drop_all_of("audit").await.unwrap();
    assert!(files.tables("audit").is_empty() && !files.tables("main").is_empty());
    files.db.create_all_of("audit").await.unwrap();
    assert_eq!(files.tables("audit"), ["event"]);
}

#[tokio::test]
async fn one_flush_and_one_commit_write_to_all_databases() -> Result<()> {
    let files = Files::new().await;
    let session = files.db.session();
    let ann = session.add(User::build().name("ann").events([Event::build().what("created")]));
    session.add(archive::User::build().name("old"));
    session.flush().await?;
    assert!(ann.id > 0 && ann.events.get()?.iter().all(|event| event.user_id == ann.id));
    assert_eq!((files.count("main", "user"), files.count("audit", "event")), (0, 0), "nothing is committed");
    session.commit().await?;
    assert_eq!((files.count("main", "user"), files.count("audit", "event"), files.count("archive", "user")), (1, 1, 1));

    // Read, changed and deleted where they are.
    let session = files.db.session();
    let event = Event::query().filter(Event::what.eq("created")).one(&session).await?;
    event.set(Event::what, "seen");
    assert_eq!(event.load(Event::user).await?.name, "ann");
    let ann = User::query().with(User::events).one(&session).await?;
    assert_eq!(ann.events.get()?.len(), 1, "selected from the other database");
    session.delete(&archive::User::query().one(&session).await?);
    session.commit().await?;
    let what: String = files.outside("audit").query_row("SELECT what FROM event", [], |row| row.get(0)).unwrap();
    assert_eq!((what.as_str(), files.count("archive", "user")), ("seen", 0));
    Ok(())
}

#[tokio::test]
async fn a_rollback_is_one_of_all_databases_and_so_is_a_savepoints() -> Result<()> {
    let files = Files::new().await;
    let session = files.db.session();
    session.add(User::build().name("ann"));
    session.flush().await?;
    let savepoint = session.begin_nested().await?;
    session.add(User::build().name("bob"));
    session.add(Event::build().what("begun after the savepoint").user_id(1));
    session.flush().await?;
    savepoint.rollback().await?;
    session.add(Event::build().what("kept").user_id(1));
    session.commit().await?;
    assert_eq!((files.count("main", "user"), files.count("audit", "event")), (1, 1));

    session.add(User::build().name("cid"));
    session.add(Event::build().what("lost").user_id(1));
    session.flush().await?;
    session.rollback().await?;
    assert_eq!((files.count("main", "user"), files.count("audit", "event")), (1, 1));

    // A failure in one database undoes what was written to the others.
    session.add(Event::build().what("lost").user_id(1));
    session.flush().await?;
    session.add(User::build().name("ann"));
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    session.rollback().await?;
    assert_eq!((files.count("main", "user"), files.count("audit", "event")), (1, 1));
    Ok(())
}

#[tokio::test]
async fn raw_statements_bulk_writes_and_streams_go_where_they_belong() -> Result<()> {
    let files = Files::new().await;
    let session = files.db.session();
    Event::insert_all((0..3).map(|n| Event::build().what(format!("e{n}")).user_id(n))).execute(&session).await?;
    Event::query().filter(Event::what.eq("e0")).delete().execute(&session).await?;
    assert_eq!(Event::query().count(&session).await?, 2);
    let raw: i64 = session.sql("SELECT count(*) FROM event").on("audit").one().await?;
    assert_eq!(raw, 2);
    let error = session.sql("SELECT count(*) FROM event").one::<i64>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable, "the default database has no such table: {error}");
    session.commit().await?;
    let mut stream = Event::query().order_by(Event::id).stream(&session);
    let mut seen = Vec::new();
    while let Some(event) = stream.next().await {
        seen.push(event?.what);
    }
    assert_eq!(seen, ["e1", "e2"]);
    Ok(())
}

#[tokio::test]
async fn a_bind_that_is_not_set_is_named_with_its_cure() -> Result<()> {
    let db = Db::builder().uri("sqlite://").connect().await?;
    let session = db.session();
    let error = Event::query().count(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(text.contains("`Event`") && text.contains("the bind `audit` is not set"), "{text}");
    assert!(text.contains("ALUDEL_BINDS__AUDIT"), "{text}");
    assert_eq!(db.create_all().await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(session.sql("SELECT 1").on("nowhere").one::<i64>().await.unwrap_err().kind(), ErrorKind::Config);
    let error = Db::builder().uri("sqlite://").bind("audit", "sqlit://").connect().await.unwrap_err();
    assert!(error.to_string().starts_with("bind `audit`: "), "{error}");
    Ok(())
}

#[tokio::test]
async fn no_statement_joins_two_databases() -> Result<()> {
    let files = Files::new().await;
    let session = files.db.session();
    let error = User::query().join(User::events).all(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("different databases"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_test_database_has_all_binds() -> Result<()> {
    let db = Db::test().await?;
    let session = db.session();
    session.add(User::build().name("ann").events([Event::build().what("x")]));
    session.commit().await?;
    assert_eq!(Event::query().count(&session).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_commit_that_fails_after_another_has_succeeded_names_both() -> Result<()> {
    let files = Files::new().await;
    files
        .outside("audit")
        .execute_batch(
            "CREATE TABLE child (id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let session = files.db.session();
    session.add(User::build().name("ann"));
    session.sql("INSERT INTO child VALUES (1, 99)").on("audit").execute().await?;
    session.add(archive::User::build().name("old"));
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCommit);
    let text = error.to_string();
    assert!(text.starts_with("the bind `audit` could not commit, after the default database had committed"), "{text}");
    assert_eq!((files.count("main", "user"), files.count("audit", "child"), files.count("archive", "user")), (1, 0, 0));
    // The session goes on.
    session.add(archive::User::build().name("new"));
    session.commit().await?;
    assert_eq!(files.count("archive", "user"), 1);
    Ok(())
}
