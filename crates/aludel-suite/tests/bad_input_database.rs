//! A database that is not what the program expects, or refuses what it is given: each is an error of its kind that says
//! what, where and the cure.

use aludel::prelude::*;
use support::needs;

mod faults_support;
mod support;
use faults_support::{Author, Book, Shelf, long_query, memory, open, poll_once, says};

#[derive(Model, Clone, Debug)]
#[model(unique(columns(name, email)), check(sql = "age < 150", name = "ck_person_age"))]
struct Person {
    #[column(primary_key)]
    id: i64,
    name: String,
    email: Option<String>,
    age: i32,
    #[column(unique)]
    badge: Option<i64>,
}

#[derive(Model, Clone, Debug)]
#[model(unique(columns(label), name = "one_label"))]
struct Tag {
    #[column(primary_key)]
    code: String,
    label: String,
}

async fn people() -> Db {
    let db = Db::builder().uri("sqlite://").models((Person::TABLE, Tag::TABLE)).connect().await.unwrap();
    db.create_all().await.unwrap();
    db
}

/// The error of connecting, which is the same for `connect` and the builder.
async fn refused(uri: &str) -> Error {
    let error = Db::connect(uri).await.unwrap_err();
    let built = Db::builder().uri(uri).connect().await.unwrap_err();
    assert_eq!(error.to_string(), built.to_string());
    error
}

#[tokio::test]
async fn no_database_configured_names_the_variables_and_the_calls() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let error = Db::builder().connect().await.unwrap_err();
    says(
        &error,
        ErrorKind::Config,
        "no database: either 'ALUDEL_DATABASE_URI', 'DATABASE_URL' or 'SQLALCHEMY_DATABASE_URI' must be set in the environment, or a URI given: Db::connect(\"sqlite:///app.db\"), Config::uri_or(..)",
    );
}

