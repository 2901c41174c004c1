//! The source that is written of tables.

use super::*;
use crate::schema::{
    Action, CheckConstraint, Column, Computed, ForeignKey, Identity, Index, Sequence, SqlType, UniqueConstraint, View,
};

fn id() -> Column {
    Column::new("id", SqlType::BigInt).autoincrement()
}

fn table(name: &str) -> Table {
    Table::new(name).with_column(id()).with_primary_key(["id"])
}

fn source(tables: impl IntoIterator<Item = Table>) -> ModelSource {
    let mut metadata = MetaData::default();
    tables.into_iter().for_each(|table| metadata.add_table(table).unwrap());
    ModelWriter::new(&metadata, Dialect::Postgres).write().unwrap()
}

#[test]
fn both_sides_of_a_foreign_key_have_a_relationship() {
    let author = table("author").with_column(Column::new("name", SqlType::String(Some(80))));
    let post = table("post").with_column(Column::new("author_id", SqlType::BigInt)).with_foreign_key(ForeignKey::new(
        ["author_id"],
        "author",
        ["id"],
    ));
    let source = source([author, post]);
    let expected = "//! Models of an existing database, written by Aludel.
#![allow(clippy::duplicated_attributes, reason = \"columns stand in several indexes\")]

use aludel::prelude::*;

/// The table `author`.
#[derive(Model, Clone, Debug)]
pub struct Author {
    #[column(primary_key)]
    pub id: i64,
    #[column(length = 80)]
    pub name: String,
    #[relationship(back_populates = author)]
    pub post: Many<Post>,
}

/// The table `post`.
#[derive(Model, Clone, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(references = Author::id)]
    pub author_id: i64,
    #[relationship(back_populates = post)]
    pub author: One<Author>,
}
";
    assert_eq!(source.code, expected);
    assert!(source.notes.is_empty() && source.dependencies.is_empty());
}

#[test]
fn several_keys_to_one_table_are_told_apart() {
    let post = table("post")
        .with_column(Column::new("author_id", SqlType::BigInt))
        .with_column(Column::new("editor_id", SqlType::BigInt).nullable())
        .with_foreign_key(ForeignKey::new(["author_id"], "author", ["id"]))
        .with_foreign_key(ForeignKey::new(["editor_id"], "author", ["id"]));
    let code = source([table("author"), post]).code;
    for line in [
        "#[relationship(back_populates = author, foreign_key = author_id)]\n    pub post_by_author: Many<Post>,",
        "#[relationship(back_populates = editor, foreign_key = editor_id)]\n    pub post_by_editor: Many<Post>,",
        "#[relationship(back_populates = post_by_editor, foreign_key = editor_id)]\n    pub editor: One<Option<Author>>,",
    ] {
        assert!(code.contains(line), "{line}\n{code}");
    }
}

#[test]
fn keys_of_several_columns_have_relationships() {
    let author = table("author")
        .with_column(Column::new("tenant", SqlType::BigInt))
        .with_unique(UniqueConstraint::new(["tenant", "id"]));
    let post = table("post")
        .with_column(Column::new("tenant", SqlType::BigInt))
        .with_column(Column::new("author_id", SqlType::BigInt))
        .with_column(Column::new("editor_id", SqlType::BigInt).nullable())
        .with_foreign_key(
            ForeignKey::new(["tenant", "author_id"], "author", ["tenant", "id"]).on_delete(Action::Cascade),
        )
        .with_foreign_key(ForeignKey::new(["tenant", "editor_id"], "author", ["tenant", "id"]));
    let source = source([author, post]);
    for line in [
        "    foreign_key(columns(tenant, editor_id), references(Author::tenant, Author::id)),\n",
        "#[relationship(back_populates = post_by_author, foreign_key = (tenant, author_id))]\n    pub author: One<Author>,",
        "#[relationship(back_populates = post_by_editor, foreign_key = (tenant, editor_id))]\n    pub editor: One<Option<Author>>,",
        "pub post_by_editor: Many<Post>,",
        "#[relationship(back_populates = author, foreign_key = (tenant, author_id), cascade = \"all\", passive_deletes)]\n    \
         pub post_by_author: Many<Post>,",
    ] {
        assert!(source.code.contains(line), "{line}\n{}", source.code);
    }
    assert!(source.notes.is_empty(), "{:?}", source.notes);
}

