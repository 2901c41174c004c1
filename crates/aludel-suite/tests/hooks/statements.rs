//! Hooks that send statements of their own, within the flush.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::support::TestDb;
use aludel::prelude::*;

thread_local! {
    /// What the hook of a comment does, beside its work.
    static CASE: Cell<Case> = const { Cell::new(Case::Nothing) };
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    Nothing,
    /// Calls what is refused.
    Flush,
    Commit,
    Rollback,
    BeginNested,
    Close,
    /// Fails, before the statements or after them, having read or written something.
    FailsBefore,
    FailsBeforeHavingWritten,
    FailsAfter,
    /// Waits for a moment between two statements.
    Waits,
    /// Sends two statements at once.
    Together,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(default = 0)]
    comments: i64,
}

#[derive(Model, Clone, Debug)]
#[model(async_hooks)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(default = 0)]
    number: i64,
    #[column(references = Post::id)]
    post_id: i64,
}

impl AsyncHooks for Comment {
    async fn before_insert(row: &Entity<Self>, session: &Session) -> Result<()> {
        let others = Comment::query().filter(Comment::post_id.eq(row.post_id));
        let number = others.clone().count(session).await?;
        row.set(Comment::number, i64::try_from(number).expect("few") + 1);
        match CASE.get() {
            Case::Flush => session.flush().await?,
            Case::Commit => session.commit().await?,
            Case::Rollback => session.rollback().await?,
            Case::BeginNested => drop(session.begin_nested().await?),
            Case::Close => session.close().await,
            Case::FailsBefore => return Err(Error::abort("before")),
            Case::FailsBeforeHavingWritten => {
                session.sql("UPDATE post SET comments = 100").execute().await?;
                return Err(Error::abort("before"));
            }
            Case::Waits => {
                session.sql("UPDATE post SET comments = comments + 10").execute().await?;
                tokio::task::yield_now().await;
                others.count(session).await?;
            }
            Case::Together => {
                let (one, other) = (others.clone(), others);
                let (one, other) = tokio::join!(one.count(session), other.count(session));
                assert_eq!(one?, other?);
            }
            Case::Nothing | Case::FailsAfter => {}
        }
        Ok(())
    }

    async fn before_update(row: &Entity<Self>, stored: &Self, session: &Session) -> Result<()> {
        let post = session.get_one::<Post>(row.post_id).await?;
        row.set(Comment::text, format!("{} (was {}, of {})", row.text, stored.text, post.id));
        Ok(())
    }

    async fn after_insert(row: &Entity<Self>, session: &Session) -> Result<()> {
        let post = Post::query().filter(Post::id.eq(row.post_id));
        post.update(Post::comments.set(Post::comments + 1)).execute(session).await?;
        if CASE.get() == Case::FailsAfter { Err(Error::abort("after")) } else { Ok(()) }
    }

    async fn after_delete(row: &Entity<Self>, session: &Session) -> Result<()> {
        let post = session.get_one::<Post>(row.post_id).await?;
        post.set(Post::comments, post.comments - 1);
        Ok(())
    }
}

/// A session with a post that is committed.
async fn posted(db: &TestDb) -> Result<(Session, i64)> {
    let session = db.session();
    let post = session.add(Post::build());
    session.commit().await?;
    db.statements();
    Ok((session, post.id))
}

#[tokio::test]
async fn a_hook_queries_and_writes_within_the_flush() -> Result<()> {
    let db = TestDb::new().await;
    let (session, post) = posted(&db).await?;
    let comment = session.add(Comment::build().text("first").post_id(post));
    session.commit().await?;
    assert_eq!(db.work().len(), 3, "the hook's SELECT, the INSERT, the hook's UPDATE");
    assert_eq!(comment.number, 1);
    session.add(Comment::build().text("second").post_id(post));
    session.commit().await?;
    assert_eq!(db.rows("SELECT text, number FROM comment ORDER BY id"), ["first|1", "second|2"]);
    assert_eq!(db.rows("SELECT comments FROM post"), ["2"]);

    comment.set(Comment::text, "new");
    session.commit().await?;
    assert_eq!(comment.text, format!("new (was first, of {post})"));
    // What an after-hook changes is flushed by the same call.
    session.delete(&comment);
    session.commit().await?;
    assert_eq!(db.rows("SELECT comments FROM post"), ["1"]);
    assert_eq!(db.rows("SELECT text FROM comment"), ["second"]);
    Ok(())
}

#[tokio::test]
async fn two_statements_of_a_hook_run_one_after_another() -> Result<()> {
    let db = TestDb::new().await;
    let (session, post) = posted(&db).await?;
    CASE.set(Case::Together);
    session.add_all((0..3).map(|_| Comment::build().text("x").post_id(post)));
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM comment"), ["3"]);
    Ok(())
}