#[tokio::test]
async fn a_url_with_a_typo_says_what_is_wrong_and_how_to_write_it() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    for (uri, expected) in [
        ("", "the database URL is empty; write for example sqlite:///app.db"),
        ("   ", "the database URL is empty; write for example sqlite:///app.db"),
        ("app.db", "the database URL has no scheme; write for example sqlite:///app.db"),
        (
            "sqllite:///app.db",
            "the database URL has the unknown scheme `sqllite`; did you mean `sqlite`? (this build has: sqlite, postgresql, postgres, mysql, mariadb)",
        ),
        (
            "sqlite3:///app.db",
            "the database URL has the unknown scheme `sqlite3`; did you mean `sqlite`? (this build has: sqlite, postgresql, postgres, mysql, mariadb)",
        ),
        (
            "sqlite:app.db",
            "a SQLite URL begins with `sqlite://`; write sqlite:// (in memory), sqlite:///app.db (in the instance folder) or sqlite:////var/lib/app.db (an absolute path, four slashes)",
        ),
        (
            "sqlite:/app.db",
            "a SQLite URL begins with `sqlite://`; write sqlite:// (in memory), sqlite:///app.db (in the instance folder) or sqlite:////var/lib/app.db (an absolute path, four slashes)",
        ),
        (
            "sqlite://app.db",
            "a SQLite URL has no host; write sqlite:// (in memory), sqlite:///app.db (in the instance folder) or sqlite:////var/lib/app.db (an absolute path, four slashes)",
        ),
        (
            "sqlite:///app.db?mod=ro",
            "the database URL has the unknown parameter `mod`; it may have mode, immutable, nolock, vfs, and time limits belong to the engine's options",
        ),
        ("sqlite:///app.db?mode=readonly", "the parameter `mode` of the database URL is one of ro, rw, rwc, memory"),
        (
            "sqlite:///app.db?timeout=5",
            "the database URL has the unknown parameter `timeout`; it may have mode, immutable, nolock, vfs, and time limits belong to the engine's options",
        ),
        (
            "sqlite:///file:app.db?cache=shared",
            "the database URL asks for SQLite's shared cache, in which readers and writers block each other; leave `cache` out",
        ),
        (
            "sqlite:///file:a%zz.db?uri=true",
            "the database URL has a `%` that is not followed by two hexadecimal digits",
        ),
        (
            "sqlite:///file://other/app.db?uri=true",
            "a `file:` URI names no other host; write file:app.db or file:///var/lib/app.db",
        ),
        ("/var/lib/app.db", "the database URL has no scheme; write for example sqlite:///app.db"),
        (
            "hunter2 sqlite:///app.db",
            "the database URL does not begin with a scheme; write for example sqlite:///app.db",
        ),
    ] {
        let error = refused(uri).await;
        says(&error, ErrorKind::Config, expected);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display();
    let error = refused(&format!("sqlite:///{here}/none/app.db")).await;
    let expected = format!(
        "the database `{here}/none/app.db` cannot be opened: the folder `{here}/none` does not exist; create it"
    );
    says(&error, ErrorKind::Connection, &expected);

    std::fs::create_dir(folder.path().join("folder.db")).unwrap();
    let error = refused(&format!("sqlite:///{here}/folder.db")).await;
    let expected = format!("the database `{here}/folder.db` cannot be opened: unable to open database file");
    says(&error, ErrorKind::Connection, &expected);

    // one that is only to be read must be there
    let error = refused(&format!("sqlite:///{here}/absent.db?mode=ro")).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("absent.db") && error.to_string().contains("cannot be opened"), "{error}");
    assert!(!folder.path().join("absent.db").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    std::fs::write(&path, "these are notes, and not a database at all; ".repeat(100)).unwrap();
    let error = refused(&format!("sqlite:///{}", path.display())).await;
    says(&error, ErrorKind::Connection, &format!("the file `{}` is not a SQLite database", path.display()));
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    Author::insert_all((0..500).map(|n| Author::build().name(format!("{n:060}")))).execute(&session).await.unwrap();
    session.commit().await.unwrap();
    shelf.db.close().await;
    drop(session);
    let mut bytes = std::fs::read(shelf.path()).unwrap();
    let page = 4096;
    assert!(bytes.len() > 4 * page);
    bytes[page..].fill(0xa5);
    std::fs::write(shelf.path(), bytes).unwrap();
    let db = open(&shelf.path(), EngineOptions::new()).await;
    let error = Author::query().all(&db.session()).await.unwrap_err();
    says(
        &error,
        ErrorKind::Connection,
        &format!(
            "the database `{}` is damaged: database disk image is malformed; restore it from a backup",
            shelf.path().display()
        ),
    );
}

#[tokio::test]
async fn a_database_that_is_only_for_reading_can_be_read_and_says_so_when_written() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    session.add(Author::build().name("ann"));
    session.commit().await.unwrap();
    let uri = format!("sqlite:///{}?mode=ro", shelf.path().display());
    let db = Db::builder().uri(uri).models((Author::TABLE, Book::TABLE)).connect().await.unwrap();
    let session = db.session();
    let ann = Author::query().one(&session).await.unwrap();
    ann.set(Author::name, "bob");
    let error = session.commit().await.unwrap_err();
    says(&error, ErrorKind::ReadOnly, &format!("the database `{}` is read-only", shelf.path().display()));
    session.rollback().await.unwrap();
    assert_eq!(Author::query().one(&session).await.unwrap().name, "ann");
    // the tables are there, so that there is nothing to write
    db.create_all().await.unwrap();
    assert_eq!(db.drop_all().await.unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[tokio::test]
async fn a_full_disk_is_an_error_of_its_own_and_nothing_is_written() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = memory(EngineOptions::new()).await;
    let session = db.session();
    session.sql("PRAGMA max_page_count = 20").all::<i64>().await.unwrap();
    let rows = (0..2000).map(|n| Author::build().name(format!("{n:0200}")));
    let error = Author::insert_all(rows).execute(&session).await.unwrap_err();
    says(&error, ErrorKind::DiskFull, "the disk is full: the database cannot grow");
    session.rollback().await.unwrap();
    assert_eq!(Author::query().count(&session).await.unwrap(), 0);
}

