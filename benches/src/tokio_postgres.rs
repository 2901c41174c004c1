//! tokio-postgres 0.7: hand-written SQL, statements prepared beforehand, columns by index.

use ::tokio_postgres::types::ToSql;
use ::tokio_postgres::{Client, NoTls, Row, Statement};
use tokio::runtime::Runtime;

use crate::backend::{Backend, Database};
use crate::contender::{Bench, Contender};
use crate::grouping::{Tree, group};
use crate::rows::{Comment, Post, User};
use crate::workload::{
    Case, USERS_SQL, Workload, comments_on_sql, insert_users_sql, new_user, posts_of_sql, users_with_posts_sql,
};

struct TokioPostgres {
    runtime: Runtime,
    client: Client,
}

/// Connects to an empty database.
pub fn open(database: &Database) -> Box<dyn Contender> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, connection) = runtime.block_on(::tokio_postgres::connect(&database.url(), NoTls)).unwrap();
    // It ends with the client.
    runtime.spawn(async move { connection.await.unwrap() });
    Box::new(TokioPostgres { runtime, client })
}

impl Contender for TokioPostgres {
    fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.client.batch_execute(sql)).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        self.runtime.block_on(run(&self.client, case, bench));
    }
}

async fn run(client: &Client, case: Case, bench: &mut Bench) {
    let prepare = async |sql: &str| client.prepare(sql).await.unwrap();
    match case.workload {
        Workload::TrivialQuery => {
            let users = prepare(USERS_SQL).await;
            bench.run_async(async || load(client, &users, &[], user).await).await;
        }
        Workload::MediumComplexQuery => {
            let users = prepare(&users_with_posts_sql(Backend::Postgres)).await;
            bench.run_async(async || load(client, &users, &[&"black"], user_with_post).await).await;
        }
        Workload::Insert | Workload::InsertMany => {
            let insert = prepare(&insert_users_sql(Backend::Postgres, case.size)).await;
            bench.run_async(async || insert_users(client, &insert, case.size).await).await;
        }
        Workload::UnitOfWork | Workload::ThreeLevels => unreachable!("not one of the common workloads"),
        Workload::LoadingAssociationsSequentially => {
            let users = prepare(USERS_SQL).await;
            // The number makes no difference where the ids are an array.
            let posts = prepare(&posts_of_sql(Backend::Postgres, 1)).await;
            let comments = prepare(&comments_on_sql(Backend::Postgres, 1)).await;
            bench.run_async(async || load_tree(client, [&users, &posts, &comments]).await).await;
        }
    }
}

/// All rows of a query.
async fn load<T>(
    client: &Client,
    statement: &Statement,
    params: &[&(dyn ToSql + Sync)],
    from_row: impl Fn(&Row) -> T,
) -> Vec<T> {
    client.query(statement, params).await.unwrap().iter().map(from_row).collect()
}

async fn insert_users(client: &Client, insert: &Statement, size: usize) {
    let users: Vec<_> = (0..size).map(new_user).collect();
    let values: Vec<_> = users.iter().flat_map(|(name, hair)| [name as &(dyn ToSql + Sync), hair]).collect();
    client.execute(insert, &values).await.unwrap();
}

async fn load_tree(client: &Client, [users, posts, comments]: [&Statement; 3]) -> Tree<User, Post, Comment> {
    let users = load(client, users, &[], user).await;
    let ids: Vec<i32> = users.iter().map(|user| user.id).collect();
    let posts = load(client, posts, &[&ids], |row| post(row, 0)).await;
    let ids: Vec<i32> = posts.iter().map(|post| post.id).collect();
    let comments = load(client, comments, &[&ids], comment).await;
    let posts = group(posts, |post| post.id, comments, |comment| comment.post_id);
    group(users, |user| user.id, posts, |(post, _)| post.user_id)
}

fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), hair_color: row.get(2) }
}

fn user_with_post(row: &Row) -> (User, Option<Post>) {
    let post_id: Option<i32> = row.get(3);
    (user(row), post_id.map(|_| post(row, 3)))
}

fn post(row: &Row, first: usize) -> Post {
    Post { id: row.get(first), user_id: row.get(first + 1), title: row.get(first + 2), body: row.get(first + 3) }
}

fn comment(row: &Row) -> Comment {
    Comment { id: row.get(0), post_id: row.get(1), text: row.get(2) }
}
