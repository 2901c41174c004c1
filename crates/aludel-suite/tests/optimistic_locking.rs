//! `#[column(version)]` and `#[model(optimistic = "dirty")]`: a row that somebody else has written is not written over.

mod support;

use std::sync::Arc;

use aludel::prelude::*;
use support::{TestDb, needs};

#[derive(Model, Clone, Debug, Default)]
struct Account {
    #[column(primary_key)]
    id: i64,
    owner: String,
    balance: i64,
    #[column(version)]
    version: i32,
    #[relationship(back_populates = account, cascade = "all, delete-orphan")]
    entries: Many<Entry>,
}

#[derive(Model, Clone, Debug)]
struct Entry {
    #[column(primary_key)]
    id: i64,
    amount: i64,
    #[column(references = Account::id)]
    account_id: i64,
    #[column(version)]
    revision: i64,
    #[relationship(back_populates = entries)]
    account: One<Account>,
}

#[derive(Model, Clone, Debug)]
#[model(optimistic = "dirty")]
struct Setting {
    #[column(primary_key)]
    id: i64,
    name: String,
    value: Option<String>,
    note: String,
    weight: f32,
}

#[derive(Model, Clone, Debug)]
struct Page {
    #[column(primary_key, autoincrement = false)]
    id: i64,
    title: String,
    #[column(version)]
    version: i64,
}

const ACCOUNTS: &str = "SELECT owner, balance, version FROM account ORDER BY id";

async fn with_ann() -> Result<(TestDb, Session, Entity<Account>)> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Account::build().owner("Ann").balance(10));
    session.commit().await?;
    db.statements();
    Ok((db, session, ann))
}

#[tokio::test]
async fn the_version_begins_at_one_and_each_update_raises_it() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    assert_eq!(ann.version, 1);
    ann.set(Account::balance, 20);
    session.commit().await?;
    assert_eq!(ann.version, 2);
    assert_eq!(db.work(), [r#"UPDATE "account" SET "balance" = ?, "version" = ? WHERE "id" = ? AND "version" = ?"#]);
    ann.edit(|ann| ann.owner.push('a'));
    session.commit().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Anna|20|3"]);
    // What changes nothing raises nothing.
    ann.set(Account::balance, 20);
    session.commit().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Anna|20|3"]);
    Ok(())
}

#[tokio::test]
async fn a_literal_begins_at_one_too_and_a_builder_may_say_otherwise() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    session.add(Account { owner: "Ann".into(), ..Account::default() });
    session.add(Account::build().owner("Bob").balance(0).version(7));
    session.commit().await?;
    Account::insert_all([Account::build().owner("Cas").balance(0)]).execute(&session).await?;
    session.commit().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|0|1", "Bob|0|7", "Cas|0|1"]);
    Ok(())
}

#[tokio::test]
async fn a_row_changed_elsewhere_is_stale_and_nothing_is_written() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let bob = session.add(Account::build().owner("Bob").balance(1));
    session.commit().await?;
    db.change("UPDATE account SET balance = 99, version = version + 1 WHERE owner = 'Ann'");
    bob.set(Account::balance, 2);
    ann.set(Account::balance, 11);
    session.add(Account::build().owner("Cas").balance(3));
    let error = session.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::StaleData, Some("account")));
    let text = error.to_string();
    assert!(text.contains("`account`") && text.contains(&format!("the key {} ", ann.id)), "{text}");
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    session.rollback().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|99|2", "Bob|1|1"]);
    assert_eq!((ann.balance, ann.version, bob.balance), (10, 1, 1));

    session.refresh(&ann).await?;
    ann.edit(|ann| ann.balance += 1);
    session.commit().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|100|3", "Bob|1|1"]);
    Ok(())
}

#[tokio::test]
async fn a_row_deleted_elsewhere_is_stale_too() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    db.change("DELETE FROM account");
    ann.set(Account::balance, 11);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await?;
    session.delete(&ann);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await
}

