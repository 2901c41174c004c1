//! Diesel 2.3 with its query builder: synchronous, and by diesel-async.

#[cfg(any(feature = "postgres", feature = "mariadb"))]
mod asynchronous;
mod pooled;
mod schema;
mod synchronous;

#[cfg(feature = "mariadb")]
pub use asynchronous::mariadb::open as open_async_mariadb;
#[cfg(feature = "postgres")]
pub use asynchronous::postgres::open as open_async_postgres;
pub use pooled::{open as open_pooled, open_blocking};
#[cfg(feature = "mariadb")]
pub use synchronous::mariadb::{execute as execute_mariadb, open as open_mariadb};
#[cfg(feature = "postgres")]
pub use synchronous::postgres::{execute as execute_postgres, open as open_postgres};
pub use synchronous::sqlite::open as open_sqlite;

/// The operations on one kind of connection. Between the braces of the async ones stands what makes a call wait.
macro_rules! operations {
    ($connection:ty $(, $async:tt $await:tt)?) => {
        $($async)? fn load_users(connection: &mut $connection) -> Vec<User> {
            users::table.load(connection)$(.$await)?.unwrap()
        }

        $($async)? fn load_users_with_posts(connection: &mut $connection) -> Vec<(User, Option<Post>)> {
            let query = users::table.left_join(posts::table).filter(users::hair_color.eq("black"));
            query.load(connection)$(.$await)?.unwrap()
        }

        $($async)? fn insert_users<const N: usize>(connection: &mut $connection) {
            let batch: [NewUser; N] = std::array::from_fn(NewUser::new);
            ::diesel::insert_into(users::table).values(batch).execute(connection)$(.$await)?.unwrap();
        }

        $($async)? fn insert_many(connection: &mut $connection, size: usize) {
            let batch: Vec<NewUser> = (0..size).map(NewUser::new).collect();
            ::diesel::insert_into(users::table).values(batch).execute(connection)$(.$await)?.unwrap();
        }

        $($async)? fn change_users(connection: &mut $connection, size: usize) {
            let query = users::table.filter(users::id.le(i32::try_from(size).unwrap()));
            let loaded: Vec<User> = query.load(connection)$(.$await)?.unwrap();
            for user in loaded.iter().take(CHANGED) {
                let name = users::name.eq(changed_name(user.name()));
                ::diesel::update(user).set(name).execute(connection)$(.$await)?.unwrap();
            }
            let batch: [NewUser; ADDED] = std::array::from_fn(NewUser::new);
            ::diesel::insert_into(users::table).values(batch).execute(connection)$(.$await)?.unwrap();
        }

        $($async)? fn load_tree(connection: &mut $connection) -> Tree<User, Post, Comment> {
            let users: Vec<User> = users::table.load(connection)$(.$await)?.unwrap();
            let posts: Vec<Post> = Post::belonging_to(&users).load(connection)$(.$await)?.unwrap();
            let comments: Vec<Comment> = Comment::belonging_to(&posts).load(connection)$(.$await)?.unwrap();
            let comments = comments.grouped_by(&posts);
            let posts = posts.into_iter().zip(comments).grouped_by(&users);
            users.into_iter().zip(posts).collect()
        }
    };
}
use operations;
