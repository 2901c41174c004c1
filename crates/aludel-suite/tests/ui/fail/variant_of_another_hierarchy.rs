use aludel::prelude::*;

#[derive(Model, Clone)]
struct Employee {
    #[column(primary_key)]
    id: i64,
    #[column(discriminator)]
    kind: String,
}

#[derive(Model, Clone)]
struct Animal {
    #[column(primary_key)]
    id: i64,
    #[column(discriminator)]
    kind: String,
}

#[derive(Model, Clone)]
#[model(inherits = Animal, identity = "cat")]
struct Cat {
    #[column(primary_key)]
    id: i64,
}

#[derive(Polymorphic)]
#[polymorphic(on = Employee::kind)]
enum AnyEmployee {
    Cat(Entity<Cat>),
}

fn main() {}
