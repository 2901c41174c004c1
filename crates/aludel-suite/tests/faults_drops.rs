//! Futures dropped wherever they can be: nothing stays open, no connection is lost, and the session says where it is.
//!
//! Each operation is polled 0, 1, 2 .. times and dropped, until it comes to its end by itself. The pool has one
//! connection, so that one that does not come home is missed at once.

use std::future::Future;
use support::needs;

use aludel::engine::Synchronous;
use aludel::prelude::*;

mod faults_support;
mod support;
use faults_support::{Author, Book, Shelf, poll_once, poll_times, until};

/// How many rows make a statement that gives way to other tasks a few times.
const MANY: usize = 1500;

/// After so many polls the points repeat.
const MOST: usize = 24;

fn one_connection() -> EngineOptions {
    EngineOptions::new().pool_size(1).max_overflow(0).pool_timeout(Duration::from_secs(20))
}

/// What the session was given before the operation began.
struct Work {
    session: Session,
    /// In the database, and renamed.
    old: Entity<Author>,
    /// Added.
    new: Vec<Entity<Author>>,
}

async fn begin_work(shelf: &Shelf) -> Work {
    let session = shelf.db.session();
    let old = session.add(Author::build().name("old"));
    let doomed = session.add(Author::build().name("doomed"));
    session.commit().await.unwrap();
    old.set(Author::name, "renamed");
    session.delete(&doomed);
    let new = session.add_all((0..MANY).map(|number| Author::build().name(format!("n{number:04}"))));
    new[0].push(Author::books, Book::build().title("first"));
    Work { session, old, new }
}

/// What is committed: all of the work, or none of it.
fn is_committed(shelf: &Shelf) -> bool {
    let names = shelf.names();
    let renamed = names.contains(&"renamed".to_owned());
    let expected = if renamed { MANY + 1 } else { 2 };
    assert_eq!(names.len(), expected, "a part of the work is committed: {} names", names.len());
    assert_eq!(names.contains(&"old".to_owned()), !renamed);
    assert_eq!(names.contains(&"doomed".to_owned()), !renamed);
    let books: u32 = shelf.outside().query_row("SELECT count(*) FROM book", [], |row| row.get(0)).unwrap();
    assert_eq!(books, u32::from(renamed));
    renamed
}

/// Polls an operation a few times, drops it, and looks at what is left; for more and more polls, until it ends.
async fn dropped_everywhere<F, Fut, T>(options: EngineOptions, commits: bool, operation: F)
where
    F: Fn(Session) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    for polls in 0..MOST {
        let shelf = Shelf::with(options.clone()).await;
        let Work { session, old, new } = begin_work(&shelf).await;
        let ended = match poll_times(operation(session.clone()), polls).await {
            Some(result) => result.map(|_| true).unwrap(),
            None => false,
        };
        // The session goes on, or says that it cannot.
        match session.sql("SELECT 1").one::<i64>().await {
            Ok(one) => assert_eq!(one, 1),
            Err(error) => {
                assert!(!ended, "{error}");
                assert_eq!(error.kind(), ErrorKind::NeedsRollback, "after {polls} polls: {error}");
            }
        }
        session.rollback().await.unwrap();
        assert!(shelf.is_free_to_write(), "after {polls} polls");
        let committed = is_committed(&shelf);
        assert!(!committed || commits, "after {polls} polls");
        assert!(committed || !(ended && commits), "after {polls} polls");
        if !committed {
            // The entities are as they were at the last commit.
            assert_eq!((old.name.as_str(), old.is_persistent()), ("old", true), "after {polls} polls");
            assert!(!new.iter().any(|author| author.is_pending() || author.is_persistent()), "after {polls} polls");
        }
        // And the same session can be used for the next work.
        old.set(Author::name, "after");
        session.add(Author::build().name("more"));
        session.commit().await.unwrap();
        let names = shelf.names();
        assert!(names.contains(&"after".to_owned()) && names.contains(&"more".to_owned()));
        assert!(session.get::<Author>(old.id).await.unwrap().is_some_and(|found| found == old));
        if ended {
            assert!(polls > 0);
            return;
        }
    }
}

