//! What queries find, and what they refuse before anything is sent.

use crate::support::{Backend, TestDb, neutral};
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(name = "login")]
    username: String,
    nick: Option<String>,
    age: Option<i32>,
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
    score: f64,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change(
        r"INSERT INTO user VALUES (1, 'ann', 'A', 40, NULL), (2, 'bob', NULL, 30, 1), (3, 'cas', 'C', NULL, 1),
            (4, '100%', 'x_y', 20, 2), (5, 'back\slash', 'xzy', 20, 2);
          INSERT INTO post VALUES (1, 'one', 1.5, 1), (2, 'two', 2.5, 1), (3, 'three', 4.0, 2);",
    );
    db
}

/// The ids of the users that a condition finds.
async fn ids(db: &TestDb, condition: Expr<bool>) -> Result<Vec<i64>> {
    User::query().filter(condition).select(User::id).order_by(User::id).all(&db.session()).await
}

#[tokio::test]
async fn comparisons_find_what_sql_finds() -> Result<()> {
    let db = filled().await;
    assert_eq!(ids(&db, User::age.eq(20)).await?, [4, 5]);
    assert_eq!(ids(&db, User::age.ne(20)).await?, [1, 2], "NULL is not unequal");
    assert_eq!(ids(&db, User::age.gt(20)).await?, [1, 2]);
    assert_eq!(ids(&db, User::age.ge(30)).await?, [1, 2]);
    assert_eq!(ids(&db, User::age.lt(30)).await?, [4, 5]);
    assert_eq!(ids(&db, User::age.le(30)).await?, [2, 4, 5]);
    assert_eq!(ids(&db, User::age.between(20, 30)).await?, [2, 4, 5]);
    assert_eq!(ids(&db, !User::age.between(20, 30)).await?, [1]);
    assert_eq!(ids(&db, User::age.is_null()).await?, [3]);
    assert_eq!(ids(&db, User::age.is_not_null() & User::nick.is_null()).await?, [2]);
    assert_eq!(ids(&db, User::id.gt(User::boss_id + 1)).await?, [3, 4, 5]);
    Ok(())
}

#[tokio::test]
async fn none_asks_for_null() -> Result<()> {
    let db = filled().await;
    assert_eq!(ids(&db, User::nick.eq(None::<String>)).await?, [2]);
    assert_eq!(ids(&db, User::nick.ne(None::<String>)).await?, [1, 3, 4, 5]);
    assert_eq!(ids(&db, User::age.eq(Some(20))).await?, [4, 5]);
    assert_eq!(ids(&db, User::nick.in_([None, Some("C")])).await?, [2, 3]);
    Ok(())
}

#[tokio::test]
async fn in_takes_lists_iterators_and_queries() -> Result<()> {
    let db = filled().await;
    assert_eq!(ids(&db, User::id.in_([1, 3, 9])).await?, [1, 3]);
    assert_eq!(ids(&db, User::id.in_(vec![2])).await?, [2]);
    assert_eq!(ids(&db, User::id.in_((1..100).filter(|id| id % 2 == 1))).await?, [1, 3, 5]);
    assert_eq!(ids(&db, User::username.in_(["ann", "cas"])).await?, [1, 3]);
    assert_eq!(ids(&db, User::id.in_([0; 0])).await?, [0; 0]);
    assert_eq!(ids(&db, User::id.not_in([0; 0])).await?, [1, 2, 3, 4, 5]);
    assert_eq!(ids(&db, User::id.not_in([1, 2])).await?, [3, 4, 5]);
    assert_eq!(ids(&db, User::id.in_(Post::query().select(Post::user_id))).await?, [1, 2]);
    let authors = Post::query().filter(Post::title.eq("three")).select(Post::user_id);
    assert_eq!(ids(&db, User::id.not_in(authors)).await?, [1, 3, 4, 5]);
    assert_eq!(ids(&db, User::id.in_(1..20_000)).await?.len(), 5);
    Ok(())
}