#[tokio::test]
async fn what_would_deadlock_is_refused() -> Result<()> {
    for (case, name) in [
        (Case::Flush, "flush"),
        (Case::Commit, "commit"),
        (Case::Rollback, "rollback"),
        (Case::BeginNested, "begin_nested"),
    ] {
        let db = TestDb::new().await;
        let (session, post) = posted(&db).await?;
        CASE.set(case);
        session.add(Comment::build().text("x").post_id(post));
        let error = session.commit().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidStatement, "{name}");
        assert!(error.to_string().starts_with(&format!("`{name}` was called in a hook")), "{error}");
        // Nothing was sent but a SELECT: the flush may be tried again.
        CASE.set(Case::Nothing);
        session.commit().await?;
        assert_eq!(db.rows("SELECT comments FROM post"), ["1"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_hook_that_closes_the_session_makes_the_flush_fail() -> Result<()> {
    let db = TestDb::new().await;
    let (session, post) = posted(&db).await?;
    CASE.set(Case::Close);
    session.add(Comment::build().text("x").post_id(post));
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Detached);
    assert_eq!(db.rows("SELECT count(*) FROM comment"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_hook_that_fails_takes_a_rollback_where_something_was_written() -> Result<()> {
    for (case, usable) in
        [(Case::FailsBefore, true), (Case::FailsBeforeHavingWritten, false), (Case::FailsAfter, false)]
    {
        let db = TestDb::new().await;
        let (session, post) = posted(&db).await?;
        CASE.set(case);
        session.add(Comment::build().text("x").post_id(post));
        assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Aborted);
        CASE.set(Case::Nothing);
        if usable {
            session.commit().await?;
            assert_eq!(db.rows("SELECT comments FROM post"), ["1"]);
        } else {
            assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::NeedsRollback);
            session.rollback().await?;
            session.commit().await?;
            assert_eq!(db.rows("SELECT comments FROM post"), ["0"]);
            assert_eq!(db.rows("SELECT count(*) FROM comment"), ["0"]);
        }
    }
    Ok(())
}

/// Drops a future when it has waited so many times.
async fn dropped_after<F: Future>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        if polls > waits {
            return Poll::Ready(None);
        }
        polls += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polls > waits => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_flush_that_is_dropped_in_a_hook_leaves_nothing_behind() -> Result<()> {
    let mut cut = 0;
    for waits in 0..24 {
        let db = TestDb::new().await;
        let (session, post) = posted(&db).await?;
        CASE.set(Case::Waits);
        session.add_all((0..2).map(|_| Comment::build().text("x").post_id(post)));
        let ended = dropped_after(session.flush(), waits).await.transpose()?.is_some();
        if let Err(error) = session.sql("SELECT 1").one::<i64>().await {
            assert!(!ended, "{error}");
            assert_eq!(error.kind(), ErrorKind::NeedsRollback, "after {waits} waits: {error}");
            cut += 1;
        }
        session.rollback().await?;
        // Nobody keeps the session's turn, nor a lock.
        db.change("UPDATE post SET comments = 7");
        assert_eq!(db.rows("SELECT count(*) FROM comment"), ["0"]);
        CASE.set(Case::Nothing);
        session.add(Comment::build().text("y").post_id(post));
        session.commit().await?;
        assert_eq!(db.rows("SELECT comments FROM post"), ["8"]);
        if ended {
            break;
        }
    }
    assert!(cut > 0, "some were cut in the hook");
    Ok(())
}

#[tokio::test]
async fn other_tasks_wait_until_the_flush_is_over() -> Result<()> {
    let db = TestDb::new().await;
    let (session, post) = posted(&db).await?;
    CASE.set(Case::Waits);
    session.add(Comment::build().text("x").post_id(post));
    let other = session.clone();
    let count = async {
        // The flush is in its hook by now, which gives way between two statements.
        tokio::task::yield_now().await;
        other.sql("SELECT comments FROM post").one::<i64>().await
    };
    let (flushed, comments) = tokio::join!(session.flush(), count);
    flushed?;
    // By `before_insert` and by `after_insert`: nothing is seen of a flush that is half done.
    let comments = comments?;
    assert!([0, 11].contains(&comments), "{comments}");
    session.commit().await?;
    assert_eq!(db.rows("SELECT comments FROM post"), ["11"]);
    Ok(())
}

#[tokio::test]
async fn a_savepoint_takes_back_what_a_hook_has_sent() -> Result<()> {
    let db = TestDb::new().await;
    let (session, post) = posted(&db).await?;
    session.add(Comment::build().text("kept").post_id(post));
    let savepoint = session.begin_nested().await?;
    CASE.set(Case::FailsAfter);
    session.add(Comment::build().text("lost").post_id(post));
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::Aborted);
    savepoint.rollback().await?;
    CASE.set(Case::Nothing);
    session.commit().await?;
    assert_eq!(db.rows("SELECT text FROM comment"), ["kept"]);
    assert_eq!(db.rows("SELECT comments FROM post"), ["1"]);
    Ok(())
}
