//! A newtype is stored as what it wraps.
use aludel::prelude::*;

#[derive(DbType, Clone)]
struct Wrapper(std::time::Instant);



fn main() {}
