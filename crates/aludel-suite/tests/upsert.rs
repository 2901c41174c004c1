//! `insert_all(..).on_conflict(..)`: what becomes of rows whose key is taken.

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(unique, length = 80)]
    username: String,
    email: String,
    visits: i64,
    #[column(on_update = "touched")]
    note: Option<String>,
}

#[derive(Model, Clone, Debug)]
#[model(unique(columns(org, number)))]
struct Member {
    #[column(primary_key, autoincrement = false)]
    id: i64,
    org: i64,
    number: i64,
    name: String,
    #[column(version)]
    version: i32,
}

const USERS: &str = "SELECT username, email, visits FROM user ORDER BY id";
const MEMBERS: &str = "SELECT id, org, number, name, version FROM member ORDER BY id";

fn user(username: &str, email: &str) -> impl aludel::entity::new::New<Model = User> + use<> {
    User::build().username(username).email(email).visits(1)
}

async fn with_ann() -> Result<(TestDb, Session)> {
    let db = TestDb::new().await;
    let session = db.session();
    User::insert_all([user("ann", "ann@x")]).execute(&session).await?;
    session.commit().await?;
    db.statements();
    Ok((db, session))
}

#[tokio::test]
async fn taken_rows_are_updated_from_what_was_to_be_inserted() -> Result<()> {
    let (db, session) = with_ann().await?;
    let rows = [user("ann", "new@x"), user("bob", "bob@x")];
    let count = User::insert_all(rows).on_conflict(User::username).do_update(User::email).execute(&session).await?;
    assert_eq!((count, db.work().len()), (2, 1));
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|new@x|1", "bob|bob@x|1"]);
    assert_eq!(db.rows("SELECT note FROM user ORDER BY id"), ["touched", "NULL"], "`on_update` is of updated rows");
    Ok(())
}

#[tokio::test]
async fn taken_rows_are_left_as_they_are() -> Result<()> {
    let (db, session) = with_ann().await?;
    let rows = [user("ann", "new@x"), user("bob", "bob@x")];
    let count = User::insert_all(rows).on_conflict(User::username).do_nothing().execute(&session).await?;
    // MariaDB counts the row that it found.
    assert_eq!(count, Backend::current().pick(1, 1, 2));
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|ann@x|1", "bob|bob@x|1"]);
    Ok(())
}

#[tokio::test]
async fn assignments_may_name_both_rows() -> Result<()> {
    let (db, session) = with_ann().await?;
    let rows = [user("ann", "new@x"), user("bob", "bob@x")];
    User::insert_all(rows)
        .on_conflict(User::username)
        .do_update((User::email, User::visits.set(User::visits + excluded(User::visits)), User::note.set("seen")))
        .execute(&session)
        .await?;
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|new@x|2", "bob|bob@x|1"]);
    assert_eq!(db.rows("SELECT note FROM user ORDER BY id"), ["seen", "NULL"]);
    Ok(())
}

#[tokio::test]
async fn a_condition_chooses_among_the_taken_rows() -> Result<()> {
    needs!(Sqlite | Postgres, "ON DUPLICATE KEY UPDATE has no condition");
    let (db, session) = with_ann().await?;
    User::insert_all([User::build().username("bob").email("bob@x").visits(9)]).execute(&session).await?;
    let rows = [user("ann", "new@x"), user("bob", "new@x")];
    let count = User::insert_all(rows)
        .on_conflict(User::username)
        .filter(User::visits.lt(5))
        .filter(User::email.ne(excluded(User::email)))
        .do_update(User::email)
        .execute(&session)
        .await?;
    assert_eq!(count, 1);
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|new@x|1", "bob|bob@x|9"]);
    Ok(())
}

#[tokio::test]
async fn a_condition_is_refused_where_there_is_none() -> Result<()> {
    needs!(MariaDb, "the others have it");
    let (db, session) = with_ann().await?;
    let upsert = User::insert_all([user("ann", "new@x")]).on_conflict(User::username).filter(User::visits.lt(5));
    let error = upsert.do_update(User::email).execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(db.work().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_target_that_is_no_unique_key_is_refused() -> Result<()> {
    let (db, session) = with_ann().await?;
    let upsert = User::insert_all([user("ann", "new@x")]).on_conflict((User::username, User::email));
    let error = upsert.do_update(User::email).execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("on_conflict(username, email)"), "{error}");
    let stranger = User::insert_all([user("ann", "new@x")]).on_conflict(User::username);
    let stranger = stranger.do_update(User::email.set(Member::name)).execute(&session).await.unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::InvalidStatement);
    assert!(db.work().is_empty());
    Ok(())
}

fn member(id: i64, number: i64, name: &str) -> impl aludel::entity::new::New<Model = Member> + use<> {
    Member::build().id(id).org(1).number(number).name(name)
}

#[tokio::test]
async fn another_key_that_is_taken_is_still_an_error() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    Member::insert_all([member(1, 1, "a"), member(2, 2, "b")]).execute(&session).await?;
    session.commit().await?;
    let upsert = Member::insert_all([member(3, 2, "c")]).on_conflict(Member::id).do_update(Member::name);
    let error = upsert.execute(&session).await.unwrap_err();
    let expected =
        Backend::current().pick(ErrorKind::UniqueViolation, ErrorKind::UniqueViolation, ErrorKind::Unsupported);
    assert_eq!(error.kind(), expected);
    session.rollback().await?;
    assert_eq!(db.rows(MEMBERS), ["1|1|1|a|1", "2|1|2|b|1"]);
    Ok(())
}

#[tokio::test]
async fn a_key_of_several_columns_is_a_target_and_a_version_is_raised() -> Result<()> {
    needs!(Sqlite | Postgres, "MariaDB cannot tell the two keys apart");
    let db = TestDb::new().await;
    let session = db.session();
    Member::insert_all([member(1, 1, "a"), member(2, 2, "b")]).execute(&session).await?;
    Member::insert_all([member(9, 2, "c"), member(4, 4, "d")])
        .on_conflict((Member::number, Member::org))
        .do_update(Member::name)
        .execute(&session)
        .await?;
    session.commit().await?;
    assert_eq!(db.rows(MEMBERS), ["1|1|1|a|1", "2|1|2|c|2", "4|1|4|d|1"]);
    Ok(())
}

#[tokio::test]
async fn many_rows_go_in_statements_of_five_hundred() -> Result<()> {
    let (db, session) = with_ann().await?;
    let rows = |email: &'static str| (0..1200).map(move |n| user(&format!("user {n}"), email));
    User::insert_all(rows("a")).execute(&session).await?;
    db.statements();
    let count = User::insert_all(rows("b"))
        .on_conflict(User::username)
        .do_update((User::email, User::visits.set(User::visits + 1)))
        .execute(&session)
        .await?;
    assert_eq!((count, db.work().len()), (1200, 3));
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*), min(visits), max(visits) FROM user WHERE email = 'b'"), ["1200|2|2"]);
    Ok(())
}

#[tokio::test]
async fn loaded_entities_are_read_anew_after_an_upsert() -> Result<()> {
    let (db, session) = with_ann().await?;
    let ann = User::query().one(&session).await?;
    User::insert_all([user("ann", "new@x")])
        .on_conflict(User::username)
        .do_update(User::email)
        .execute(&session)
        .await?;
    assert_eq!(ann.email, "ann@x");
    session.get_one::<User>(ann.id).await?;
    assert_eq!(ann.email, "new@x");
    session.rollback().await?;
    assert_eq!(db.rows(USERS), ["ann|ann@x|1"]);
    Ok(())
}
