//! Queries that name the key of a row which was new when they were written.

use crate::support::{Backend, TestDb};
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    score: i64,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i16,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[column(references = Post::id)]
    reply_to: Option<i16>,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

/// The one and only user is in the database before, so that the new keys are no numbers from 1.
async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change("INSERT INTO user VALUES (10, 'ann', 0); INSERT INTO post VALUES (20, 'one', 10, NULL);");
    db
}

#[tokio::test]
async fn a_filter_by_the_key_of_a_new_row_finds_it_after_the_autoflush() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.add(User::build().username("bob").score(1));
    let post = user.push(User::posts, Post::build().title("two").user_id(user.id));
    let (user_key, post_key) = (user.id, post.id);
    let query = || Post::query().filter(Post::user_id.eq(user_key));
    assert_eq!(query().all(&session).await?, [post.clone()]);
    assert_eq!(query().count(&session).await?, 1);
    assert!(query().exists(&session).await?);
    assert_eq!(Post::query().filter(Post::id.eq(post_key)).one(&session).await?, post);
    assert_eq!(Post::query().filter(Post::id.in_([20, post_key])).count(&session).await?, 2);
    assert_eq!(Post::query().filter(Post::id.ne(post_key)).count(&session).await?, 1);
    let by_author = User::query().filter(User::posts.any(Post::id.eq(post_key)));
    assert_eq!(by_author.one(&session).await?, user);
    let titles = Post::query().filter(Post::user_id.eq(user_key)).select(Post::title).all(&session).await?;
    assert_eq!(titles, ["two"]);
    assert_eq!(user.id, 11);
    Ok(())
}

#[tokio::test]
async fn streams_pages_and_bulk_writes_know_the_key_too() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.add(User::build().username("bob").score(1));
    user.push(User::posts, Post::build().title("two").user_id(user.id));
    let query = {
        let key = user.id;
        move || Post::query().filter(Post::user_id.eq(key))
    };
    let mut stream = query().stream(&session);
    assert_eq!(stream.next().await.expect("a row")?.title, "two");
    drop(stream);
    assert_eq!(query().paginate(&session, PageQuery::new(1)).await?.total, Some(1));
    let old = Post::query().filter(Post::id.eq(20));
    let moved = user.id;
    assert_eq!(old.update(Post::user_id.set(moved)).execute(&session).await?, 1);
    assert_eq!(query().delete().execute(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM post"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn the_placeholder_of_a_row_that_is_not_flushed_is_an_error() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.add(User::build().username("bob").score(1));
    let key = user.id;
    let guard = session.no_autoflush();
    db.statements();
    let error = Post::query().filter(Post::user_id.eq(key)).all(&session).await.expect_err("not flushed");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("new `User`") && error.to_string().contains("flush"), "{error}");
    assert_eq!(db.statements().len(), 0);
    let error = User::query().filter(User::id.eq(key)).stream(&session).next().await.expect("an item");
    assert_eq!(error.expect_err("not flushed").kind(), ErrorKind::InvalidStatement);
    drop(guard);
    assert_eq!(Post::query().filter(Post::user_id.eq(key)).count(&session).await?, 0);
    Ok(())
}

#[tokio::test]
async fn numbers_that_look_like_placeholders_stay_what_they_are() -> Result<()> {
    let db = filled().await;
    db.change("INSERT INTO user VALUES (-9223372036854775807, 'low', -9223372036854775808)");
    let session = db.session();
    session.add(User::build().username("bob").score(1));
    session.flush().await?;
    assert_eq!(User::query().filter(User::score.eq(i64::MIN)).count(&session).await?, 1);
    assert_eq!(User::query().filter(User::id.ge(i64::MIN)).count(&session).await?, 3);
    assert_eq!(User::query().filter(User::id.eq(i64::MIN + 1)).count(&session).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_key_that_a_savepoint_took_back_stands_for_no_other_row() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let savepoint = session.begin_nested().await?;
    let user = session.add(User::build().username("bob").score(1));
    let key = user.id;
    session.flush().await?;
    assert_eq!(user.id, 11);
    savepoint.rollback().await?;
    let other = session.add(User::build().username("cas").score(1));
    session.flush().await?;
    assert_eq!(other.id, Backend::current().pick(11, 12, 12), "SQLite gives the key again");
    let error = User::query().filter(User::id.eq(key)).all(&session).await.expect_err("nobody's key");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    session.add(Post::build().title("lost").user_id(key));
    let error = session.flush().await.expect_err("nobody's key");
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    Ok(())
}

#[tokio::test]
async fn keys_that_were_made_before_a_failed_flush_are_known_after_it() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.add(User::build().username("bob").score(1));
    let key = user.id;
    session.flush().await?;
    let savepoint = session.begin_nested().await?;
    session.add(Post::build().title("no author").user_id(77));
    session.flush().await.expect_err("a foreign key");
    savepoint.rollback().await?;
    session.add(Post::build().title("two").user_id(key));
    session.commit().await?;
    assert_eq!(db.rows("SELECT title, user_id FROM post ORDER BY id"), ["one|10", "two|11"]);
    Ok(())
}
