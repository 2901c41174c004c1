//! One session used from several futures and threads, closed, dropped, or given another session's entities.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    email: String,
    visits: i64,
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
        "INSERT INTO user WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
         SELECT i, 'user ' || i, 'a@x', 0 FROM n;
         INSERT INTO post SELECT id, 'post', id FROM user;",
    );
    db
}

#[tokio::test]
async fn futures_of_one_session_run_one_after_another() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let (users, count, one, new, loaded) = tokio::join!(
        User::query().order_by(User::id).all(&session),
        Post::query().count(&session),
        session.get_one::<User>(7),
        async {
            let new = session.add(User::build().username("new").email("n@x").visits(0));
            session.flush().await.map(|()| new)
        },
        async { session.get_one::<Post>(7).await?.load(Post::author).await },
    );
    let (users, one, new) = (users?, one?, new?);
    assert_eq!((users.len(), count?), (50, 50));
    assert_eq!(users[6], one);
    assert_eq!(loaded?, one);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM user"), ["51"]);
    assert_eq!(session.get::<User>(new.id).await?, Some(new));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_of_one_session_share_its_entities() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let tasks: Vec<_> = (0..20)
        .map(|task| {
            let session = session.clone();
            tokio::spawn(async move {
                for id in 1..=10 {
                    let user = session.get_one::<User>(id).await?;
                    assert_eq!(user.load(User::posts).await?.len(), 1);
                    session.add(Post::build().title(format!("by {task}")).user_id(50));
                }
                session.flush().await
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic")?;
    }
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM post WHERE user_id = 50"), ["201"]);
    Ok(())
}

#[tokio::test]
async fn concurrent_edits_are_merged_by_column() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(1).await?;
    std::thread::scope(|scope| {
        scope.spawn(|| (1..=500).for_each(|i| user.edit(|user| user.username = format!("u{i}"))));
        scope.spawn(|| (1..=500).for_each(|i| user.set(User::email, format!("e{i}"))));
        scope.spawn(|| (1..=500).for_each(|i| user.edit(|user| user.visits = i)));
        scope.spawn(|| {
            let mut seen = 0;
            while seen < 500 {
                assert!(user.visits >= seen, "a reader never goes back in time");
                seen = user.visits;
            }
        });
    });
    session.commit().await?;
    assert_eq!(db.rows("SELECT username, email, visits FROM user WHERE id = 1"), ["u500|e500|500"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_set_and_added_while_a_flush_runs_is_sent_by_the_next() -> Result<()> {
    let db = filled().await;
    for round in 0..10 {
        let session = db.session();
        let user = session.add(User::build().username(format!("new {round}")).email("n@x").visits(0));
        let writer = {
            let (session, user) = (session.clone(), user.clone());
            tokio::spawn(async move {
                for i in 1..=300 {
                    user.set(User::visits, i);
                    if i % 10 == 0 {
                        session.add(Post::build().title("t").author(&user));
                        tokio::task::yield_now().await;
                    }
                }
            })
        };
        while !writer.is_finished() {
            session.flush().await?;
        }
        writer.await.expect("no panic");
        session.commit().await?;
        assert_eq!(user.visits, 300);
        let rows = format!(
            "SELECT visits, (SELECT count(*) FROM post WHERE user_id = user.id) FROM user WHERE id = {}",
            user.id
        );
        assert_eq!(db.rows(&rows), ["300|30"]);
    }
    Ok(())
}

#[tokio::test]
async fn an_edit_within_an_edit_is_kept() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(1).await?;
    user.edit(|outer| {
        user.edit(|inner| inner.email = "inner@x".into());
        outer.username = "outer".into();
    });
    assert_eq!((user.username.as_str(), user.email.as_str()), ("outer", "inner@x"));
    session.commit().await?;
    assert_eq!(db.rows("SELECT username, email FROM user WHERE id = 1"), ["outer|inner@x"]);
    Ok(())
}

#[tokio::test]
async fn an_edit_that_panics_changes_nothing() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(1).await?;
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        user.edit(|user| {
            user.username.clear();
            panic!("in the closure");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(user.username, "user 1");
    user.set(User::username, "after");
    session.commit().await?;
    assert_eq!(db.rows("SELECT username FROM user WHERE id = 1"), ["after"]);
    Ok(())
}

#[tokio::test]
async fn a_closed_session_is_detached_for_all_its_clones_and_what_is_loaded_stays_readable() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let clone = session.clone();
    let user = session.get_one::<User>(1).await?;
    let post = user.load(User::posts).await?[0].clone();
    session.add(User::build().username("new").email("n@x").visits(0));
    session.flush().await?;
    session.close().await;

    assert!(clone.is_closed() && clone.is_same(&session));
    assert_eq!((user.username.as_str(), user.posts.get()?[0].title.as_str()), ("user 1", "post"));
    assert_eq!(post.author.get()?.username, "user 1");
    let errors = [
        clone.get::<User>(2).await.err(),
        User::query().all(&clone).await.err(),
        clone.commit().await.err(),
        clone.flush().await.err(),
        clone.refresh(&user).await.err(),
        session.get_one::<Post>(2).await.err(),
    ];
    for error in errors {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Detached));
    }
    assert_eq!(db.rows("SELECT count(*) FROM user"), ["50"], "what was flushed is rolled back");
    Ok(())
}

#[tokio::test]
async fn a_load_after_the_session_is_gone_is_detached() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(1).await?;
    drop(session);
    assert_eq!(user.username, "user 1");
    assert_eq!(user.load(User::posts).await.expect_err("no session").kind(), ErrorKind::Detached);

    let session = db.session();
    let user = session.get_one::<User>(1).await?;
    session.close().await;
    assert_eq!(user.load(User::posts).await.expect_err("closed").kind(), ErrorKind::Detached);
    Ok(())
}

