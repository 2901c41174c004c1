//! Nobody would call them.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct User {
    #[column(primary_key)]
    id: i64,
}

impl Hooks for User {
    fn validate(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
