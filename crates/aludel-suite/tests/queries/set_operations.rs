//! UNION, INTERSECT and EXCEPT of queries.

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

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change(
        "INSERT INTO user (id, username, age) VALUES (1, 'ann', 50), (2, 'bob', 40), (3, 'cas', NULL), (4, 'dan', 20);
         INSERT INTO post (id, title, user_id) VALUES (1, 'ann', 1), (2, 'zoo', 2), (3, 'cas', 2);",
    );
    db
}

fn users(condition: Expr<bool>) -> Query<User> {
    User::query().filter(condition)
}

fn names(users: &[Entity<User>]) -> Vec<&str> {
    users.iter().map(|user| user.username.as_str()).collect()
}

#[tokio::test]
async fn a_union_of_entities_is_ordered_and_cut_as_a_whole() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query = users(User::id.le(2)).union(users(User::id.between(2, 3))).order_by(User::username.desc());
    let all = query.clone().all(session).await?;
    assert_eq!(names(&all), ["cas", "bob", "ann"]);
    assert_eq!(names(&query.clone().limit(1).offset(1).all(session).await?), ["bob"]);
    assert_eq!(query.clone().count(session).await?, 3);
    assert!(query.clone().exists(session).await?);
    assert_eq!(query.clone().first(session).await?.expect("a row").username, "cas");
    let page = query.paginate(session, PageQuery::new(2).per_page(2)).await?;
    assert_eq!((page.total, names(&page.items)), (Some(3), vec!["ann"]));
    Ok(())
}

#[tokio::test]
async fn union_all_keeps_what_comes_twice_as_one_entity() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let all = users(User::id.le(2)).union_all(users(User::id.eq(2))).order_by(User::id).all(session).await?;
    assert_eq!(names(&all), ["ann", "bob", "bob"]);
    assert_eq!(all[1], all[2]);
    all[1].set(User::username, "rob");
    assert_eq!(all[2].username, "rob");
    Ok(())
}

#[tokio::test]
async fn relationships_are_loaded_for_the_whole() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let all =
        users(User::id.eq(1)).union(users(User::id.eq(2))).with(User::posts).order_by(User::id).all(session).await?;
    assert_eq!(all.iter().map(|user| user.posts.get().map(|posts| posts.len())).collect::<Result<Vec<_>>>()?, [1, 2]);
    assert_eq!(db.statements().len(), 2);
    Ok(())
}

#[tokio::test]
async fn intersect_and_except_find_what_both_and_only_one_have() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let titles = || Post::query().select(Post::title);
    let usernames = || User::query().select(User::username);
    assert_eq!(usernames().intersect(titles()).order_by(User::username).all(session).await?, ["ann", "cas"]);
    assert_eq!(usernames().except(titles()).order_by(User::username).all(session).await?, ["bob", "dan"]);
    // from the left: (users but titles) and titles
    assert_eq!(
        usernames()
            .except(titles())
            .union(titles().filter(Post::id.eq(2)))
            .order_by(User::username)
            .all(session)
            .await?,
        ["bob", "dan", "zoo"]
    );
    let both = usernames().filter(User::id.eq(4)).union(usernames().filter(User::id.le(2))).intersect(titles());
    assert_eq!(both.all(session).await?, ["ann"], "the union first, on every backend");
    Ok(())
}

#[tokio::test]
async fn parts_have_orders_and_limits_of_their_own() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let eldest = User::query().filter(User::age.is_not_null()).order_by(User::age.desc()).limit(1);
    let youngest = User::query().filter(User::age.is_not_null()).order_by(User::age).limit(1);
    let both = eldest.union(youngest).order_by(User::username).all(session).await?;
    assert_eq!(names(&both), ["ann", "dan"]);
    let pairs: Vec<(i64, i64)> = User::query()
        .join(User::posts)
        .order_by(Post::id)
        .limit(1)
        .select((User::id, Post::id))
        .union_all(User::query().join(User::posts).filter(Post::id.eq(3)).select((User::id, Post::id)))
        .order_by(Post::id.desc())
        .all(session)
        .await?;
    assert_eq!(pairs, [(2, 3), (1, 1)]);
    let first = User::query().order_by(User::id).limit(2).select(User::username);
    let nested = first
        .union(User::query().filter(User::id.eq(4)).select(User::username))
        .intersect(User::query().filter(User::id.ge(2)).select(User::username));
    let ordered = nested.clone().order_by(User::username.desc()).all(session).await?;
    assert_eq!(ordered, ["dan", "bob"]);
    assert_eq!(users(User::username.in_(nested)).count(session).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_union_may_have_a_name_and_take_more_after_it() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    #[derive(Projection, Debug, PartialEq)]
    struct Text {
        text: String,
    }
    let texts = User::query()
        .select(TextColumns { text: User::username })
        .union(Post::query().select(TextColumns { text: Post::title }))
        .subquery("texts");
    let found = texts.query().filter(texts.columns().text.gt("b")).order_by(texts.columns().text).all(session).await?;
    assert_eq!(found.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["bob", "cas", "dan", "zoo"]);
    let few = texts.query().select(count_all()).one(session).await?;
    assert_eq!(few, 5);
    Ok(())
}

#[tokio::test]
async fn where_null_comes_is_said_where_the_database_can() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query = || users(User::id.le(2)).union(users(User::id.eq(3))).order_by(User::age.asc().nulls_first());
    if crate::support::Backend::current() == crate::support::Backend::MariaDb {
        assert_eq!(query().all(session).await.unwrap_err().kind(), ErrorKind::Unsupported);
    } else {
        assert_eq!(names(&query().all(session).await?), ["cas", "bob", "ann"]);
    }
    Ok(())
}

#[tokio::test]
async fn what_belongs_to_the_parts_is_refused_of_the_whole() {
    let db = filled().await;
    let session = &db.session();
    let union = || users(User::id.eq(1)).union(users(User::id.eq(2)));
    let filter = union().filter(User::id.eq(1)).all(session).await.unwrap_err();
    let join = union().join(User::posts).count(session).await.unwrap_err();
    let order = union().order_by(Post::id).all(session).await.unwrap_err();
    let lock = union().for_update().all(session).await.unwrap_err();
    let inner = users(User::id.eq(1)).for_update().union(users(User::id.eq(2))).all(session).await.unwrap_err();
    let part = users(Post::id.eq(1)).union(users(User::id.eq(2))).all(session).await.unwrap_err();
    let more = "this query joins several with union, intersect or except, and takes an order, a limit and relationships to load alone; say it of the queries before, or give this one a name with `.cte(..)`";
    for (error, expected) in [
        (filter, format!("filter(..): {more}")),
        (join, format!("join(..): {more}")),
        (
            order,
            "order_by(..): the whole of a union is ordered by what its first query selects, and this is none of it"
                .to_owned(),
        ),
        (lock, format!("for_update(..): {more}")),
        (inner, "for_update(): rows cannot be locked through a union; lock them in a query of their own".to_owned()),
        (part, "filter(post.id): this query selects from user; add .join(User::posts)".to_owned()),
    ] {
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::InvalidStatement, expected));
    }
    assert!(db.statements().is_empty());
}
