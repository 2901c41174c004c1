//! How the database will run a query.

use crate::support::{Backend, TestDb};
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
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

async fn database() -> TestDb {
    TestDb::of([User::TABLE, Post::TABLE]).await
}

#[tokio::test]
async fn a_plan_names_what_is_read_and_nothing_is_run() -> Result<()> {
    let db = database().await;
    db.change("INSERT INTO user (id, username) VALUES (1, 'ann')");
    let session = &db.session();
    let plan = User::query().filter(User::username.eq("ann") & User::id.gt(0)).explain(session).await?;
    let sql = db.statements();
    assert_eq!(sql.len(), 1);
    let (start, names) = match Backend::current() {
        Backend::Sqlite => ("EXPLAIN QUERY PLAN SELECT", "user"),
        Backend::Postgres => ("EXPLAIN SELECT", "user"),
        Backend::MariaDb => ("EXPLAIN FORMAT=JSON SELECT", "\"table_name\": \"user\""),
    };
    assert!(sql[0].starts_with(start), "{sql:?}");
    assert!(plan.contains(names), "{plan}");
    Ok(())
}

#[tokio::test]
async fn a_plan_of_joins_and_of_what_is_loaded_along() -> Result<()> {
    let db = database().await;
    let session = &db.session();
    let plan = Post::query().with(Post::author).order_by(Post::title).explain(session).await?;
    assert!(plan.contains("post") && plan.contains("user"), "{plan}");
    if Backend::current() == Backend::Sqlite {
        let nested = User::query().union(User::query().filter(User::id.eq(1))).explain(session).await?;
        let steps =
            "MERGE (UNION)\n  LEFT\n    SCAN user\n  RIGHT\n    SEARCH user USING INTEGER PRIMARY KEY (rowid=?)";
        assert_eq!(nested, steps);
    }
    Ok(())
}

#[tokio::test]
async fn analyze_runs_the_query_where_that_is_measured() -> Result<()> {
    let db = database().await;
    db.change("INSERT INTO user (id, username) VALUES (1, 'ann'), (2, 'bob')");
    let session = &db.session();
    let plan = User::query().filter(User::username.ne("x")).explain_analyze(session).await;
    match Backend::current() {
        Backend::Sqlite => {
            let error = plan.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert_eq!(
                error.to_string(),
                "explain_analyze: SQLite measures no queries; `explain` says how it would run one"
            );
        }
        Backend::Postgres => assert!(plan?.contains("rows=2"), "the rows that were found"),
        Backend::MariaDb => assert!(plan?.contains("\"r_rows\": 2"), "the rows that were found"),
    }
    Ok(())
}

#[tokio::test]
async fn a_query_that_cannot_be_sent_has_no_plan() {
    let db = database().await;
    let error = User::query().filter(Post::id.eq(1)).explain(&db.session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(db.statements().is_empty());
}