#[tokio::test]
async fn text_is_matched_as_it_stands() -> Result<()> {
    let db = filled().await;
    assert_eq!(ids(&db, User::username.contains("0%")).await?, [4]);
    assert_eq!(ids(&db, User::username.contains("%")).await?, [4]);
    assert_eq!(ids(&db, User::nick.contains("x_")).await?, [4]);
    assert_eq!(ids(&db, User::username.contains("\\s")).await?, [5]);
    assert_eq!(ids(&db, User::username.starts_with("b")).await?, [2, 5]);
    assert_eq!(ids(&db, User::username.ends_with("s")).await?, [3]);
    assert_eq!(ids(&db, User::nick.like("x_y")).await?, [4, 5]);
    assert_eq!(ids(&db, User::username.eq("' OR 1 = 1 --")).await?, [0; 0]);
    assert_eq!(ids(&db, User::username.concat("!").eq("ann!")).await?, [1]);
    assert_eq!(ids(&db, lower(User::nick).eq("a")).await?, [1]);
    assert_eq!(ids(&db, length(User::username).eq(3)).await?, [1, 2, 3]);
    Ok(())
}

#[tokio::test]
async fn conditions_compose_and_an_absent_one_asks_nothing() -> Result<()> {
    let db = filled().await;
    assert_eq!(ids(&db, User::id.eq(1) | User::id.eq(2) & User::nick.is_null()).await?, [1, 2]);
    assert_eq!(ids(&db, (User::id.eq(1) | User::id.eq(2)) & User::nick.is_null()).await?, [2]);
    assert_eq!(ids(&db, !(User::id.eq(1) | User::id.eq(2))).await?, [3, 4, 5]);
    let (given, absent) = (Some("ann"), None::<&str>);
    let query = User::query()
        .filter(given.map(|name| User::username.eq(name)))
        .filter(absent.map(|name| User::username.eq(name)));
    assert_eq!(query.count(&db.session()).await?, 1);
    Ok(())
}

#[tokio::test]
async fn orders_limits_and_distinct() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let names = |query: Query<User, String>| query.all(&session);
    let query = || User::query().select(User::username);
    assert_eq!(
        names(query().order_by((User::age.asc().nulls_first(), User::id.desc()))).await?[..3],
        ["cas", "back\\slash", "100%"]
    );
    assert_eq!(names(query().order_by(User::age.desc().nulls_last()).order_by(User::id).limit(1)).await?, ["ann"]);
    assert_eq!(names(query().order_by(User::column("username")?.desc()).limit(1)).await?, ["cas"]);
    assert_eq!(names(query().order_by(User::column("login")?).limit(1)).await?, ["100%"], "by the database's name");
    assert_eq!(names(query().order_by(User::id).offset(3)).await?, ["100%", "back\\slash"]);
    assert_eq!(names(query().order_by(length(User::username).desc()).limit(1)).await?, ["back\\slash"]);
    assert_eq!(names(query().limit(0)).await?, [""; 0]);
    let ages = User::query().select(User::age).distinct().order_by(User::age.asc().nulls_first());
    assert_eq!(ages.clone().all(&session).await?, [None, Some(20), Some(30), Some(40)]);
    assert_eq!(ages.count(&session).await?, 4);
    Ok(())
}

#[tokio::test]
async fn aggregates_and_groups() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let all =
        (count_all(), count(User::nick), count_distinct(User::age), sum(User::age), avg(User::age), min(User::age));
    let row = User::query().select(all).one(&session).await?;
    assert_eq!(row, (5, 4, 3, Some(110), Some(27.5), Some(20)));
    let none = User::query().filter(User::id.gt(100)).select((count_all(), sum(User::age), max(User::username)));
    assert_eq!(none.one(&session).await?, (0, None, None));
    let rows = Post::query()
        .join(Post::author)
        .group_by((User::id, User::username))
        .having(count(Post::id).gt(1) & sum(Post::score).gt(3.0))
        .select((User::username, sum(Post::score), count_all()));
    assert_eq!(rows.all(&session).await?, [("ann".into(), Some(4.0), 2)]);
    let ages = User::query().select(coalesce(User::age, -1)).order_by(User::id);
    assert_eq!(ages.all(&session).await?, [40, 30, -1, 20, 20]);
    let groups = User::query().group_by(User::age).select(User::age);
    assert_eq!(groups.count(&session).await?, 4, "how many rows the query has");
    Ok(())
}

