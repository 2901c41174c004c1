//! A row of expressions is compared with tuples of as many values of their types.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
}

fn main() {
    let _ = (Post::id, Post::title).in_([(1, "x")]);
    let _ = (Post::id, Post::title).in_([(1, 2)]);
    let _ = (Post::id, Post::title).eq((1, "x", 2));
}
