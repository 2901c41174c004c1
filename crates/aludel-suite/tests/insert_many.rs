//! Many rows by one `insert_all`, on PostgreSQL by COPY: they are what a few rows are.

mod support;

use aludel::model::Json;
use aludel::prelude::*;
use jiff::civil::{Date, DateTime, Time, date, time};
use rust_decimal::Decimal;
use support::{Backend, TestDb};

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Kinds {
    #[column(primary_key)]
    id: i64,
    tiny: i8,
    small: i16,
    middle: i32,
    big: i64,
    unsigned: Option<u64>,
    flag: Option<bool>,
    single: f32,
    double: f64,
    name: String,
    #[column(length = 20)]
    short: Option<String>,
    #[column(text)]
    long: String,
    bytes: Option<Vec<u8>>,
    uuid: Option<Uuid>,
    day: Option<Date>,
    clock: Option<Time>,
    moment: Option<DateTime>,
    instant: Option<Timestamp>,
    price: Option<Decimal>,
    list: Option<Json<Vec<i32>>>,
    document: Option<serde_json::Value>,
}

#[derive(Model, Clone, Debug)]
struct Account {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[column(server_default = "'new'")]
    status: Option<String>,
    note: Option<String>,
    #[column(references = Account::id)]
    parent_id: Option<i64>,
}

/// Enough for COPY.
const MANY: i64 = 2_000;

/// What begins the statements that insert many rows.
fn verb() -> &'static str {
    Backend::current().pick("INSERT", "COPY", "INSERT")
}

/// Rows of all types at their ends, and without what may be missing.
fn kinds() -> [Kinds; 3] {
    let least = Kinds {
        tiny: i8::MIN,
        small: i16::MIN,
        middle: i32::MIN,
        big: i64::MIN,
        unsigned: Some(0),
        flag: Some(false),
        single: -0.1,
        double: f64::MIN_POSITIVE,
        name: "a\tb\\N\n'\"".to_owned(),
        short: Some(String::new()),
        long: "ä€𝄞".repeat(100),
        bytes: Some(Vec::new()),
        uuid: Some(Uuid::nil()),
        day: Some(date(1, 1, 1)),
        clock: Some(time(0, 0, 0, 0)),
        moment: Some(date(1970, 1, 1).at(0, 0, 0, 0)),
        instant: Some(Timestamp::UNIX_EPOCH),
        price: Some(Decimal::new(-1, 2)),
        list: Some(Json(Vec::new())),
        document: Some(serde_json::json!({ "a": [1, null, "ü"] })),
        ..Kinds::default()
    };
    let greatest = Kinds {
        tiny: i8::MAX,
        small: i16::MAX,
        middle: i32::MAX,
        big: i64::MAX,
        unsigned: Some(Backend::current().pick(i64::MAX as u64, u64::MAX, u64::MAX)),
        flag: Some(true),
        single: f32::MAX,
        double: f64::MAX,
        short: Some("20 characters, no mo".to_owned()),
        bytes: Some((0..=255).collect()),
        uuid: Some(Uuid::max()),
        day: Some(date(9999, 12, 31)),
        clock: Some(time(23, 59, 59, 999_999_000)),
        moment: Some(date(2026, 11, 21).at(10, 15, 0, 123_456_000)),
        instant: Some("2026-11-21T10:15:00.123456Z".parse().expect("a time")),
        price: Some(Decimal::new(123_456_789, 4)),
        list: Some(Json(vec![i32::MIN, i32::MAX])),
        document: Some(serde_json::Value::Null),
        ..Kinds::default()
    };
    [least, greatest, Kinds::default()]
}

fn cycled(count: i64) -> Vec<Kinds> {
    let rows = kinds().into_iter().cycle().zip(0..count);
    // Keys that no other row has: those of the few rows are below.
    rows.map(|(row, at)| Kinds { id: 1_000 + at, ..row }).collect()
}

#[tokio::test]
async fn values_of_every_type_are_those_that_a_few_rows_would_have() -> Result<()> {
    let db = TestDb::of(Kinds::TABLE).await;
    let session = db.session();
    let few: Vec<Kinds> = kinds().into_iter().zip(1..).map(|(row, id)| Kinds { id, ..row }).collect();
    Kinds::insert_all(few).execute(&session).await?;
    assert!(db.work()[0].starts_with("INSERT"));
    assert_eq!(Kinds::insert_all(cycled(MANY)).execute(&session).await?, MANY as u64);
    let work = db.work();
    assert!(work.iter().all(|sql| sql.starts_with(verb())));
    assert_eq!(work.len() == 1, Backend::current() == Backend::Postgres, "one COPY");
    session.commit().await?;
    let columns = "tiny, small, middle, big, unsigned, flag, single, double, name, short, long, bytes, uuid, day, clock, \
                   moment, instant, price, list, document";
    let columns: Vec<String> = columns.split(", ").map(|column| format!("\"{column}\"")).collect();
    let columns = support::native(&columns.join(", "));
    let rows = db.rows(&format!("SELECT {columns} FROM kinds ORDER BY id"));
    assert_eq!(rows.len() as i64, 3 + MANY);
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row, &rows[at % 3], "row {at}");
    }
    assert_ne!(rows[0], rows[1]);
    // And as the library reads them.
    let session = db.session();
    let read = Kinds::query().filter(Kinds::id.ge(1_000)).order_by(Kinds::id).all(&session).await?;
    assert!(read.iter().map(|row| (**row).clone()).eq(cycled(MANY)));
    Ok(())
}

