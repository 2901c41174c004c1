use aludel::prelude::*;

#[derive(Model, Clone)]
struct Employee {
    #[column(primary_key)]
    id: i64,
    #[column(discriminator)]
    kind: String,
}

#[derive(Model, Clone)]
#[model(inherits = Employee, identity = "manager")]
struct Manager {
    #[column(primary_key, references = Employee::id)]
    id: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
}

fn main() {}