#[tokio::test]
async fn limits_and_lists_of_any_size_are_sent_or_refused() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    assert_eq!(User::query().limit(u64::MAX).all(&session).await?.len(), 5);
    assert_eq!(User::query().offset(u64::MAX).count(&session).await?, 0);
    db.statements();
    let names = (0..70_000).map(|n| n.to_string());
    let error = User::query().filter(User::username.in_(names)).all(&session).await.expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains(Backend::current().pick("32766", "65535", "65535")), "{error}");
    assert_eq!(db.statements(), [""; 0]);
    let many = User::query().filter(User::id.in_(0..70_000)).all(&session).await;
    // There they are one array.
    if Backend::current() == Backend::Postgres {
        assert_eq!(many?.len(), 5);
        assert_eq!(User::query().filter(!User::id.in_(2..70_000)).all(&session).await?.len(), 1);
    } else {
        assert_eq!(many.expect_err("too many").kind(), ErrorKind::InvalidStatement);
    }
    Ok(())
}

#[tokio::test]
async fn one_first_and_exists() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let young = || User::query().filter(User::age.eq(20));
    let nobody = || User::query().filter(User::age.eq(99));
    assert_eq!(young().one(&session).await.expect_err("two").kind(), ErrorKind::MultipleFound);
    assert_eq!(young().one_or_none(&session).await.expect_err("two").kind(), ErrorKind::MultipleFound);
    assert!(young().one_or_404(&session).await.expect_err("two").is_404());
    assert_eq!(young().order_by(User::id).first(&session).await?.expect("a user").id, 4);
    assert!(young().exists(&session).await?);

    let error = nobody().one(&session).await.expect_err("none");
    assert_eq!((error.kind(), error.is_404(), error.table()), (ErrorKind::NotFound, false, Some("user")));
    assert!(nobody().one_or_none(&session).await?.is_none());
    assert!(nobody().first(&session).await?.is_none());
    assert!(nobody().first_or_404(&session).await.expect_err("none").is_404());
    let error = nobody().one(&session).await.or_404("no such user").expect_err("none");
    assert_eq!(error.description(), Some("no such user"));
    assert!(!nobody().exists(&session).await?);
    assert_eq!(nobody().count(&session).await?, 0);
    Ok(())
}

#[tokio::test]
async fn related_rows_are_asked_for_by_any_and_has() -> Result<()> {
    let db = filled().await;
    assert_eq!(ids(&db, User::posts.any(Post::score.gt(2.0))).await?, [1, 2]);
    assert_eq!(ids(&db, !User::posts.any(None)).await?, [3, 4, 5]);
    assert_eq!(ids(&db, User::reports.any(User::username.eq("bob"))).await?, [1], "of the same table");
    assert_eq!(ids(&db, User::boss.has(User::username.eq("ann"))).await?, [2, 3]);
    assert_eq!(ids(&db, User::reports.any(User::reports.any(None))).await?, [1]);
    let session = db.session();
    let posts = Post::query().filter(Post::author.has(User::posts.any(Post::title.eq("two")))).order_by(Post::id);
    assert_eq!(posts.select(Post::id).all(&session).await?, [1, 2]);
    Ok(())
}

#[tokio::test]
async fn a_column_of_a_table_that_is_not_selected_from_is_refused_before_anything_is_sent() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let errors = [
        User::query().order_by(Post::title).all(&session).await.err(),
        User::query().filter(Post::title.eq("x")).all(&session).await.err(),
        User::query().filter(Post::title.eq("x")).count(&session).await.err(),
        User::query().select((User::id, Post::title)).all(&session).await.err(),
        User::query().group_by(Post::id).select(User::id).all(&session).await.err(),
        User::query().filter(Post::title.eq("x")).update(User::nick.set("n")).execute(&session).await.err(),
        User::query().join(Post::author).all(&session).await.err(),
        User::query().with(User::posts.joined()).filter(Post::title.eq("x")).all(&session).await.err(),
    ];
    for error in errors {
        let error = error.expect("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidStatement, "{error}");
        assert!(error.to_string().to_lowercase().contains("post"), "{error}");
    }
    let error = User::query().order_by(Post::title).all(&session).await.expect_err("refused");
    assert!(error.to_string().contains(".join(User::posts)"), "{error}");
    assert_eq!(db.statements(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_column_of_an_outer_joined_table_has_to_be_optional() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let error = User::query().left_join(User::posts).select((User::id, Post::title)).all(&session).await;
    let error = error.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains(".optional()"), "{error}");
    let entity = User::query().left_join(User::posts).select((User::id, Post::entity)).all(&session).await;
    assert_eq!(entity.expect_err("refused").kind(), ErrorKind::InvalidStatement);
    assert_eq!(db.statements(), [""; 0]);

    let rows = User::query()
        .left_join(User::posts)
        .select((User::id, Post::title.optional(), Post::id.optional()))
        .order_by(User::id)
        .all(&session)
        .await?;
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[5], (5, None, None));
    Ok(())
}

