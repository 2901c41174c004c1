//! A model has a primary key.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Tag {
    name: String,
}



fn main() {}
