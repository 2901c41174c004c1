//! Of two keys of several columns to one model a relationship names its own.
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
#[model(foreign_key(columns(tenant, editor_id), references(User::tenant, User::id)))]
struct Post {
    #[column(primary_key)]
    id: i64,
    tenant: i64,
    author_id: i64,
    editor_id: Option<i64>,
    author: One<User>,
}

fn main() {}
