//! A model is `Clone`: a changed row is a copy.
use aludel::prelude::*;

#[derive(Model)]
struct Tag {
    #[column(primary_key)]
    id: i64,
}



fn main() {}
