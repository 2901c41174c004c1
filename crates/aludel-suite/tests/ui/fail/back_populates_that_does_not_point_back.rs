//! Both sides of a relationship name each other.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship()]
    author: One<User>,
}



fn main() {}
