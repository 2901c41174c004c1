//! A relationship to one row has a key, here or there.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    author: One<User>,
}



fn main() {}
