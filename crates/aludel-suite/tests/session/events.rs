//! Events of sessions: of all sessions of a database, and of one.

use std::sync::{Arc, Mutex};

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct Account {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    owner: String,
    balance: i64,
}

#[derive(Model, Clone, Debug)]
struct Entry {
    #[column(primary_key)]
    id: i64,
    text: String,
}

/// Notes what it is told, and does what a test asks for.
#[derive(Clone, Default)]
struct Witness {
    name: &'static str,
    told: Arc<Mutex<Vec<String>>>,
    fails: Arc<Mutex<Option<&'static str>>>,
    /// Writes an entry for each new account, before or after the flush.
    books: Option<&'static str>,
}

impl Witness {
    fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    fn note(&self, event: &str) {
        self.told.lock().unwrap().push(format!("{}{event}", self.name));
    }

    fn fail(&self, event: &'static str) {
        *self.fails.lock().unwrap() = Some(event);
    }

    fn outcome(&self, event: &'static str) -> Result<()> {
        if *self.fails.lock().unwrap() == Some(event) {
            *self.fails.lock().unwrap() = None;
            return Err(Error::abort(event));
        }
        Ok(())
    }
}

impl SessionEvents for Witness {
    async fn before_flush(&self, session: &Session) -> Result<()> {
        let counts = [session.new().len(), session.dirty().len(), session.deleted().len()];
        self.note(&format!("before_flush {counts:?}"));
        if self.books == Some("before") {
            for account in session.new().iter().filter_map(|row| row.downcast::<Account>()) {
                let others = Account::query().count(session).await?;
                session.add(Entry::build().text(format!("{} after {others}", account.owner)));
            }
        }
        self.outcome("before_flush")
    }

    async fn after_flush(&self, session: &Session, flushed: &Flushed) -> Result<()> {
        let counts = [flushed.inserted().len(), flushed.updated().len(), flushed.deleted().len()];
        self.note(&format!("after_flush {counts:?}"));
        if self.books == Some("after") {
            for account in flushed.inserted().iter().filter_map(|row| row.downcast::<Account>()) {
                session.add(Entry::build().text(format!("{} {}", account.owner, account.id > 0)));
            }
        }
        self.outcome("after_flush")
    }

    async fn before_commit(&self, session: &Session) -> Result<()> {
        self.note("before_commit");
        if self.books == Some("commit") {
            session.add(Entry::build().text("committed"));
            session.flush().await?;
            assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::InvalidStatement);
            assert_eq!(session.rollback().await.unwrap_err().kind(), ErrorKind::InvalidStatement);
        }
        self.outcome("before_commit")
    }

    fn after_commit(&self, _session: &Session) {
        self.note("after_commit");
    }

    fn after_rollback(&self, _session: &Session) {
        self.note("after_rollback");
    }
}

async fn watched(witness: &Witness) -> TestDb {
    TestDb::connect(Db::builder().models([Account::TABLE, Entry::TABLE]).listen(witness.clone())).await
}

#[tokio::test]
async fn flushes_commits_and_rollbacks_are_told_in_order() -> Result<()> {
    let witness = Witness::default();
    let db = watched(&witness).await;
    let session = db.session();
    let (ann, bob) =
        (session.add(Account::build().owner("ann").balance(1)), session.add(Account::build().owner("bob").balance(2)));
    session.commit().await?;
    assert_eq!(witness.told(), ["before_commit", "before_flush [2, 0, 0]", "after_flush [2, 0, 0]", "after_commit"]);

    ann.set(Account::balance, 5);
    session.delete(&bob);
    session.add(Account::build().owner("eve").balance(3));
    session.flush().await?;
    assert_eq!(witness.told(), ["before_flush [1, 1, 1]", "after_flush [1, 1, 1]"]);
    session.flush().await?;
    assert!(witness.told().is_empty(), "there was nothing to flush");
    session.rollback().await?;
    assert_eq!(witness.told(), ["after_rollback"]);
    session.commit().await?;
    assert_eq!(witness.told(), ["before_commit", "after_commit"]);
    assert_eq!(db.rows("SELECT owner, balance FROM account ORDER BY id"), ["ann|1", "bob|2"]);
    Ok(())
}

