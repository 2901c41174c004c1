//! The other side leads back to this model.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[relationship(back_populates = comments)]
    posts: Many<Post>,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    user_id: i64,
    comments: Many<Comment>,
}

#[derive(Model, Clone)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    #[column(references = Post::id)]
    post_id: i64,
}



fn main() {}
