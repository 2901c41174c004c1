//! A float is no key.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Tag {
    #[column(primary_key)]
    weight: f64,
}



fn main() {}
