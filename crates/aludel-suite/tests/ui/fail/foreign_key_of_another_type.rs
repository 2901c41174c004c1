//! A foreign key has the type of the column that it references.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: Uuid,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[column(references = User::id)]
    user_id: i64,
}



fn main() {}
