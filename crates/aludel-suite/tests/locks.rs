//! Reads that lock the rows they find, with two sessions that really meet.

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct Job {
    #[column(primary_key)]
    id: i64,
    name: String,
    done: bool,
    #[column(references = Worker::id)]
    worker_id: Option<i64>,
    #[relationship(back_populates = jobs)]
    worker: One<Option<Worker>>,
}

#[derive(Model, Clone, Debug)]
struct Worker {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = worker)]
    jobs: Many<Job>,
}

async fn filled() -> TestDb {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO worker (id, name) VALUES (1, 'ann');
         INSERT INTO job (id, name, done, worker_id) VALUES (1, 'one', FALSE, 1), (2, 'two', FALSE, NULL), (3, 'three', FALSE, NULL);",
    );
    db
}

fn job(id: i64) -> Query<Job> {
    Job::query().filter(Job::id.eq(id))
}

#[tokio::test]
async fn a_locking_read_opens_the_transaction_and_the_lock_lasts_until_its_end() -> Result<()> {
    needs!(Postgres | MariaDb, "SQLite locks no rows");
    let db = filled().await;
    let (first, second) = (db.session(), db.session());
    job(1).for_update().one(&first).await?;
    assert_eq!(db.statements()[0], "BEGIN");
    let error = job(1).for_update().nowait().one(&second).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    second.rollback().await?;
    assert_eq!(job(2).for_update().nowait().one(&second).await?.name, "two", "another row is free");
    second.rollback().await?;
    first.commit().await?;
    assert_eq!(job(1).for_update().nowait().one(&second).await?.name, "one", "and this one now too");
    second.rollback().await
}

#[tokio::test]
async fn who_waits_for_a_lock_reads_what_was_written_under_it() -> Result<()> {
    needs!(Postgres | MariaDb, "SQLite locks no rows");
    let db = filled().await;
    let (first, second) = (db.session(), db.session());
    // the second session has the row already, as it was
    let seen = job(1).one(&second).await?;
    let held = job(1).for_update().one(&first).await?;
    let waiting = tokio::spawn(async move {
        let locked = job(1).for_update().one(&second).await?;
        assert_eq!(locked, seen);
        let name = seen.detach().name;
        second.rollback().await?;
        Ok::<_, Error>((name, seen.detach().name))
    });
    while !waiting.is_finished() && !somebody_waits(&db) {
        // What MariaDB says of transactions is new only where nobody has asked for a tenth of a second.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert!(!waiting.is_finished(), "it waits");
    held.set(Job::name, "changed");
    first.commit().await?;
    let (locked, after) = waiting.await.expect("no panic")?;
    assert_eq!((locked.as_str(), after.as_str()), ("changed", "one"), "a rollback goes back to what was read before");
    Ok(())
}

/// Whether a session of the database waits for a lock on a row.
fn somebody_waits(db: &TestDb) -> bool {
    let sql = match Backend::current() {
        Backend::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%' AND datname = current_database()"
        }
        _ => {
            "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id WHERE trx_state = 'LOCK WAIT' AND db = database()"
        }
    };
    db.rows(sql) != ["0"]
}

#[tokio::test]
async fn workers_take_different_jobs_with_skip_locked() -> Result<()> {
    needs!(Postgres | MariaDb, "SQLite locks no rows");
    let db = filled().await;
    let next = || Job::query().filter(Job::done.eq(false)).order_by(Job::id).for_update().skip_locked();
    let (first, second) = (db.session(), db.session());
    let one = next().first(&first).await?.expect("a job");
    let two = next().first(&second).await?.expect("a job");
    assert_eq!((one.id, two.id), (1, 2));
    one.set(Job::done, true);
    first.commit().await?;
    second.rollback().await?;
    assert_eq!(next().limit(1).all(&first).await?[0].id, 2);
    first.rollback().await?;
    assert_eq!(db.rows("SELECT count(*) FROM job WHERE done"), ["1"]);
    Ok(())
}

#[tokio::test]
async fn shared_locks_go_together_and_keep_writers_out() -> Result<()> {
    needs!(Postgres | MariaDb, "SQLite locks no rows");
    let db = filled().await;
    let (first, second) = (db.session(), db.session());
    job(1).for_share().one(&first).await?;
    job(1).for_share().nowait().one(&second).await?;
    second.rollback().await?;
    let error = job(1).for_update().nowait().one(&second).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    second.rollback().await?;
    first.rollback().await
}

#[tokio::test]
async fn only_the_rows_of_one_table_are_locked() -> Result<()> {
    needs!(Postgres, "MariaDB has no OF");
    let db = filled().await;
    let (first, second) = (db.session(), db.session());
    job(1).join(Job::worker).for_update().of(Job::TABLE).one(&first).await?;
    Worker::query().for_update().nowait().one(&second).await?;
    second.rollback().await?;
    first.rollback().await?;
    // rows that an outer join may lack are not locked
    let worker = Worker::alias("w");
    job(2).left_join(Job::worker.to(&worker)).for_update().one(&first).await?;
    assert!(db.statements().iter().any(|sql| sql.ends_with(r#"FOR UPDATE OF "job""#)));
    first.rollback().await
}

#[tokio::test]
async fn relationships_are_loaded_beside_a_lock() -> Result<()> {
    needs!(Postgres | MariaDb, "SQLite locks no rows");
    let db = filled().await;
    let session = db.session();
    let job = job(1).with(Job::worker).for_update().one(&session).await?;
    assert_eq!(job.worker.get()?.expect("a worker").name, "ann");
    assert_eq!(db.work().len(), 2);
    session.rollback().await
}

#[tokio::test]
async fn sqlite_refuses_with_the_cure() -> Result<()> {
    needs!(Sqlite, "servers lock rows");
    let db = filled().await;
    let session = db.session();
    for error in [
        job(1).for_update().one(&session).await.unwrap_err(),
        job(1).for_share().skip_locked().first(&session).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.to_string(),
            "for_update() and for_share(): SQLite locks the whole database and no rows; call `session.begin()`, which keeps all other writers out, before you read"
        );
    }
    assert!(db.statements().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_locked_is_an_error() {
    let db = filled().await;
    let session = &db.session();
    let grouped = Job::query().group_by(Job::done).for_update().select(count_all()).all(session).await.unwrap_err();
    let count = Job::query().for_update().count(session).await.unwrap_err();
    let exists = Job::query().for_update().exists(session).await.unwrap_err();
    let inner = Worker::query().filter(Worker::id.in_(Job::query().for_update().select(Job::id))).all(session).await;
    let stream = Job::query().for_update().stream(session).next().await.expect("an item").unwrap_err();
    let of = Job::query().for_update().of(Worker::TABLE).all(session).await.unwrap_err();
    for (error, expected) in [
        (
            grouped,
            "for_update(): rows that are gathered by group_by, having or distinct cannot be locked; lock them in a query of their own",
        ),
        (count, "for_update(): `count` locks no rows; use `all`, `first` or `one`"),
        (exists, "for_update(): `exists` locks no rows; use `all`, `first` or `one`"),
        (inner.unwrap_err(), "filter(..): for_update(): `a subquery` locks no rows; use `all`, `first` or `one`"),
        (stream, "for_update(): a stream reads on a connection of its own, where a lock would not last; use `all`"),
        (of, "of(worker): this query does not select from it"),
    ] {
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidStatement, expected));
    }
}
