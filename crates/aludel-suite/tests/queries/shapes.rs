//! A query that is asked again with other values has the same text, and one that differs in anything else has its own.

use std::collections::HashSet;

use crate::support::TestDb;
use aludel::prelude::*;
use aludel::sql::Dialect;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    nick: Option<String>,
    age: i64,
    #[relationship(back_populates = user)]
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
    user: One<User>,
}

const DIALECTS: [Dialect; 4] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MariaDb, Dialect::MySql];

/// Queries whose texts differ from each other, with values made of a number.
fn texts(dialect: Dialect, n: i64) -> Vec<String> {
    let text = |value: i64| format!("u{value}");
    let users = [
        User::query(),
        User::query().distinct(),
        User::query().limit(n as u64),
        User::query().offset(n as u64),
        User::query().limit(n as u64).offset(n as u64 + 1),
        User::query().filter(User::age.eq(n)),
        User::query().filter(User::age.ne(n)),
        User::query().filter(User::id.eq(n)),
        User::query().filter(User::age.gt(n)).filter(User::id.lt(n + 1)),
        User::query().filter(User::age.gt(n) | User::id.lt(n + 1)),
        User::query().filter(!(User::age.gt(n) | User::id.lt(n + 1))),
        User::query().filter(User::age.between(n, n + 5)),
        User::query().filter(!User::age.between(n, n + 5)),
        User::query().filter(User::name.contains(text(n))),
        User::query().filter(User::name.like(text(n))),
        User::query().filter(!User::name.like(text(n))),
        User::query().filter(User::nick.is_null()),
        User::query().filter(User::nick.is_not_null()),
        User::query().filter(User::nick.eq(Some(text(n)))),
        User::query().filter((User::age + User::id).gt(n)),
        User::query().filter((User::age - User::id).gt(n)),
        User::query().filter(lower(User::name).eq(text(n))),
        User::query().filter(upper(User::name).eq(text(n))),
        User::query().order_by(User::age.asc()),
        User::query().order_by(User::age.desc()),
        User::query().order_by(User::age.desc()).order_by(User::id.asc()),
        User::query().order_by(User::nick.asc().nulls_last()),
        User::query().order_by(User::nick.asc().nulls_first()),
        User::query().join(User::posts).filter(Post::title.eq(text(n))),
        User::query().left_join(User::posts).filter(Post::title.eq(text(n))),
        User::query().filter(User::age.in_([n])),
        // On PostgreSQL lists of all lengths have one text.
        User::query().filter(!User::age.in_([n, n + 1])),
        User::query().filter(User::posts.any(Post::title.eq(text(n)))),
    ];
    let pairs = [
        User::query().select((User::id, User::age)),
        User::query().select((User::age, User::id)),
        User::query().select((User::age, User::id)).filter(User::age.eq(n)),
        User::query().select((User::age, User::id)).group_by(User::age).group_by(User::id),
        User::query().select((User::age, User::id)).group_by(User::id).group_by(User::age),
    ];
    let users = users.into_iter().map(|query| query.to_sql(dialect).unwrap());
    users.chain(pairs.into_iter().map(|query| query.to_sql(dialect).unwrap())).collect()
}

#[test]
fn a_text_is_found_again_for_other_values_and_for_nothing_else() {
    for dialect in DIALECTS {
        let first = texts(dialect, 1);
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), first.len(), "{dialect:?}: each has its own text");
        for n in [2, 7] {
            assert_eq!(texts(dialect, n), first, "{dialect:?}");
        }
        // Another thread has to write them by itself.
        assert_eq!(std::thread::spawn(move || texts(dialect, 3)).join().unwrap(), first, "{dialect:?}");
    }
}

#[test]
fn a_query_that_cannot_be_asked_is_refused_each_time() {
    for _ in 0..3 {
        let error = User::query().filter(Post::id.eq(1)).to_sql(Dialect::Sqlite).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidStatement);
        assert!(error.to_string().contains("add .join(User::posts)"), "{error}");
        let error = User::query().left_join(User::posts).select((User::id, Post::id)).to_sql(Dialect::Sqlite);
        assert!(error.unwrap_err().to_string().contains("outer-joined"));
        User::query().left_join(User::posts).select((User::id, Post::id.optional())).to_sql(Dialect::Sqlite).unwrap();
        User::query().join(User::posts).select((User::id, Post::id)).to_sql(Dialect::Sqlite).unwrap();
    }
}

#[tokio::test]
async fn values_come_in_the_order_of_the_text() {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    let session = db.session();
    for n in 0..20 {
        session.add(User::build().name(format!("user {n}")).age(n % 7));
    }
    session.commit().await.unwrap();
    for n in 0..12 {
        let found = User::query()
            .select((User::id, User::age, User::age + n))
            .filter(User::age.between(n % 3, n % 3 + 2))
            .filter(User::name.like(format!("user 1{}%", n % 2)) | User::id.lt(n))
            .order_by(User::id.asc())
            .limit(2)
            .offset(u64::try_from(n % 2).unwrap())
            .all(&session)
            .await
            .unwrap();
        let expected: Vec<(i64, i64, i64)> = (1..=20)
            .map(|id| (id, (id - 1) % 7, format!("user {}", id - 1)))
            .filter(|(_, age, _)| (n % 3..=n % 3 + 2).contains(age))
            .filter(|(id, _, name)| name.starts_with(&format!("user 1{}", n % 2)) || *id < n)
            .map(|(id, age, _)| (id, age, age + n))
            .skip(usize::try_from(n % 2).unwrap())
            .take(2)
            .collect();
        assert_eq!(found, expected, "{n}");
    }
}
