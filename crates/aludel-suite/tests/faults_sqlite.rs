//! SQLite under load: many writers, full pools, two databases, a database in memory, a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use support::needs;

use aludel::prelude::*;

mod faults_support;
mod support;
use faults_support::{Author, Book, Shelf, memory, open, poll_once, until};

#[derive(Model, Clone, Debug)]
struct Counter {
    #[column(primary_key)]
    id: i64,
    value: i64,
}

/// A file with one counter at 0.
async fn counting(options: EngineOptions) -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = connect(&folder, options).await;
    db.create_all().await.unwrap();
    let session = db.session();
    session.add(Counter::build().value(0));
    session.commit().await.unwrap();
    (db, folder)
}

async fn connect(folder: &tempfile::TempDir, options: EngineOptions) -> Db {
    let uri = format!("sqlite:///{}/count.db", folder.path().display());
    Db::builder().uri(uri).engine(options).models((Counter::TABLE, Author::TABLE, Book::TABLE)).connect().await.unwrap()
}

async fn value(db: &Db) -> i64 {
    db.session().get_one::<Counter>(1).await.unwrap().value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_tasks_that_write_at_once_no_write_is_lost_and_none_is_told_busy() {
    needs!(Sqlite, "faults of a file");
    let (db, _folder) = counting(EngineOptions::new()).await;
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let db = db.clone();
            tokio::spawn(async move {
                for round in 0..8 {
                    // read, think, write: what was read is still true when it is written
                    db.transaction(async |session| {
                        let counter = session.get_one::<Counter>(1).await?;
                        tokio::task::yield_now().await;
                        counter.set(Counter::value, counter.value + 1);
                        Ok(())
                    })
                    .await?;
                    // a session of its own, as a request has
                    let session = db.session();
                    session.add(Author::build().name(format!("{task}-{round}")));
                    session.commit().await?;
                    // in one statement, without a transaction before the read
                    let session = db.session();
                    Counter::query().update(Counter::value.set(Counter::value + 1000)).execute(&session).await?;
                    session.commit().await?;
                    // and readers beside them
                    Author::query().count(&db.session()).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(value(&db).await, 64 * 8 * 1001);
    assert_eq!(Author::query().count(&db.session()).await.unwrap(), 64 * 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_engines_on_one_file_queue_together() {
    needs!(Sqlite, "faults of a file");
    let (one, folder) = counting(EngineOptions::new()).await;
    // the same file by another path
    std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
    let uri = format!("sqlite:///{}/link/count.db", folder.path().display());
    let other = Db::builder().uri(uri).models(Counter::TABLE).connect().await.unwrap();
    let tasks: Vec<_> = (0..32)
        .map(|task| {
            let db = if task % 2 == 0 { one.clone() } else { other.clone() };
            tokio::spawn(async move {
                for _ in 0..10 {
                    db.transaction(async |session| {
                        let counter = session.get_one::<Counter>(1).await?;
                        counter.set(Counter::value, counter.value + 1);
                        Ok(())
                    })
                    .await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((value(&one).await, value(&other).await), (320, 320));
    // A writer of the one holds up the other, by name and not by chance.
    let holder = one.session();
    holder.begin().await.unwrap();
    let mut waiting = Box::pin(async { other.session().begin().await });
    assert!(poll_once(waiting.as_mut()).is_pending());
    holder.rollback().await.unwrap();
    waiting.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_of_another_process_cost_time_and_no_write() {
    needs!(Sqlite, "faults of a file");
    let (db, folder) = counting(EngineOptions::new().busy_timeout(Duration::from_secs(60))).await;
    let path = folder.path().join("count.db");
    // Another driver, that does not queue with us: as another process would.
    let others: Vec<_> = (0..2)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.busy_timeout(Duration::from_secs(60)).unwrap();
                for _ in 0..50 {
                    connection.execute_batch("BEGIN IMMEDIATE; UPDATE counter SET value = value + 1; COMMIT").unwrap();
                }
            })
        })
        .collect();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    db.transaction(async |session| {
                        let counter = session.get_one::<Counter>(1).await?;
                        counter.set(Counter::value, counter.value + 1);
                        Ok(())
                    })
                    .await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(value(&db).await, 180);
}

#[tokio::test]
async fn a_pool_serves_all_who_wait_in_turn_and_opens_no_more_than_it_may() {
    needs!(Sqlite, "faults of a file");
    let options = EngineOptions::new().pool_size(2).max_overflow(1).pool_timeout(Duration::from_secs(60));
    let shelf = Shelf::with(options).await;
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (db, now, most) = (shelf.db.clone(), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let mut rows = Author::query().stream(&db.session());
                let session = db.session();
                // a stream holds a connection until its end
                let one = session.sql("SELECT 1").one::<i64>().await?;
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                while let Some(row) = rows.next().await {
                    row?;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Error>(one)
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), 1);
    }
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .filter(|target| *target == shelf.path())
            .count()
    };
    // What the pool does not keep may be closed by the thread that has read for a stream, after the last row.
    until(async || (1..=2).contains(&open())).await;
}

#[tokio::test]
async fn who_waited_in_vain_leaves_the_pool_as_it_was() {
    needs!(Sqlite, "faults of a file");
    let options = EngineOptions::new().pool_size(1).max_overflow(1).pool_timeout(Duration::from_millis(5));
    let shelf = Shelf::with(options).await;
    for _ in 0..3 {
        let holders = [shelf.db.session(), shelf.db.session()];
        holders[0].begin().await.unwrap();
        let names = (0..600).map(|number| Author::build().name(format!("{number}")));
        Author::insert_all(names).execute(&holders[0]).await.unwrap();
        let mut stream = Author::query().stream(&holders[1]);
        let _ = poll_once(Box::pin(stream.next()).as_mut());
        let slow = faults_support::long_query(&holders[1]);
        let mut slow = Box::pin(slow);
        assert!(poll_once(slow.as_mut()).is_pending());
        let tasks: Vec<_> = (0..10)
            .map(|_| {
                let db = shelf.db.clone();
                tokio::spawn(async move { Author::query().count(&db.session()).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::PoolTimeout);
        }
        drop((slow, stream));
        holders[0].rollback().await.unwrap();
        assert_eq!(Author::query().count(&shelf.db.session()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn two_databases_know_nothing_of_each_other() {
    needs!(Sqlite, "faults of a file");
    let limit = Duration::from_millis(20);
    let options = || EngineOptions::new().busy_timeout(limit).pool_timeout(limit);
    let (one, other) = (Shelf::with(options()).await, Shelf::with(options()).await);
    let (in_one, in_other) = (one.db.session(), other.db.session());
    // Each has its writer at the same time.
    in_one.add(Author::build().name("one"));
    in_other.add(Author::build().name("other"));
    in_one.flush().await.unwrap();
    in_other.flush().await.unwrap();
    in_one.commit().await.unwrap();
    in_other.rollback().await.unwrap();
    assert_eq!((one.names(), other.names()), (vec!["one".to_owned()], vec![]));
    // One transaction within the other's, and what happens to one does not happen to the other.
    let refused: Result<()> = one
        .db
        .transaction(async |outer| {
            outer.add(Author::build().name("outer"));
            outer.flush().await?;
            other
                .db
                .transaction(async |inner| {
                    assert!(Session::current()?.is_same(&inner));
                    inner.add(Author::build().name("inner"));
                    Ok(())
                })
                .await?;
            assert!(Session::current()?.is_same(&outer));
            Err(Error::abort("only the outer one"))
        })
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Aborted);
    assert_eq!((one.names(), other.names()), (vec!["one".to_owned()], vec!["inner".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_databases_taken_in_opposite_order_end_busy_and_do_not_hang() {
    needs!(Sqlite, "faults of a file");
    let limit = Duration::from_millis(50);
    let options = || EngineOptions::new().busy_timeout(limit);
    let (one, other) = (Shelf::with(options()).await, Shelf::with(options()).await);
    let both_begun = Arc::new(tokio::sync::Barrier::new(2));
    let run = |first: Db, second: Db| {
        let both_begun = Arc::clone(&both_begun);
        tokio::spawn(async move {
            let (first, second) = (first.session(), second.session());
            first.begin().await?;
            both_begun.wait().await;
            second.begin().await
        })
    };
    let tasks = [run(one.db.clone(), other.db.clone()), run(other.db.clone(), one.db.clone())];
    let mut failed = 0;
    for task in tasks {
        if let Err(error) = task.await.unwrap() {
            assert_eq!(error.kind(), ErrorKind::Busy);
            assert!(error.is_retryable() && error.to_string().contains("faults_sqlite.rs:"), "{error}");
            failed += 1;
        }
    }
    assert!(failed > 0);
    assert!(one.is_free_to_write() && other.is_free_to_write());
}

#[tokio::test]
async fn a_session_in_memory_that_has_read_does_not_block_another() {
    needs!(Sqlite, "faults of a file");
    let db = memory(EngineOptions::new().pool_timeout(Duration::from_millis(50))).await;
    let (one, other) = (db.session(), db.session());
    one.add(Author::build().name("ann"));
    one.commit().await.unwrap();
    assert_eq!(Author::query().all(&one).await.unwrap().len(), 1);
    let mut stream = Author::query().stream(&one);
    stream.next().await.unwrap().unwrap();
    // neither what was read nor a stream that is open is in the way of a writer
    other.add(Author::build().name("bob"));
    other.commit().await.unwrap();
    assert!(stream.next().await.is_none());
    assert_eq!(Author::query().count(&one).await.unwrap(), 2);
    // a transaction is, until it ends
    other.begin().await.unwrap();
    assert_eq!(Author::query().count(&one).await.unwrap_err().kind(), ErrorKind::PoolTimeout);
    other.rollback().await.unwrap();
    assert_eq!(Author::query().count(&one).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_database_in_memory() {
    needs!(Sqlite, "faults of a file");
    let db = memory(EngineOptions::new()).await;
    let tasks: Vec<_> = (0..32)
        .map(|task| {
            let db = db.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let session = db.session();
                    session.add(Author::build().name(format!("{task}-{round}")));
                    session.commit().await?;
                    Author::query().count(&session).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(Author::query().count(&db.session()).await.unwrap(), 320);
}

#[tokio::test]
async fn readers_are_not_held_up_by_a_writer_and_see_what_is_committed() {
    needs!(Sqlite, "faults of a file");
    let shelf = Shelf::with(EngineOptions::new().busy_timeout(Duration::from_millis(20))).await;
    let (writer, reader) = (shelf.db.session(), shelf.db.session());
    writer.add(Author::build().name("ann"));
    writer.flush().await.unwrap();
    assert_eq!(Author::query().count(&reader).await.unwrap(), 0);
    writer.commit().await.unwrap();
    assert_eq!(Author::query().count(&reader).await.unwrap(), 1);
    // An open stream keeps its own moment.
    let names = (0..600).map(|number| Author::build().name(format!("{number}")));
    Author::insert_all(names).execute(&writer).await.unwrap();
    writer.commit().await.unwrap();
    let mut stream = Author::query().stream(&reader);
    stream.next().await.unwrap().unwrap();
    Author::query().delete().execute(&writer).await.unwrap();
    writer.commit().await.unwrap();
    let mut rows = 1;
    while let Some(row) = stream.next().await {
        row.unwrap();
        rows += 1;
    }
    assert_eq!((rows, Author::query().count(&reader).await.unwrap()), (601, 0));
}

#[tokio::test]
async fn one_session_of_several_futures_is_one_unit_of_work() {
    needs!(Sqlite, "faults of a file");
    let shelf = Shelf::with(EngineOptions::new().pool_size(1).max_overflow(0)).await;
    let session = shelf.db.session();
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let session = session.clone();
            tokio::spawn(async move {
                let author = session.add(Author::build().name(format!("{number:02}")));
                session.flush().await?;
                tokio::task::yield_now().await;
                author.set(Author::name, format!("renamed {number:02}"));
                let found = Author::query().filter(Author::id.eq(author.id)).one(&session).await?;
                assert_eq!(found, author);
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(shelf.names(), Vec::<String>::new());
    session.commit().await.unwrap();
    assert_eq!(shelf.names().len(), 16);
    assert!(shelf.names().iter().all(|name| name.starts_with("renamed")));
}

#[tokio::test]
async fn a_crash_loses_what_was_not_committed_and_nothing_else() {
    needs!(Sqlite, "faults of a file");
    let shelf = Shelf::new().await;
    let session = shelf.db.session();
    let ann = session.add(Author::build().name("ann"));
    session.commit().await.unwrap();
    ann.set(Author::name, "anna");
    session.add_all((0..2000).map(|number| Author::build().name(format!("{number}"))));
    session.flush().await.unwrap();
    // What a machine that stops now would find on its disk.
    let after = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("shelf.db{suffix}");
        std::fs::copy(shelf.folder.path().join(&name), after.path().join(&name)).unwrap();
    }
    let db = open(&after.path().join("shelf.db"), EngineOptions::new()).await;
    let found = db.session();
    assert_eq!(Author::query().select(Author::name).all(&found).await.unwrap(), ["ann"]);
    found.add(Author::build().name("bob"));
    found.commit().await.unwrap();
    drop(session);
}

#[tokio::test]
async fn a_session_that_ends_lets_the_next_writer_in_at_once() {
    needs!(Sqlite, "faults of a file");
    let shelf = Shelf::new().await;
    let (one, other) = (shelf.db.session(), shelf.db.session());
    one.begin().await.unwrap();
    let waiting = tokio::spawn(async move { other.begin().await.map(|()| other) });
    tokio::task::yield_now().await;
    drop(one);
    let other = waiting.await.unwrap().unwrap();
    assert!(!shelf.is_free_to_write());
    // closed for all its clones, though they are still there
    let clone = other.clone();
    other.close().await;
    until(async || shelf.is_free_to_write()).await;
    assert!(clone.is_closed());
}
