//! Queries and eager loading, line by line as the tutorial shows them.

mod support;

use aludel::prelude::*;
use support::{TestDb, native};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(unique, length = 80)]
    username: String,
    email: Option<String>,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(length = 100, index)]
    title: String,
    #[column(text)]
    content: Option<String>,
    views: i64,
    draft: bool,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
    #[relationship(back_populates = post, order_by = Comment::id)]
    comments: Many<Comment>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    body: String,
    #[column(references = Post::id)]
    post_id: i64,
    #[relationship(back_populates = comments)]
    post: One<Post>,
}

#[derive(Projection, Debug, PartialEq)]
struct PerAuthor {
    username: String,
    posts: i64,
}

/// John with five posts, Jane with one, the spammer with one, and Mute with none.
async fn filled() -> TestDb {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO user VALUES (1, 'johndoe', 'john@x'), (2, 'jane', NULL), (3, 'spam', 's@x'), (4, 'mute', NULL);
         INSERT INTO post (id, title, content, views, draft, user_id) VALUES
            (1, 'Flask', 'a', 10, FALSE, 1), (2, 'Rust in a week', 'b', 20, FALSE, 1), (3, 'More Flask', NULL, 30, FALSE, 1),
            (4, 'draft', 'd', 0, TRUE, 1), (5, 'Rust', 'e', 50, FALSE, 1), (11, 'Flask for two', 'f', 60, FALSE, 2),
            (12, 'Flask for free', 'g', 70, FALSE, 3);
         INSERT INTO comment VALUES (1, 'good', 1), (2, 'better', 1), (3, 'best', 5), (4, 'why', 11);",
    );
    db
}

fn titles(posts: &[Entity<Post>]) -> Vec<&str> {
    posts.iter().map(|post| post.title.as_str()).collect()
}

#[tokio::test]
async fn read() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let users: Vec<Entity<User>> = User::query().all(session).await?;
    assert_eq!(users.len(), 4);
    let user: Option<Entity<User>> = session.get::<User>(1).await?;
    assert_eq!(user.expect("a user").username, "johndoe");
    let john = User::query().filter(User::username.eq("johndoe")).first(session).await?;
    assert_eq!(john.expect("a user").id, 1);
    let john = User::query().filter(User::username.eq("johndoe")).one(session).await?;
    assert_eq!(john.id, 1);
    let john = User::query().filter(User::username.eq("johndoe")).one_or_404(session).await?;
    assert_eq!(john.id, 1);
    let n: u64 = User::query().filter(User::email.is_not_null()).count(session).await?;
    assert_eq!(n, 2);
    Ok(())
}

#[tokio::test]
async fn filters_compose() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let some = Post::query()
        .filter((Post::title.contains("Flask") | Post::title.starts_with("Rust")) & !Post::content.is_null())
        .filter(Post::id.in_([1, 2, 3]))
        .filter(Post::user_id.between(1, 100))
        .order_by((Post::title.asc(), Post::id.desc()))
        .limit(20)
        .all(session)
        .await?;
    assert_eq!(titles(&some), ["Flask", "Rust in a week"]);
    let page = Post::query().order_by(Post::id).limit(2).offset(4).all(session).await?;
    assert_eq!(titles(&page), ["Rust", "Flask for two"]);
    Ok(())
}

#[tokio::test]
async fn a_join_along_a_relationship_is_filtered_on_the_other_side() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let posts = Post::query()
        .join(Post::author)
        .filter(Post::title.contains("Flask") & User::username.ne("spam"))
        .with(Post::author.joined())
        .all(session)
        .await?;
    let mut lines = Vec::new();
    for post in &posts {
        lines.push(format!("Title: {}, Author: {}", post.title, post.author.get()?.username));
    }
    lines.sort();
    let expected =
        ["Title: Flask for two, Author: jane", "Title: Flask, Author: johndoe", "Title: More Flask, Author: johndoe"];
    assert_eq!(lines, expected);
    assert_eq!(db.statements().len(), 1);
    Ok(())
}

#[tokio::test]
async fn eager_nested_filtered_ordered_and_limited() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let users = User::query()
        .with(User::posts.filter(Post::title.ne("draft")).order_by(Post::id.desc()).limit(2).with(Post::comments))
        .order_by(User::id)
        .all(session)
        .await?;
    let posts: Vec<Vec<&str>> = users
        .iter()
        .map(|user| Ok(user.posts.get()?.iter().map(|post| post.title.as_str()).collect()))
        .collect::<Result<_>>()?;
    assert_eq!(posts, [vec!["Rust", "More Flask"], vec!["Flask for two"], vec!["Flask for free"], vec![]]);
    assert_eq!(users[0].posts.get()?[0].comments.get()?[0].body, "best");
    assert!(users[0].posts.get()?[1].comments.get()?.is_empty());
    assert_eq!(db.statements().len(), 3);
    Ok(())
}

