//! The columns of a relationship's key have the types of those that they reference.
use aludel::prelude::*;

#[derive(Model, Clone)]
#[model(unique(columns(tenant, id)))]
struct User {
    #[column(primary_key)]
    id: i64,
    tenant: i64,
}

#[derive(Model, Clone)]
#[model(foreign_key(columns(tenant, author_id), references(User::tenant, User::id)))]
struct Post {
    #[column(primary_key)]
    id: i64,
    tenant: i32,
    author_id: i64,
    author: One<User>,
}

fn main() {}