#[tokio::test]
async fn a_missing_table_is_named_with_the_cure() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = Db::builder().uri("sqlite://").models(Person::TABLE).connect().await.unwrap();
    let session = db.session();
    let read = Person::query().all(&session).await.unwrap_err();
    session.add(Person::build().name("ann").age(7));
    let write = session.flush().await.unwrap_err();
    session.rollback().await.unwrap();
    let raw = session.sql("SELECT 1 FROM main.person").all::<i64>().await.unwrap_err();
    for error in [read, write, raw] {
        says(
            &error,
            ErrorKind::MissingTable,
            "the table `person` does not exist; create it with `db.create_all()` or by a migration",
        );
        assert_eq!(error.table(), Some("person"));
        assert!(error.statement().is_some_and(|sql| sql.contains("person")), "{error:?}");
    }
}

#[tokio::test]
async fn a_missing_column_is_named() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = Db::builder().uri("sqlite://").models(Person::TABLE).connect().await.unwrap();
    let session = db.session();
    session
        .sql("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INT)")
        .execute()
        .await
        .unwrap();
    session.commit().await.unwrap();
    let read = Person::query().all(&session).await.unwrap_err();
    let get = session.get::<Person>(1).await.unwrap_err();
    let filter = Person::query().filter(Person::badge.eq(1)).count(&session).await.unwrap_err();
    session.add(Person::build().name("ann").age(7).badge(1));
    let insert = session.flush().await.unwrap_err();
    session.rollback().await.unwrap();
    for (error, table) in [(read, Some("person")), (get, None), (filter, Some("person")), (insert, Some("person"))] {
        let of = table.map_or(String::new(), |table| format!(" of `{table}`"));
        let expected = format!("the column `badge`{of} does not exist in the database; is a migration missing?");
        says(&error, ErrorKind::MissingTable, &expected);
        assert_eq!((error.table(), error.columns()), (table, &["badge".to_owned()][..]));
    }
}

#[tokio::test]
async fn a_unique_violation_names_its_table_columns_and_constraint() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = people().await;
    let session = db.session();
    session.add(Person::build().name("ann").email("a@x".to_owned()).age(7).badge(1));
    session.add(Tag::build().code("a").label("x"));
    session.commit().await.unwrap();
    let flush = async || {
        let error = session.flush().await.unwrap_err();
        session.rollback().await.unwrap();
        error
    };
    session.add(Person::build().name("ann").email("a@x".to_owned()).age(8));
    let pair = flush().await;
    session.add(Person::build().name("bob").age(8).badge(1));
    let single = flush().await;
    session.add(Person::build().id(1).name("bob").age(8));
    let key = flush().await;
    session.add(Tag::build().code("a").label("y"));
    let text_key = flush().await;
    session.add(Tag::build().code("b").label("x"));
    let named = flush().await;
    let raw = session.sql("INSERT INTO person (name, age, badge) VALUES ('c', 1, 1)").execute().await.unwrap_err();
    session.rollback().await.unwrap();
    let bulk = Person::query().update(Person::id.set(1)).execute(&session).await;
    assert_eq!(bulk.unwrap(), 1);
    for (error, table, columns, constraint, expected) in [
        (
            pair,
            "person",
            "name email",
            "uq_person_name_email",
            "`person` has a row with the same `name`, `email` already",
        ),
        (single, "person", "badge", "uq_person_badge", "`person` has a row with the same `badge` already"),
        (key, "person", "id", "pk_person", "`person` has a row with the same `id` already"),
        (text_key, "tag", "code", "pk_tag", "`tag` has a row with the same `code` already"),
        (named, "tag", "label", "one_label", "`tag` has a row with the same `label` already"),
        (raw, "person", "badge", "uq_person_badge", "`person` has a row with the same `badge` already"),
    ] {
        says(&error, ErrorKind::UniqueViolation, expected);
        assert_eq!((error.table(), error.columns().join(" ").as_str()), (Some(table), columns));
        assert_eq!(error.constraint(), Some(constraint));
        assert!(error.statement().unwrap().starts_with("INSERT INTO"));
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[tokio::test]
async fn a_unique_index_of_an_expression_is_named() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = people().await;
    let session = db.session();
    session.sql("CREATE UNIQUE INDEX one_name ON person (lower(name))").execute().await.unwrap();
    session.add(Person::build().name("ann").age(7));
    session.commit().await.unwrap();
    session.add(Person::build().name("ANN").age(7));
    let error = session.flush().await.unwrap_err();
    says(&error, ErrorKind::UniqueViolation, "the unique index `one_name` has such a row already");
    assert_eq!(error.constraint(), Some("one_name"));
}

