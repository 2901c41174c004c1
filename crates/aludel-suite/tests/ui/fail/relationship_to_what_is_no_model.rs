//! A relationship leads to a model.
use aludel::prelude::*;

#[derive(Clone)]
struct User;

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    authors: Many<User>,
}



fn main() {}