#[tokio::test]
async fn a_row_changed_elsewhere_is_not_deleted() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let bob = session.add(Account::build().owner("Bob").balance(1));
    session.commit().await?;
    db.statements();
    db.change("UPDATE account SET version = 5 WHERE owner = 'Bob'");
    session.delete(&ann);
    session.delete(&bob);
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleData);
    assert!(error.to_string().contains(&format!("the key {} was to be deleted", bob.id)), "{error}");
    session.rollback().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|10|1", "Bob|1|5"]);

    session.refresh(&bob).await?;
    session.delete(&ann);
    session.delete(&bob);
    db.statements();
    session.commit().await?;
    let deletes: Vec<String> = db.work().into_iter().filter(|sql| sql.starts_with("DELETE")).collect();
    assert_eq!(deletes, [r#"DELETE FROM "account" WHERE "id" = ? AND "version" = ?"#; 2]);
    assert!(db.rows(ACCOUNTS).is_empty());
    Ok(())
}

#[tokio::test]
async fn children_with_versions_go_with_their_parent() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let entries = [Entry::build().amount(1), Entry::build().amount(2)];
    let ann = session.add(Account::build().owner("Ann").balance(3).entries(entries));
    session.commit().await?;
    let first = ann.load(Account::entries).await?[0].clone();
    first.set(Entry::amount, 5);
    session.commit().await?;
    assert_eq!(db.rows("SELECT amount, revision FROM entry ORDER BY id"), ["5|2", "2|1"]);
    session.delete(&ann);
    session.commit().await?;
    assert!(db.rows("SELECT id FROM entry").is_empty() && db.rows(ACCOUNTS).is_empty());
    Ok(())
}

#[tokio::test]
async fn a_version_is_not_the_programs_to_set() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    ann.set(Account::version, 9);
    let error = session.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.columns()), (ErrorKind::InvalidStatement, &["version".to_owned()][..]));
    session.rollback().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|10|1"]);
    Ok(())
}

#[tokio::test]
async fn what_is_set_during_a_rollback_of_a_savepoint_has_the_version_of_before() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let savepoint = session.begin_nested().await?;
    ann.set(Account::balance, 20);
    session.flush().await?;
    assert_eq!(ann.version, 2);
    savepoint.rollback().await?;
    assert_eq!((ann.version, ann.balance), (1, 10));
    ann.set(Account::balance, 30);
    session.commit().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|30|2"]);
    Ok(())
}

#[tokio::test]
async fn a_bulk_update_raises_the_version_so_that_entities_notice() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let other = db.session();
    Account::query().update(Account::balance.set(Account::balance + 5)).execute(&other).await?;
    other.commit().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|15|2"]);
    ann.set(Account::balance, 0);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await?;
    assert_eq!(db.rows(ACCOUNTS), ["Ann|15|2"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_takes_a_deleted_ones_place_goes_on_with_its_versions() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let old = session.add(Page::build().id(1).title("old"));
    session.commit().await?;
    old.set(Page::title, "older");
    session.commit().await?;
    session.delete(&old);
    let new = session.add(Page::build().id(1).title("new"));
    session.commit().await?;
    assert_eq!((new.version, db.rows("SELECT title, version FROM page")), (3, vec!["new|3".to_owned()]));

    db.change("UPDATE page SET version = 9");
    session.delete(&new);
    session.add(Page::build().id(1).title("newest"));
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await?;
    assert_eq!(db.rows("SELECT title, version FROM page"), ["new|9"]);
    Ok(())
}

#[tokio::test]
async fn of_many_changed_rows_the_stale_one_is_named() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let accounts: Vec<_> = (0..40).map(|n| session.add(Account::build().owner(format!("{n}")).balance(n))).collect();
    session.commit().await?;
    let stale = accounts[23].id;
    db.change(&format!("UPDATE account SET version = 2 WHERE id = {stale}"));
    for account in &accounts {
        account.edit(|account| account.balance += 1);
    }
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleData);
    assert!(error.to_string().contains(&format!("the key {stale} ")), "{error}");
    session.rollback().await?;
    assert_eq!(db.rows("SELECT sum(balance) FROM account"), ["780"]);
    Ok(())
}

