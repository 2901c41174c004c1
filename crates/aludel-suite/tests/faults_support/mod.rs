//! What the tests of faults share: two models, databases, and a way to look at a file from outside.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use aludel::prelude::*;
use serde::Serialize;

/// A model with a unique name and children.
#[derive(Model, Clone, Debug, Serialize)]
pub(crate) struct Author {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 80)]
    pub name: String,
    #[relationship(back_populates = author)]
    pub books: Many<Book>,
}

/// A model with a foreign key.
#[derive(Model, Clone, Debug, Serialize)]
pub(crate) struct Book {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    #[column(references = Author::id)]
    pub author_id: i64,
    #[relationship(back_populates = books)]
    pub author: One<Author>,
}

/// A database file in a folder of its own, with the tables of both models.
pub(crate) struct Shelf {
    pub db: Db,
    pub folder: tempfile::TempDir,
}

impl Shelf {
    pub(crate) async fn new() -> Self {
        Self::with(EngineOptions::new()).await
    }

    pub(crate) async fn with(options: EngineOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("shelf.db"), options).await;
        db.create_all().await.unwrap();
        Self { db, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("shelf.db")
    }

    /// A second pair of eyes on the file: another driver, as another process would be.
    pub(crate) fn outside(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    /// The names of the authors as they are committed.
    pub(crate) fn names(&self) -> Vec<String> {
        let outside = self.outside();
        let mut statement = outside.prepare("SELECT name FROM author ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Whether another process could write now, without waiting: nobody holds the file's write lock.
    pub(crate) fn is_free_to_write(&self) -> bool {
        let outside = self.outside();
        outside.busy_timeout(Duration::ZERO).unwrap();
        outside.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok()
    }
}

/// Opens a database file with both models, creating nothing in it.
pub(crate) async fn open(path: &std::path::Path, options: EngineOptions) -> Db {
    let uri = format!("sqlite:///{}", path.display());
    Db::builder().uri(uri).engine(options).models((Author::TABLE, Book::TABLE)).connect().await.unwrap()
}

/// A database in memory with the tables of both models.
pub(crate) async fn memory(options: EngineOptions) -> Db {
    let db =
        Db::builder().uri("sqlite://").engine(options).models((Author::TABLE, Book::TABLE)).connect().await.unwrap();
    db.create_all().await.unwrap();
    db
}

/// A query of so many rows that it gives way to other tasks many times before its end.
pub(crate) fn long_query(session: &Session) -> impl Future<Output = Result<Vec<i64>>> + Send + 'static {
    let session = session.clone();
    async move {
        session
            .sql("WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000) SELECT x FROM c")
            .all::<i64>()
            .await
    }
}

/// Polls a future once, with a waker that wakes nobody; whether it is done.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future at most `times` times, giving way to other tasks in between, and drops it.
pub(crate) async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Gives way to other tasks until something holds; fails when it never does.
pub(crate) async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    for _ in 0..10_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it never came to hold");
}

/// Asserts an error's kind and text.
#[track_caller]
pub(crate) fn says(error: &Error, kind: ErrorKind, text: &str) {
    if text == "?" {
        eprintln!("SAYS {:?} {}", error.kind(), error);
        return;
    }
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
}