#[tokio::test]
async fn a_check_violation_names_its_constraint() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = people().await;
    let session = db.session();
    session.add(Person::build().name("methuselah").age(969));
    let error = session.flush().await.unwrap_err();
    says(&error, ErrorKind::CheckViolation, "the check constraint `ck_person_age` refused the row (table `person`)");
    assert_eq!(error.constraint(), Some("ck_person_age"));
    assert_eq!(error.table(), Some("person"));
}

#[tokio::test]
async fn a_not_null_violation_names_its_column_whoever_finds_it() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    // The database says that `email` may not be NULL, the model says that it may.
    let db = Db::builder().uri("sqlite://").models(Person::TABLE).connect().await.unwrap();
    let session = db.session();
    let ddl =
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INT, badge INT)";
    session.sql(ddl).execute().await.unwrap();
    session.commit().await.unwrap();
    session.add(Person::build().name("ann").age(7));
    let insert = session.flush().await.unwrap_err();
    session.rollback().await.unwrap();
    let ann = session.add(Person::build().name("ann").email("a@x".to_owned()).age(7));
    session.commit().await.unwrap();
    ann.set(Person::email, None);
    let update = session.flush().await.unwrap_err();
    session.rollback().await.unwrap();
    for error in [insert, update] {
        says(&error, ErrorKind::NotNullViolation, "`email` of `person` may not be NULL; give it a value");
        assert_eq!((error.table(), error.columns()), (Some("person"), &["email".to_owned()][..]));
    }
}

#[tokio::test]
async fn a_foreign_key_violation_says_both_ways_that_it_can_happen() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = memory(EngineOptions::new()).await;
    let session = db.session();
    session.add(Book::build().title("nobody's").author_id(99));
    let orphan = session.flush().await.unwrap_err();
    session.rollback().await.unwrap();
    session.add(Book::build().title("hers").author(Author::build().name("ann")));
    session.commit().await.unwrap();
    let in_use = session.sql("DELETE FROM author").execute().await.unwrap_err();
    session.rollback().await.unwrap();
    let bulk = Author::query().delete().execute(&session).await.unwrap_err();
    session.rollback().await.unwrap();
    let insert = Book::insert_all([Book::build().title("x").author_id(99)]).execute(&session).await.unwrap_err();
    session.rollback().await.unwrap();
    let ann = Author::query().one(&session).await.unwrap();
    session.delete(&ann);
    let delete = session.flush().await.unwrap_err();
    session.rollback().await.unwrap();
    for (error, table, expected) in [
        (
            orphan,
            Some("book"),
            "a row of `book` points at a row that does not exist (`author_id` at `author.id`), or others still point at it",
        ),
        (in_use, None, "a foreign key refused the row: its parent does not exist, or rows still point at it"),
        (
            bulk,
            Some("author"),
            "a foreign key refused the row: its parent does not exist, or rows still point at it (table `author`)",
        ),
        (
            insert,
            Some("book"),
            "a foreign key refused the row: its parent does not exist, or rows still point at it (table `book`)",
        ),
        (
            delete,
            Some("author"),
            "a row of `author` that was to be deleted is still pointed at by others; delete those first, or declare the relationship to them with cascade = \"all, delete\"",
        ),
    ] {
        says(&error, ErrorKind::ForeignKeyViolation, expected);
        assert_eq!(error.table(), table);
    }
    assert_eq!(Book::query().count(&session).await.unwrap(), 1);
    // the row that could not be deleted is the session's as before
    assert_eq!(session.get::<Author>(ann.id).await.unwrap(), Some(ann));
}

