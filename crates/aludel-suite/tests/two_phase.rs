//! Commits of several databases in two phases: two PostgreSQL servers of the test's own.

use std::sync::{Arc, Mutex};

use aludel::prelude::*;

mod faults_support;
mod own_servers;
mod support;
use faults_support::{poll_times, until};
use own_servers::{PostgresServer, Stop};
use support::needs;

#[derive(Model, Clone, Debug)]
struct Account {
    #[column(primary_key)]
    id: i64,
    balance: i64,
}

#[derive(Model, Clone, Debug)]
#[model(bind = "audit")]
struct Entry {
    #[column(primary_key)]
    id: i64,
    amount: i64,
}

type Log = Arc<Mutex<Vec<String>>>;

/// What is done when a statement is about to be sent to the second server.
type Hook = Arc<Mutex<Option<Box<dyn FnMut(&str) + Send>>>>;

struct Bank {
    db: Db,
    log: Log,
    hook: Hook,
    accounts: PostgresServer,
    audit: Arc<PostgresServer>,
}

impl Bank {
    async fn open() -> Self {
        let settings = ["max_prepared_transactions=10"];
        let (accounts, audit) = (PostgresServer::start(&settings), Arc::new(PostgresServer::start(&settings)));
        let (log, hook) = (Log::default(), Hook::default());
        let (first, second, hooked) = (Arc::clone(&log), Arc::clone(&log), Arc::clone(&hook));
        let options = |name: &'static str, log: Log, hook: Option<Hook>| {
            EngineOptions::new().on_statement(Arc::new(move |sql: &str| {
                log.lock().unwrap().push(format!("{name}: {}", sql.split(" '").next().unwrap()));
                if let Some(hook) = &hook
                    && let Some(hook) = &mut *hook.lock().unwrap()
                {
                    hook(sql);
                }
            }))
        };
        let db = Db::builder()
            .uri(accounts.uri())
            .engine(options("default", first, None))
            .bind_with("audit", audit.uri(), options("audit", second, Some(hooked)))
            .two_phase(true)
            .models((Account::TABLE, Entry::TABLE))
            .connect()
            .await
            .unwrap();
        db.create_all().await.unwrap();
        Self { db, log, hook, accounts, audit }
    }

    /// A session with a row for each database.
    fn transfer(&self, amount: i64) -> Session {
        let session = self.db.session();
        session.add(Account::build().balance(amount));
        session.add(Entry::build().amount(amount));
        session
    }

    /// How many rows are committed in each database.
    async fn rows(&self) -> (i64, i64) {
        let accounts = self.accounts.numbers("SELECT count(*) FROM account").await;
        (accounts[0], self.audit.numbers("SELECT count(*) FROM entry").await[0])
    }

    async fn prepared(&self) -> (i64, i64) {
        let count = "SELECT count(*) FROM pg_prepared_xacts";
        (self.accounts.numbers(count).await[0], self.audit.numbers(count).await[0])
    }

    /// Stops the second server when a statement is about to be sent there.
    fn stop_audit_at(&self, statement: &'static str) {
        let audit = Arc::clone(&self.audit);
        let mut done = false;
        *self.hook.lock().unwrap() = Some(Box::new(move |sql| {
            if sql.starts_with(statement) && !std::mem::replace(&mut done, true) {
                audit.stop(Stop::Immediate);
            }
        }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_are_prepared_before_any_is_committed() -> Result<()> {
    needs!(Postgres, "prepared transactions of PostgreSQL");
    let bank = Bank::open().await;
    bank.log.lock().unwrap().clear();
    let session = bank.transfer(5);
    session.commit().await?;
    let ends = ["PREPARE", "COMMIT", "ROLLBACK"];
    let log = std::mem::take(&mut *bank.log.lock().unwrap());
    let log: Vec<_> = log.iter().filter(|line| ends.iter().any(|end| line.contains(end))).collect();
    assert_eq!(
        log,
        [
            "default: PREPARE TRANSACTION",
            "audit: PREPARE TRANSACTION",
            "default: COMMIT PREPARED",
            "audit: COMMIT PREPARED"
        ]
    );
    assert_eq!((bank.rows().await, bank.prepared().await), ((1, 1), (0, 0)));
    // The session goes on; one database alone is committed as ever.
    session.add(Account::build().balance(6));
    session.commit().await?;
    assert_eq!(bank.rows().await, (2, 1));
    assert!(bank.log.lock().unwrap().contains(&"default: COMMIT".to_owned()));
    // A database in which nothing has happened yet takes part all the same.
    session.begin().await?;
    session.add(Entry::build().amount(7));
    session.commit().await?;
    assert_eq!((bank.rows().await, bank.prepared().await), ((2, 2), (0, 0)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_prepared_is_committed_nowhere() -> Result<()> {
    needs!(Postgres, "prepared transactions of PostgreSQL");
    let bank = Bank::open().await;
    let deferred = "ALTER TABLE entry ADD CONSTRAINT once UNIQUE (amount) DEFERRABLE INITIALLY DEFERRED";
    bank.audit.client().await.batch_execute(deferred).await.unwrap();
    bank.transfer(1).commit().await?;
    let session = bank.transfer(1);
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation, "{error}");
    assert_eq!((bank.rows().await, bank.prepared().await), ((1, 1), (0, 0)));
    // The session has rolled back, and goes on.
    session.add(Account::build().balance(2));
    session.add(Entry::build().amount(2));
    session.commit().await?;
    assert_eq!(bank.rows().await, (2, 2));

    // A server that goes down before it has prepared.
    bank.stop_audit_at("PREPARE TRANSACTION");
    let error = bank.transfer(3).commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCommit, "nobody can know whether it was prepared there: {error}");
    assert!(
        error.to_string().contains("of the bind `audit`") && error.to_string().contains("rollback_prepared"),
        "{error}"
    );
    tokio::task::block_in_place(|| bank.audit.start_again());
    assert_eq!((bank.rows().await, bank.prepared().await), ((2, 2), (0, 0)));
    assert!(bank.db.prepared_transactions().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_prepared_is_named_listed_and_can_be_ended() -> Result<()> {
    needs!(Postgres, "prepared transactions of PostgreSQL");
    let bank = Bank::open().await;
    bank.stop_audit_at("COMMIT PREPARED");
    let error = bank.transfer(1).commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PartialCommit, "{error}");
    tokio::task::block_in_place(|| bank.audit.start_again());
    assert_eq!((bank.rows().await, bank.prepared().await), ((1, 0), (0, 1)));
    let left = bank.db.prepared_transactions().await?;
    assert_eq!((left.len(), left[0].bind.as_deref()), (1, Some("audit")));
    let said = error.to_string();
    assert!(
        said.contains(&left[0].gid) && said.contains("of the bind `audit`") && said.contains("commit_prepared"),
        "{said}"
    );
    bank.db.commit_prepared(&left[0].gid).await?;
    assert_eq!((bank.rows().await, bank.prepared().await), ((1, 1), (0, 0)));
    assert_eq!(bank.db.commit_prepared(&left[0].gid).await.unwrap_err().kind(), ErrorKind::NotFound);
    // One that somebody wants to be rid of.
    let client = bank.audit.client().await;
    client
        .batch_execute("BEGIN; INSERT INTO entry (amount) VALUES (9); PREPARE TRANSACTION 'aludel_it''s'")
        .await
        .unwrap();
    bank.db.rollback_prepared("aludel_it's").await?;
    assert_eq!((bank.rows().await, bank.prepared().await), ((1, 1), (0, 0)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_future_is_dropped_comes_to_its_end() -> Result<()> {
    needs!(Postgres, "prepared transactions of PostgreSQL");
    let bank = Bank::open().await;
    let mut expected = 0;
    for polls in 1..12 {
        let session = bank.transfer(polls);
        session.flush().await?;
        let ended = poll_times(session.commit(), usize::try_from(polls).unwrap()).await.is_some();
        drop(session);
        until(async || bank.prepared().await == (0, 0) && bank.db.pool_status().in_use == 0).await;
        let (accounts, entries) = bank.rows().await;
        assert_eq!(accounts, entries, "in all databases or in none");
        assert!(!ended || accounts > expected);
        expected = accounts;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cannot_prepare_is_named_when_it_connects() {
    needs!(Postgres, "prepared transactions of PostgreSQL");
    let server = PostgresServer::start(&["max_prepared_transactions=0"]);
    let builder = || Db::builder().uri(server.uri()).models((Account::TABLE, Entry::TABLE)).two_phase(true);
    let error = builder().bind("audit", server.uri()).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.to_string().contains("the default database") && error.to_string().contains("max_prepared_transactions")
    );
    let able = PostgresServer::start(&["max_prepared_transactions=5"]);
    let error = builder().uri(able.uri()).bind("audit", "sqlite://").connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("the bind `audit` is Sqlite"), "{error}");
}
