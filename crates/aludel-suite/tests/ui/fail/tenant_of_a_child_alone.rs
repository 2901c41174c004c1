use aludel::prelude::*;

#[derive(Model, Clone)]
struct Employee {
    #[column(primary_key)]
    id: i64,
    shop: i64,
    #[column(discriminator)]
    kind: String,
}

#[derive(Model, Clone)]
#[model(inherits = Employee, identity = "engineer")]
struct Engineer {
    #[column(primary_key)]
    id: i64,
    #[column(tenant)]
    shop: i64,
}

fn main() {}