#[tokio::test]
async fn a_deferred_foreign_key_refuses_the_commit_and_rolls_everything_back() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = Db::builder().uri("sqlite://").models((Author::TABLE, Book::TABLE)).connect().await.unwrap();
    let session = db.session();
    for ddl in [
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT,
         author_id INT REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED)",
    ] {
        session.sql(ddl).execute().await.unwrap();
    }
    session.commit().await.unwrap();
    let book = session.add(Book::build().title("nobody's").author_id(99));
    session.flush().await.unwrap();
    assert!(book.is_persistent());
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    assert!(!book.is_persistent());
    assert_eq!(Book::query().count(&session).await.unwrap(), 0);
}

#[tokio::test]
async fn a_row_that_was_deleted_elsewhere_is_stale_data_when_it_is_changed() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    let ann = session.add(Author::build().name("ann"));
    let bob = session.add(Author::build().name("bob"));
    session.commit().await.unwrap();
    shelf.outside().execute("DELETE FROM author", []).unwrap();
    ann.set(Author::name, "anna");
    let error = session.commit().await.unwrap_err();
    says(
        &error,
        ErrorKind::StaleData,
        "the row of `author` with the key 1 was to be changed, and is not in the database any more; roll back, and get it again",
    );
    assert_eq!(error.table(), Some("author"));
    session.rollback().await.unwrap();
    assert_eq!((ann.name.as_str(), session.get::<Author>(1).await.unwrap()), ("ann", None));
    // what was to be deleted and is gone is no error
    session.delete(&bob);
    session.commit().await.unwrap();
    says(&session.refresh(&ann).await.unwrap_err(), ErrorKind::NotFound, "no row of `author` has the key 1");
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for_and_then_named_busy() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let limit = Duration::from_millis(50);
    let shelf = Shelf::with(EngineOptions::new().busy_timeout(limit)).await;
    let session = shelf.db.session();
    let outside = shelf.outside();
    outside.execute_batch("BEGIN IMMEDIATE; INSERT INTO author (name) VALUES ('theirs')").unwrap();
    // reading goes on
    assert_eq!(Author::query().count(&session).await.unwrap(), 0);
    session.add(Author::build().name("ours"));
    let error = session.commit().await.unwrap_err();
    says(
        &error,
        ErrorKind::Busy,
        "the database stayed locked by another connection for the whole busy timeout; run the transaction again, or raise the timeout",
    );
    assert!(error.is_retryable());
    outside.execute_batch("COMMIT").unwrap();
    session.rollback().await.unwrap();
    session.add(Author::build().name("ours"));
    session.commit().await.unwrap();
    assert_eq!(shelf.names(), ["ours", "theirs"]);
}

#[tokio::test]
async fn another_process_that_ends_in_time_is_not_noticed() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let shelf = Shelf::with(EngineOptions::new().busy_timeout(Duration::from_secs(60))).await;
    let (outside, (begun, is_begun), (go, is_gone)) =
        (shelf.outside(), std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let writer = std::thread::spawn(move || {
        outside.execute_batch("BEGIN IMMEDIATE; INSERT INTO author (name) VALUES ('theirs')").unwrap();
        begun.send(()).unwrap();
        is_gone.recv().unwrap();
        outside.execute_batch("COMMIT").unwrap();
    });
    is_begun.recv().unwrap();
    let session = shelf.db.session();
    session.add(Author::build().name("ours"));
    let mut commit = Box::pin(session.commit());
    assert!(poll_once(commit.as_mut()).is_pending());
    go.send(()).unwrap();
    commit.await.unwrap();
    writer.join().unwrap();
    assert_eq!(shelf.names(), ["ours", "theirs"]);
}

