//! Diesel 2.3, synchronous, with its query builder.

use ::diesel::connection::SimpleConnection as _;
use ::diesel::prelude::*;

use crate::contender::{Bench, Contender};
use crate::grouping::Tree;
use crate::workload::{Case, Workload, new_user};

table! {
    users {
        id -> Integer,
        name -> Text,
        hair_color -> Nullable<Text>,
    }
}

table! {
    posts {
        id -> Integer,
        user_id -> Integer,
        title -> Text,
        body -> Nullable<Text>,
    }
}

table! {
    comments {
        id -> Integer,
        post_id -> Integer,
        text -> Text,
    }
}

joinable!(posts -> users (user_id));
joinable!(comments -> posts (post_id));
allow_tables_to_appear_in_same_query!(users, posts, comments);

#[derive(Queryable, Identifiable)]
struct User {
    id: i32,
    name: String,
    hair_color: Option<String>,
}

#[derive(Queryable, Identifiable, Associations)]
#[diesel(belongs_to(User))]
struct Post {
    id: i32,
    user_id: i32,
    title: String,
    body: Option<String>,
}

#[derive(Queryable, Identifiable, Associations)]
#[diesel(belongs_to(Post))]
struct Comment {
    id: i32,
    post_id: i32,
    text: String,
}

// With `None` as NULL a batch is one statement; with `None` as DEFAULT Diesel runs one per row.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewUser {
    name: String,
    hair_color: Option<String>,
}

crate::check::rows!(User, Post, Comment);

struct Diesel(SqliteConnection);

/// Opens an empty database.
pub fn open() -> Box<dyn Contender> {
    Box::new(Diesel(SqliteConnection::establish(":memory:").unwrap()))
}

impl Contender for Diesel {
    fn execute(&mut self, sql: &str) {
        self.0.batch_execute(sql).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let connection = &mut self.0;
        match (case.workload, case.size) {
            (Workload::TrivialQuery, _) => bench.run(|| load_users(connection)),
            (Workload::MediumComplexQuery, _) => bench.run(|| load_users_with_posts(connection)),
            (Workload::LoadingAssociationsSequentially, _) => bench.run(|| load_tree(connection)),
            // Diesel caches the statement of an array, whose size is part of its type, but not of a `Vec`.
            (Workload::Insert, 1) => bench.run(|| insert_users::<1>(connection)),
            (Workload::Insert, 10) => bench.run(|| insert_users::<10>(connection)),
            (Workload::Insert, 25) => bench.run(|| insert_users::<25>(connection)),
            (Workload::Insert, 50) => bench.run(|| insert_users::<50>(connection)),
            (Workload::Insert, 100) => bench.run(|| insert_users::<100>(connection)),
            (Workload::Insert, size) => unimplemented!("a batch of {size}"),
        }
    }
}

fn load_users(connection: &mut SqliteConnection) -> Vec<User> {
    users::table.load(connection).unwrap()
}

fn load_users_with_posts(connection: &mut SqliteConnection) -> Vec<(User, Option<Post>)> {
    users::table.left_join(posts::table).filter(users::hair_color.eq("black")).load(connection).unwrap()
}

fn insert_users<const N: usize>(connection: &mut SqliteConnection) {
    let batch: [NewUser; N] = std::array::from_fn(|index| {
        let (name, hair_color) = new_user(index);
        NewUser { name, hair_color }
    });
    ::diesel::insert_into(users::table).values(batch).execute(connection).unwrap();
}

fn load_tree(connection: &mut SqliteConnection) -> Tree<User, Post, Comment> {
    let users: Vec<User> = users::table.load(connection).unwrap();
    let posts: Vec<Post> = Post::belonging_to(&users).load(connection).unwrap();
    let comments: Vec<Comment> = Comment::belonging_to(&posts).load(connection).unwrap();
    let comments = comments.grouped_by(&posts);
    let posts = posts.into_iter().zip(comments).grouped_by(&users);
    users.into_iter().zip(posts).collect()
}
