//! A column's type is known to the database.
use aludel::prelude::*;

#[derive(Clone)]
struct Money(i64);

#[derive(Model, Clone)]
struct Item {
    #[column(primary_key)]
    id: i64,
    price: Money,
}



fn main() {}
