//! A query's entities in chunks, and orders that are chosen out of a list.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    age: Option<i64>,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

async fn filled(users: i64) -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    let session = db.session();
    let rows = (1..=users).map(|id| User::build().username(format!("user {id}")).age((id % 3 > 0).then_some(id % 3)));
    User::insert_all(rows).execute(&session).await.expect("the rows");
    session.commit().await.expect("a commit");
    db.statements();
    db
}

#[tokio::test]
async fn chunks_bring_each_entity_once_in_the_order() -> Result<()> {
    let db = filled(10).await;
    let session = &db.session();
    let expected = User::query().order_by((User::age.desc(), User::id.desc())).select(User::id).all(session).await?;
    for size in [1, 3, 5, 10, 11] {
        let mut ids = Vec::new();
        let mut chunks = User::query().order_by(User::age.desc()).stream_entities(session, size);
        while let Some(users) = chunks.next().await? {
            assert!(users.len() as u64 <= size);
            ids.extend(users.iter().map(|user| user.id));
        }
        assert_eq!(ids, expected, "{size}");
        assert!(chunks.next().await?.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn changes_of_a_chunk_are_flushed_before_the_next() -> Result<()> {
    let db = filled(7).await;
    let session = &db.session();
    let mut chunks = User::query().with(User::posts).stream_entities(session, 3);
    let mut kept = None;
    while let Some(users) = chunks.next().await? {
        for user in &users {
            assert!(user.posts.get()?.is_empty());
            user.set(User::username, format!("{}!", user.username));
            user.push(User::posts, Post::build().title("new"));
        }
        kept = kept.or(users.first().cloned());
    }
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM user WHERE username LIKE '%!'"), ["7"]);
    assert_eq!(db.rows("SELECT count(*) FROM post"), ["7"]);
    let first = kept.expect("a row");
    assert_eq!(first.username, "user 1!", "it stays readable");
    assert_ne!(session.get::<User>(1).await?.expect("a row"), first, "the session has another entity for it");
    Ok(())
}

#[tokio::test]
async fn a_chunk_of_no_rows_and_a_query_that_is_cut_are_refused() {
    let db = filled(1).await;
    let session = &db.session();
    let none = User::query().stream_entities(session, 0).next().await.unwrap_err();
    assert_eq!(none.to_string(), "stream_entities: a chunk has at least one row");
    let cut = User::query().limit(1).stream_entities(session, 2).next().await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::InvalidStatement);
}

#[tokio::test]
async fn entities_of_earlier_chunks_are_gone() -> Result<()> {
    let db = filled(50).await;
    let session = &db.session();
    let mut chunks = User::query().stream_entities(session, 5);
    while let Some(users) = chunks.next().await? {
        // a row of an earlier chunk is another entity: the session has forgotten it
        let statements = db.statements().len();
        assert_eq!(statements, 1);
        let first = session.get::<User>(1).await?.expect("a row");
        assert_eq!(db.statements().len(), usize::from(users[0].id != 1), "{}", first.id);
    }
    Ok(())
}

#[tokio::test]
async fn an_order_is_chosen_out_of_a_list() -> Result<()> {
    let db = filled(4).await;
    let session = &db.session();
    let sortable = User::sortable(["username", "id"]);
    let ids = |text: &str| {
        let order = sortable.order(text);
        async move { User::query().order_by(order?).select(User::id).all(session).await }
    };
    assert_eq!(ids("-id").await?, [4, 3, 2, 1]);
    assert_eq!(ids("username, -id").await?, [1, 2, 3, 4]);
    assert_eq!(ids("").await?.len(), 4);
    let error = ids("age").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::BadRequest, "cannot sort by `age`: choose among username, id")
    );
    assert_eq!(sortable.column("id; DROP TABLE user").unwrap_err().kind(), ErrorKind::BadRequest);
    assert_eq!(User::sortable(["nothing"]).column("nothing").unwrap_err().kind(), ErrorKind::Config);
    Ok(())
}
