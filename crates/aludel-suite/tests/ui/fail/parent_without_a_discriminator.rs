use aludel::prelude::*;

#[derive(Model, Clone)]
struct Employee {
    #[column(primary_key)]
    id: i64,
}

#[derive(Model, Clone)]
#[model(inherits = Employee, identity = "engineer")]
struct Engineer {
    #[column(primary_key)]
    id: i64,
}

fn main() {}
