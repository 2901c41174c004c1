//! The runs, and what they share.

mod conflicts;
mod disk;
mod drops;
mod pool;
mod restarts;
mod terminated;
mod writers;

use std::io::Write;

use aludel::prelude::*;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;

use crate::faults_support::{long_query, poll_once, until};
use crate::support::{Backend, TestDb};

/// Whether this is `cargo xtask reliability`.
fn is_full() -> bool {
    std::env::var_os("ALUDEL_RELIABILITY").is_some()
}

/// How much is done: in the suite, and in a full run.
fn scale(small: u64, full: u64) -> u64 {
    if is_full() { full } else { small }
}

/// Reports what a run has come to: a line of the file that `ALUDEL_RELIABILITY` names.
fn figure(run: &str, outcome: &str) {
    let backend = Backend::current().pick("SQLite", "PostgreSQL", "MariaDB");
    println!("{backend}: {run}: {outcome}");
    if let Some(path) = std::env::var_os("ALUDEL_RELIABILITY") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        let line = format!("{run}\t{backend}\t{outcome}\n");
        file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the file of the figures");
    }
}

/// Random numbers that are the same in each run (xorshift64*).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// The open transactions of the test's connections, as the server itself tells another client.
fn open_transactions(db: &TestDb) -> u64 {
    let count = Backend::current().pick(
        // It is busy as long as a reader or writer is in the log.
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name') \
         AND pid <> pg_backend_pid() AND xact_start IS NOT NULL",
        "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist p \
         ON trx_mysql_thread_id = p.id WHERE p.db = DATABASE()",
    );
    let rows = db.rows(count);
    if Backend::current() == Backend::Sqlite {
        db.change("BEGIN IMMEDIATE; ROLLBACK");
    }
    rows[0].split('|').next().and_then(|count| count.parse().ok()).expect("a count")
}

/// Waits until no transaction is open: where nobody waited for a rollback the server may be at it yet, and MariaDB shows what
/// was there up to 100 ms ago.
async fn no_transaction_is_open(db: &TestDb) {
    until(async || open_transactions(db) == 0).await;
}

/// Takes all connections that a pool may open, at the same time: none is lost, and each works.
async fn every_connection_works(db: &Db) {
    let status = db.pool_status();
    assert_eq!((status.in_use, status.waiting), (0, 0), "somebody still has a connection");
    let sessions: Vec<Session> = (0..status.capacity).map(|_| db.session()).collect();
    if Backend::current() == Backend::Sqlite {
        // Only one of them could have a transaction.
        let mut reads: Vec<_> = sessions.iter().map(|session| Box::pin(long_query(session))).collect();
        assert!(reads.iter_mut().all(|read| poll_once(read.as_mut()).is_pending()));
        assert_eq!(db.pool_status().in_use, status.capacity);
        for read in reads {
            assert_eq!(read.await.expect("the connection works").len(), 200_000);
        }
        return;
    }
    for session in &sessions {
        session.begin().await.expect("a connection");
        assert_eq!(session.sql("SELECT 1").one::<i32>().await.expect("the connection works"), 1);
    }
    assert_eq!(db.pool_status().in_use, status.capacity);
    for session in sessions {
        session.rollback().await.expect("the connection works");
    }
}

async fn send(app: Router, method: &str, uri: &str) -> (StatusCode, HeaderMap) {
    let request = Request::builder().method(method).uri(uri).body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("a response");
    (response.status(), response.headers().clone())
}
