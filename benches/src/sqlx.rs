//! sqlx 0.9: hand-written SQL, `query_as` with derived `FromRow`, one connection without a pool.

use std::sync::Arc;

use ::sqlx::{AssertSqlSafe, Connection as _, FromRow, SqliteConnection};
use tokio::runtime::Runtime;

use crate::contender::{Bench, Contender};
use crate::grouping::{Tree, group};
use crate::workload::{Case, Workload, insert_users_sql, new_user, placeholders};

#[derive(FromRow)]
struct User {
    id: i32,
    name: String,
    hair_color: Option<String>,
}

#[derive(FromRow)]
struct Post {
    id: i32,
    user_id: i32,
    title: String,
    body: Option<String>,
}

#[derive(FromRow)]
struct Comment {
    id: i32,
    post_id: i32,
    text: String,
}

/// A row of the left join.
#[derive(FromRow)]
struct UserWithPost {
    #[sqlx(flatten)]
    user: User,
    post_id: Option<i32>,
    user_id: Option<i32>,
    title: Option<String>,
    body: Option<String>,
}

crate::check::rows!(User, Post, Comment);

struct Sqlx {
    runtime: Runtime,
    connection: SqliteConnection,
}

/// Opens an empty database.
pub fn open() -> Box<dyn Contender> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connection = runtime.block_on(SqliteConnection::connect("sqlite::memory:")).unwrap();
    Box::new(Sqlx { runtime, connection })
}

impl Contender for Sqlx {
    fn execute(&mut self, sql: &str) {
        let statements = ::sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        self.runtime.block_on(statements.execute(&mut self.connection)).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            match case.workload {
                Workload::TrivialQuery => bench.run_async(async || load_users(connection).await).await,
                Workload::MediumComplexQuery => {
                    bench.run_async(async || load_users_with_posts(connection).await).await;
                }
                Workload::Insert => {
                    let sql: Arc<str> = insert_users_sql(case.size).into();
                    bench.run_async(async || insert_users(connection, &sql, case.size).await).await;
                }
                Workload::LoadingAssociationsSequentially => {
                    bench.run_async(async || load_tree(connection).await).await;
                }
            }
        });
    }
}

async fn load_users(connection: &mut SqliteConnection) -> Vec<User> {
    ::sqlx::query_as("SELECT id, name, hair_color FROM users").fetch_all(connection).await.unwrap()
}

async fn load_users_with_posts(connection: &mut SqliteConnection) -> Vec<(User, Option<Post>)> {
    let sql = "SELECT u.id, u.name, u.hair_color, p.id AS post_id, p.user_id, p.title, p.body \
               FROM users AS u LEFT JOIN posts AS p ON u.id = p.user_id WHERE u.hair_color = ?";
    let rows: Vec<UserWithPost> = ::sqlx::query_as(sql).bind("black").fetch_all(connection).await.unwrap();
    rows.into_iter().map(UserWithPost::split).collect()
}

impl UserWithPost {
    fn split(self) -> (User, Option<Post>) {
        let post = self.post_id.map(|id| Post {
            id,
            user_id: self.user_id.unwrap(),
            title: self.title.unwrap(),
            body: self.body,
        });
        (self.user, post)
    }
}

async fn insert_users(connection: &mut SqliteConnection, sql: &Arc<str>, size: usize) {
    let mut query = ::sqlx::query(AssertSqlSafe(sql.clone()));
    for (name, hair_color) in (0..size).map(new_user) {
        query = query.bind(name).bind(hair_color);
    }
    query.execute(connection).await.unwrap();
}

async fn load_tree(connection: &mut SqliteConnection) -> Tree<User, Post, Comment> {
    let users = load_users(connection).await;
    let sql = format!("SELECT id, user_id, title, body FROM posts WHERE user_id IN ({})", placeholders(users.len()));
    let posts: Vec<Post> = load_by_ids(connection, sql, users.iter().map(|user| user.id)).await;
    let sql = format!("SELECT id, post_id, text FROM comments WHERE post_id IN ({})", placeholders(posts.len()));
    let comments: Vec<Comment> = load_by_ids(connection, sql, posts.iter().map(|post| post.id)).await;
    let posts = group(posts, |post| post.id, comments, |comment| comment.post_id);
    group(users, |user| user.id, posts, |(post, _)| post.user_id)
}

/// All rows of a query that takes nothing but ids.
async fn load_by_ids<T>(connection: &mut SqliteConnection, sql: String, ids: impl Iterator<Item = i32>) -> Vec<T>
where
    T: for<'r> FromRow<'r, ::sqlx::sqlite::SqliteRow> + Send + Unpin,
{
    let mut query = ::sqlx::query_as::<::sqlx::Sqlite, T>(AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(id);
    }
    query.fetch_all(connection).await.unwrap()
}
