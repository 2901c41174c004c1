use aludel::prelude::*;

#[derive(Model, Clone)]
#[model(identity = "employee")]
struct Employee {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(discriminator)]
    kind: String,
}

#[derive(Polymorphic)]
#[polymorphic(on = Employee::name)]
enum AnyEmployee {
    Employee(Entity<Employee>),
}

fn main() {}