#[test]
fn a_key_whose_columns_have_other_types_is_told_and_has_no_relationship() {
    let target =
        table("a").with_column(Column::new("b", SqlType::BigInt)).with_unique(UniqueConstraint::new(["id", "b"]));
    let holder = table("c")
        .with_column(Column::new("a_id", SqlType::Integer))
        .with_column(Column::new("b", SqlType::BigInt))
        .with_foreign_key(ForeignKey::new(["a_id", "b"], "a", ["id", "b"]));
    let source = source([target, holder]);
    assert_eq!(source.notes, ["the foreign key c.(a_id, b) has no relationship: `a_id` is `i32` here and `i64` there"]);
    assert!(!source.code.contains("#[relationship"), "{}", source.code);
}

#[test]
fn tables_of_a_schema_say_which() {
    let mut author = table("author");
    author.schema = Some("shop".into());
    let mut key = ForeignKey::new(["author_id"], "author", ["id"]);
    key.target_schema = Some("shop".into());
    let mut post = table("post").with_column(Column::new("author_id", SqlType::BigInt)).with_foreign_key(key);
    post.schema = Some("shop".into());
    let mut log = table("log").with_column(Column::new("post_id", SqlType::BigInt)).with_foreign_key(ForeignKey::new(
        ["post_id"],
        "post",
        ["id"],
    ));
    log.schema = Some("shop".into());
    let mut metadata = MetaData::default();
    [author, post, log].into_iter().for_each(|table| metadata.add_table(table).unwrap());
    let source = ModelWriter::new(&metadata, Dialect::Postgres).write().unwrap();
    assert!(source.code.contains("#[model(schema = \"shop\")]\npub struct Author {"), "{}", source.code);
    assert!(source.code.contains("pub author: One<Author>,"), "{}", source.code);
    let why = "the foreign key log.(post_id) is left out: table `post` is in another schema, of which no models are written here";
    assert_eq!(source.notes, [why]);
    let one = ModelWriter::new(&metadata, Dialect::Postgres).tables(["author"]).write().unwrap();
    assert!(one.code.contains("pub struct Author") && !one.code.contains("pub struct Post"));
}

#[test]
fn how_columns_are_counted_is_written() {
    let bill = Table::new("bill")
        .with_column(Column::new("id", SqlType::BigInt).with_identity(Identity::new(true, Some(500), Some(5))))
        .with_column(Column::new("number", SqlType::BigInt).with_sequence(Sequence::new("numbers").starting_at(1000)))
        .with_column(Column::new("line", SqlType::Integer).with_sequence(Sequence::new("lines")))
        .with_column(Column::new("down", SqlType::Integer).with_sequence(Sequence::new("d").incremented_by(-1)))
        .with_primary_key(["id"]);
    let source = source([bill]);
    for line in [
        "#[column(primary_key, identity(always, start = 500, increment = 5))]\n    pub id: i64,",
        "#[column(sequence(name = \"numbers\", start = 1000))]\n    pub number: i64,",
        "#[column(sequence = \"lines\")]\n    pub line: i32,",
    ] {
        assert!(source.code.contains(line), "{line}\n{}", source.code);
    }
    assert_eq!(source.notes, ["column bill.down takes its values from a sequence, and its model does not say so"]);
}

#[test]
fn what_has_no_type_is_left_as_a_comment_and_told() {
    let place = Column::new("place", SqlType::Other("point".into())).nullable();
    let map = table("map")
        .with_column(place)
        .with_check(CheckConstraint::new("place IS NOT NULL"))
        .with_index(Index::new(["place"]));
    let mut metadata = MetaData::default();
    metadata.add_table(map).unwrap();
    metadata.add_table(Table::new("log").with_column(Column::new("line", SqlType::Text))).unwrap();
    metadata.add_view(View::new("maps", "SELECT id\nFROM map")).unwrap();
    let source = ModelWriter::new(&metadata, Dialect::Postgres).write().unwrap();
    assert_eq!(
        source.notes,
        [
            "column map.place is left out: Rust has no type for point",
            "table `log` has no model: it has no primary key",
            "a check of map is left out with its column `place`",
            "index `ix_map_place` of map is left out with its column",
        ]
    );
    for line in [
        "    // Rust has no type for the column \"place\": point\n",
        "\n// Table `log` has no model: it has no primary key.\n//     line: Text\n",
        "\n// View `maps`, which has no model:\n// SELECT id\n// FROM map\n",
        "//! - column map.place is left out: Rust has no type for point\n",
    ] {
        assert!(source.code.contains(line), "{line}\n{}", source.code);
    }
}

