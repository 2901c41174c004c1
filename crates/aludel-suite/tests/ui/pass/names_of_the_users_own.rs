//! The derives name everything by its full path, so that a program's own names do not get in their way.
#![deny(warnings)]
#![allow(dead_code, non_camel_case_types)]

mod own {
    use ::aludel::{DbEnum, DbType, Model, Projection};
    use ::aludel::entity::{Many, One};

    struct Result;
    struct Some;
    struct None;
    struct Vec;
    struct Value;
    struct Row;
    struct Set;
    struct Missing;
    struct Column;
    struct NewRow;
    mod std {}
    mod core {}
    mod alloc {}

    #[derive(Model, Clone)]
    pub struct User {
        #[column(primary_key)]
        id: i64,
        value: String,
        default: String,
        from: String,
        row: String,
        given: String,
        links: String,
        fields: String,
        def: ::std::option::Option<String>,
        #[relationship(back_populates = user)]
        posts: Many<Post>,
    }

    #[derive(Model, Clone)]
    pub struct Post {
        #[column(primary_key)]
        id: i64,
        #[column(references = User::id)]
        user_id: i64,
        #[relationship(back_populates = posts)]
        user: One<User>,
    }

    #[derive(::aludel::Mixin, Clone)]
    pub struct Mixin {
        given: String,
        value: String,
        at: ::std::option::Option<String>,
        #[column(default = 3)]
        fields: i64,
    }

    #[derive(Model, Clone)]
    #[model(hooks)]
    pub struct Mixed {
        #[column(primary_key)]
        id: i64,
        row: String,
        #[model(flatten)]
        value_: self::Mixin,
    }

    impl ::aludel::Hooks for Mixed {}

    #[derive(DbEnum, Clone)]
    pub enum State {
        None,
        Some,
    }

    #[derive(DbType, Clone)]
    pub struct Id(i64);

    #[derive(Projection)]
    pub struct Pair {
        row: i64,
        at: String,
    }
}

fn main() {}
