//! Intervals are added to dates and times.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    views: i64,
    at: Timestamp,
}

fn main() {
    let _ = Post::at + func::days(1);
    let _ = Post::views + func::days(1);
    let _ = Post::at + 1;
}
