//! Until the database fills it in, such a field holds its type's default.
use aludel::prelude::*;

#[derive(DbEnum, Clone)]
enum State {
    Draft,
}

#[derive(Model, Clone)]
struct Item {
    #[column(primary_key)]
    id: i64,
    #[column(server_default = "'draft'")]
    state: State,
}



fn main() {}
