//! A model can be shared between threads.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    uses: std::cell::Cell<i64>,
}



fn main() {}
