//! A window function is no expression before it has a window.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
}

fn main() {
    let _ = Post::query().select(func::rank().over(window().order_by(Post::id)));
    let _ = Post::query().select(func::rank());
}