#[test]
fn names_are_written_where_the_convention_does_not_make_them() {
    let column = || Column::new("name", SqlType::Text);
    let conventional = table("a").with_column(column()).with_unique(UniqueConstraint::new(["name"]));
    let named = table("b")
        .with_column(column())
        .with_unique(UniqueConstraint::new(["name"]).named("one_name"))
        .with_check(CheckConstraint::new("name <> ''").named("some_name"));
    let code = source([conventional, named]).code;
    assert!(code.contains("#[column(text, unique)]") && !code.contains("NamingConvention::none()"), "{code}");
    assert!(code.contains("unique(columns(name), name = \"one_name\")"), "{code}");
    assert!(code.contains("name = \"ck_b_some_name\""), "{code}");

    let mut metadata = MetaData::new(crate::schema::NamingConvention::none());
    let mut bare = table("c").with_column(column()).with_check(CheckConstraint::new("name <> ''").named("some_name"));
    bare.primary_key.as_mut().unwrap().name = Some("c_pkey".to_owned());
    metadata.add_table(bare).unwrap();
    let code = ModelWriter::new(&metadata, Dialect::Postgres).write().unwrap().code;
    for part in ["NamingConvention::none()", "primary_key(name = \"c_pkey\")", "name = \"some_name\")"] {
        assert!(code.contains(part), "{part}\n{code}");
    }
}

#[test]
fn names_that_rust_does_not_take_are_changed_and_kept_in_the_database() {
    let order = Table::new("Session")
        .with_column(Column::new("type", SqlType::Text))
        .with_column(Column::new("1st", SqlType::BigInt))
        .with_column(Column::new("build", SqlType::BigInt))
        .with_column(Column::new("userName", SqlType::BigInt))
        .with_column(Column::new("user_name", SqlType::BigInt).with_computed(Computed::stored("build + 1")))
        .with_primary_key(["type"]);
    let code = source([order]).code;
    for part in [
        "#[model(table = \"Session\")]\npub struct SessionRow {",
        "name = \"type\", text)]\n    pub type_: String,",
        "#[column(name = \"1st\")]\n    pub column_1st: i64,",
        "#[column(name = \"build\")]\n    pub build_: i64,",
        "#[column(name = \"userName\")]\n    pub user_name: i64,",
        "#[column(name = \"user_name\", computed = \"build + 1\", stored)]\n    pub user_name_2: i64,",
    ] {
        assert!(code.contains(part), "{part}\n{code}");
    }
}

#[test]
fn enums_of_one_type_are_one_enum() {
    let state = SqlType::Enum { name: "State".into(), values: vec!["new".into(), "it's".into(), "1st".into()].into() };
    let a = table("a").with_column(Column::new("state", state.clone()));
    let b = table("b").with_column(Column::new("state", state).nullable());
    let code = source([a, b]).code;
    let expected = "#[db_enum(name = \"State\")]
pub enum State {
    #[default]
    New,
    #[db_enum(rename = \"it's\")]
    ItS,
    #[db_enum(rename = \"1st\")]
    Value1st,
}
";
    assert!(code.ends_with(expected), "{code}");
    assert!(code.contains("pub state: State,") && code.contains("pub state: Option<State>,"), "{code}");
}

#[test]
fn a_table_that_is_not_there_is_an_error_with_the_nearest_name() {
    let mut metadata = MetaData::default();
    metadata.add_table(table("user")).unwrap();
    let error = ModelWriter::new(&metadata, Dialect::Sqlite).tables(["usr"]).write().unwrap_err();
    assert_eq!(error.to_string(), "the database has no table `usr`; did you mean `user`?");
}
