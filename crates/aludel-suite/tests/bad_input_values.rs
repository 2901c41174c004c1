//! What stands in the database and does not fit the models: each is an error of its kind that names the place.

use aludel::prelude::*;
use aludel::{DbEnum, Json};
use support::needs;

mod faults_support;
mod support;
use faults_support::says;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum State {
    Draft,
    Published,
}

#[derive(Model, Clone, Debug)]
struct Sample {
    #[column(primary_key)]
    id: i64,
    small: u8,
    wide: u64,
    real: f64,
    yes: bool,
    text: String,
    bytes: Vec<u8>,
    state: State,
    key: Uuid,
    at: Timestamp,
    json: Json<Vec<i64>>,
    maybe: Option<i32>,
}

const COLUMNS: &str = "id, small, wide, real, yes, text, bytes, state, \"key\", at, json, maybe";
const GOOD: [&str; 12] = [
    "1",
    "2",
    "3",
    "4.5",
    "1",
    "'text'",
    "x'00ff'",
    "'draft'",
    "x'00112233445566778899aabbccddeeff'",
    "'2024-05-06 07:08:09.000000'",
    "'[1, 2]'",
    "NULL",
];

/// A database whose table takes anything, with one row of these values.
async fn with_row(values: &[&str]) -> Db {
    let db = Db::builder().uri("sqlite://").models(Sample::TABLE).connect().await.unwrap();
    let session = db.session();
    let ddl = format!("CREATE TABLE sample ({COLUMNS})");
    session.sql(&ddl).execute().await.unwrap();
    let insert = format!("INSERT INTO sample VALUES ({})", values.join(", "));
    session.sql(&insert).execute().await.unwrap();
    session.commit().await.unwrap();
    db
}

/// The error of reading a row with another value in one column.
async fn error_of(column: &str, value: &str) -> Error {
    let position = COLUMNS.split(", ").position(|name| name.trim_matches('"') == column).unwrap();
    let mut values = GOOD;
    values[position] = value;
    let db = with_row(&values).await;
    let session = db.session();
    let all = Sample::query().all(&session).await.unwrap_err();
    // however the row is read, it is the same error
    let streamed = Sample::query().stream(&session).next().await.unwrap().unwrap_err();
    assert_eq!(all.to_string(), streamed.to_string());
    if column != "id" {
        let got = session.get::<Sample>(1).await.unwrap_err();
        assert_eq!(all.to_string(), got.to_string());
    }
    assert_eq!((all.table(), all.columns()), (Some("sample"), &[column.to_owned()][..]));
    // The session is as good as before.
    assert_eq!(Sample::query().count(&session).await.unwrap(), 1);
    all
}

#[tokio::test]
async fn the_row_that_the_others_are_made_of_is_good() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    let db = with_row(&GOOD).await;
    let sample = db.session().get_one::<Sample>(1).await.unwrap();
    assert_eq!((sample.small, sample.wide, sample.yes, sample.state), (2, 3, true, State::Draft));
    assert_eq!((sample.json.0.as_slice(), sample.maybe), (&[1, 2][..], None));
}

#[tokio::test]
async fn a_value_of_another_type_names_its_column_and_both_types() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    for (column, value, expected) in [
        ("id", "'one'", "sample.id: expected an integer, found text (`Sample::id`)"),
        ("small", "'old'", "sample.small: expected an integer, found text (`Sample::small`)"),
        ("small", "1.5", "sample.small: expected an integer, found a float (`Sample::small`)"),
        ("small", "x'01'", "sample.small: expected an integer, found bytes (`Sample::small`)"),
        ("wide", "'x'", "sample.wide: expected an integer, found text (`Sample::wide`)"),
        ("real", "'x'", "sample.real: expected a float, found text (`Sample::real`)"),
        ("yes", "'true'", "sample.yes: expected a boolean (0 or 1), found text (`Sample::yes`)"),
        ("yes", "2", "sample.yes: the value is not a boolean: the integer is neither 0 nor 1 (`Sample::yes`)"),
        ("text", "7", "sample.text: expected text, found an integer (`Sample::text`)"),
        ("text", "x'61'", "sample.text: expected text, found bytes (`Sample::text`)"),
        ("bytes", "7", "sample.bytes: expected bytes, found an integer (`Sample::bytes`)"),
        ("key", "'no uuid'", "sample.key: the value is not a UUID (`Sample::key`)"),
        ("key", "x'00'", "sample.key: the value is not a UUID: it has not 16 bytes (`Sample::key`)"),
        (
            "at",
            "'yesterday'",
            "sample.at: the value is not a timestamp (`YYYY-MM-DD HH:MM:SS.ffffff`, in UTC) (`Sample::at`)",
        ),
        ("at", "1715000000", "sample.at: expected a timestamp, found an integer (`Sample::at`)"),
        (
            "json",
            "'{'",
            "sample.json: the JSON document does not fit `alloc::vec::Vec<i64>` (line 1, column 0) (`Sample::json`)",
        ),
        (
            "json",
            "'[\"a\"]'",
            "sample.json: the JSON document does not fit `alloc::vec::Vec<i64>` (line 1, column 4) (`Sample::json`)",
        ),
        ("maybe", "'x'", "sample.maybe: expected an integer, found text (`Sample::maybe`)"),
    ] {
        says(&error_of(column, value).await, ErrorKind::Decode, expected);
    }
}

