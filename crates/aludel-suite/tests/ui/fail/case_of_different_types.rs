//! All values of a CASE have the type of its first one.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = case().when(Post::views.gt(1), "many").else_(1);
    let _ = case().when(Post::views.gt(1), Post::views).when(Post::id.eq(1), Post::title).end();
}
