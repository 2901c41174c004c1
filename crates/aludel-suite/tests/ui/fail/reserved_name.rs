//! A field cannot hide what every model has.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Search {
    #[column(primary_key)]
    id: i64,
    query: String,
}



fn main() {}
