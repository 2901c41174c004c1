//! rusqlite 0.39: hand-written SQL, cached statements, columns by index.

use ::rusqlite::{Connection, Params, Row, ToSql, params_from_iter};

use crate::backend::{Backend, Database};
use crate::contender::{Bench, Contender};
use crate::grouping::{Tree, group};
use crate::rows::{Comment, Post, User};
use crate::workload::{
    Case, USERS_SQL, Workload, comments_on_sql, insert_users_sql, new_user, posts_of_sql, users_with_posts_sql,
};

struct Rusqlite(Connection);

/// Opens an empty database.
pub fn open(_: &Database) -> Box<dyn Contender> {
    Box::new(Rusqlite(Connection::open_in_memory().unwrap()))
}

impl Contender for Rusqlite {
    fn execute(&mut self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let connection = &self.0;
        match case.workload {
            Workload::TrivialQuery => bench.run(|| load_users(connection)),
            Workload::MediumComplexQuery => bench.run(|| load_users_with_posts(connection)),
            Workload::Insert | Workload::InsertMany => {
                let sql = insert_users_sql(Backend::Sqlite, case.size);
                bench.run(|| insert_users(connection, &sql, case.size));
            }
            Workload::UnitOfWork | Workload::ThreeLevels => unreachable!("not one of the common workloads"),
            Workload::LoadingAssociationsSequentially => bench.run(|| load_tree(connection)),
        }
    }
}

/// All rows of a query.
fn load<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    from_row: impl Fn(&Row<'_>) -> ::rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    statement.query_map(params, from_row).unwrap().collect::<Result<_, _>>().unwrap()
}

fn load_users(connection: &Connection) -> Vec<User> {
    load(connection, USERS_SQL, [], user)
}

fn load_users_with_posts(connection: &Connection) -> Vec<(User, Option<Post>)> {
    load(connection, &users_with_posts_sql(Backend::Sqlite), ["black"], |row| {
        let post_id: Option<i32> = row.get(3)?;
        Ok((user(row)?, post_id.map(|_| post(row, 3)).transpose()?))
    })
}

fn insert_users(connection: &Connection, sql: &str, size: usize) {
    let users: Vec<_> = (0..size).map(new_user).collect();
    let values = users.iter().flat_map(|(name, hair_color)| [name as &dyn ToSql, hair_color]);
    connection.prepare_cached(sql).unwrap().execute(params_from_iter(values)).unwrap();
}

fn load_tree(connection: &Connection) -> Tree<User, Post, Comment> {
    let users = load_users(connection);
    let sql = posts_of_sql(Backend::Sqlite, users.len());
    let posts = load(connection, &sql, params_from_iter(users.iter().map(|u| u.id)), |row| post(row, 0));
    let sql = comments_on_sql(Backend::Sqlite, posts.len());
    let comments = load(connection, &sql, params_from_iter(posts.iter().map(|p| p.id)), comment);
    let posts = group(posts, |post| post.id, comments, |comment| comment.post_id);
    group(users, |user| user.id, posts, |(post, _)| post.user_id)
}

fn user(row: &Row<'_>) -> ::rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, hair_color: row.get(2)? })
}

fn post(row: &Row<'_>, first: usize) -> ::rusqlite::Result<Post> {
    Ok(Post {
        id: row.get(first)?,
        user_id: row.get(first + 1)?,
        title: row.get(first + 2)?,
        body: row.get(first + 3)?,
    })
}

fn comment(row: &Row<'_>) -> ::rusqlite::Result<Comment> {
    Ok(Comment { id: row.get(0)?, post_id: row.get(1)?, text: row.get(2)? })
}
