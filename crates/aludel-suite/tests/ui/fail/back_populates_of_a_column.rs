//! `back_populates` names a relationship, not the key.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = user_id)]
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
