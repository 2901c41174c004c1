//! A struct without `#[derive(Mixin)]`, and a mixin's column that the model has already.
use aludel::prelude::*;

#[derive(Clone)]
struct Plain {
    a: i64,
}

#[derive(Mixin, Clone)]
struct Named {
    name: String,
}

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[model(flatten)]
    plain: Plain,
}

#[derive(Model, Clone)]
struct Post {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[model(flatten)]
    named: Named,
}

fn main() {}
