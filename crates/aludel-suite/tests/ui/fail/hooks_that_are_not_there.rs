//! A declaration without hooks.
use aludel::prelude::*;

#[derive(Model, Clone)]
#[model(hooks, async_hooks)]
struct User {
    #[column(primary_key)]
    id: i64,
}

fn main() {}
