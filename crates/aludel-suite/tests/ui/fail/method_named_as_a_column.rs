//! A method cannot have the name of a column.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
}

impl Tag {
    fn name(&self) -> &str {
        &self.name
    }
}

fn main() {}
