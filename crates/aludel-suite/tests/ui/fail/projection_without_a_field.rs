//! Each field of a projection is selected.
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

#[derive(Projection)]
struct PerAuthor {
    username: String,
    posts: i64,
}

fn main() {
    let _ = User::query().select(PerAuthorColumns { username: User::username });
}
