//! A relationship's key references the model that it leads to.
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
    #[column(references = Post::id)]
    parent_id: i64,
    #[relationship(foreign_key = parent_id)]
    author: One<User>,
}



fn main() {}
