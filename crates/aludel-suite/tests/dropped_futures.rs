//! Futures dropped wherever they wait, on every backend: nothing is half done, no lock is kept, and the session says
//! where it is. The tests of SQLite's threads and locks are in `faults_drops`.

mod faults_support;
mod support;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use aludel::prelude::*;
use faults_support::{Author, Book};
use support::TestDb;

/// How many rows make an operation of a few statements.
const MANY: usize = 1200;

/// After so many polls the points repeat.
const MOST: usize = 16;

/// Drops a future when it has waited so many times.
async fn dropped_after<F: Future>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        if polls > waits {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // The last wait is not waited for.
            Poll::Pending if polls > waits => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops an operation at its first wait, its second, .., until it comes to its end, and looks at what is left.
async fn dropped_everywhere<F, Fut, T>(commits: bool, operation: F)
where
    F: Fn(Session) -> Fut,
    Fut: Future<Output = Result<T>>,
{
    for waits in 0..MOST {
        let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
        let session = db.session();
        let old = session.add(Author::build().name("old"));
        session.commit().await.unwrap();
        old.set(Author::name, "renamed");
        session.add_all((0..MANY).map(|number| Author::build().name(format!("n{number:04}"))));

        let ended = dropped_after(operation(session.clone()), waits).await.map(Result::unwrap).is_some();
        if let Err(error) = session.sql("SELECT 1").one::<i64>().await {
            assert!(!ended, "{error}");
            assert_eq!(error.kind(), ErrorKind::NeedsRollback, "after {waits} waits: {error}");
        }
        session.rollback().await.unwrap();
        // Nobody keeps a lock; and what is committed is all or nothing.
        db.change("UPDATE author SET name = name");
        let names = db.rows("SELECT name FROM author");
        let committed = names.contains(&"renamed".to_owned());
        assert_eq!(names.len(), if committed { MANY + 1 } else { 1 }, "after {waits} waits");
        assert!(!committed || commits, "after {waits} waits");
        assert!(committed || !(ended && commits), "after {waits} waits");
        // The session goes on.
        old.set(Author::name, "after");
        session.add(Author::build().name("more"));
        session.commit().await.unwrap();
        let names = db.rows("SELECT name FROM author");
        assert!(names.contains(&"after".to_owned()) && names.contains(&"more".to_owned()));
        if ended {
            return;
        }
    }
}

#[tokio::test]
async fn a_dropped_flush_leaves_nothing_half_done() {
    dropped_everywhere(false, |session| async move { session.flush().await }).await;
}

#[tokio::test]
async fn a_dropped_commit_has_committed_all_or_nothing() {
    dropped_everywhere(true, |session| async move { session.commit().await }).await;
}

#[tokio::test]
async fn a_dropped_rollback_has_rolled_back() {
    dropped_everywhere(false, |session| async move {
        session.flush().await?;
        session.rollback().await
    })
    .await;
}

#[tokio::test]
async fn a_dropped_savepoint_leaves_nothing_half_done() {
    dropped_everywhere(false, |session| async move {
        let savepoint = session.begin_nested().await?;
        session.add(Author::build().name("within"));
        session.flush().await?;
        savepoint.rollback().await
    })
    .await;
}

#[tokio::test]
async fn a_dropped_bulk_insert_leaves_nothing_half_done() {
    dropped_everywhere(false, |session| async move {
        let rows = (0..MANY).map(|number| Author::build().name(format!("bulk{number}")));
        Author::insert_all(rows).execute(&session).await
    })
    .await;
}

#[tokio::test]
async fn a_dropped_query_leaves_the_next_one_whole() {
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let session = db.session();
    for number in 0..600 {
        let author = session.add(Author::build().name(format!("{number:04}")));
        session.add_all((0..3).map(|_| Book::build().title("x").author(&author)));
    }
    session.commit().await.unwrap();
    for waits in 0..MOST {
        let session = db.session();
        let query = Author::query().with(Author::books).order_by(Author::id).all(&session);
        let ended = dropped_after(query, waits).await.is_some();
        let authors = Author::query().with(Author::books).order_by(Author::id).all(&session).await.unwrap();
        assert_eq!(authors.len(), 600);
        for author in &authors {
            assert_eq!(author.books.get().unwrap().len(), 3);
        }
        if ended {
            return;
        }
    }
}

#[tokio::test]
async fn aborted_tasks_leave_whole_transactions_only() {
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let mut tasks = Vec::new();
    for number in 0..48_u64 {
        let handle = db.db.clone();
        let task = tokio::spawn(async move {
            handle
                .transaction(async |session| {
                    let author = session.add(Author::build().name(format!("{number:03}")));
                    session.flush().await?;
                    session.add(Book::build().title("hers").author(&author));
                    session.flush().await
                })
                .await
        });
        tokio::time::sleep(Duration::from_micros(number * 37 % 900)).await;
        if number % 2 == 1 {
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
    db.change("UPDATE author SET name = name");
    let written = db.rows("SELECT name FROM author");
    assert!(ended.iter().all(|name| written.contains(name)));
    assert_eq!(db.rows("SELECT count(*) FROM author WHERE id NOT IN (SELECT author_id FROM book)"), ["0"]);
    let session = db.session();
    session.add(Author::build().name("after"));
    session.commit().await.unwrap();
}