#[tokio::test]
async fn what_before_flush_adds_is_part_of_the_flush() -> Result<()> {
    let witness = Witness { books: Some("before"), ..Witness::default() };
    let db = watched(&witness).await;
    let session = db.session();
    session.add(Account::build().owner("ann").balance(1));
    session.commit().await?;
    assert_eq!(witness.told()[1..3], ["before_flush [1, 0, 0]", "after_flush [2, 0, 0]"]);
    assert_eq!(db.rows("SELECT text FROM entry"), ["ann after 0"]);
    // A query's autoflush tells too.
    session.add(Account::build().owner("bob").balance(1));
    assert_eq!(Entry::query().count(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT text FROM entry ORDER BY id"), ["ann after 0", "bob after 1"]);
    Ok(())
}

#[tokio::test]
async fn what_after_flush_adds_is_flushed_next() -> Result<()> {
    let witness = Witness { books: Some("after"), ..Witness::default() };
    let db = watched(&witness).await;
    let session = db.session();
    session.add(Account::build().owner("ann").balance(1));
    session.flush().await?;
    assert_eq!(
        witness.told(),
        ["before_flush [1, 0, 0]", "after_flush [1, 0, 0]", "before_flush [1, 0, 0]", "after_flush [1, 0, 0]"]
    );
    session.commit().await?;
    assert_eq!(db.rows("SELECT text FROM entry"), ["ann true"]);
    Ok(())
}

#[tokio::test]
async fn before_commit_may_flush_and_not_commit() -> Result<()> {
    let witness = Witness { books: Some("commit"), ..Witness::default() };
    let db = watched(&witness).await;
    let session = db.session();
    session.commit().await?;
    assert_eq!(db.rows("SELECT text FROM entry"), ["committed"]);
    Ok(())
}

#[tokio::test]
async fn a_listener_that_fails_stops_the_flush_or_the_commit() -> Result<()> {
    for (event, usable) in [("before_commit", true), ("before_flush", true), ("after_flush", false)] {
        let witness = Witness::default();
        let db = watched(&witness).await;
        let session = db.session();
        let ann = session.add(Account::build().owner("ann").balance(1));
        witness.fail(event);
        db.statements();
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.downcast::<&str>().unwrap(), event);
        assert!(!witness.told().contains(&"after_commit".to_owned()));
        if usable {
            assert!(db.statements().is_empty(), "{event}");
        } else {
            assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
            session.rollback().await?;
            session.add(ann.detach());
        }
        session.commit().await?;
        assert_eq!(db.rows("SELECT owner FROM account"), ["ann"], "{event}");
    }
    Ok(())
}

#[tokio::test]
async fn a_flush_that_fails_and_a_savepoint_are_no_rollback() -> Result<()> {
    let witness = Witness::default();
    let db = watched(&witness).await;
    let session = db.session();
    session.add(Account::build().owner("ann").balance(1));
    session.commit().await?;
    witness.told();
    let savepoint = session.begin_nested().await?;
    session.add(Account::build().owner("ann").balance(2));
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    savepoint.rollback().await?;
    assert_eq!(witness.told(), ["before_flush [1, 0, 0]"]);
    session.rollback().await?;
    assert_eq!(witness.told(), ["after_rollback"]);
    Ok(())
}

#[tokio::test]
async fn a_sessions_own_listener_comes_after_the_databases_and_goes_with_it() -> Result<()> {
    let all = Witness::named("all ");
    let db = watched(&all).await;
    let own = Witness { told: Arc::clone(&all.told), ..Witness::named("own ") };
    for _ in 0..2 {
        let session = db.session();
        session.listen(own.clone());
        session.commit().await?;
        assert_eq!(all.told(), ["all before_commit", "own before_commit", "all after_commit", "own after_commit"]);
    }
    // What the sessions were made of is used again.
    let session = db.session();
    session.commit().await?;
    assert_eq!(all.told(), ["all before_commit", "all after_commit"]);
    assert_eq!(Arc::strong_count(&own.told), 3, "this test, the database, and no session");
    Ok(())
}
