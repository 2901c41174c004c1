//! A mixin has columns alone.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
}

#[derive(Mixin, Clone)]
struct Owned {
    #[column(references = User::id, foreign_key = "x")]
    owner_id: i64,
    owner: One<User>,
}

fn main() {}