#[tokio::test]
async fn entities_outlive_their_session_and_each_other() -> Result<()> {
    let db = filled().await;
    let post = {
        let session = db.session();
        let users = User::query().with(User::posts).all(&session).await?;
        users[9].posts.entities()?[0].clone()
    };
    // The author is kept by its post.
    assert_eq!(post.author.get()?.username, "user 10");
    let author: One<User> = post.author.clone();
    drop(post);
    assert_eq!(author.get()?.posts.get()?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_entity_of_another_session_is_refused_by_the_next_flush() -> Result<()> {
    let db = filled().await;
    let (here, there) = (db.session(), db.session());
    let stranger = there.get_one::<User>(2).await?;
    let post = here.get_one::<Post>(1).await?;
    let user = here.get_one::<User>(1).await?;

    post.set(Post::author, &stranger);
    expect_foreign(&here).await?;
    here.add(Post::build().title("t").author(&stranger));
    expect_foreign(&here).await?;
    user.push(User::posts, &there.get_one::<Post>(2).await?);
    expect_foreign(&here).await?;
    here.delete(&stranger);
    expect_foreign(&here).await?;
    assert_eq!(here.refresh(&stranger).await.expect_err("foreign").kind(), ErrorKind::InvalidStatement);
    assert_eq!(db.rows("SELECT count(*) FROM post WHERE user_id = id"), ["50"]);
    Ok(())
}

async fn expect_foreign(session: &Session) -> Result<()> {
    let error = session.flush().await.expect_err("an entity of another session");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("another session"), "{error}");
    session.rollback().await
}

#[tokio::test]
async fn a_relationship_that_edit_assigns_is_refused_by_the_next_flush() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let (post, user) = (session.get_one::<Post>(1).await?, session.get_one::<User>(2).await?);
    let other = session.get_one::<Post>(2).await?;
    other.load(Post::author).await?;
    post.edit(|post| post.author = other.author.clone());
    let error = session.flush().await.expect_err("an assigned relationship");
    assert!(error.to_string().contains("Post::author"), "{error}");
    session.rollback().await?;
    post.set(Post::author, &user);
    session.commit().await?;
    assert_eq!(db.rows("SELECT user_id FROM post WHERE id = 1"), ["2"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_may_be_cleared_while_others_use_it() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let clear = {
        let session = session.clone();
        tokio::spawn(async move {
            for _ in 0..200 {
                session.clear();
                tokio::task::yield_now().await;
            }
        })
    };
    while !clear.is_finished() {
        let users = User::query().with(User::posts).limit(5).all(&session).await?;
        assert!(users.iter().all(|user| user.posts.get().is_ok_and(|posts| posts.len() == 1)));
        let post = session.get_one::<Post>(3).await?;
        match post.load(Post::author).await {
            Ok(author) => assert_eq!(author.id, 3),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Detached),
        }
    }
    clear.await.expect("no panic");
    Ok(())
}