#[tokio::test]
async fn columns_that_no_row_gives_have_their_default_and_those_that_some_give_are_apart() -> Result<()> {
    let db = TestDb::of(Account::TABLE).await;
    let session = db.session();
    let rows = (0..3 * MANY).map(|at| {
        let row = Account::build().name(format!("name {at}"));
        match at / MANY {
            0 => row,
            1 => row.status("old"),
            _ => row.status(None::<String>).note("n"),
        }
    });
    assert_eq!(Account::insert_all(rows).execute(&session).await?, 3 * MANY as u64);
    let work = db.work();
    assert!(work.iter().all(|sql| sql.starts_with(verb())));
    if Backend::current() == Backend::Postgres {
        assert_eq!(work.len(), 2, "one without the default's column, and one with it");
    }
    session.commit().await?;
    let counts = "SELECT status, note, count(*), count(DISTINCT id) FROM account GROUP BY status, note ORDER BY status";
    let mut counts = db.rows(counts);
    counts.sort();
    assert_eq!(counts, ["NULL|n|2000|2000", "new|NULL|2000|2000", "old|NULL|2000|2000"]);
    Ok(())
}

#[tokio::test]
async fn a_row_in_the_middle_that_is_refused_leaves_none_of_them() -> Result<()> {
    let db = TestDb::of(Account::TABLE).await;
    let session = db.session();
    Account::insert_all([Account::build().name("first")]).execute(&session).await?;
    let named = |count: i64| (0..count).map(move |at| if at == count / 2 { "first".into() } else { format!("{at}") });

    let nested = session.begin_nested().await?;
    let few = Account::insert_all(named(3).map(|name| Account::build().name(name))).execute(&session).await;
    nested.rollback().await?;
    let nested = session.begin_nested().await?;
    let many = Account::insert_all(named(MANY).map(|name| Account::build().name(name))).execute(&session).await;
    nested.rollback().await?;

    let (few, many) = (few.unwrap_err(), many.unwrap_err());
    assert_eq!(many.kind(), ErrorKind::UniqueViolation, "{many}");
    assert_eq!((many.constraint(), many.table(), many.columns()), (few.constraint(), few.table(), few.columns()));
    assert!(!many.to_string().contains("first"), "no value of a user's: {many}");

    let orphans = (0..MANY).map(|at| Account::build().name(format!("{at}")).parent_id(-1));
    let nested = session.begin_nested().await?;
    let orphan = Account::insert_all(orphans).execute(&session).await.unwrap_err();
    nested.rollback().await?;
    assert_eq!(orphan.kind(), ErrorKind::ForeignKeyViolation, "{orphan}");

    // The transaction goes on with what was there before.
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM account"), ["first"]);
    Ok(())
}

#[tokio::test]
async fn entities_that_are_there_learn_of_the_rows() -> Result<()> {
    let db = TestDb::of(Account::TABLE).await;
    let session = db.session();
    let rows = (0..MANY).map(|at| Account::build().name(format!("{at}")));
    Account::insert_all(rows).execute(&session).await?;
    // In the same transaction, before the commit.
    assert_eq!(Account::query().count(&session).await?, MANY as u64);
    assert!(db.rows("SELECT name FROM account").is_empty(), "nothing is committed");
    session.rollback().await?;
    assert_eq!(Account::query().count(&session).await?, 0);
    Ok(())
}

/// The text of a short INSERT is written once for each number of rows and each choice of columns.
#[tokio::test]
async fn short_inserts_that_come_again_are_told_apart() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let bare = |names: &[&'static str]| names.iter().map(|name| Account::build().name(*name)).collect::<Vec<_>>();
    for round in [["a", "b", "c", "d"], ["e", "f", "g", "h"]] {
        let [one, two, three, noted] = round;
        assert_eq!(Account::insert_all(bare(&[one])).execute(&session).await?, 1);
        assert_eq!(Account::insert_all(bare(&[two, three])).execute(&session).await?, 2);
        let noted = Account::build().name(noted).note("noted".to_owned()).status("old".to_owned());
        assert_eq!(Account::insert_all([noted]).execute(&session).await?, 1);
    }
    session.commit().await?;
    let rows = "SELECT name, status, note FROM account ORDER BY name";
    let [of_one, noted] = ["new|NULL", "old|noted"];
    let expected = ["a", "b", "c"].map(|name| format!("{name}|{of_one}")).into_iter().chain([format!("d|{noted}")]);
    let more = ["e", "f", "g"].map(|name| format!("{name}|{of_one}")).into_iter().chain([format!("h|{noted}")]);
    assert_eq!(db.rows(rows), expected.chain(more).collect::<Vec<_>>());
    let error = Account::insert_all(bare(&["a"])).execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    Ok(())
}