#[tokio::test]
async fn null_where_none_is_allowed_names_its_column_and_the_cure() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    for column in ["id", "small", "wide", "real", "yes", "text", "bytes", "state", "key", "at", "json"] {
        let expected =
            format!("sample.{column}: the value is NULL, and the Rust type is not an Option (`Sample::{column}`)");
        says(&error_of(column, "NULL").await, ErrorKind::Decode, &expected);
    }
}

#[tokio::test]
async fn an_integer_that_its_type_cannot_hold_is_named() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    for (column, value, expected) in [
        ("small", "256", "sample.small: 256 is out of range for `u8` (`Sample::small`)"),
        ("small", "-1", "sample.small: -1 is out of range for `u8` (`Sample::small`)"),
        ("wide", "-1", "sample.wide: -1 is out of range for `u64` (`Sample::wide`)"),
        ("maybe", "2147483648", "sample.maybe: 2147483648 is out of range for `i32` (`Sample::maybe`)"),
    ] {
        says(&error_of(column, value).await, ErrorKind::Decode, expected);
    }
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    says(
        &error_of("text", "CAST(x'61ff' AS TEXT)").await,
        ErrorKind::Decode,
        "sample.text: the text is not UTF-8; read it as bytes (`Sample::text`)",
    );
}

#[tokio::test]
async fn a_value_that_the_enum_does_not_have_is_named_with_those_it_has() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    says(
        &error_of("state", "'deleted'").await,
        ErrorKind::Decode,
        "sample.state: `deleted` is no `State`, which is one of `draft`, `published` (`Sample::state`)",
    );
}

#[tokio::test]
async fn a_value_of_a_select_is_named_by_its_position() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    let db = with_row(&GOOD).await;
    let session = db.session();
    session.sql("UPDATE sample SET small = 'old'").execute().await.unwrap();
    let error = Sample::query().select((Sample::id, Sample::small)).all(&session).await.unwrap_err();
    says(&error, ErrorKind::Decode, "value 2 of the row: expected an integer, found text");
    let error = session.sql("SELECT id, text FROM sample").all::<(i64, i64)>().await.unwrap_err();
    says(&error, ErrorKind::Decode, "value 2 of the row: expected an integer, found text");
}

#[tokio::test]
async fn a_number_that_no_column_can_hold_is_refused_before_it_is_sent() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    let db = with_row(&GOOD).await;
    let session = db.session();
    let error = Sample::query().filter(Sample::wide.eq(u64::MAX)).all(&session).await.unwrap_err();
    says(
        &error,
        ErrorKind::Decode,
        "value 1 of the statement: the integer is above 9223372036854775807, the largest that SQLite can store",
    );
    let sample = session.get_one::<Sample>(1).await.unwrap();
    sample.set(Sample::wide, u64::MAX);
    says(
        &session.flush().await.unwrap_err(),
        ErrorKind::Decode,
        "sample.wide: the integer is above 9223372036854775807, the largest that SQLite can store (`Sample::wide`)",
    );
    session.rollback().await.unwrap();
    assert_eq!(sample.wide, 3);
}

#[tokio::test]
async fn a_bad_row_among_good_ones_leaves_the_good_ones_readable() {
    needs!(Sqlite, "the values that SQLite's types take, and SQLite's errors");
    let db = with_row(&GOOD).await;
    let session = db.session();
    let mut bad = GOOD;
    (bad[0], bad[1]) = ("2", "'old'");
    session.sql(&format!("INSERT INTO sample VALUES ({})", bad.join(", "))).execute().await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(Sample::query().order_by(Sample::id).all(&session).await.unwrap_err().kind(), ErrorKind::Decode);
    let first = session.get_one::<Sample>(1).await.unwrap();
    first.set(Sample::text, "changed");
    session.commit().await.unwrap();
    assert_eq!(session.get_one::<Sample>(2).await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(Sample::query().filter(Sample::id.eq(1)).one(&session).await.unwrap(), first);
}
