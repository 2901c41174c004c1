//! Only text and bytes have a length.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Item {
    #[column(primary_key)]
    id: i64,
    #[column(length = 80)]
    price: i64,
}



fn main() {}
