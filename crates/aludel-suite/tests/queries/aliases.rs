//! A table that a query has twice, under another name.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    age: i64,
    #[column(references = User::id)]
    boss_id: Option<i64>,
    #[relationship(back_populates = reports)]
    boss: One<Option<User>>,
    #[relationship(back_populates = boss)]
    reports: Many<User>,
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

/// Ann leads bob and cas, bob leads dan.
async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change(
        "INSERT INTO user (id, username, age, boss_id) VALUES (1, 'ann', 50, NULL);
         INSERT INTO user (id, username, age, boss_id) VALUES (2, 'bob', 40, 1), (3, 'cas', 60, 1);
         INSERT INTO user (id, username, age, boss_id) VALUES (4, 'dan', 20, 2);
         INSERT INTO post (id, title, user_id) VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 2);",
    );
    db
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[tokio::test]
async fn a_self_join_on_a_condition() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let boss = User::alias("boss");
    let pairs: Vec<(String, String)> = User::query()
        .join_on(&boss, boss.col(User::id).eq(User::boss_id))
        .order_by(User::id)
        .select((User::username, boss.col(User::username)))
        .all(session)
        .await?;
    assert_eq!(pairs, [pair("bob", "ann"), pair("cas", "ann"), pair("dan", "bob")]);
    assert_eq!(
        db.statements(),
        [
            r#"SELECT "user"."username", "boss"."username" FROM "user" JOIN "user" AS "boss" ON "boss"."id" = "user"."boss_id" ORDER BY "user"."id""#
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_join_along_a_relationship_leads_to_and_from_aliases() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let (boss, chief) = (User::alias("boss"), User::alias("chief"));
    let lines: Vec<(String, String, String)> = User::query()
        .join(User::boss.to(&boss))
        .join(boss.rel(User::boss).to(&chief))
        .select((User::username, boss.col(User::username), chief.col(User::username)))
        .all(session)
        .await?;
    assert_eq!(lines, [("dan".to_owned(), "bob".to_owned(), "ann".to_owned())]);
    let titles: Vec<(String, String)> = User::query()
        .join(User::boss.to(&boss))
        .join(boss.rel(User::posts))
        .filter(boss.col(User::age).lt(45))
        .order_by(Post::id)
        .select((User::username, Post::title))
        .all(session)
        .await?;
    assert_eq!(titles, [pair("dan", "two"), pair("dan", "three")]);
    Ok(())
}

#[tokio::test]
async fn entities_of_an_alias_are_the_rows_that_the_session_has() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let boss = User::alias("boss");
    let pairs = User::query()
        .left_join(User::boss.to(&boss))
        .order_by(User::id)
        .select((User::entity, boss.entity().optional()))
        .all(session)
        .await?;
    let names: Vec<_> = pairs
        .iter()
        .map(|(user, boss)| (user.username.as_str(), boss.as_ref().map(|boss| boss.username.as_str())))
        .collect();
    assert_eq!(names, [("ann", None), ("bob", Some("ann")), ("cas", Some("ann")), ("dan", Some("bob"))]);
    assert_eq!(pairs[1].1.as_ref(), Some(&pairs[0].0), "one row is one entity");
    let bosses =
        User::query().join(User::boss.to(&boss)).filter(User::id.eq(4)).select(boss.entity()).all(session).await?;
    assert_eq!(bosses, [pairs[1].0.clone()]);
    Ok(())
}

#[tokio::test]
async fn an_alias_is_ordered_grouped_and_calculated_with() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let report = User::alias("report");
    let rows: Vec<(String, i64)> = User::query()
        .join(User::reports.to(&report))
        .group_by((User::id, User::username))
        .having(count(report.col(User::id)).ge(1))
        .order_by(count(report.col(User::id)).desc())
        .select((User::username, count(report.col(User::id))))
        .all(session)
        .await?;
    assert_eq!(rows, [("ann".to_owned(), 2), ("bob".to_owned(), 1)]);
    let older: Vec<String> = User::query()
        .join(User::reports.to(&report))
        .filter(report.col(User::age).gt(User::age) & (report.col(User::age) - User::age).eq(10))
        .order_by(report.col(User::username))
        .select(report.col(User::username))
        .all(session)
        .await?;
    assert_eq!(older, ["cas"]);
    Ok(())
}

#[tokio::test]
async fn a_model_is_joined_on_a_condition_under_its_own_name() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let rows: Vec<(String, Option<String>)> = User::query()
        .left_join_on(Post::TABLE, Post::user_id.eq(User::id) & Post::title.starts_with("t"))
        .order_by((User::id, Post::id))
        .select((User::username, Post::title.optional()))
        .all(session)
        .await?;
    let rows: Vec<_> = rows.iter().map(|(name, title)| (name.as_str(), title.as_deref())).collect();
    assert_eq!(rows, [("ann", None), ("bob", Some("two")), ("bob", Some("three")), ("cas", None), ("dan", None)]);
    Ok(())
}