#[tokio::test]
async fn a_join_brings_an_entity_once_for_each_partner() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let users = User::query().join(User::posts).order_by(Post::id).all(&session).await?;
    assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), [1, 1, 2]);
    assert_eq!(users[0], users[1]);
    assert_eq!(User::query().join(User::posts).count(&session).await?, 3);
    let once = User::query().join(User::posts).distinct().order_by(User::id).all(&session).await?;
    assert_eq!(once.len(), 2);
    Ok(())
}

#[tokio::test]
async fn bulk_writes_take_filters_alone() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let errors = [
        User::query().limit(1).delete().execute(&session).await.err(),
        User::query().order_by(User::id).delete().execute(&session).await.err(),
        User::query().join(User::posts).update(User::nick.set("n")).execute(&session).await.err(),
        User::query().distinct().update(User::nick.set("n")).execute(&session).await.err(),
    ];
    for error in errors {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::InvalidStatement));
    }
    assert_eq!(db.statements(), [""; 0]);

    let with_posts = User::query().filter(User::posts.any(None));
    assert_eq!(with_posts.update((User::nick.set("n"), User::age.set(User::age + 1))).execute(&session).await?, 2);
    let back = User::query().filter(User::id.eq(5));
    back.update((User::nick.set(None::<String>), User::username.set(upper(User::username)))).execute(&session).await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT nick, age FROM user WHERE id < 3"), ["n|41", "n|31"]);
    assert_eq!(db.rows("SELECT login, nick FROM user WHERE id = 5"), ["BACK\\SLASH|NULL"]);
    Ok(())
}

#[tokio::test]
async fn what_a_bulk_update_calculates_with_is_the_row_before_it() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = User::query().filter(User::id.eq(1));
    let both = (User::username.set(User::username.concat("!")), User::nick.set(User::username));
    assert_eq!(ann.update(both).execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!(db.rows("SELECT login, nick FROM user WHERE id = 1"), ["ann!|ann"]);
    Ok(())
}

#[tokio::test]
async fn numbers_are_calculated_alike() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = || User::query().filter(User::id.eq(1));
    let row =
        ann().select((User::age / 3, User::age % 3, -User::age - 1, length(User::username))).one(&session).await?;
    assert_eq!(row, (Some(13), Some(1), Some(-41), 3));
    let decades = User::query()
        .filter(User::age.is_not_null())
        .group_by(User::age / 20)
        .order_by(User::age / 20)
        .select((User::age / 20, count_all()));
    assert_eq!(decades.all(&session).await?, [(Some(1), 3), (Some(2), 1)]);
    Ok(())
}

#[tokio::test]
async fn nulls_come_where_they_are_asked_for() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let first = async |order: aludel::sql::OrderBy| {
        let ids = User::query().order_by((order, User::id)).select(User::id).all(&session).await;
        ids.map(|ids| (ids[0], ids[4]))
    };
    assert_eq!(first(User::age.asc().nulls_first()).await?, (3, 1));
    assert_eq!(first(User::age.asc().nulls_last()).await?, (4, 3));
    assert_eq!(first(User::age.desc().nulls_first()).await?, (3, 5));
    assert_eq!(first(User::age.desc().nulls_last()).await?, (1, 3));
    Ok(())
}

#[tokio::test]
async fn a_missing_table_is_an_error_of_its_own() -> Result<()> {
    let db = filled().await;
    db.db.drop_all().await?;
    let error = User::query().all(&db.session()).await.expect_err("no table");
    assert_eq!(error.kind(), ErrorKind::MissingTable);
    assert!(error.statement().is_some_and(|sql| neutral(sql).contains("FROM \"user\"")));
    Ok(())
}
