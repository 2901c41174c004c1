//! Queries as expressions of other queries.

use crate::support::{TestDb, needs};
use aludel::prelude::*;
use aludel::query::{all_, any_};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    age: i64,
    #[column(references = User::id)]
    boss_id: Option<i64>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
    #[column(references = User::id)]
    user_id: i64,
}

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change(
        "INSERT INTO user (id, username, age, boss_id) VALUES (1, 'ann', 50, NULL);
         INSERT INTO user (id, username, age, boss_id) VALUES (2, 'bob', 40, 1), (3, 'cas', 60, 1);
         INSERT INTO post (id, title, views, user_id) VALUES (1, 'one', 10, 1), (2, 'two', 20, 2), (3, 'three', 30, 2);",
    );
    db
}

async fn names(db: &TestDb, condition: Expr<bool>) -> Result<Vec<String>> {
    User::query().filter(condition).order_by(User::id).select(User::username).all(&db.session()).await
}

#[tokio::test]
async fn a_scalar_subquery_is_a_value() -> Result<()> {
    let db = filled().await;
    let oldest = User::query().select(max(User::age)).scalar();
    assert_eq!(names(&db, User::age.eq(oldest)).await?, ["cas"]);
    let posts = Post::query().filter(Post::user_id.eq(User::id)).select(count(Post::id)).scalar();
    let rows: Vec<(String, Option<i64>)> =
        User::query().order_by(User::id).select((User::username, posts.clone())).all(&db.session()).await?;
    assert_eq!(rows, [("ann".to_owned(), Some(1)), ("bob".to_owned(), Some(2)), ("cas".to_owned(), Some(0))]);
    let most: Vec<String> =
        User::query().order_by((coalesce(posts, 0).desc(), User::id)).select(User::username).all(&db.session()).await?;
    assert_eq!(most, ["bob", "ann", "cas"]);
    let none = Post::query().filter(Post::user_id.eq(User::id)).select(max(Post::views)).scalar();
    assert_eq!(names(&db, none.is_null()).await?, ["cas"]);
    Ok(())
}

#[tokio::test]
async fn exists_names_the_tables_around_it() -> Result<()> {
    let db = filled().await;
    let posts = || Post::query().filter(Post::user_id.eq(User::id) & Post::views.ge(20));
    assert_eq!(names(&db, exists(posts())).await?, ["bob"]);
    assert_eq!(names(&db, !exists(posts())).await?, ["ann", "cas"]);
    let many = Post::query().filter(Post::user_id.eq(User::id)).group_by(Post::user_id).having(count(Post::id).gt(1));
    assert_eq!(names(&db, exists(many.select(Post::user_id))).await?, ["bob"]);
    // one that is nested names the outermost
    let boss = User::alias("boss");
    let nested = boss.query().filter(
        boss.col(User::id).eq(User::boss_id)
            & exists(Post::query().filter(Post::user_id.eq(boss.col(User::id)) & Post::views.lt(User::age))),
    );
    assert_eq!(names(&db, exists(nested)).await?, ["bob", "cas"]);
    Ok(())
}

#[tokio::test]
async fn a_list_may_be_a_correlated_query_or_a_union() -> Result<()> {
    let db = filled().await;
    let report = User::alias("report");
    let bosses = report.query().filter(report.col(User::age).gt(User::age)).select(report.col(User::boss_id));
    assert_eq!(names(&db, User::id.in_(bosses)).await?, ["ann"]);
    let both = User::query()
        .filter(User::username.eq("cas"))
        .select(User::id)
        .union(Post::query().filter(Post::views.gt(25)).select(Post::user_id));
    assert_eq!(names(&db, User::id.in_(both)).await?, ["bob", "cas"]);
    Ok(())
}

#[tokio::test]
async fn any_and_all_compare_with_each_row() -> Result<()> {
    let db = filled().await;
    let ages = || User::query().select(User::age);
    needs!(Postgres | MariaDb, "SQLite has no ANY and ALL");
    let user = User::alias("u");
    let found = |condition| async {
        user.query()
            .filter(condition)
            .order_by(user.col(User::id))
            .select(user.col(User::username))
            .all(&db.session())
            .await
    };
    assert_eq!(found(user.col(User::age).ge(all_(ages()))).await?, ["cas"]);
    assert_eq!(found(user.col(User::age).gt(any_(ages()))).await?, ["ann", "cas"]);
    assert_eq!(found(user.col(User::age).eq(any_(ages().filter(User::id.lt(3))))).await?, ["ann", "bob"]);
    Ok(())
}

#[tokio::test]
async fn any_and_all_are_refused_by_sqlite_with_the_cure() {
    needs!(Sqlite, "servers have ANY and ALL");
    let db = filled().await;
    let error = names(&db, User::age.ge(all_(User::query().select(User::age)))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "any_(..) and all_(..): SQLite has no ANY and ALL; use `.in_(..)`, or compare with the `.scalar()` of a query of `min(..)` or `max(..)`"
    );
    assert!(db.statements().is_empty());
}

#[tokio::test]
async fn a_subquery_writes_too() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let idle = !exists(Post::query().filter(Post::user_id.eq(User::id)));
    assert_eq!(User::query().filter(idle).delete().execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!(db.rows("SELECT username FROM user ORDER BY id"), ["ann", "bob"]);
    Ok(())
}

#[tokio::test]
async fn a_column_of_neither_query_is_the_error_of_the_outer_one() {
    let db = filled().await;
    let stranger = exists(User::alias("a").query().filter(Post::id.eq(1)));
    let error = names(&db, stranger).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (
            ErrorKind::InvalidStatement,
            "filter(post.id): this query selects from user; no relationship leads from there to post: join it with `.join_on(..)`"
        )
    );
    let alone = User::query().filter(Post::user_id.eq(User::id)).select(max(User::age)).scalar();
    let error = names(&db, User::age.eq(alone)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(db.statements().is_empty());
}
