//! What a session was made of serves the next one on its thread: nothing of the one before is left in it, and nothing is
//! taken from under somebody who still has a part of it.

use crate::support::TestDb;
use aludel::ErrorKind;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
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
    db.change(
        "INSERT INTO user (id, name) VALUES (1, 'one'), (2, 'two');
         INSERT INTO post (id, title, user_id) VALUES (1, 'first', 1), (2, 'second', 1), (3, 'third', 2);",
    );
    db
}

#[tokio::test]
async fn a_new_session_has_nothing_of_the_one_before() -> Result<()> {
    let db = filled().await;
    let before = db.session();
    before.get_one::<User>(1).await?.set(User::name, "changed");
    before.add(User::build().id(3).name("pending"));
    drop(before);
    let session = db.session();
    assert_eq!(session.get_one::<User>(1).await?.name, "one", "the change was never sent");
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM \"user\" ORDER BY id"), ["one", "two"]);
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_was_open_is_rolled_back_before_the_next_session() -> Result<()> {
    let db = filled().await;
    let before = db.session();
    before.add(User::build().id(3).name("flushed"));
    before.flush().await?;
    drop(before);
    let session = db.session();
    assert_eq!(User::query().count(&session).await?, 2);
    session.add(User::build().id(3).name("anew"));
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM \"user\" ORDER BY id"), ["one", "two", "anew"]);
    Ok(())
}

#[tokio::test]
async fn a_session_after_a_closed_or_failed_one_is_neither() -> Result<()> {
    let db = filled().await;
    let closed = db.session();
    closed.close().await;
    assert!(closed.is_closed());
    drop(closed);
    let session = db.session();
    assert!(!session.is_closed());
    session.add(User::build().id(1).name("twice"));
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::UniqueViolation);
    assert_eq!(User::query().count(&session).await.unwrap_err().kind(), ErrorKind::NeedsRollback);
    drop(session);
    assert_eq!(User::query().count(&db.session()).await?, 2);
    Ok(())
}

#[tokio::test]
async fn entities_outlive_their_session_and_belong_to_no_other() -> Result<()> {
    let db = filled().await;
    let user = db.session().get_one::<User>(1).await?;
    let session = db.session();
    let same = session.get_one::<User>(1).await?;
    same.set(User::name, "changed");
    session.commit().await?;
    assert_eq!((user.name.as_str(), same.name.as_str()), ("one", "changed"));
    assert_eq!(user.load(User::posts).await.unwrap_err().kind(), ErrorKind::Detached);
    Ok(())
}

#[tokio::test]
async fn what_a_session_was_cleared_of_stays_readable() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(1).await?;
    session.clear();
    drop(session);
    let next = db.session();
    let posts = Post::query().all(&next).await?;
    assert_eq!(user.load(User::posts).await.unwrap_err().kind(), ErrorKind::Detached);
    drop(next);
    assert_eq!((user.name.as_str(), posts.len()), ("one", 3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_short_sessions_on_several_threads_keep_apart() -> Result<()> {
    let db = filled().await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let db = db.clone();
            tokio::spawn(async move {
                for round in 0..200 {
                    let session = db.session();
                    let user = session.get_one::<User>(1 + (task + round) % 2).await?;
                    let kept = if round % 3 == 0 { Some(session.clone()) } else { None };
                    // The entity goes on another thread, before or after its session.
                    let reader = tokio::spawn(async move {
                        let posts = user.load(User::posts).await;
                        match posts {
                            Ok(posts) => assert_eq!(posts.len(), if user.id == 1 { 2 } else { 1 }),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Detached),
                        }
                        drop(user);
                    });
                    drop(session);
                    if round % 2 == 0 {
                        reader.await.unwrap();
                    }
                    drop(kept);
                }
                Ok::<(), aludel::Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    Ok(())
}
