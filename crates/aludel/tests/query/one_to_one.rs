//! A row beside each row: its key is on one side, and made by the client; times are written by themselves.

use aludel::prelude::*;

use crate::statements::{forget, sent};

#[derive(Model, Clone, Debug)]
struct Account {
    #[column(primary_key)]
    id: Uuid,
    name: String,
    #[column(default = 0, on_update = 7)]
    revision: i64,
    #[relationship(back_populates = account)]
    profile: One<Option<Profile>>,
}

#[derive(Model, Clone, Debug)]
struct Profile {
    #[column(primary_key)]
    id: i64,
    motto: String,
    #[column(references = Account::id)]
    account_id: Uuid,
    #[relationship(back_populates = profile)]
    account: One<Account>,
}

async fn accounts() -> Result<(Db, Session)> {
    let db = Db::builder().engine(EngineOptions::new().echo(true)).test().await?;
    let session = db.session();
    Account::insert_all(["ann", "bob"].map(|name| Account::build().name(name))).execute(&session).await?;
    let ann = Account::query().filter(Account::name.eq("ann")).one(&session).await?;
    Profile::insert_all([Profile::build().motto("onwards").account(&ann)]).execute(&session).await?;
    session.commit().await?;
    Ok((db.clone(), db.session()))
}

#[tokio::test]
async fn keys_of_inserted_rows_are_made_by_the_client() -> Result<()> {
    let (_db, session) = accounts().await?;
    let ids: Vec<Uuid> = Account::query().select(Account::id).all(&session).await?;
    assert!(ids.len() == 2 && ids[0] != ids[1] && ids.iter().all(|id| id.get_version_num() == 7));
    Ok(())
}

#[tokio::test]
async fn both_ways_are_joined() -> Result<()> {
    let (_db, session) = accounts().await?;
    forget();
    let accounts = Account::query().with(Account::profile).order_by(Account::name).all(&session).await?;
    assert_eq!(sent().len(), 1);
    let profile = accounts[0].profile.get()?.unwrap();
    assert_eq!((profile.motto.as_str(), profile.account.get()?.name.as_str()), ("onwards", "ann"));
    assert!(accounts[1].profile.get()?.is_none());

    let session = _db.session();
    let profile = Profile::query().with(Profile::account).one(&session).await?;
    assert_eq!(profile.account.get()?.name, "ann");
    assert_eq!(Account::query().filter(Account::profile.has(Profile::motto.eq("onwards"))).count(&session).await?, 1);
    Ok(())
}

#[tokio::test]
async fn two_rows_for_one_are_an_error() -> Result<()> {
    let (_db, session) = accounts().await?;
    let ann = Account::query().filter(Account::name.eq("ann")).one(&session).await?;
    Profile::insert_all([Profile::build().motto("again").account(&ann)]).execute(&session).await?;
    let error = Account::query().with(Account::profile).all(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MultipleFound, "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bulk_update_writes_what_every_update_writes() -> Result<()> {
    let (_db, session) = accounts().await?;
    let revisions = async || Account::query().order_by(Account::name).select(Account::revision).all(&session).await;
    Account::query().filter(Account::name.eq("ann")).update(Account::name.set("eve")).execute(&session).await?;
    assert_eq!(revisions().await?, [0, 7]);
    Account::query().update((Account::name.set("x"), Account::revision.set(3))).execute(&session).await?;
    assert_eq!(revisions().await?, [3, 3]);
    Ok(())
}
