//! Transactions that get in each other's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aludel::prelude::*;
use tokio::sync::Barrier;

use super::{Random, figure, no_transaction_is_open, scale};
use crate::support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct Account {
    #[column(primary_key)]
    id: i64,
    balance: i64,
}

const ACCOUNTS: u64 = 4;

async fn bank() -> TestDb {
    let db = TestDb::of(Account::TABLE).await;
    let session = db.session();
    session.add_all((0..ACCOUNTS).map(|_| Account::build().balance(1000)));
    session.commit().await.unwrap();
    db
}

/// What a transaction says first, so that the database has something to refuse: PostgreSQL's is serializable; MariaDB's locks
/// what it reads.
async fn accounts(session: &Session, from: u64, to: u64) -> Result<(Entity<Account>, Entity<Account>)> {
    match Backend::current() {
        Backend::Postgres => {
            session.sql("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").execute().await?;
        }
        _ => {
            for id in [from, to] {
                session.sql(&format!("SELECT id FROM account WHERE id = {id} FOR UPDATE")).all::<i64>().await?;
            }
        }
    }
    let (from, to) = (i64::try_from(from).unwrap(), i64::try_from(to).unwrap());
    Ok((session.get_one::<Account>(from).await?, session.get_one::<Account>(to).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_ordered_is_run_again_by_transaction() {
    needs!(Postgres | MariaDb, "one writer at a time");
    let db = bank().await;
    let rounds = scale(25, 500);
    let (runs, done, given_up) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (db, runs, done, given_up) =
                (db.db.clone(), Arc::clone(&runs), Arc::clone(&done), Arc::clone(&given_up));
            tokio::spawn(async move {
                let mut random = Random::new(task + 1);
                for _ in 0..rounds {
                    let from = 1 + random.below(ACCOUNTS);
                    let to = 1 + (from - 1 + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
                    let moved = db
                        .transaction(async |session| {
                            runs.fetch_add(1, Ordering::Relaxed);
                            let (from, to) = accounts(&session, from, to).await?;
                            tokio::task::yield_now().await;
                            from.set(Account::balance, from.balance - 1);
                            to.set(Account::balance, to.balance + 1);
                            Ok(())
                        })
                        .await;
                    match moved {
                        Ok(()) => done.fetch_add(1, Ordering::Relaxed),
                        // After five runs, as is documented.
                        Err(error) => {
                            assert!(error.is_retryable() && error.kind() != ErrorKind::Busy, "{error}");
                            given_up.fetch_add(1, Ordering::Relaxed)
                        }
                    };
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(db.rows("SELECT sum(balance) FROM account"), [(1000 * ACCOUNTS).to_string()]);
    no_transaction_is_open(&db).await;
    let (runs, done, given_up) =
        (runs.load(Ordering::Relaxed), done.load(Ordering::Relaxed), given_up.load(Ordering::Relaxed));
    assert!(runs > 4 * rounds, "nothing was run again");
    assert_eq!(done + given_up, 4 * rounds);
    let how = Backend::current().pick("", "serializable, reading and writing 2 rows", "locking 2 rows in random order");
    figure(
        "Conflicts run again by `db.transaction`",
        &format!(
            "4 tasks, {} transactions ({how}): {} runs were refused and run again, {given_up} gave up after 5 runs; the \
             sum is right",
            4 * rounds,
            runs - done - given_up
        ),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_reported_as_such_to_one_of_the_two() {
    needs!(Postgres | MariaDb, "one writer at a time");
    let db = bank().await;
    let runs = scale(1, 20);
    for _ in 0..runs {
        let both = Arc::new(Barrier::new(2));
        let tasks = [(1, 2), (2, 1)].map(|(first, second)| {
            let (session, both) = (db.session(), Arc::clone(&both));
            tokio::spawn(async move {
                let (first, second) =
                    (session.get_one::<Account>(first).await?, session.get_one::<Account>(second).await?);
                first.set(Account::balance, first.balance + 1);
                session.flush().await?;
                both.wait().await;
                second.set(Account::balance, second.balance + 1);
                session.commit().await
            })
        });
        let mut failed = Vec::new();
        for task in tasks {
            failed.extend(task.await.unwrap().err());
        }
        assert_eq!(failed.len(), 1, "one of the two goes on");
        assert_eq!(failed[0].kind(), ErrorKind::Deadlock, "{}", failed[0]);
        assert!(failed[0].is_retryable());
    }
    let sum = 1000 * ACCOUNTS + 2 * runs;
    assert_eq!(db.rows("SELECT sum(balance) FROM account"), [sum.to_string()]);
    no_transaction_is_open(&db).await;
    figure("Deadlocks", &format!("{runs} of {runs} reported as `Deadlock` to one of the two, the other committed"));
}
