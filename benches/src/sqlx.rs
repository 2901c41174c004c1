//! sqlx 0.9: hand-written SQL, `query_as` with derived `FromRow`, one connection without a pool.

use ::sqlx::FromRow;

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

crate::check::rows!(User, Post, Comment);

/// A contender on one backend: its connection, and how ids are bound to what [`posts_of_sql`] and [`comments_on_sql`]
/// give. Written out for each, for a generic one would say more about sqlx's traits than about the queries.
///
/// [`posts_of_sql`]: crate::workload::posts_of_sql
/// [`comments_on_sql`]: crate::workload::comments_on_sql
macro_rules! contender {
    ($backend:ident, $kind:ident, $database:ident, $connection:ident, $bind_ids:expr) => {
        pub mod $backend {
            use std::sync::Arc;

            use ::sqlx::query::QueryAs;
            use ::sqlx::{AssertSqlSafe, Connection as _, Database as Driver, FromRow, $connection, $database};
            use tokio::runtime::Runtime;

            use super::{Comment, Post, User, UserWithPost};
            use crate::backend::{Backend, Database};
            use crate::contender::{Bench, Contender};
            use crate::grouping::{Tree, group};
            use crate::workload::{
                Case, USERS_SQL, Workload, comments_on_sql, insert_users_sql, new_user, posts_of_sql,
                users_with_posts_sql,
            };

            type Rows<'q, T> = QueryAs<'q, $database, T, <$database as Driver>::Arguments>;

            struct Sqlx {
                runtime: Runtime,
                connection: $connection,
            }

            /// Connects to an empty database.
            pub fn open(database: &Database) -> Box<dyn Contender> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let url = match database.backend() {
                    Backend::Sqlite => String::from("sqlite::memory:"),
                    Backend::Postgres | Backend::MariaDb => database.url(),
                };
                let connection = runtime.block_on($connection::connect(&url)).unwrap();
                Box::new(Sqlx { runtime, connection })
            }

            impl Contender for Sqlx {
                fn execute(&mut self, sql: &str) {
                    let statements = ::sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
                    self.runtime.block_on(statements.execute(&mut self.connection)).unwrap();
                }

                fn run(&mut self, case: Case, bench: &mut Bench) {
                    self.runtime.block_on(run(&mut self.connection, case, bench));
                }
            }

            async fn run(connection: &mut $connection, case: Case, bench: &mut Bench) {
                match case.workload {
                    Workload::TrivialQuery => bench.run_async(async || load_users(connection).await).await,
                    Workload::MediumComplexQuery => {
                        let sql: Arc<str> = users_with_posts_sql(Backend::$kind).into();
                        bench.run_async(async || load_users_with_posts(connection, &sql).await).await;
                    }
                    Workload::Insert | Workload::InsertMany => {
                        let sql: Arc<str> = insert_users_sql(Backend::$kind, case.size).into();
                        bench.run_async(async || insert_users(connection, &sql, case.size).await).await;
                    }
                    Workload::UnitOfWork | Workload::ThreeLevels => unreachable!("not one of the common workloads"),
                    Workload::LoadingAssociationsSequentially => {
                        bench.run_async(async || load_tree(connection).await).await;
                    }
                }
            }

            async fn load_users(connection: &mut $connection) -> Vec<User> {
                ::sqlx::query_as(USERS_SQL).fetch_all(connection).await.unwrap()
            }

            async fn load_users_with_posts(connection: &mut $connection, sql: &Arc<str>) -> Vec<(User, Option<Post>)> {
                let query = ::sqlx::query_as(AssertSqlSafe(sql.clone())).bind("black");
                let rows: Vec<UserWithPost> = query.fetch_all(connection).await.unwrap();
                rows.into_iter().map(UserWithPost::split).collect()
            }

            async fn insert_users(connection: &mut $connection, sql: &Arc<str>, size: usize) {
                let mut query = ::sqlx::query(AssertSqlSafe(sql.clone()));
                for (name, hair_color) in (0..size).map(new_user) {
                    query = query.bind(name).bind(hair_color);
                }
                query.execute(connection).await.unwrap();
            }

            async fn load_tree(connection: &mut $connection) -> Tree<User, Post, Comment> {
                let users = load_users(connection).await;
                let ids = users.iter().map(|user| user.id).collect();
                let posts: Vec<Post> = load_by_ids(connection, posts_of_sql(Backend::$kind, users.len()), ids).await;
                let ids = posts.iter().map(|post| post.id).collect();
                let sql = comments_on_sql(Backend::$kind, posts.len());
                let comments: Vec<Comment> = load_by_ids(connection, sql, ids).await;
                let posts = group(posts, |post| post.id, comments, |comment| comment.post_id);
                group(users, |user| user.id, posts, |(post, _)| post.user_id)
            }

            /// All rows of a query that takes nothing but ids.
            async fn load_by_ids<T>(connection: &mut $connection, sql: String, ids: Vec<i32>) -> Vec<T>
            where
                T: for<'r> FromRow<'r, <$database as Driver>::Row> + Send + Unpin,
            {
                let bind: fn(Rows<'_, T>, Vec<i32>) -> Rows<'_, T> = $bind_ids;
                bind(::sqlx::query_as(AssertSqlSafe(sql)), ids).fetch_all(connection).await.unwrap()
            }
        }
    };
}

contender!(sqlite, Sqlite, Sqlite, SqliteConnection, |query, ids| ids
    .into_iter()
    .fold(query, |query, id| query.bind(id)));
#[cfg(feature = "postgres")]
contender!(postgres, Postgres, Postgres, PgConnection, |query, ids| query.bind(ids));
#[cfg(feature = "mariadb")]
contender!(mariadb, MariaDb, MySql, MySqlConnection, |query, ids| ids
    .into_iter()
    .fold(query, |query, id| query.bind(id)));
