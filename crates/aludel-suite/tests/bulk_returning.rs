//! RETURNING of `insert_all`, bulk updates and deletes, and updates from another table.

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(unique, length = 80)]
    name: String,
    karma: i64,
    email: Option<String>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    byline: String,
    #[column(references = User::id)]
    user_id: i64,
}

const USERS: &str = "SELECT name, karma FROM user ORDER BY id";

fn rows() -> [impl aludel::entity::new::New<Model = User>; 3] {
    [
        User::build().name("ann").karma(1),
        User::build().name("bob").karma(2).email("bob@x"),
        User::build().name("cas").karma(3),
    ]
}

async fn with_three() -> Result<(TestDb, Session)> {
    let db = TestDb::new().await;
    let session = db.session();
    User::insert_all(rows()).execute(&session).await?;
    session.commit().await?;
    db.statements();
    Ok((db, session))
}

#[tokio::test]
async fn inserted_rows_give_columns_back() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let mut found: Vec<(String, i64)> =
        User::insert_all(rows()).returning((User::name, User::karma * 10)).execute(&session).await?;
    found.sort();
    assert_eq!(found, [("ann".to_owned(), 10), ("bob".to_owned(), 20), ("cas".to_owned(), 30)]);
    assert_eq!(db.work().len(), 1);
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|1", "bob|2", "cas|3"]);
    Ok(())
}

#[tokio::test]
async fn inserted_rows_come_back_as_entities() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let users: Vec<Entity<User>> = User::insert_all(rows()).returning(User::entity).execute(&session).await?;
    let bob = users.iter().find(|user| user.name == "bob").expect("bob");
    assert!(bob.is_persistent() && bob.email.as_deref() == Some("bob@x"));
    db.statements();
    assert_eq!(session.get_one::<User>(bob.id).await?, *bob);
    assert!(db.work().is_empty(), "what has just come is current");
    bob.set(User::karma, 20);
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|1", "bob|20", "cas|3"]);
    Ok(())
}

#[tokio::test]
async fn an_upsert_gives_back_what_it_wrote() -> Result<()> {
    let (db, session) = with_three().await?;
    let ann = User::query().filter(User::name.eq("ann")).one(&session).await?;
    let rows = [User::build().name("ann").karma(50), User::build().name("dan").karma(4)];
    let mut users = User::insert_all(rows)
        .on_conflict(User::name)
        .do_update(User::karma)
        .returning(User::entity)
        .execute(&session)
        .await?;
    users.sort_by_key(|user| user.id);
    assert_eq!(users[0], ann);
    assert_eq!((ann.karma, users[1].name.as_str()), (50, "dan"));
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|50", "bob|2", "cas|3", "dan|4"]);
    Ok(())
}

#[tokio::test]
async fn updated_rows_give_their_new_values_back() -> Result<()> {
    needs!(Sqlite | Postgres, "MariaDB's UPDATE has no RETURNING");
    let (db, session) = with_three().await?;
    let bob = User::query().filter(User::name.eq("bob")).one(&session).await?;
    db.statements();
    let query = User::query().filter(User::karma.gt(1));
    let mut found: Vec<(i64, i64)> =
        query.update(User::karma.set(User::karma + 100)).returning((User::id, User::karma)).execute(&session).await?;
    found.sort();
    assert_eq!(found, [(2, 102), (3, 103)]);
    assert_eq!(db.work().len(), 1);
    let query = User::query().filter(User::name.eq("bob"));
    let users = query.update(User::email.set(None)).returning(User::entity).execute(&session).await?;
    assert_eq!(users, [bob.clone()]);
    assert_eq!((bob.karma, &bob.email), (102, &None), "the entity that was there is synchronized");
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["ann|1", "bob|102", "cas|103"]);
    Ok(())
}

#[tokio::test]
async fn deleted_rows_give_their_values_back() -> Result<()> {
    let (db, session) = with_three().await?;
    let mut gone: Vec<String> =
        User::query().filter(User::karma.lt(3)).delete().returning(User::name).execute(&session).await?;
    gone.sort();
    assert_eq!(gone, ["ann", "bob"]);
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["cas|3"]);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_returned_is_refused() -> Result<()> {
    let (db, session) = with_three().await?;
    let entities = User::query().delete().returning(User::entity).execute(&session).await.unwrap_err();
    assert_eq!(entities.kind(), ErrorKind::InvalidStatement);
    let other = User::insert_all(rows()).returning(Post::byline).execute(&session).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidStatement);
    let update = User::query().update(User::karma.set(0)).returning(User::id).execute(&session).await;
    match Backend::current() {
        Backend::MariaDb => assert_eq!(update.unwrap_err().kind(), ErrorKind::Unsupported),
        Backend::Sqlite | Backend::Postgres => assert_eq!(update?.len(), 3),
    }
    session.rollback().await?;
    assert_eq!(db.rows(USERS), ["ann|1", "bob|2", "cas|3"]);
    Ok(())
}

async fn with_posts() -> Result<(TestDb, Session)> {
    let (db, session) = with_three().await?;
    Post::insert_all([Post::build().byline("").user_id(1), Post::build().byline("").user_id(3)])
        .execute(&session)
        .await?;
    session.commit().await?;
    db.statements();
    Ok((db, session))
}

#[tokio::test]
async fn an_update_takes_values_from_another_table() -> Result<()> {
    let (db, session) = with_posts().await?;
    let count = Post::query()
        .filter(Post::user_id.eq(User::id))
        .filter(User::karma.gt(1))
        .update(Post::byline.set(User::name))
        .from::<User>()
        .execute(&session)
        .await?;
    assert_eq!((count, db.work().len()), (1, 1));
    session.commit().await?;
    assert_eq!(db.rows("SELECT byline, user_id FROM post ORDER BY id"), ["|1", "cas|3"]);
    Ok(())
}

#[tokio::test]
async fn a_table_that_was_not_named_is_refused() -> Result<()> {
    let (db, session) = with_posts().await?;
    let update = Post::query().filter(Post::user_id.eq(User::id)).update(Post::byline.set("x"));
    assert_eq!(update.execute(&session).await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    let itself = Post::query().update(Post::byline.set("x")).from::<Post>();
    assert_eq!(itself.execute(&session).await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    assert!(db.work().is_empty());
    Ok(())
}
