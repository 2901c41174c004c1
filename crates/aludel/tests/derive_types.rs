//! What `#[derive(DbType)]` and `#[derive(DbEnum)]` make of a type.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "models of a test")]

use aludel::__private::{Generated, Model as _, New};
use aludel::entity::One;
use aludel::model::{ColumnType, Expression, KeyType};
use aludel::schema::SqlType;
use aludel::sql::Value;
use aludel::{DbEnum, DbType, ErrorKind, Model};

#[derive(DbType, Clone, Copy, Debug, PartialEq)]
pub struct UserId(i64);

#[derive(DbType, Clone, Debug, PartialEq)]
pub struct Slug {
    text: String,
}

#[derive(DbType, Clone, Debug, PartialEq)]
pub struct Ratio(f64);

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
#[db_enum(name = "post_state")]
pub enum State {
    Draft,
    InReview,
    #[db_enum(rename = "live")]
    Published,
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
#[db_enum(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    VeryLow,
}

#[derive(Model, Clone)]
pub struct User {
    #[column(primary_key)]
    pub id: UserId,
    pub ratio: Option<Ratio>,
}

#[derive(Model, Clone)]
pub struct Page {
    #[column(primary_key)]
    pub slug: Slug,
    #[column(default = State::Draft)]
    pub state: State,
    #[column(references = User::id)]
    pub user_id: UserId,
    #[relationship()]
    pub user: One<User>,
}

#[test]
fn a_newtype_is_stored_as_what_it_wraps() {
    assert_eq!(UserId::SQL_TYPE, SqlType::BigInt);
    assert_eq!(UserId(7).to_value(), Value::Int(7));
    assert_eq!(UserId::from_value(Value::Int(7)).unwrap(), UserId(7));
    assert_eq!(Slug { text: "x".into() }.to_value(), Value::Text("x".into()));
    assert_eq!(Ratio::from_value(Value::Double(0.5)).unwrap(), Ratio(0.5));
}

#[test]
fn a_newtype_of_a_key_is_a_key_and_counts_up_where_the_inner_type_does() {
    assert_eq!(UserId::GENERATED, Generated::Autoincrement);
    assert_eq!(UserId::placeholder(), UserId(0));
    assert_eq!(User::def().columns[0].generated, Generated::Autoincrement);
    assert_eq!(Page::def().columns[0].generated, Generated::No);
    let user = User::build().ratio(Ratio(1.0)).into_row();
    assert!(!user.given.contains(0));
    let page = Page::build().slug(Slug { text: "x".into() }).user(user).into_row();
    assert_eq!(page.value.state, State::Draft);
}

#[test]
fn newtypes_and_enums_are_compared_with_columns_of_their_type() {
    let ids = vec![UserId(1), UserId(2)];
    let first = &ids[0];
    let _ = User::id.eq(first) & User::id.in_(ids.iter()) & User::id.in_(ids);
    let _ = Page::state.eq(State::InReview) & Page::slug.contains("x") & User::ratio.eq(Ratio(0.5));
    let _ = Page::user_id.eq(User::id);
}

#[test]
fn an_enum_is_stored_by_its_names() {
    assert_eq!(State::Draft.to_value(), Value::Text("draft".into()));
    assert_eq!(State::InReview.to_value(), Value::Text("in_review".into()));
    assert_eq!(State::from_value(Value::Text("live".into())).unwrap(), State::Published);
    assert_eq!(Level::VeryLow.to_value(), Value::Text("VERY_LOW".into()));
    let SqlType::Enum { name, values } = State::SQL_TYPE else { panic!("not an enum") };
    assert_eq!((&*name, values.len()), ("post_state", 3));
}

#[test]
fn a_text_that_is_no_name_of_the_enum_is_an_error_that_names_it_and_those_there_are() {
    let error = State::from_value(Value::Text("published".into())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(error.to_string(), "`published` is no `State`, which is one of `draft`, `in_review`, `live`");
}
