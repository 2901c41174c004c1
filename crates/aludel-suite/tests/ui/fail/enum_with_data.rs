//! Only the names of an enum are stored.
use aludel::prelude::*;

#[derive(DbEnum, Clone)]
enum Shape {
    Point,
    Circle(f64),
}



fn main() {}
