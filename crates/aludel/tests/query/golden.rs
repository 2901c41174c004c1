//! The lines that the documentation shows, as they stand there.

use aludel::prelude::*;

use crate::models::{Comment, Post, User, blog};

#[derive(Projection, Debug, PartialEq)]
struct PerAuthor {
    username: String,
    posts: i64,
}

fn published() -> Expr<bool> {
    Post::draft.eq(false) & Post::title.ne("")
}

#[tokio::test]
async fn reading() -> Result<()> {
    let (_db, session) = blog().await?;
    let session = &session;
    let users: Vec<Entity<User>> = User::query().all(session).await?;
    let user: Option<Entity<User>> = session.get::<User>(1).await?;
    assert_eq!(user.as_ref(), users.first());
    let some = Post::query()
        .filter((Post::title.contains("Flask") | Post::title.starts_with("Rust")) & !Post::content.is_null())
        .filter(Post::id.in_([1, 2, 3]))
        .filter(Post::user_id.between(1, 100))
        .order_by((Post::title.asc(), Post::id.desc()))
        .limit(20)
        .offset(0)
        .all(session)
        .await?;
    assert_eq!(some.len(), 1);

    let posts = Post::query()
        .join(Post::author)
        .filter(Post::title.contains("Flask") & User::username.ne("spam"))
        .with(Post::author.joined())
        .all(session)
        .await?;
    for post in &posts {
        assert_eq!((post.title.as_str(), post.author.get()?.username.as_str()), ("Flask in Rust", "ann"));
    }

    let users = User::query()
        .with(User::posts.filter(Post::title.ne("draft")).order_by(Post::id.desc()).limit(5).with(Post::comments))
        .all(session)
        .await?;
    assert_eq!(users[0].posts.get()?[2].comments.get()?.len(), 2);
    for user in &users {
        for post in user.load(User::posts).await? {
            assert_eq!(post.user_id, user.id);
        }
    }
    Ok(())
}

#[tokio::test]
async fn projections() -> Result<()> {
    let (_db, session) = blog().await?;
    let session = &session;
    let titles: Vec<(i64, String)> = Post::query().select((Post::id, Post::title)).all(session).await?;
    assert_eq!(titles.len(), 4);
    let pairs: Vec<(Entity<User>, Option<Entity<Post>>)> =
        User::query().left_join(User::posts).select((User::entity, Post::entity.optional())).all(session).await?;
    assert_eq!(pairs.len(), 5);
    let busy: Vec<PerAuthor> = Post::query()
        .join(Post::author)
        .group_by(User::id)
        .having(count(Post::id).gt(2))
        .select(PerAuthorColumns { username: User::username, posts: count(Post::id) })
        .all(session)
        .await?;
    assert_eq!(busy, [PerAuthor { username: "ann".into(), posts: 3 }]);
    let with_posts = User::query().filter(User::posts.any(Post::title.contains("Flask"))).all(session).await?;
    assert_eq!(with_posts.len(), 1);
    let rows: Vec<(String, i64)> = session.sql("SELECT title, id FROM post WHERE id > ?").bind(3).all().await?;
    assert_eq!(rows, [("A reply".to_owned(), 4)]);
    Ok(())
}

#[tokio::test]
async fn composed_at_run_time() -> Result<()> {
    let (_db, session) = blog().await?;
    let (name, by) = (Some("n"), "username");
    let mut query = User::query();
    if let Some(name) = name {
        query = query.filter(User::username.contains(name));
    }
    let page = query
        .filter(User::posts.any(published()))
        .order_by(User::column(by)?.desc())
        .paginate(&session, PageQuery::default())
        .await?;
    assert_eq!((page.items[0].username.as_str(), page.total), ("ann", Some(1)));
    Ok(())
}

#[tokio::test]
async fn writing() -> Result<()> {
    let (_db, session) = blog().await?;
    let session = &session;
    let mut stream = Post::query().stream(session);
    while let Some(post) = stream.next().await {
        let _post: Post = post?;
    }
    Post::query()
        .filter(Post::user_id.eq(2))
        .update((Post::title.set("x"), Post::views.set(Post::views + 1)))
        .execute(session)
        .await?;
    Comment::query().filter(Comment::post.has(Post::user_id.eq(2))).delete().execute(session).await?;
    Post::query().filter(Post::user_id.eq(2)).delete().execute(session).await?;
    User::insert_all([
        User::build().username("a").karma(1).email("a@x"),
        User::build().username("b").karma(1).email(None),
    ])
    .execute(session)
    .await?;
    assert_eq!(User::query().filter(User::email.eq(None::<String>)).count(session).await?, 3);
    Ok(())
}

/// Handlers and spawned tasks take futures that are Send; bodies take streams that are also `'static`.
#[test]
fn futures_are_send_and_streams_owned() {
    fn send<T: Send>(_: &T) {}
    fn owned<T: Send + Unpin + futures_core::Stream + 'static>(_: &T) {}
    fn check(session: &Session) {
        send(&User::query().all(session));
        send(&User::query().with(User::posts.joined()).first(session));
        send(&User::query().select((User::entity, Post::title)).paginate(session, PageQuery::default()));
        send(&User::query().exists(session));
        send(&session.sql("SELECT 1").all::<i64>());
        send(&User::insert_all([User::build().username("a").karma(1)]).execute(session));
        send(&User::query().delete().execute(session));
        owned(&User::query().stream(session));
    }
    let _ = check;
}
