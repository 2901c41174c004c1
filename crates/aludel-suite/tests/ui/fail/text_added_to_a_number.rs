//! A number takes numbers; a text is joined with `concat`.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = Post::views + "1";
    let _ = Post::views + Post::title;
}
