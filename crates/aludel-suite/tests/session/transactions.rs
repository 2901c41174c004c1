//! Commit, rollback, savepoints, and what a failed flush leaves behind.

use crate::support::{TestDb, native};
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    username: String,
    email: Option<String>,
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

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change("INSERT INTO user VALUES (1, 'ann', NULL), (2, 'bob', NULL); INSERT INTO post VALUES (1, 'one', 1)");
    db
}

const NAMES: &str = "SELECT username FROM user ORDER BY id";

#[tokio::test]
async fn what_is_not_committed_is_seen_by_nobody_and_lost_with_the_session() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    session.add(User::build().username("new"));
    session.flush().await?;
    assert_eq!(User::query().count(&session).await?, 3);
    assert_eq!(User::query().count(&db.session()).await?, 2);
    drop(session);
    assert_eq!(User::query().count(&db.session()).await?, 2);
    assert_eq!(db.statements().last().expect("statements"), r#"SELECT count(*) FROM "user""#);
    Ok(())
}

#[tokio::test]
async fn rollback_restores_values_states_and_links() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let (ann, bob) = (session.get_one::<User>(1).await?, session.get_one::<User>(2).await?);
    let post = ann.load(User::posts).await?[0].clone();
    bob.load(User::posts).await?;

    ann.set(User::username, "anna");
    session.flush().await?;
    ann.set(User::username, "anne");
    post.set(Post::author, &bob);
    let new = session.add(User::build().username("new"));
    let flushed = session.add(User::build().username("flushed"));
    session.flush().await?;
    session.delete(&post);
    session.rollback().await?;

    assert_eq!(ann.username, "ann");
    assert_eq!((post.user_id, post.author.entity()?), (1, ann.clone()));
    assert_eq!((ann.posts.entities()?, bob.posts.get()?.len()), (vec![post.clone()], 0));
    assert!(post.is_persistent());
    for gone in [new, flushed] {
        assert!(!gone.is_pending() && !gone.is_persistent() && !gone.is_deleted());
    }
    db.statements();
    session.commit().await?;
    assert_eq!(db.work(), [""; 0], "there is nothing left to send");
    assert_eq!(db.rows(NAMES), ["ann", "bob"]);
    Ok(())
}

#[tokio::test]
async fn a_row_goes_from_pending_to_persistent_to_deleted_to_detached() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let states = |user: &Entity<User>| (user.is_pending(), user.is_persistent(), user.is_deleted());
    let user = session.add(User::build().username("new"));
    assert_eq!(states(&user), (true, false, false));
    session.flush().await?;
    assert_eq!(states(&user), (false, true, false));
    session.commit().await?;
    assert_eq!(states(&user), (false, true, false));
    session.delete(&user);
    assert_eq!(states(&user), (false, true, false), "until the flush");
    session.flush().await?;
    assert_eq!(states(&user), (false, false, true));
    session.commit().await?;
    assert_eq!(states(&user), (false, false, false));
    assert_eq!(user.username, "new", "readable all the same");
    Ok(())
}

#[tokio::test]
async fn a_pending_row_that_is_deleted_is_never_inserted() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let user = session.add(User::build().username("new"));
    let post = session.add(Post::build().title("t").author(&ann));
    session.delete(&post);
    session.delete(&user);
    assert!(!user.is_pending());
    db.statements();
    session.commit().await?;
    assert_eq!(db.work(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn after_a_failed_flush_only_a_rollback_is_possible() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.set(User::email, "ann@x");
    session.add(User::build().username("bob"));
    let error = session.flush().await.expect_err("bob is there");
    assert_eq!((error.kind(), error.table()), (ErrorKind::UniqueViolation, Some("user")));
    assert_eq!(error.constraint(), Some("uq_user_username"));
    assert_eq!(error.columns(), ["username"]);

    let needs_rollback = [
        session.flush().await.err(),
        session.commit().await.err(),
        session.get::<Post>(1).await.err(),
        User::query().all(&session).await.err(),
        User::query().delete().execute(&session).await.err(),
        session.sql("SELECT 1").all::<i64>().await.err(),
        session.begin_nested().await.err(),
        ann.load(User::posts).await.err(),
    ];
    for error in needs_rollback {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::NeedsRollback));
    }
    session.rollback().await?;
    assert_eq!(ann.email, None);

    ann.set(User::email, "ann@x");
    session.add(User::build().username("cas"));
    session.commit().await?;
    assert_eq!(db.rows("SELECT username, email FROM user ORDER BY id"), ["ann|ann@x", "bob|NULL", "cas|NULL"]);
    Ok(())
}

#[tokio::test]
async fn a_flush_that_is_cut_short_needs_a_rollback() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    session.add(User::build().username("new"));
    {
        let mut flush = std::pin::pin!(session.flush());
        let other = db.session();
        other.begin().await?;
        // Waits for the other writer, and is given up.
        let waker = std::task::Waker::noop();
        assert!(flush.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    assert_eq!(session.flush().await.expect_err("cut short").kind(), ErrorKind::NeedsRollback);
    session.rollback().await?;
    session.add(User::build().username("again"));
    session.commit().await?;
    assert_eq!(db.rows(NAMES), ["ann", "bob", "again"]);
    Ok(())
}

#[tokio::test]
async fn the_error_of_an_autoflush_says_which_query_flushed() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    session.add(User::build().username("bob"));
    let error = User::query().count(&session).await.expect_err("bob is there");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    let here = format!("flushed by the query at {}:{}", file!(), line!() - 2);
    assert!(error.to_string().contains(&here), "{error} does not contain {here}");
    Ok(())
}

