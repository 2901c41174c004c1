//! The tables and their rows.

use ::diesel::prelude::*;

use crate::workload::new_user;

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
pub struct User {
    id: i32,
    name: String,
    hair_color: Option<String>,
}

impl User {
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Queryable, Identifiable, Associations)]
#[diesel(belongs_to(User))]
pub struct Post {
    id: i32,
    user_id: i32,
    title: String,
    body: Option<String>,
}

#[derive(Queryable, Identifiable, Associations)]
#[diesel(belongs_to(Post))]
pub struct Comment {
    id: i32,
    post_id: i32,
    text: String,
}

// With `None` as NULL a batch is one statement; with `None` as DEFAULT Diesel runs one per row.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUser {
    name: String,
    hair_color: Option<String>,
}

impl NewUser {
    pub fn new(index: usize) -> Self {
        let (name, hair_color) = new_user(index);
        Self { name, hair_color }
    }
}

crate::check::rows!(User, Post, Comment);
