//! A newtype has one field.
use aludel::prelude::*;

#[derive(DbType, Clone)]
struct Money {
    cents: i64,
    currency: String,
}



fn main() {}
