//! A collection is set to rows of its own model.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    email: String,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

fn replace(user: &Entity<User>, users: Vec<Entity<User>>) {
    user.set(User::posts, users);
}

fn main() {}