#[tokio::test]
async fn a_writer_of_the_same_program_that_does_not_end_is_named_by_file_and_line() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let shelf = Shelf::with(EngineOptions::new().busy_timeout(Duration::from_millis(20))).await;
    let (one, other) = (shelf.db.session(), shelf.db.session());
    one.begin().await.unwrap();
    let line = line!() - 1;
    other.add(Author::build().name("ann"));
    let error = other.flush().await.unwrap_err();
    let expected = format!(
        "the database is being written by the transaction begun at {}:{line}, which did not end within 20ms; end it \
         before beginning another, or raise the busy timeout",
        file!()
    );
    says(&error, ErrorKind::Busy, &expected);
    one.rollback().await.unwrap();
    other.rollback().await.unwrap();
    other.add(Author::build().name("ann"));
    other.commit().await.unwrap();
}

#[tokio::test]
async fn a_pool_that_is_used_up_names_those_who_hold_its_connections() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let options = EngineOptions::new().pool_size(1).max_overflow(1).pool_timeout(Duration::from_millis(20));
    let shelf = Shelf::with(options).await;
    let (one, other, third) = (shelf.db.session(), shelf.db.session(), shelf.db.session());
    one.begin().await.unwrap();
    let first = line!() - 1;
    let mut slow = Box::pin(long_query(&other));
    assert!(poll_once(slow.as_mut()).is_pending());
    let error = Author::query().count(&third).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    let text = error.to_string();
    let begin = "no connection came free within 20ms; all 2 are held, by ";
    let end = ": end transactions and streams sooner, or raise `pool_size` or `max_overflow`";
    assert!(text.starts_with(begin) && text.ends_with(end), "{text}");
    assert!(text.contains(&format!("{}:{first}", file!())) && text.contains("faults_support/mod.rs:"), "{text}");
    assert!(!error.is_retryable());
    drop(slow);
    assert_eq!(Author::query().count(&third).await.unwrap(), 0);
    one.rollback().await.unwrap();
}

#[tokio::test]
async fn the_one_connection_of_a_database_in_memory_names_who_holds_it() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = memory(EngineOptions::new().pool_timeout(Duration::from_millis(20))).await;
    let (one, other) = (db.session(), db.session());
    one.begin().await.unwrap();
    let line = line!() - 1;
    let error = Author::query().count(&other).await.unwrap_err();
    let expected = format!(
        "the one connection of the pool did not come free within 20ms; it is held by {}:{line}: end that transaction or \
         stream first",
        file!()
    );
    says(&error, ErrorKind::PoolTimeout, &expected);
}

#[tokio::test]
async fn a_database_that_is_closed_says_so() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let shelf = Shelf::new().await;
    shelf.db.close().await;
    let error = Author::query().count(&shelf.db.session()).await.unwrap_err();
    says(&error, ErrorKind::Connection, "the database was closed by `db.close()`; connect again");
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_is_not_gone_on_with() {
    needs!(Sqlite, "the files and texts of SQLite's errors");
    let db = people().await;
    let session = db.session();
    let ann = session.add(Person::build().name("ann").age(7).badge(1));
    session.commit().await.unwrap();
    ann.set(Person::age, 8);
    session.flush().await.unwrap();
    let insert = "INSERT OR ROLLBACK INTO person (name, age, badge) VALUES ('bob', 1, 1)";
    assert_eq!(session.sql(insert).execute().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    // What would follow now would be committed by itself.
    let error = session.sql("INSERT INTO person (name, age) VALUES ('cid', 1)").execute().await.unwrap_err();
    says(
        &error,
        ErrorKind::NeedsRollback,
        "a flush of this session failed or was cut short, or the database ended its transaction, so that what was done since the last commit is not known; call `session.rollback().await` first",
    );
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    session.rollback().await.unwrap();
    assert_eq!(ann.age, 7);
    assert_eq!(Person::query().select(Person::name).all(&session).await.unwrap(), ["ann"]);
}
