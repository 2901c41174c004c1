use aludel::prelude::*;

#[derive(Model, Clone)]
#[model(identity = "employee")]
struct Employee {
    #[column(primary_key)]
    id: i64,
    #[column(discriminator)]
    kind: String,
}

#[derive(Polymorphic)]
#[polymorphic(on = Employee::kind)]
enum AnyEmployee {
    Employee(Employee),
    Nobody,
}

fn main() {}
