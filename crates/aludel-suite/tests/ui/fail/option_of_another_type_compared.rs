//! An `Option` is compared with what the column holds, and with nothing else.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    note: Option<String>,
}

fn main() {
    let _ = Post::note.is_distinct_from(Some("x"));
    let _ = Post::note.is_not_distinct_from(Some(1));
    let _ = func::nullif(Post::id, Some("x"));
}