#[tokio::test]
async fn on_postgres_guarded_updates_go_together() -> Result<()> {
    needs!(Postgres, "several statements in one request are PostgreSQL's own");
    let (db, session, ann) = with_ann().await?;
    let bob = session.add(Account::build().owner("Bob").balance(1));
    session.commit().await?;
    db.statements();
    ann.set(Account::balance, 2);
    bob.set(Account::balance, 3);
    session.commit().await?;
    assert_eq!(db.work().len(), 2);
    assert_eq!(db.rows(ACCOUNTS), ["Ann|2|2", "Bob|3|2"]);
    Ok(())
}

/// Each of eight writers adds one twenty-five times, and tries again when it was overtaken: no addition is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_lose_no_update() -> Result<()> {
    let (db, _session, ann) = with_ann().await?;
    let db = Arc::new(db);
    let id = ann.id;
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let db = Arc::clone(&db);
            tokio::spawn(async move {
                let mut overtaken = 0_u32;
                for _ in 0..25 {
                    loop {
                        let session = db.session();
                        let account = session.get_one::<Account>(id).await?;
                        tokio::task::yield_now().await;
                        account.edit(|account| account.balance += 1);
                        match session.commit().await {
                            Ok(()) => break,
                            Err(error) if error.kind() == ErrorKind::StaleData => overtaken += 1,
                            // Rows that were waited for too long or in a circle: the transaction is tried again.
                            Err(error) if matches!(error.kind(), ErrorKind::Deadlock | ErrorKind::Busy) => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
                Ok::<u32, Error>(overtaken)
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no writer panics")?;
    }
    assert_eq!(db.rows(ACCOUNTS), ["Ann|210|201"]);
    Ok(())
}

const SETTINGS: &str = "SELECT name, value, note FROM setting";

async fn with_setting() -> Result<(TestDb, Session, Entity<Setting>)> {
    let db = TestDb::new().await;
    let session = db.session();
    let setting = session.add(Setting::build().name("color").note("n").weight(0.1_f32));
    session.commit().await?;
    db.statements();
    Ok((db, session, setting))
}

#[tokio::test]
async fn compared_are_the_old_values_of_the_changed_columns_alone() -> Result<()> {
    let (db, session, setting) = with_setting().await?;
    db.change("UPDATE setting SET note = 'theirs'");
    setting.set(Setting::value, "red");
    session.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "setting" SET "value" = ? WHERE "id" = ? AND "value" IS NULL"#]);
    setting.set(Setting::value, None);
    session.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "setting" SET "value" = ? WHERE "id" = ? AND "value" = ?"#]);
    setting.edit(|setting| {
        setting.name = "colour".into();
        setting.value = Some("blue".into());
    });
    session.commit().await?;
    assert_eq!(db.rows(SETTINGS), ["colour|blue|theirs"]);
    Ok(())
}

#[tokio::test]
async fn a_changed_column_that_was_changed_elsewhere_is_stale() -> Result<()> {
    let (db, session, setting) = with_setting().await?;
    db.change("UPDATE setting SET value = 'theirs'");
    setting.set(Setting::value, "mine");
    let error = session.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::StaleData, Some("setting")));
    session.rollback().await?;
    assert_eq!(db.rows(SETTINGS), ["color|theirs|n"]);
    session.refresh(&setting).await?;
    setting.set(Setting::value, "mine");
    session.commit().await?;
    assert_eq!(db.rows(SETTINGS), ["color|mine|n"]);
    Ok(())
}

#[tokio::test]
async fn a_float_of_32_bits_is_written_without_being_compared() -> Result<()> {
    let (db, session, setting) = with_setting().await?;
    setting.set(Setting::weight, 0.3_f32);
    session.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "setting" SET "weight" = ? WHERE "id" = ?"#]);
    assert_eq!(db.rows("SELECT name FROM setting WHERE weight > 0.29 AND weight < 0.31"), ["color"]);
    Ok(())
}
