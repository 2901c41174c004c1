//! Of two keys to one model a relationship names its own.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    author_id: i64,
    #[column(references = User::id)]
    editor_id: Option<i64>,
    author: One<User>,
}



fn main() {}