#[tokio::test]
async fn lazy_and_still_no_n_plus_one() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let users = User::query().all(session).await?;
    let mut seen = 0;
    for user in &users {
        for post in user.load(User::posts).await? {
            seen += usize::from(post.user_id == user.id);
        }
    }
    assert_eq!((seen, db.statements().len()), (7, 2));
    Ok(())
}

#[tokio::test]
async fn projections_are_tuples_or_structs() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let titles: Vec<(i64, String)> =
        Post::query().select((Post::id, Post::title)).order_by(Post::id).limit(2).all(session).await?;
    assert_eq!(titles, [(1, "Flask".into()), (2, "Rust in a week".into())]);

    let pairs: Vec<(Entity<User>, Option<Entity<Post>>)> = User::query()
        .left_join(User::posts)
        .select((User::entity, Post::entity.optional()))
        .order_by((User::id, Post::id))
        .all(session)
        .await?;
    assert_eq!(pairs.len(), 8);
    assert!(pairs[..7].iter().all(|(user, post)| post.as_ref().is_some_and(|post| post.user_id == user.id)));
    assert_eq!((pairs[7].0.username.as_str(), &pairs[7].1), ("mute", &None));

    let busy: Vec<PerAuthor> = Post::query()
        .join(Post::author)
        .group_by(User::id)
        .having(count(Post::id).gt(3))
        .select(PerAuthorColumns { username: User::username, posts: count(Post::id) })
        .all(session)
        .await?;
    assert_eq!(busy, [PerAuthor { username: "johndoe".into(), posts: 5 }]);
    Ok(())
}

#[tokio::test]
async fn exists_and_raw_sql() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let with_posts =
        User::query().filter(User::posts.any(Post::title.contains("Flask"))).order_by(User::id).all(session).await?;
    assert_eq!(with_posts.iter().map(|user| user.id).collect::<Vec<_>>(), [1, 2, 3]);
    let rows: Vec<(String, i64)> =
        session.sql(&native("SELECT title, id FROM post WHERE id > ? ORDER BY id")).bind(10).all().await?;
    assert_eq!(rows, [("Flask for two".into(), 11), ("Flask for free".into(), 12)]);
    Ok(())
}

#[tokio::test]
async fn composed_at_run_time() -> Result<()> {
    fn published() -> Expr<bool> {
        Post::draft.eq(false) & Post::title.ne("")
    }
    let db = filled().await;
    let session = &db.session();
    let (name, by) = (Some("j"), "username");
    let mut query = User::query();
    if let Some(name) = name {
        query = query.filter(User::username.contains(name));
    }
    let page = query
        .filter(User::posts.any(published()))
        .order_by(User::column(by)?.desc())
        .paginate(session, PageQuery::default())
        .await?;
    assert_eq!(page.items.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["johndoe", "jane"]);
    assert_eq!(page.total, Some(2));

    let error = User::column("password").expect_err("no such column");
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.to_string().contains("`password`") && error.to_string().contains("username"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_stream_of_plain_rows() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let session = &session;
    let mut seen = Vec::new();
    let mut stream = Post::query().order_by(Post::id).stream(session);
    while let Some(post) = stream.next().await {
        let post: Post = post?;
        seen.push(post.id);
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 11, 12]);
    Ok(())
}

#[tokio::test]
async fn writes_without_loading() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let changed = Post::query()
        .filter(Post::user_id.eq(2))
        .update((Post::title.set("x"), Post::views.set(Post::views + 1)))
        .execute(session)
        .await?;
    assert_eq!(changed, 1);
    let deleted = Post::query().filter(Post::user_id.eq(3)).delete().execute(session).await?;
    assert_eq!(deleted, 1);
    let inserted =
        User::insert_all([User::build().username("a").email("a@x"), User::build().username("b").email("b@x")])
            .execute(session)
            .await?;
    assert_eq!(inserted, 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, title, views FROM post WHERE user_id > 1"), ["11|x|61"]);
    assert_eq!(db.rows("SELECT username, email FROM user WHERE id > 4 ORDER BY id"), ["a|a@x", "b|b@x"]);
    Ok(())
}

#[tokio::test]
async fn a_savepoint_that_is_rolled_back_puts_the_entities_back_as_they_were() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let john = User::query().filter(User::username.eq("johndoe")).one_or_404(session).await?;
    let savepoint = session.begin_nested().await?;
    john.set(User::username, "jane");
    let Err(e) = session.flush().await else { panic!("the name is taken") };
    assert_eq!(e.kind(), ErrorKind::UniqueViolation);
    savepoint.rollback().await?;
    assert_eq!(john.username, "johndoe");
    session.commit().await
}
