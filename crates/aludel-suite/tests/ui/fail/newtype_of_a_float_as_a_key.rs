//! A newtype is a key where what it wraps is one.
use aludel::prelude::*;

#[derive(DbType, Clone)]
struct Weight(f64);

#[derive(Model, Clone)]
struct Tag {
    #[column(primary_key)]
    weight: Weight,
}



fn main() {}
