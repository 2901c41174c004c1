//! Connections that the server's administrator ends.

use aludel::prelude::*;

use super::{every_connection_works, figure, no_transaction_is_open, scale};
use crate::faults_support::{Author, Book, until};
use crate::support::{Backend, TestDb, needs};

/// The connections of the test's pool, as the server numbers them.
fn connections(db: &TestDb) -> Vec<String> {
    db.rows(Backend::current().pick(
        "",
        "SELECT pid FROM pg_stat_activity WHERE application_name = current_setting('application_name') \
         AND pid <> pg_backend_pid()",
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> connection_id()",
    ))
}

/// Ends all connections of the test's pool, and waits until they have gone. What was cut off may be on a new one by then.
async fn terminate(db: &TestDb) {
    let ended = connections(db);
    for id in &ended {
        match Backend::current() {
            Backend::Postgres => drop(db.rows(&format!("SELECT pg_terminate_backend({id})"))),
            // One that has gone by itself in the meantime is what is wanted; any other error is one.
            _ => db.change(&format!("BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; KILL {id}; END")),
        }
    }
    until(async || connections(db).iter().all(|id| !ended.contains(id))).await;
}

/// Waits until the server is at a statement that sleeps.
async fn sleeping(db: &TestDb) {
    let sleeping = Backend::current().pick(
        "",
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name') \
         AND pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'PgSleep'",
        "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User sleep'",
    );
    until(async || db.rows(sleeping) == ["1"]).await;
}

/// A read that takes as long as the first author's name says.
fn slow_read() -> &'static str {
    Backend::current().pick(
        "",
        "SELECT 1 FROM pg_sleep((SELECT CAST(name AS double precision) FROM author WHERE id = 1))",
        "SELECT SLEEP((SELECT name FROM author WHERE id = 1))",
    )
}

/// Lets the read take long, so that it is met, or no time, so that it ends when it is read again.
fn pace(db: &TestDb, seconds: &str) {
    db.change(&format!("UPDATE author SET name = '{seconds}' WHERE id = 1"));
}

/// A write that takes a while.
fn slow_write() -> &'static str {
    Backend::current().pick(
        "",
        "INSERT INTO author (name) SELECT 'slow' FROM pg_sleep(20)",
        "INSERT INTO author (name) SELECT 'slow' FROM (SELECT SLEEP(20)) AS s",
    )
}

async fn library() -> TestDb {
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let session = db.session();
    session.add(Author::build().name("ann"));
    session.commit().await.unwrap();
    db
}