#[tokio::test]
async fn any_and_has_lead_from_aliases_and_to_them() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let (boss, other) = (User::alias("boss"), User::alias("other"));
    let names = |condition: Expr<bool>| {
        User::query().left_join(User::boss.to(&boss)).filter(condition).order_by(User::id).select(User::username)
    };
    assert_eq!(names(boss.rel(User::posts).any(Post::title.eq("one"))).all(session).await?, ["bob", "cas"]);
    assert_eq!(names(boss.rel(User::boss).has(User::username.eq("ann"))).all(session).await?, ["dan"]);
    // the condition compares the row at the other end with the one outside
    let older = User::reports.to(&other).any(other.col(User::age).gt(User::age));
    assert_eq!(names(older).all(session).await?, ["ann"]);
    Ok(())
}

#[tokio::test]
async fn related_rows_nest_and_refer_to_themselves() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let names = |condition: Expr<bool>| User::query().filter(condition).order_by(User::id).select(User::username);
    assert_eq!(names(User::boss.has(User::boss.has(User::username.eq("ann")))).all(session).await?, ["dan"]);
    assert_eq!(names(User::reports.any(User::reports.any(User::age.lt(30)))).all(session).await?, ["ann"]);
    assert_eq!(names(User::reports.any(User::posts.any(Post::title.eq("two")))).all(session).await?, ["ann"]);
    assert_eq!(names(!User::boss.has(None::<Expr<bool>>)).all(session).await?, ["ann"]);
    assert_eq!(names(User::posts.any(Post::author.has(User::boss.has(User::age.eq(50))))).all(session).await?, ["bob"]);
    Ok(())
}

#[tokio::test]
async fn a_query_begins_with_an_alias_and_loads_along() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let boss = User::alias("boss");
    let users = boss.query().filter(boss.col(User::boss_id).eq(1)).order_by(boss.col(User::id)).with(User::boss);
    let users = users.with(User::posts).all(session).await?;
    assert_eq!(users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["bob", "cas"]);
    assert_eq!(users[0].boss.get()?.expect("a boss").username, "ann");
    assert_eq!(users[0].posts.get()?.len(), 2);
    assert_eq!(boss.query().filter(boss.col(User::age).gt(45)).count(session).await?, 2);
    assert!(boss.query().filter(boss.col(User::age).gt(55)).exists(session).await?);
    Ok(())
}

#[tokio::test]
async fn the_key_of_a_new_row_is_found_through_an_alias() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let new = session.add(User::build().username("eve").age(1));
    session.add(User::build().username("fay").age(2).boss(&new));
    let boss = User::alias("boss");
    let found = User::query().join(User::boss.to(&boss)).filter(boss.col(User::id).eq(new.id)).one(session).await?;
    assert_eq!(found.username, "fay");
    Ok(())
}

#[tokio::test]
async fn what_an_alias_is_not_is_an_error() {
    let db = filled().await;
    let session = &db.session();
    let boss = User::alias("boss");
    let outside = User::query().filter(boss.col(User::id).eq(1)).all(session).await.unwrap_err();
    let inside = boss.query().filter(User::id.eq(1)).all(session).await.unwrap_err();
    let twice = User::query().join(User::boss.to(&boss)).join(User::reports.to(&boss)).all(session).await.unwrap_err();
    let own = User::query().join_on(&User::alias("user"), None::<Expr<bool>>).all(session).await.unwrap_err();
    let early = User::query().join(boss.rel(User::posts)).all(session).await.unwrap_err();
    let other = User::query().join_on(&boss, Post::id.eq(1)).all(session).await.unwrap_err();
    let missing = User::query().left_join(User::boss.to(&boss)).select(boss.entity()).all(session).await.unwrap_err();
    let null =
        User::query().left_join(User::boss.to(&boss)).select(boss.col(User::age)).all(session).await.unwrap_err();
    let bulk = boss.query().filter(boss.col(User::id).eq(1)).delete().execute(session).await.unwrap_err();
    for (error, expected) in [
        (
            outside,
            "filter(boss.id): this query selects from user; no relationship leads from there to boss: join it with `.join_on(..)`",
        ),
        (
            inside,
            "filter(user.id): this query selects from boss; there `boss` is user: name its columns with `boss.col(..)`",
        ),
        (twice, "join of `boss`: this query selects from a table of this name already; give one of them another alias"),
        (own, "join of `user`: this query selects from a table of this name already; give one of them another alias"),
        (early, "join(User::posts): this query selects from user; join `boss` first"),
        (other, "join_on(post.id): this query selects from user; add .join(User::posts)"),
        (
            missing,
            "select(boss.entity()): `boss` is outer-joined, so that there may be no row: use `boss.entity().optional()`",
        ),
        (null, "select(boss.age): `boss` is outer-joined, so that the value may be NULL: use `.optional()`"),
        (
            bulk,
            "delete of user: it takes the query's filters alone, and this query has an alias, a lock or another source of rows; choose the rows with `.filter(..)`, related ones with `.any(..)` or `.has(..)`",
        ),
    ] {
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidStatement, expected));
    }
    assert!(db.statements().is_empty(), "nothing was sent");
}
