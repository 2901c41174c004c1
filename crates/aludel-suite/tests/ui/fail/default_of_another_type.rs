//! A default has the type of its column.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Item {
    #[column(primary_key)]
    id: i64,
    #[column(default = "none")]
    price: i64,
}



fn main() {}
