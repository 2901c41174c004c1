//! mysql_async 0.37: hand-written SQL, statements from the connection's cache, columns by index.

use ::mysql_async::prelude::{FromRow, Queryable as _};
use ::mysql_async::{Conn, Params, Value};
use tokio::runtime::Runtime;

use crate::backend::{Backend, Database};
use crate::contender::{Bench, Contender};
use crate::grouping::{Tree, group};
use crate::rows::{Comment, Post, User};
use crate::workload::{
    Case, USERS_SQL, Workload, comments_on_sql, insert_users_sql, new_user, posts_of_sql, users_with_posts_sql,
};

struct MysqlAsync {
    runtime: Runtime,
    conn: Conn,
}

/// Connects to an empty database.
pub fn open(database: &Database) -> Box<dyn Contender> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let conn = runtime.block_on(Conn::from_url(database.url())).unwrap();
    Box::new(MysqlAsync { runtime, conn })
}

impl Contender for MysqlAsync {
    fn execute(&mut self, sql: &str) {
        self.runtime.block_on(self.conn.query_drop(sql)).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        self.runtime.block_on(run(&mut self.conn, case, bench));
    }
}

async fn run(conn: &mut Conn, case: Case, bench: &mut Bench) {
    match case.workload {
        Workload::TrivialQuery => bench.run_async(async || load_users(conn).await).await,
        Workload::MediumComplexQuery => {
            let sql = users_with_posts_sql(Backend::MariaDb);
            bench.run_async(async || load(conn, &sql, ("black",), user_with_post).await).await;
        }
        Workload::Insert | Workload::InsertMany => {
            let sql = insert_users_sql(Backend::MariaDb, case.size);
            bench.run_async(async || insert_users(conn, &sql, case.size).await).await;
        }
        Workload::UnitOfWork | Workload::ThreeLevels => unreachable!("not one of the common workloads"),
        Workload::LoadingAssociationsSequentially => bench.run_async(async || load_tree(conn).await).await,
    }
}

/// All rows of a query.
async fn load<R, T>(conn: &mut Conn, sql: &str, params: impl Into<Params> + Send, from_row: fn(R) -> T) -> Vec<T>
where
    R: FromRow + Send + 'static,
    T: Send,
{
    conn.exec_map(sql, params.into(), from_row).await.unwrap()
}

async fn load_users(conn: &mut Conn) -> Vec<User> {
    load(conn, USERS_SQL, (), |(id, name, hair_color)| User { id, name, hair_color }).await
}

async fn insert_users(conn: &mut Conn, sql: &str, size: usize) {
    let users = (0..size).map(new_user);
    let values: Vec<Value> = users.flat_map(|(name, hair_color)| [name.into(), hair_color.into()]).collect();
    conn.exec_drop(sql, values).await.unwrap();
}

async fn load_tree(conn: &mut Conn) -> Tree<User, Post, Comment> {
    let users = load_users(conn).await;
    let ids: Vec<Value> = users.iter().map(|user| user.id.into()).collect();
    let post = |(id, user_id, title, body)| Post { id, user_id, title, body };
    let posts = load(conn, &posts_of_sql(Backend::MariaDb, users.len()), ids, post).await;
    let ids: Vec<Value> = posts.iter().map(|post| post.id.into()).collect();
    let comment = |(id, post_id, text)| Comment { id, post_id, text };
    let comments = load(conn, &comments_on_sql(Backend::MariaDb, posts.len()), ids, comment).await;
    let posts = group(posts, |post| post.id, comments, |comment| comment.post_id);
    group(users, |user| user.id, posts, |(post, _)| post.user_id)
}

type UserWithPost = (i32, String, Option<String>, Option<i32>, Option<i32>, Option<String>, Option<String>);

fn user_with_post((id, name, hair_color, post_id, user_id, title, body): UserWithPost) -> (User, Option<Post>) {
    let post = post_id.map(|id| Post { id, user_id: user_id.unwrap(), title: title.unwrap(), body });
    (User { id, name, hair_color }, post)
}