/// Each rule on both kinds of runtime: on one thread slow work goes to another thread, on several it stays in place.
macro_rules! on_both_runtimes {
    ($($(#[$doc:meta])* async fn $name:ident() $body:block)*) => {
        mod on_one_thread {
            use super::*;
            $($(#[$doc])* #[tokio::test] async fn $name() { needs!(Sqlite, "SQLite's threads and locks; for servers there is `dropped_futures`"); $body })*
        }
        mod on_several_threads {
            use super::*;
            $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { needs!(Sqlite, "SQLite's threads and locks; for servers there is `dropped_futures`"); $body })*
        }
    };
}

on_both_runtimes! {
    async fn a_dropped_flush_leaves_nothing_half_done() {
        dropped_everywhere(one_connection(), false, |session| async move { session.flush().await }).await;
    }

    async fn a_dropped_autoflush_leaves_nothing_half_done() {
        dropped_everywhere(one_connection(), false, |session| async move { Author::query().all(&session).await }).await;
    }

    async fn a_dropped_commit_has_committed_all_or_nothing() {
        dropped_everywhere(one_connection(), true, |session| async move { session.commit().await }).await;
    }

    /// Such a commit waits for the disk, away from the threads that poll.
    async fn a_dropped_commit_that_waits_for_the_disk_has_committed_all_or_nothing() {
        let options = one_connection().synchronous(Synchronous::Full);
        dropped_everywhere(options, true, |session| async move { session.commit().await }).await;
    }

    async fn a_dropped_rollback_has_rolled_back() {
        dropped_everywhere(one_connection(), false, |session| async move {
            session.flush().await?;
            session.rollback().await
        })
        .await;
    }

    async fn a_dropped_savepoint_leaves_nothing_half_done() {
        dropped_everywhere(one_connection(), false, |session| async move {
            let savepoint = session.begin_nested().await?;
            session.add(Author::build().name("within"));
            session.flush().await?;
            savepoint.rollback().await
        })
        .await;
    }

    async fn a_dropped_bulk_insert_leaves_nothing_half_done() {
        dropped_everywhere(one_connection(), false, |session| async move {
            let rows = (0..MANY).map(|number| Author::build().name(format!("bulk{number}")));
            Author::insert_all(rows).execute(&session).await
        })
        .await;
    }

    /// Nobody knows how far a write came whose rows were not read to the end.
    async fn a_dropped_write_that_returns_rows_asks_for_a_rollback() {
        let shelf = Shelf::with(one_connection()).await;
        let session = shelf.db.session();
        let insert = "INSERT INTO author (name) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE \
                      i < 20000) SELECT i FROM n RETURNING id";
        let mut write = Box::pin(session.sql(insert).all::<i64>());
        assert!(poll_once(write.as_mut()).is_pending());
        drop(write);
        assert_eq!(Author::query().count(&session).await.unwrap_err().kind(), ErrorKind::NeedsRollback);
        session.rollback().await.unwrap();
        assert_eq!(Author::query().count(&session).await.unwrap(), 0);
        assert!(shelf.is_free_to_write());
    }

    async fn a_dropped_query_gives_its_connection_back_and_leaves_the_session_as_it_was() {
        for polls in 0..MOST {
            let shelf = Shelf::with(one_connection()).await;
            let session = shelf.db.session();
            for number in 0..600 {
                let author = session.add(Author::build().name(format!("{number:04}")));
                session.add_all((0..3).map(|_| Book::build().title("x").author(&author)));
            }
            session.commit().await.unwrap();
            session.clear();
            let query = Author::query().with(Author::books).order_by(Author::id).all(&session);
            let ended = poll_times(query, polls).await.is_some();
            assert!(shelf.is_free_to_write());
            // Whatever of it is known already, the next query is whole.
            let authors = Author::query().with(Author::books).order_by(Author::id).all(&session).await.unwrap();
            assert_eq!(authors.len(), 600);
            for (number, author) in authors.iter().enumerate() {
                assert_eq!((author.name.clone(), author.books.get().unwrap().len()), (format!("{number:04}"), 3));
                assert!(author.books.get().unwrap().iter().all(|book| book.author_id == author.id));
            }
            if ended {
                assert!(polls > 1, "the query did not give way once");
                return;
            }
        }
    }

    async fn a_dropped_stream_gives_its_connection_back() {
        for rows in [0, 1, 255, 256, 257, 700] {
            let shelf = Shelf::with(one_connection()).await;
            let session = shelf.db.session();
            let authors = (0..1000).map(|number| Author::build().name(format!("{number:04}")));
            Author::insert_all(authors).execute(&session).await.unwrap();
            session.commit().await.unwrap();
            let mut stream = Author::query().stream(&session);
            for _ in 0..rows {
                stream.next().await.unwrap().unwrap();
            }
            // in the middle of a step, too
            let _ = poll_once(Box::pin(stream.next()).as_mut());
            drop(stream);
            assert_eq!(Author::query().count(&session).await.unwrap(), 1000);
            session.add(Author::build().name("after"));
            session.commit().await.unwrap();
        }
    }

    async fn a_dropped_wait_for_the_right_to_write_does_not_take_it() {
        let shelf = Shelf::new().await;
        let (holder, waiting) = (shelf.db.session(), shelf.db.session());
        holder.begin().await.unwrap();
        for polls in 1..5 {
            waiting.add(Author::build().name(format!("{polls}")));
            assert!(poll_times(waiting.commit(), polls).await.is_none());
            assert_eq!(waiting.flush().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
            waiting.rollback().await.unwrap();
        }
        holder.rollback().await.unwrap();
        assert!(shelf.is_free_to_write());
        waiting.add(Author::build().name("ann"));
        waiting.commit().await.unwrap();
        assert_eq!(shelf.names(), ["ann"]);
    }

    async fn a_dropped_wait_for_a_connection_does_not_take_one() {
        let shelf = Shelf::with(one_connection()).await;
        let (holder, waiting) = (shelf.db.session(), shelf.db.session());
        holder.begin().await.unwrap();
        for polls in 1..5 {
            assert!(poll_times(Author::query().all(&waiting), polls).await.is_none());
        }
        // One that waits is given the connection as it comes free, and is dropped before it can take it.
        let mut late = Box::pin(Author::query().all(&waiting));
        assert!(poll_once(late.as_mut()).is_pending());
        holder.rollback().await.unwrap();
        drop(late);
        assert_eq!(Author::query().count(&waiting).await.unwrap(), 0);
    }

    async fn a_dropped_transaction_has_committed_all_or_nothing() {
        for polls in 0..MOST {
            let shelf = Shelf::with(one_connection()).await;
            let work = shelf.db.transaction(async |session| {
                session.add_all((0..MANY).map(|number| Author::build().name(format!("{number}"))));
                session.flush().await?;
                Author::query().all(&session).await.map(drop)
            });
            let ended = poll_times(work, polls).await.is_some();
            // A statement that was under way on another thread ends there, and rolls back.
            until(async || shelf.is_free_to_write()).await;
            // A commit that had begun goes through.
            let written = shelf.names().len();
            assert!(written == MANY || written == 0 && !ended, "after {polls} polls: {written}");
            let count = shelf.db.scope(async |session| Author::query().count(&session).await).await.unwrap();
            assert_eq!(count, shelf.names().len() as u64);
            if ended {
                return;
            }
        }
    }

    async fn a_dropped_create_all_has_created_all_or_nothing() {
        for polls in 0..MOST {
            let folder = tempfile::tempdir().unwrap();
            let db = faults_support::open(&folder.path().join("x.db"), one_connection()).await;
            let ended = poll_times(db.create_all(), polls).await.is_some();
            // What another thread had begun may still be going on.
            db.create_all().await.unwrap();
            let session = db.session();
            session.add(Author::build().name("ann"));
            session.commit().await.unwrap();
            if ended {
                return;
            }
        }
    }

    async fn a_session_that_is_dropped_in_its_transaction_rolls_back() {
        let shelf = Shelf::with(one_connection()).await;
        let session = shelf.db.session();
        let ann = session.add(Author::build().name("ann"));
        session.flush().await.unwrap();
        assert!(!shelf.is_free_to_write());
        drop(session);
        assert!(shelf.is_free_to_write());
        // What it had stays readable.
        assert_eq!((ann.name.as_str(), ann.id), ("ann", 1));
        assert_eq!(Author::query().count(&shelf.db.session()).await.unwrap(), 0);
    }

    /// `timeout` drops what takes too long: a flush that waited goes, and the session says so.
    async fn a_timeout_within_a_transaction_asks_for_a_rollback() {
        let shelf = Shelf::new().await;
        let (holder, session) = (shelf.db.session(), shelf.db.session());
        holder.begin().await.unwrap();
        session.add(Author::build().name("ann"));
        let limit = Duration::from_millis(5);
        assert!(tokio::time::timeout(limit, Author::query().all(&session)).await.is_err());
        holder.rollback().await.unwrap();
        assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
        session.rollback().await.unwrap();
        session.add(Author::build().name("ann"));
        session.commit().await.unwrap();
    }

    /// Tasks are aborted wherever they stand; each wrote two rows or none.
    async fn aborted_tasks_leave_whole_transactions_only() {
        let shelf = Shelf::new().await;
        let mut random: u32 = 12345;
        let mut tasks = Vec::new();
        for number in 0..64 {
            let db = shelf.db.clone();
            let task = tokio::spawn(async move {
                db.transaction(async |session| {
                    let author = session.add(Author::build().name(format!("{number:03}")));
                    session.flush().await?;
                    tokio::task::yield_now().await;
                    session.add(Book::build().title("hers").author(&author));
                    session.flush().await?;
                    tokio::task::yield_now().await;
                    Ok(())
                })
                .await
            });
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for _ in 0..random >> 29 {
                tokio::task::yield_now().await;
            }
            if random & 1 << 20 == 0 {
                task.abort();
            }
            tasks.push(task);
        }
        let mut ended = Vec::new();
        for (number, task) in tasks.into_iter().enumerate() {
            match task.await {
                Ok(result) => {
                    result.unwrap();
                    ended.push(format!("{number:03}"));
                }
                Err(aborted) => assert!(aborted.is_cancelled()),
            }
        }
        until(async || shelf.is_free_to_write()).await;
        // What an aborted task had begun to commit may be there too.
        let written = shelf.names();
        assert!(ended.iter().all(|name| written.contains(name)));
        let ended = ended.len();
        assert!(0 < ended && ended < 64, "{ended} of 64 were not aborted");
        let alone = "SELECT count(*) FROM author WHERE id NOT IN (SELECT author_id FROM book)";
        assert_eq!(shelf.outside().query_row(alone, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}

#[test]
fn a_runtime_that_shuts_down_leaves_no_transaction_open() {
    needs!(Sqlite, "SQLite's threads and locks; for servers there is `dropped_futures`");
    for threads in [None, Some(2)] {
        let mut builder = match threads {
            None => tokio::runtime::Builder::new_current_thread(),
            Some(threads) => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(threads);
                builder
            }
        };
        let runtime = builder.enable_all().build().unwrap();
        let shelf = runtime.block_on(Shelf::with(one_connection()));
        let db = shelf.db.clone();
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let session = db.session();
            session.add(Author::build().name("ann"));
            session.flush().await.unwrap();
            begun.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        runtime.block_on(is_begun).unwrap();
        assert!(!shelf.is_free_to_write());
        drop(runtime);
        assert!(shelf.is_free_to_write());
        assert_eq!(shelf.names(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_session_may_be_dropped_on_a_thread_without_a_runtime() {
    needs!(Sqlite, "SQLite's threads and locks; for servers there is `dropped_futures`");
    let shelf = Shelf::with(one_connection()).await;
    let session = shelf.db.session();
    let ann = session.add(Author::build().name("ann"));
    session.flush().await.unwrap();
    std::thread::spawn(move || drop((session, ann))).join().unwrap();
    assert!(shelf.is_free_to_write());
    assert_eq!(Author::query().count(&shelf.db.session()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_panic_in_a_transaction_or_in_an_edit_leaves_nothing_broken() {
    needs!(Sqlite, "SQLite's threads and locks; for servers there is `dropped_futures`");
    let shelf = Shelf::with(one_connection()).await;
    let db = shelf.db.clone();
    let task = tokio::spawn(async move {
        db.transaction(async |session| -> Result<()> {
            session.add(Author::build().name("ann"));
            session.flush().await?;
            panic!("a fault of the program");
        })
        .await
    });
    assert!(task.await.unwrap_err().is_panic());
    assert!(shelf.is_free_to_write());

    let session = shelf.db.session();
    let bob = session.add(Author::build().name("bob"));
    session.commit().await.unwrap();
    let edit = std::panic::AssertUnwindSafe(|| {
        bob.edit(|author| {
            author.name = "half".into();
            panic!("a fault of the closure");
        })
    });
    assert!(std::panic::catch_unwind(edit).is_err());
    assert_eq!(bob.name, "bob");
    bob.set(Author::name, "bobby");
    session.commit().await.unwrap();
    assert_eq!(shelf.names(), ["bobby"]);
}
