//! Rows one after another.

use aludel::prelude::*;

use crate::models::{Comment, Post, User, blog};

async fn many(session: &Session) -> Result<()> {
    let rows = (0..1_000).map(|n| User::build().username(format!("user{n:04}")).karma(n));
    User::insert_all(rows).execute(session).await?;
    session.commit().await
}

#[tokio::test]
async fn a_stream_yields_plain_rows() -> Result<()> {
    let (_db, session) = blog().await?;
    let mut stream = Post::query().order_by(Post::id).stream(&session);
    let mut titles = Vec::new();
    while let Some(post) = stream.next().await {
        let post: Post = post?;
        titles.push(post.title);
    }
    assert_eq!(titles.len(), 4);
    assert!(stream.next().await.is_none());
    Ok(())
}

#[tokio::test]
async fn a_stream_yields_tuples_where_they_are_selected() -> Result<()> {
    let (_db, session) = blog().await?;
    let mut stream = User::query()
        .left_join(User::posts)
        .order_by((User::id.desc(), Post::id))
        .select((User::username, Post::entity.optional()))
        .stream(&session);
    let (name, post): (String, Option<Post>) = stream.next().await.unwrap()?;
    assert!(name == "cid" && post.is_none());
    let (name, post) = stream.next().await.unwrap()?;
    assert_eq!((name.as_str(), post.unwrap().title.as_str()), ("bob", "A reply"));
    Ok(())
}

#[tokio::test]
async fn the_session_works_while_a_stream_is_open() -> Result<()> {
    let (_db, session) = blog().await?;
    many(&session).await?;
    let mut stream = User::query().order_by(User::id).stream(&session);
    let mut seen = 0;
    while let Some(user) = stream.next().await {
        let user = user?;
        if seen % 100 == 0 {
            User::query().filter(User::id.eq(user.id)).update(User::karma.set(-1)).execute(&session).await?;
            session.commit().await?;
        }
        seen += 1;
    }
    assert_eq!(seen, 1_003);
    assert_eq!(User::query().filter(User::karma.eq(-1)).count(&session).await?, 11);
    Ok(())
}

#[tokio::test]
async fn a_stream_does_not_end_with_its_session() -> Result<()> {
    let (db, session) = blog().await?;
    many(&session).await?;
    let stream = User::query().stream(&session);
    drop(session);
    let mut stream = std::pin::pin!(stream);
    let mut seen = 0;
    while let Some(user) = stream.next().await {
        user?;
        seen += 1;
    }
    assert_eq!(seen, 1_003);
    drop(db);
    Ok(())
}

#[tokio::test]
async fn a_stream_in_a_transaction_sees_its_changes_and_ends_with_it() -> Result<()> {
    let (_db, session) = blog().await?;
    many(&session).await?;
    session.add(User::build().username("new").karma(-5));
    let mut stream = User::query().order_by(User::karma).stream(&session);
    assert_eq!(stream.next().await.unwrap()?.username, "new");
    assert_eq!(Comment::query().count(&session).await?, 4);
    session.rollback().await?;
    let mut outcome = Ok(());
    let mut seen = 1;
    while let Some(row) = stream.next().await {
        match row {
            Ok(_) => seen += 1,
            Err(error) => outcome = Err(error),
        }
    }
    assert!(seen < 1_004);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    insta::assert_snapshot!(error, @"the transaction that this stream reads in was committed or rolled back before its end; read it to its end first, or begin it outside a transaction");
    Ok(())
}

#[tokio::test]
async fn a_database_in_memory_can_be_streamed_and_asked_meanwhile() -> Result<()> {
    let options = EngineOptions::new().pool_timeout(Duration::from_millis(200));
    let db = Db::builder().uri("sqlite://").engine(options).connect().await?;
    db.create_all().await?;
    let session = db.session();
    many(&session).await?;
    let mut stream = User::query().stream(&session);
    let mut seen = 0;
    while let Some(user) = stream.next().await {
        let user = user?;
        if seen < 3 {
            assert!(User::query().filter(User::id.eq(user.id)).exists(&session).await?);
        }
        seen += 1;
    }
    assert_eq!(seen, 1_000);
    Ok(())
}

#[tokio::test]
async fn a_stream_has_nothing_to_load() -> Result<()> {
    let (_db, session) = blog().await?;
    let error = User::query().with(User::posts).stream(&session).next().await.unwrap().unwrap_err();
    insta::assert_snapshot!(error, @"with(User::posts): a stream yields plain rows, which lead nowhere; use `all` or `paginate`, or stream a `select` of a join");
    Ok(())
}
