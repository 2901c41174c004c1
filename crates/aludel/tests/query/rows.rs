//! What queries give.

use aludel::prelude::*;

use crate::models::{Comment, Employee, Post, User, blog};

#[tokio::test]
async fn all_rows_are_entities() -> Result<()> {
    let (_db, session) = blog().await?;
    let users: Vec<Entity<User>> = User::query().order_by(User::username).all(&session).await?;
    assert_eq!(users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ann", "bob", "cid"]);
    let again = User::query().filter(User::username.eq("ann")).one(&session).await?;
    assert_eq!(again, users[0]);
    Ok(())
}

#[tokio::test]
async fn one_first_and_their_family() -> Result<()> {
    let (_db, session) = blog().await?;
    let named = |name: &str| User::query().filter(User::username.eq(name));
    let many = || User::query().order_by(User::id);
    assert_eq!(many().first(&session).await?.unwrap().username, "ann");
    assert!(named("nobody").first(&session).await?.is_none());
    assert_eq!(named("bob").one(&session).await?.karma, 20);
    assert_eq!(named("nobody").one(&session).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(many().one(&session).await.unwrap_err().kind(), ErrorKind::MultipleFound);
    assert!(named("nobody").one_or_none(&session).await?.is_none());
    assert_eq!(many().one_or_none(&session).await.unwrap_err().kind(), ErrorKind::MultipleFound);
    let error = named("nobody").one(&session).await.unwrap_err();
    assert!(!error.is_404());
    for error in [
        named("nobody").one_or_404(&session).await.unwrap_err(),
        many().one_or_404(&session).await.unwrap_err(),
        named("nobody").first_or_404(&session).await.unwrap_err(),
    ] {
        assert!(error.is_404() && error.kind() == ErrorKind::NotFound, "{error}");
    }
    assert_eq!(many().first_or_404(&session).await?.username, "ann");
    assert!(many().limit(0).first(&session).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn filters_find_what_they_say() -> Result<()> {
    let (_db, session) = blog().await?;
    let titles = async |condition: Expr<bool>| -> Result<Vec<String>> {
        Post::query().filter(condition).order_by(Post::id).select(Post::title).all(&session).await
    };
    assert_eq!(titles(Post::title.contains("rust")).await?, ["Flask in Rust", "Rust alone"]);
    assert_eq!(titles(Post::title.contains("0%")).await?, ["100% draft"]);
    assert_eq!(titles(Post::title.contains("_")).await?, Vec::<String>::new());
    assert_eq!(titles(Post::title.starts_with("Rust")).await?, ["Rust alone"]);
    assert_eq!(titles(Post::title.ends_with("draft")).await?, ["100% draft"]);
    assert_eq!(titles(Post::title.like("_ reply")).await?, ["A reply"]);
    assert_eq!(titles(Post::content.is_null() & Post::draft.eq(false)).await?, ["Rust alone"]);
    assert_eq!(titles(!(Post::views.gt(0) | Post::draft.eq(true))).await?, ["Rust alone", "A reply"]);
    assert_eq!(titles(Post::id.in_(Vec::<i64>::new())).await?, Vec::<String>::new());
    assert_eq!(titles(Post::id.not_in([1, 2, 3])).await?, ["A reply"]);
    assert_eq!(titles(Post::editor_id.in_([None, Some(99)])).await?.len(), 3);
    assert_eq!(titles(Post::editor_id.not_in([None::<i64>])).await?, ["Rust alone"]);
    assert_eq!(titles((Post::views + 1).between(8, 8)).await?, ["Flask in Rust"]);
    assert_eq!(titles((-Post::views).lt(0)).await?, ["Flask in Rust"]);
    assert_eq!(titles(Post::comments.any(None)).await?, ["Flask in Rust", "Rust alone", "A reply"]);
    assert_eq!(titles(Post::editor.has(User::username.eq("bob"))).await?, ["Rust alone"]);
    Ok(())
}

#[tokio::test]
async fn a_condition_on_the_same_table_asks_of_the_other_rows() -> Result<()> {
    let (_db, session) = blog().await?;
    let ann = session.add(Employee::build().name("ann"));
    let bob = session.add(Employee::build().name("bob").boss(&ann));
    session.add(Employee::build().name("cid").boss(&bob));
    let names = async |condition: Expr<bool>| -> Result<Vec<String>> {
        Employee::query().filter(condition).select(Employee::name).all(&session).await
    };
    assert_eq!(names(Employee::reports.any(Employee::name.eq("cid"))).await?, ["bob"]);
    assert_eq!(names(Employee::boss.has(Employee::name.eq("ann"))).await?, ["bob"]);
    let grandboss = Employee::reports.any(Employee::reports.any(Employee::name.eq("cid")));
    assert_eq!(names(grandboss).await?, ["ann"]);
    Ok(())
}

#[tokio::test]
async fn counting_agrees_with_the_rows() -> Result<()> {
    let (_db, session) = blog().await?;
    assert_eq!(User::query().count(&session).await?, 3);
    assert_eq!(User::query().filter(User::email.is_not_null()).count(&session).await?, 1);
    assert_eq!(User::query().order_by(User::id).limit(2).offset(2).count(&session).await?, 1);
    assert_eq!(Post::query().join(Post::author).select(User::id).distinct().count(&session).await?, 2);
    assert_eq!(Post::query().group_by(Post::user_id).select(Post::user_id).count(&session).await?, 2);
    assert_eq!(User::query().join(User::posts).count(&session).await?, 4);
    assert_eq!(User::query().with(User::posts.joined()).count(&session).await?, 3);
    assert!(User::query().exists(&session).await?);
    assert!(!User::query().filter(User::karma.gt(99)).exists(&session).await?);
    assert!(!User::query().offset(3).exists(&session).await?);
    Ok(())
}

#[tokio::test]
async fn selections_are_columns_tuples_and_entities() -> Result<()> {
    let (_db, session) = blog().await?;
    let ids: Vec<i64> = Post::query().order_by(Post::id).select(Post::id).all(&session).await?;
    assert_eq!(ids, [1, 2, 3, 4]);
    let titles: Vec<(i64, String)> =
        Post::query().filter(Post::draft.eq(true)).select((Post::id, Post::title)).all(&session).await?;
    assert_eq!(titles, [(3, "100% draft".to_owned())]);
    let pairs: Vec<(Entity<User>, Option<Entity<Post>>)> = User::query()
        .left_join(User::posts)
        .order_by((User::id, Post::id))
        .select((User::entity, Post::entity.optional()))
        .all(&session)
        .await?;
    assert_eq!(pairs.len(), 5);
    assert_eq!(pairs[0].0, pairs[2].0);
    assert_eq!(pairs[2].1.as_ref().unwrap().title, "100% draft");
    assert!(pairs[4].0.username == "cid" && pairs[4].1.is_none());
    let per_author: Vec<(String, i64, Option<i64>)> = User::query()
        .left_join(User::posts)
        .group_by(User::id)
        .order_by((count(Post::id).desc(), User::username))
        .select((User::username, count(Post::id), sum(Post::views)))
        .all(&session)
        .await?;
    assert_eq!(per_author, [("ann".into(), 3, Some(7)), ("bob".into(), 1, Some(0)), ("cid".into(), 0, None)]);
    let busy: Vec<String> = Post::query()
        .join(Post::author)
        .group_by(User::id)
        .having(count(Post::id).gt(1))
        .select(User::username)
        .all(&session)
        .await?;
    assert_eq!(busy, ["ann"]);
    Ok(())
}

#[tokio::test]
async fn functions_calculate() -> Result<()> {
    let (_db, session) = blog().await?;
    let row: (Option<i64>, Option<f64>, Option<i32>, Option<String>) = User::query()
        .select((sum(User::karma), avg(User::karma), max(User::karma), min(User::username)))
        .one(&session)
        .await?;
    assert_eq!(row, (Some(60), Some(20.0), Some(30), Some("ann".into())));
    let row: (String, Option<String>, i64, String, Option<i64>) = User::query()
        .filter(User::username.eq("ann"))
        .select((
            upper(User::username),
            lower(User::email),
            length(User::username),
            coalesce(User::email, "-").concat("!"),
            length(User::email).optional(),
        ))
        .one(&session)
        .await?;
    assert_eq!(row, ("ANN".into(), Some("ann@example.com".into()), 3, "ann@example.com!".into(), Some(15)));
    Ok(())
}

#[tokio::test]
async fn joins_repeat_rows_and_give_one_entity_for_them() -> Result<()> {
    let (_db, session) = blog().await?;
    let users = User::query().join(User::posts).order_by(Post::id).all(&session).await?;
    assert_eq!(users.len(), 4);
    assert_eq!(users[0], users[1]);
    let posts =
        Post::query().join(Post::comments).filter(Comment::body.in_(["one", "two"])).distinct().all(&session).await?;
    assert_eq!(posts.len(), 1);
    Ok(())
}

#[tokio::test]
async fn pages_of_a_query() -> Result<()> {
    let (_db, session) = blog().await?;
    let query = || Post::query().order_by(Post::id);
    let page: Page<Entity<Post>> = query().paginate(&session, PageQuery::new(2).per_page(3)).await?;
    assert_eq!((page.items.len(), page.total, page.pages, page.has_next), (1, Some(4), 2, false));
    assert_eq!(
        query().paginate(&session, PageQuery::new(3).per_page(3)).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let page = query().paginate(&session, PageQuery::new(3).per_page(3).error_out(false)).await?;
    assert_eq!((page.items.len(), page.total), (0, Some(4)));
    crate::statements::forget();
    let page =
        query().select((Post::id, Post::title)).paginate(&session, PageQuery::new(1).per_page(1).count(false)).await?;
    assert_eq!((page.items[0].0, page.total), (1, None));
    assert_eq!(crate::statements::sent().len(), 1);
    let empty = query().filter(Post::id.gt(99)).paginate(&session, PageQuery::default()).await?;
    assert_eq!((empty.items.len(), empty.total), (0, Some(0)));
    Ok(())
}

#[tokio::test]
async fn a_query_flushes_what_is_pending_first() -> Result<()> {
    let (_db, session) = blog().await?;
    let dan = session.add(User::build().username("dan").karma(1));
    assert!(dan.is_pending());
    assert_eq!(User::query().filter(User::username.eq("dan")).one(&session).await?, dan);
    dan.set(User::karma, 2);
    assert_eq!(User::query().filter(User::karma.eq(2)).count(&session).await?, 1);
    {
        let _guard = session.no_autoflush();
        dan.set(User::karma, 3);
        assert!(!User::query().filter(User::karma.eq(3)).exists(&session).await?);
    }
    Ok(())
}

#[tokio::test]
async fn what_the_session_has_is_overwritten_only_where_that_is_asked_for() -> Result<()> {
    let (db, session) = blog().await?;
    let ann = User::query().filter(User::id.eq(1)).one(&session).await?;
    let other = db.session();
    User::query().filter(User::id.eq(1)).update(User::karma.set(99)).execute(&other).await?;
    other.commit().await?;
    User::query().all(&session).await?;
    assert_eq!(ann.karma, 30);
    User::query().populate_existing().all(&session).await?;
    assert_eq!(ann.karma, 99);
    Ok(())
}

#[tokio::test]
async fn a_value_that_does_not_fit_says_which() -> Result<()> {
    let (_db, session) = blog().await?;
    session.sql("UPDATE post SET title = x'ff00' WHERE id = 2").execute().await?;
    let error = Post::query().filter(Post::id.eq(2)).all(&session).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.table(), error.columns()),
        (ErrorKind::Decode, Some("post"), &["title".to_owned()][..])
    );
    let error = Post::query().select((Post::id, Post::title)).all(&session).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.to_string().starts_with("value 2 of the row: "), "{error}");
    Ok(())
}
