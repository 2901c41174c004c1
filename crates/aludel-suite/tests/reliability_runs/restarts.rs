//! A server that is restarted while tasks write to it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aludel::prelude::*;

use super::{every_connection_works, figure, scale};
use crate::faults_support::{Author, Book, until};
use crate::own_servers::{MariaDbServer, PostgresServer, Stop};
use crate::support::{Backend, needs};

enum Server {
    Postgres(PostgresServer),
    MariaDb(MariaDbServer),
}

impl Server {
    async fn start() -> Self {
        match Backend::current() {
            Backend::Postgres => Self::Postgres(tokio::task::block_in_place(|| PostgresServer::start(&[]))),
            _ => Self::MariaDb(MariaDbServer::start().await),
        }
    }

    /// As an administrator does, or as a crash and what starts it again.
    async fn restart(&mut self, crash: bool) {
        match self {
            Self::Postgres(server) => tokio::task::block_in_place(|| {
                server.stop(if crash { Stop::Immediate } else { Stop::Fast });
                server.start_again();
            }),
            Self::MariaDb(server) => {
                tokio::task::block_in_place(|| server.stop(crash));
                server.start_again().await;
            }
        }
    }

    fn uri(&self) -> String {
        match self {
            Self::Postgres(server) => server.uri(),
            Self::MariaDb(server) => server.uri(),
        }
    }

    async fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Postgres(server) => server.numbers(sql).await[0],
            Self::MariaDb(server) => server.numbers(sql).await[0],
        }
    }
}

/// What the tasks have seen.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    next: AtomicU64,
    failed: AtomicU64,
    committed: Mutex<Vec<u64>>,
}

/// Writes one row after the other, an author with two books each, whatever becomes of it.
async fn write(db: Db, seen: Arc<Seen>) {
    while !seen.over.load(Ordering::Acquire) {
        let number = seen.next.fetch_add(1, Ordering::Relaxed);
        let written = db
            .transaction(async |session| {
                let author = session.add(Author::build().name(format!("{number}")));
                session.add_all((0..2).map(|_| Book::build().title("hers").author(&author)));
                Ok(())
            })
            .await;
        match written {
            Ok(()) => seen.committed.lock().unwrap().push(number),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
                seen.failed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_restarted_under_load_loses_no_commit_and_is_found_again() {
    needs!(Postgres | MariaDb, "a server");
    let mut server = Server::start().await;
    let options = EngineOptions::new().pool_size(4).max_overflow(4);
    let db =
        Db::builder().uri(server.uri()).engine(options).models((Author::TABLE, Book::TABLE)).connect().await.unwrap();
    db.create_all().await.unwrap();
    let seen = Arc::new(Seen::default());
    let tasks: Vec<_> = (0..16).map(|_| tokio::spawn(write(db.clone(), Arc::clone(&seen)))).collect();
    let commits = || seen.committed.lock().unwrap().len();
    let restarts = scale(2, 10);
    let mut back = Vec::new();
    for run in 0..restarts {
        let before = commits();
        until(async || commits() > before + 50).await;
        server.restart(run % 2 == 1).await;
        let (up, before) = (Instant::now(), commits());
        until(async || commits() > before).await;
        back.push(up.elapsed());
    }
    seen.over.store(true, Ordering::Release);
    for task in tasks {
        task.await.unwrap();
    }
    every_connection_works(&db).await;
    let committed = seen.committed.lock().unwrap().clone();
    let failed = seen.failed.load(Ordering::Relaxed);
    assert!(failed > 0, "nobody noticed");
    let list = committed.iter().map(|number| format!("'{number}'")).collect::<Vec<_>>().join(", ");
    let there = server.number(&format!("SELECT count(*) FROM author WHERE name IN ({list})")).await;
    assert_eq!(usize::try_from(there).unwrap(), committed.len(), "a commit was lost");
    let wanting = "SELECT count(*) FROM author LEFT JOIN (SELECT author_id, count(*) AS books FROM book GROUP BY author_id) AS b \
                   ON b.author_id = author.id WHERE coalesce(books, 0) <> 2";
    assert_eq!(server.number(wanting).await, 0, "a part of a transaction is there");
    back.sort_unstable();
    figure(
        "Server restarted under load",
        &format!(
            "{restarts} restarts, every other one a crash, under 16 tasks: {} commits returned, none lost, no transaction \
             there in part; {failed} errors, all `Connection`; the next commit {:.0?} (median, most {:.0?}) after the server \
             answered; all connections work",
            committed.len(),
            back[back.len() / 2],
            back[back.len() - 1],
        ),
    );
}
