//! The crates: the same models in each library.

use std::path::Path;

/// A library, and how a model looks in it.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The line of the manifest; `{root}` is Aludel's folder.
    dependencies: &'static str,
    head: &'static str,
    /// One model, with `{this}`, `{next}` and `{previous}` in two spellings: `Model001` and `model001`.
    model: &'static str,
}

pub(super) const PEERS: [Peer; 4] = [
    Peer {
        name: "aludel",
        dependencies: "aludel = { path = \"{root}/crates/aludel\", default-features = false, features = [\"sqlite\"] }",
        head: "use aludel::prelude::*;\n",
        model: ALUDEL,
    },
    Peer {
        name: "diesel",
        dependencies: "diesel = { version = \"2.3\", features = [\"sqlite\"] }\n\
                       libsqlite3-sys = { version = \"0.37\", features = [\"bundled\"] }",
        head: "#![recursion_limit = \"256\"]\nuse diesel::prelude::*;\n",
        model: DIESEL,
    },
    Peer { name: "sea-orm", dependencies: SEA_ORM_DEPENDENCIES, head: "", model: SEA_ORM },
    Peer { name: "sea-orm, separate relations", dependencies: SEA_ORM_DEPENDENCIES, head: "", model: SEA_ORM_SEPARATE },
];

const SEA_ORM_DEPENDENCIES: &str = "sea-orm = { version = \"2.0\", default-features = false, \
                                    features = [\"macros\", \"runtime-tokio\", \"sqlx-sqlite\"] }";

const ALUDEL: &str = "
#[derive(Model, Clone, Debug)]
pub struct {This} {
    #[column(primary_key)]
    pub id: i64,
    pub first: String,
    pub second: String,
    pub third: String,
    pub fourth: Option<String>,
    pub fifth: Option<String>,
    pub sixth: i32,
    pub seventh: i64,
    pub eighth: Option<i64>,
    pub ninth: f64,
    pub tenth: bool,
    #[column(references = {Next}::id)]
    pub next_id: i64,
    #[relationship(back_populates = previous)]
    pub next: One<{Next}>,
    #[relationship(back_populates = next)]
    pub previous: Many<{Previous}>,
}
";

/// The relationship back from the model before is `{Previous}`'s `belongs_to`, as Diesel has it.
const DIESEL: &str = "
diesel::table! {
    {this} (id) {
        id -> BigInt,
        first -> Text,
        second -> Text,
        third -> Text,
        fourth -> Nullable<Text>,
        fifth -> Nullable<Text>,
        sixth -> Integer,
        seventh -> BigInt,
        eighth -> Nullable<BigInt>,
        ninth -> Double,
        tenth -> Bool,
        next_id -> BigInt,
    }
}
diesel::joinable!({this} -> {next} (next_id));
diesel::allow_tables_to_appear_in_same_query!({this}, {next});

#[derive(Queryable, Selectable, Identifiable, Insertable, AsChangeset, Associations, Clone, Debug)]
#[diesel(table_name = {this}, belongs_to({Next}, foreign_key = next_id))]
pub struct {This} {
    pub id: i64,
    pub first: String,
    pub second: String,
    pub third: String,
    pub fourth: Option<String>,
    pub fifth: Option<String>,
    pub sixth: i32,
    pub seventh: i64,
    pub eighth: Option<i64>,
    pub ninth: f64,
    pub tenth: bool,
    pub next_id: i64,
}
";

const SEA_ORM: &str = "
pub mod {this} {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = \"{this}\")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub first: String,
        pub second: String,
        pub third: String,
        pub fourth: Option<String>,
        pub fifth: Option<String>,
        pub sixth: i32,
        pub seventh: i64,
        pub eighth: Option<i64>,
        pub ninth: f64,
        pub tenth: bool,
        pub next_id: i64,
        #[sea_orm(belongs_to, from = \"next_id\", to = \"id\")]
        pub next: BelongsTo<super::{next}::Entity>,
        #[sea_orm(has_many)]
        pub previous: HasMany<super::{previous}::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
";

const SEA_ORM_SEPARATE: &str = "
pub mod {this} {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = \"{this}\")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub first: String,
        pub second: String,
        pub third: String,
        pub fourth: Option<String>,
        pub fifth: Option<String>,
        pub sixth: i32,
        pub seventh: i64,
        pub eighth: Option<i64>,
        pub ninth: f64,
        pub tenth: bool,
        pub next_id: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = \"super::{next}::Entity\", from = \"Column::NextId\", to = \"super::{next}::Column::Id\")]
        Next,
        #[sea_orm(has_many = \"super::{previous}::Entity\")]
        Previous,
    }

    impl Related<super::{next}::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Next.def()
        }
    }

    impl Related<super::{previous}::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Previous.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}
";

impl Peer {
    /// The crate's manifest.
    pub(super) fn manifest(&self, root: &Path) -> String {
        let dependencies = self.dependencies.replace("{root}", &root.display().to_string());
        format!(
            "# Generated by `cargo xtask budget`: a workspace of its own.
[workspace]

[package]
name = \"budget\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[dependencies]
{dependencies}

# From scratch each time.
[profile.dev]
incremental = false
"
        )
    }

    /// The crate's source, with so many models in a ring.
    pub(super) fn source(&self, models: usize) -> String {
        let mut source = format!("//! Generated by `cargo xtask budget`.\n{}", self.head);
        for index in 0..models {
            let places = [("this", index), ("next", index + 1), ("previous", index + models - 1)];
            let mut model = self.model.to_owned();
            for (place, index) in places {
                let number = index % models;
                let capital = format!("{}{}", place[..1].to_uppercase(), &place[1..]);
                model = model
                    .replace(&format!("{{{place}}}"), &format!("model{number:03}"))
                    .replace(&format!("{{{capital}}}"), &format!("Model{number:03}"));
            }
            source.push_str(&model);
        }
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_has_the_same_models() {
        for peer in &PEERS {
            let source = peer.source(3);
            for column in ["id", "first", "fifth", "tenth", "next_id"] {
                assert_eq!(source.matches(&format!("pub {column}: ")).count(), 3, "{}: {column}", peer.name);
            }
            assert!(!source.contains("{this}") && !source.contains("{Next}"), "{}", peer.name);
        }
    }
}
