//! A date has no hour, and a number no year; what cannot be cast is not.
use aludel::prelude::*;
use jiff::civil::Date;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    day: Date,
}

fn main() {
    let _ = func::hour(Post::day);
    let _ = func::year(Post::id);
    let _ = Post::day.cast::<i64>();
    let _ = func::round(Post::id);
}