#[tokio::test]
async fn without_autoflush_queries_do_not_send_what_is_pending() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    session.add(User::build().username("new"));
    let guard = session.no_autoflush();
    assert_eq!(User::query().count(&session).await?, 2);
    let inner = session.no_autoflush();
    drop(guard);
    assert_eq!(User::query().count(&session).await?, 2, "one guard is left");
    drop(inner);
    assert_eq!(User::query().count(&session).await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_savepoint_that_is_rolled_back_puts_the_entities_back_also_after_a_failed_flush() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.set(User::email, "before@x");
    let savepoint = session.begin_nested().await?;
    ann.set(User::username, "bob");
    let error = session.flush().await.expect_err("bob is there");
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    savepoint.rollback().await?;
    assert_eq!((ann.username.as_str(), ann.email.as_deref()), ("ann", Some("before@x")));
    session.commit().await?;
    assert_eq!(db.rows("SELECT username, email FROM user WHERE id = 1"), ["ann|before@x"]);
    Ok(())
}

#[tokio::test]
async fn savepoints_nest() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let set = |name: &str| ann.set(User::username, name);

    set("a1");
    let outer = session.begin_nested().await?;
    set("a2");
    let inner = session.begin_nested().await?;
    set("a3");
    let new = session.add(User::build().username("new"));
    session.flush().await?;
    inner.rollback().await?;
    assert_eq!((ann.username.as_str(), new.is_persistent()), ("a2", false));

    let inner = session.begin_nested().await?;
    set("a4");
    let kept = session.add(User::build().username("kept"));
    inner.release().await?;
    assert_eq!((ann.username.as_str(), kept.is_persistent()), ("a4", true));
    outer.rollback().await?;
    assert_eq!((ann.username.as_str(), kept.is_persistent()), ("a1", false), "what was released goes too");

    let savepoint = session.begin_nested().await?;
    set("a5");
    drop(savepoint);
    session.commit().await?;
    assert_eq!(db.rows(NAMES), ["a5", "bob"], "a savepoint that is dropped is kept");
    session.rollback().await?;
    assert_eq!(ann.username, "a5");
    Ok(())
}

#[tokio::test]
async fn what_was_read_in_a_savepoint_that_is_rolled_back_is_read_again() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let savepoint = session.begin_nested().await?;
    User::query().update(User::email.set("undone@x")).execute(&session).await?;
    let ann = session.get_one::<User>(1).await?;
    assert_eq!(ann.email.as_deref(), Some("undone@x"));
    savepoint.rollback().await?;
    session.get_one::<User>(1).await?;
    assert_eq!(ann.email, None);
    Ok(())
}

#[tokio::test]
async fn what_was_first_read_in_a_transaction_that_is_rolled_back_is_read_again() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    session.sql(&native("UPDATE user SET email = 'undone@x'")).execute().await?;
    let ann = User::query().filter(User::id.eq(1)).one(&session).await?;
    assert_eq!(ann.email.as_deref(), Some("undone@x"));
    session.rollback().await?;
    User::query().all(&session).await?;
    assert_eq!(ann.email, None);
    Ok(())
}

#[tokio::test]
async fn a_savepoint_outlives_no_commit() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let savepoint = session.begin_nested().await?;
    session.commit().await?;
    assert_eq!(savepoint.rollback().await.expect_err("ended").kind(), ErrorKind::InvalidStatement);
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_gone_when_it_is_to_be_updated_is_stale() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let bob = session.get_one::<User>(2).await?;
    db.change("DELETE FROM user WHERE id = 2");
    bob.set(User::email, "bob@x");
    let error = session.commit().await.expect_err("the row is gone");
    assert_eq!((error.kind(), error.table()), (ErrorKind::StaleData, Some("user")));
    assert!(error.to_string().contains("key 2"), "{error}");
    session.rollback().await?;
    assert!(session.get::<User>(2).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn begin_takes_the_transaction_before_the_first_read() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    session.begin().await?;
    assert_eq!(session.begin().await.expect_err("open").kind(), ErrorKind::InvalidStatement);
    User::query().count(&session).await?;
    session.rollback().await?;
    let statements = db.statements();
    assert!(statements[0].starts_with("BEGIN"), "{statements:?}");
    Ok(())
}

#[tokio::test]
async fn a_unique_value_can_be_taken_over_within_one_transaction() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let bob = session.get_one::<User>(2).await?;
    bob.set(User::username, "robert");
    session.flush().await?;
    session.add(User::build().username("bob"));
    session.commit().await?;
    assert_eq!(db.rows(NAMES), ["ann", "robert", "bob"]);
    Ok(())
}