/// What a session is like whose transaction was lost: it says so until it is rolled back, and then goes on.
async fn goes_on_after_a_rollback(db: &TestDb, session: &Session, name: &str) {
    assert_eq!(Author::query().count(session).await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    session.rollback().await.unwrap();
    session.add(Author::build().name(name));
    session.commit().await.unwrap();
    assert_eq!(db.rows("SELECT count(*) FROM author WHERE name IN ('lost', 'slow')"), ["0"]);
}

#[tokio::test]
async fn a_backend_terminated_while_idle_is_not_noticed() {
    needs!(Postgres | MariaDb, "a server's connections");
    let db = library().await;
    let runs = scale(2, 100);
    for run in 0..runs {
        terminate(&db).await;
        assert!(Author::query().count(&db.session()).await.unwrap() > 0, "a read");
        terminate(&db).await;
        let session = db.session();
        session.add(Author::build().name(format!("{run}")));
        session.commit().await.unwrap();
        terminate(&db).await;
        let name = format!("{run} in a transaction");
        db.transaction(async |session| {
            session.add(Author::build().name(name.clone()));
            Ok(())
        })
        .await
        .unwrap();
        // A session that outlives its connection.
        terminate(&db).await;
        assert_eq!(Author::query().count(&session).await.unwrap(), 3 + 2 * run);
    }
    every_connection_works(&db).await;
    figure(
        "Backend terminated while idle",
        &format!(
            "{} times, before a read, a write, a transaction: not noticed, the statement runs on a new one",
            4 * runs
        ),
    );
}

#[tokio::test]
async fn a_backend_terminated_during_a_read_is_read_again_unless_a_transaction_is_lost() {
    needs!(Postgres | MariaDb, "a server's connections");
    let db = library().await;
    let runs = scale(1, 50);
    for run in 0..runs {
        let session = db.session();
        pace(&db, "60.5");
        let read = tokio::spawn(async move { session.sql(slow_read()).all::<i32>().await });
        sleeping(&db).await;
        pace(&db, "0.0");
        terminate(&db).await;
        assert_eq!(read.await.unwrap().unwrap().len(), 1, "it was read again");

        // Before the transaction, whose row MariaDB may lock beside the name that is changed.
        pace(&db, "60.5");
        let session = db.session();
        session.add(Author::build().name("lost"));
        session.flush().await.unwrap();
        let reader = session.clone();
        let read = tokio::spawn(async move { reader.sql(slow_read()).all::<i32>().await });
        sleeping(&db).await;
        terminate(&db).await;
        assert_eq!(read.await.unwrap().unwrap_err().kind(), ErrorKind::Connection);
        goes_on_after_a_rollback(&db, &session, &format!("{run}")).await;
    }
    every_connection_works(&db).await;
    no_transaction_is_open(&db).await;
    figure(
        "Backend terminated during a read",
        &format!(
            "outside of a transaction {runs} times: read again on a new connection, not noticed; within one {runs} times: \
             `Connection`, then `NeedsRollback`, after `rollback()` the session goes on, nothing of the transaction is there"
        ),
    );
}

#[tokio::test]
async fn a_backend_terminated_during_a_write_is_an_error_and_nothing_is_written() {
    needs!(Postgres | MariaDb, "a server's connections");
    let db = library().await;
    let runs = scale(1, 50);
    for run in 0..runs {
        let session = db.session();
        session.add(Author::build().name("lost"));
        session.flush().await.unwrap();
        let writer = session.clone();
        let write = tokio::spawn(async move { writer.sql(slow_write()).execute().await });
        sleeping(&db).await;
        terminate(&db).await;
        assert_eq!(write.await.unwrap().unwrap_err().kind(), ErrorKind::Connection);
        goes_on_after_a_rollback(&db, &session, &format!("{run} write")).await;

        // Between two statements of a transaction: the next one finds out, a commit too.
        let session = db.session();
        session.add(Author::build().name("lost"));
        session.flush().await.unwrap();
        terminate(&db).await;
        let second = session.sql("UPDATE author SET name = name").execute().await;
        assert_eq!(second.unwrap_err().kind(), ErrorKind::Connection);
        goes_on_after_a_rollback(&db, &session, &format!("{run} between")).await;
        session.add(Author::build().name("lost"));
        session.flush().await.unwrap();
        terminate(&db).await;
        assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Connection);
        assert_eq!(db.rows("SELECT count(*) FROM author WHERE name = 'lost'"), ["0"]);
        // A commit that failed has rolled back by itself.
        session.add(Author::build().name(format!("{run} commit")));
        session.commit().await.unwrap();
    }
    every_connection_works(&db).await;
    no_transaction_is_open(&db).await;
    figure(
        "Backend terminated during a write",
        &format!(
            "during a statement, between two, before the commit, {runs} times each: `Connection`, nothing of the \
             transaction is there, the session goes on after `rollback()`"
        ),
    );
}

#[tokio::test]
async fn a_backend_terminated_during_the_commit_is_an_error_and_the_session_has_rolled_back() {
    needs!(Postgres, "a trigger that runs in the commit");
    let db = library().await;
    db.change(
        "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN IF NEW.name = 'lost' THEN PERFORM pg_sleep(20); END IF; RETURN NULL; END $$",
    );
    db.change(
        "CREATE CONSTRAINT TRIGGER lingers AFTER INSERT ON author DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION linger()",
    );
    let runs = scale(1, 50);
    for run in 0..runs {
        let session = db.session();
        session.add(Author::build().name("lost"));
        let writer = session.clone();
        let commit = tokio::spawn(async move { writer.commit().await });
        sleeping(&db).await;
        terminate(&db).await;
        assert_eq!(commit.await.unwrap().unwrap_err().kind(), ErrorKind::Connection);
        assert_eq!(db.rows("SELECT count(*) FROM author WHERE name = 'lost'"), ["0"]);
        session.add(Author::build().name(format!("{run}")));
        session.commit().await.unwrap();
    }
    every_connection_works(&db).await;
    no_transaction_is_open(&db).await;
    figure(
        "Backend terminated during the commit",
        &format!(
            "{runs} times, in a trigger of the commit: `Connection`, nothing of the transaction is there, the session goes on"
        ),
    );
}
