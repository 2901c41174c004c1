//! `back_populates` names a relationship of the other model.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = writer)]
    posts: Many<Post>,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}



fn main() {}
