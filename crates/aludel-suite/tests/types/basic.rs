//! Every column type: written, read back, and looked at through another connection.

use std::collections::BTreeMap;

use crate::support::{Backend, TestDb, needs};
use aludel::model::Json;
use aludel::prelude::*;
use jiff::civil::{Date, DateTime, Time, date, time};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Model, Clone, Debug, PartialEq, Default)]
struct Integers {
    #[column(primary_key)]
    id: i64,
    a: i8,
    b: i16,
    c: i32,
    d: i64,
    e: u8,
    f: u16,
    g: u32,
    h: u64,
}

#[derive(Model, Clone, Debug, PartialEq, Default)]
struct Plain {
    #[column(primary_key)]
    id: i64,
    flag: bool,
    single: f32,
    double: f64,
    name: String,
    #[column(length = 20)]
    short: String,
    #[column(text)]
    long: String,
    bytes: Vec<u8>,
    uuid: Uuid,
}

#[derive(Model, Clone, Debug, PartialEq, Default)]
struct Optional {
    #[column(primary_key)]
    id: i64,
    integer: Option<i32>,
    unsigned: Option<u64>,
    flag: Option<bool>,
    single: Option<f32>,
    double: Option<f64>,
    #[column(length = 20)]
    name: Option<String>,
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

#[derive(Model, Clone, Debug, PartialEq)]
struct Dates {
    #[column(primary_key)]
    id: i64,
    day: Date,
    clock: Time,
    moment: DateTime,
    instant: Timestamp,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct ChronoDates {
    #[column(primary_key)]
    id: i64,
    day: chrono::NaiveDate,
    clock: chrono::NaiveTime,
    moment: chrono::NaiveDateTime,
    instant: chrono::DateTime<chrono::Utc>,
    maybe: Option<chrono::NaiveDate>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Price {
    #[column(primary_key)]
    id: i64,
    #[column(precision = 12, scale = 2)]
    amount: Decimal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    theme: String,
    sizes: Vec<u32>,
    by_name: BTreeMap<String, Option<f64>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Document {
    #[column(primary_key)]
    id: i64,
    settings: Json<Settings>,
    value: serde_json::Value,
}

async fn database() -> TestDb {
    TestDb::of([
        Integers::TABLE,
        Plain::TABLE,
        Optional::TABLE,
        Dates::TABLE,
        ChronoDates::TABLE,
        Price::TABLE,
        Document::TABLE,
    ])
    .await
}

#[tokio::test]
async fn integers_of_all_widths_come_back_at_their_ends() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let least = Integers { id: 0, a: i8::MIN, b: i16::MIN, c: i32::MIN, d: i64::MIN, ..Default::default() };
    let greatest = Integers {
        id: 0,
        a: i8::MAX,
        b: i16::MAX,
        c: i32::MAX,
        d: i64::MAX,
        e: u8::MAX,
        f: u16::MAX,
        g: u32::MAX,
        h: i64::MAX as u64,
    };
    let added = session.add_all([least, greatest]);
    session.commit().await?;
    let read = Integers::query().order_by(Integers::id).all(&db.session()).await?;
    assert_eq!((&*read[0], &*read[1]), (&*added[0], &*added[1]));
    assert_eq!((read[0].d, read[1].d, read[1].h), (i64::MIN, i64::MAX, i64::MAX as u64));
    let expected = [
        "-128|-32768|-2147483648|-9223372036854775808|0|0|0|0",
        "127|32767|2147483647|9223372036854775807|255|65535|4294967295|9223372036854775807",
    ];
    assert_eq!(db.rows("SELECT a, b, c, d, e, f, g, h FROM integers ORDER BY id"), expected);
    Ok(())
}

#[tokio::test]
async fn an_integer_that_the_database_cannot_store_is_refused() -> Result<()> {
    needs!(Sqlite, "integers of 63 bits; servers store them all");
    let db = database().await;
    let session = db.session();
    session.add(Integers { h: u64::MAX, ..Default::default() });
    let error = session.commit().await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("9223372036854775807"), "{error}");
    Ok(())
}

#[tokio::test]
async fn booleans_floats_texts_bytes_and_uuids_come_back() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let without = (f32::MIN, f64::MIN);
    let infinite = (f32::INFINITY, f64::NEG_INFINITY);
    let infinite = Backend::current().pick(infinite, infinite, without);
    let rows = [
        Plain::default(),
        Plain {
            flag: true,
            single: f32::MAX,
            double: f64::MIN_POSITIVE,
            name: "caf\u{e9} \u{1f980} 'quoted' \"double\" -- ; ? :a".into(),
            short: Backend::current().pick("tab\tline\nnul\0end", "tab\tline\nend", "tab\tline\nnul\0end").into(),
            long: "x".repeat(100_000),
            bytes: all_bytes,
            uuid: Uuid::max(),
            ..Default::default()
        },
        Plain { single: infinite.0, double: infinite.1, ..Default::default() },
        Plain { single: 0.1, double: 0.1, uuid: Uuid::from_u128(0x1234), ..Default::default() },
    ];
    let added = session.add_all(rows);
    session.commit().await?;
    let read = Plain::query().order_by(Plain::id).all(&db.session()).await?;
    assert_eq!(read.len(), 4);
    for (read, added) in read.iter().zip(&added) {
        assert_eq!(**read, **added);
    }
    let found = Plain::query().filter(Plain::single.eq(0.1) & Plain::double.in_([0.1, 0.2]) & Plain::flag.eq(false));
    assert_eq!(found.select(Plain::id).all(&session).await?, [4]);
    let found = Plain::query().filter(Plain::bytes.eq(&[][..]) & Plain::uuid.eq(Uuid::from_u128(0x1234)));
    assert_eq!(found.count(&session).await?, 1);
    if Backend::current() == Backend::Sqlite {
        assert_eq!(
            db.rows("SELECT flag, typeof(flag), typeof(double), typeof(bytes) FROM plain")[1],
            "1|integer|real|blob"
        );
    }
    let text = db.rows(r#"SELECT name, length("long"), length(bytes), uuid FROM plain WHERE id = 2"#);
    assert_eq!(text, [format!("{}|100000|256|{}", added[1].name, "f".repeat(8) + "-ffff-ffff-ffff-ffffffffffff")]);
    if Backend::current() != Backend::MariaDb {
        assert_eq!(db.rows(r#"SELECT single, "double" FROM plain WHERE id = 3"#), ["inf|-inf"]);
    }
    Ok(())
}

#[tokio::test]
async fn nan_is_refused_and_not_made_null() -> Result<()> {
    needs!(Sqlite | MariaDb, "PostgreSQL stores it");
    let db = database().await;
    let session = db.session();
    session.add(Plain { double: f64::NAN, ..Default::default() });
    let error = session.commit().await.expect_err("NaN");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("NaN"), "{error}");
    Ok(())
}

#[tokio::test]
async fn none_is_null_and_some_is_the_value_of_each_type() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let some = Optional {
        id: 0,
        integer: Some(-1),
        unsigned: Some(1),
        flag: Some(false),
        single: Some(0.5),
        double: Some(0.0),
        name: Some(String::new()),
        bytes: Some(Vec::new()),
        uuid: Some(Uuid::nil()),
        day: Some(date(2024, 2, 29)),
        clock: Some(time(23, 59, 59, 0)),
        moment: Some(date(2024, 2, 29).at(1, 2, 3, 0)),
        instant: Some(Timestamp::UNIX_EPOCH),
        price: Some(Decimal::new(-5, 1)),
        list: Some(Json(vec![1, 2])),
        document: Some(serde_json::json!({ "a": [null] })),
    };
    let added = session.add_all([some, Optional::default()]);
    session.commit().await?;
    let there = db.session();
    let read = Optional::query().order_by(Optional::id).all(&there).await?;
    assert_eq!((&*read[0], &*read[1]), (&*added[0], &*added[1]));
    let columns =
        r#""integer", "unsigned", flag, single, "double", name, bytes, uuid, day, clock, moment, instant, price, list"#;
    let rows = db.rows(&format!("SELECT {columns}, document FROM optional ORDER BY id"));
    assert_eq!(rows[1], ["NULL"; 15].join("|"));
    assert!(rows[0].starts_with("-1|1|0|0.5|0.0|||00000000-0000-0000-0000-000000000000|2024-02-29|"), "{}", rows[0]);
    let end = Backend::current().pick(
        r#"|-0.5|[1,2]|{"a":[null]}"#,
        r#"|-0.5|[1, 2]|{"a": [null]}"#,
        r#"|-0.500000000000000000000000000000|[1,2]|{"a":[null]}"#,
    );
    assert!(rows[0].ends_with(end), "{}", rows[0]);

    let some = read[0].detach();
    read[0].edit(|row| *row = Optional { id: row.id, ..Default::default() });
    read[1].edit(|row| *row = Optional { id: row.id, ..some });
    there.commit().await?;
    let swapped = db.rows(&format!("SELECT {columns}, document FROM optional ORDER BY id DESC"));
    assert_eq!(swapped, rows);
    Ok(())
}

#[tokio::test]
async fn dates_and_times_of_jiff_come_back_and_sort_by_time() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let moments: Vec<DateTime> = [
        date(1, 1, 1).at(0, 0, 0, 0),
        date(1969, 12, 31).at(23, 59, 59, 999_999_000),
        date(1970, 1, 1).at(0, 0, 0, 0),
        date(2024, 2, 29).at(12, 30, 45, 123_456_000),
        date(9999, 12, 30).at(0, 0, 0, 0),
    ]
    .to_vec();
    let row = |at: &DateTime| {
        let instant = at.to_zoned(jiff::tz::TimeZone::UTC).expect("a time in UTC").timestamp();
        Dates::build().day(at.date()).clock(at.time()).moment(*at).instant(instant)
    };
    let added = session.add_all(moments.iter().rev().map(row));
    session.commit().await?;
    let there = db.session();
    let read = Dates::query().order_by((Dates::moment, Dates::instant, Dates::day)).all(&there).await?;
    assert_eq!(read.iter().map(|row| row.moment).collect::<Vec<_>>(), moments);
    for (read, added) in read.iter().zip(added.iter().rev()) {
        assert_eq!(**read, **added);
    }
    let text = db.rows("SELECT day, clock, moment, instant FROM dates WHERE id = 2");
    let expected = "2024-02-29|12:30:45.123456|2024-02-29 12:30:45.123456|2024-02-29 12:30:45.123456";
    assert_eq!(text, [expected]);
    let since: Timestamp = "2024-02-29T12:30:45.123456Z".parse().expect("a timestamp");
    assert_eq!(Dates::query().filter(Dates::instant.ge(since)).count(&there).await?, 2);
    assert_eq!(Dates::query().filter(Dates::day.between(date(1969, 1, 1), date(1970, 1, 1))).count(&there).await?, 2);
    assert_eq!(Dates::query().filter(Dates::clock.eq(time(0, 0, 0, 0))).count(&there).await?, 3);
    Ok(())
}

#[tokio::test]
async fn times_keep_their_nanoseconds_on_sqlite_and_their_microseconds_on_servers() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let exact = date(2024, 2, 29).at(12, 30, 45, 123_456_789);
    let instant: Timestamp = "2024-02-29T12:30:45.123456789Z".parse().expect("a timestamp");
    let sent = session.add(Dates::build().day(exact.date()).clock(exact.time()).moment(exact).instant(instant));
    session.commit().await?;
    assert_eq!((sent.moment, sent.instant), (exact, instant), "the entity has what was sent");
    let read = Dates::query().one(&db.session()).await?;
    if Backend::current() == Backend::Sqlite {
        assert_eq!((read.clock, read.moment, read.instant), (exact.time(), exact, instant));
    } else {
        let micros = date(2024, 2, 29).at(12, 30, 45, 123_456_000);
        let instant: Timestamp = "2024-02-29T12:30:45.123456Z".parse().expect("a timestamp");
        assert_eq!((read.clock, read.moment, read.instant), (micros.time(), micros, instant));
    }
    Ok(())
}

#[tokio::test]
async fn dates_and_times_of_chrono_are_stored_as_those_of_jiff() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let instant = chrono::DateTime::from_timestamp(1_709_209_845, 123_456_000).expect("a timestamp");
    let moment = instant.naive_utc();
    let row = ChronoDates::build().day(moment.date()).clock(moment.time()).moment(moment).instant(instant);
    let added = session.add(row.maybe(moment.date()));
    let before = chrono::DateTime::from_timestamp(-1, 1_000).expect("a timestamp").naive_utc();
    session.add(ChronoDates::build().day(before.date()).clock(before.time()).moment(before).instant(before.and_utc()));
    session.commit().await?;
    let read = ChronoDates::query().order_by(ChronoDates::id).all(&db.session()).await?;
    assert_eq!(*read[0], *added);
    assert_eq!((read[1].moment, read[1].maybe), (before, None));
    let text = db.rows("SELECT day, clock, moment, instant FROM chrono_dates WHERE id = 1");
    let expected = "2024-02-29|12:30:45.123456|2024-02-29 12:30:45.123456|2024-02-29 12:30:45.123456";
    assert_eq!(text, [expected]);
    Ok(())
}

#[tokio::test]
async fn decimals_are_exact_or_refused() -> Result<()> {
    let db = database().await;
    let session = db.session();
    // SQLite does not look at a column's precision.
    let few = ["0", "12.5", "-0.01", "0.1", "1234567890.25", "-9999999999.99", "1000000000"];
    let numbers = Backend::current().pick(
        ["0", "12.5", "-0.01", "0.1", "123456789012.345", "-999999999999999", "1000000000000000000"],
        few,
        few,
    );
    let amounts: Vec<Decimal> = numbers.iter().map(|text| text.parse().expect("a number")).collect();
    session.add_all(amounts.iter().map(|amount| Price::build().amount(*amount)));
    session.commit().await?;
    let read = Price::query().order_by(Price::id).select(Price::amount).all(&db.session()).await?;
    assert_eq!(read, amounts);
    let above: Decimal = "0.05".parse().expect("a number");
    assert_eq!(Price::query().filter(Price::amount.gt(above)).count(&session).await?, 4);
    if Backend::current() != Backend::Sqlite {
        session.add(Price::build().amount(Decimal::from(10_000_000_000_i64)));
        let error = session.commit().await.expect_err("too many digits");
        assert_eq!(error.kind(), ErrorKind::Decode);
        return Ok(());
    }
    session.add(Price::build().amount("0.1234567890123456".parse::<Decimal>().expect("a number")));
    let error = session.commit().await.expect_err("too many digits");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("16 significant digits"), "{error}");
    Ok(())
}

#[tokio::test]
async fn json_documents_come_back_and_a_changed_one_is_written() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let by_name = BTreeMap::from([("a \"b\"".to_owned(), Some(0.5)), ("c".to_owned(), None)]);
    let settings = Settings { theme: "dark \u{1f319}".into(), sizes: vec![], by_name };
    let values = [serde_json::json!(null), serde_json::json!([1, "two", { "three": 3.5 }]), serde_json::json!("text")];
    let added = session.add_all(values.map(|value| Document::build().settings(Json(settings.clone())).value(value)));
    session.commit().await?;
    let there = db.session();
    let read = Document::query().order_by(Document::id).all(&there).await?;
    for (read, added) in read.iter().zip(&added) {
        assert_eq!(**read, **added);
    }
    let theme = Backend::current().pick(
        "json_extract(settings, '$.theme')",
        "settings ->> 'theme'",
        "json_value(settings, '$.theme')",
    );
    assert_eq!(db.rows(&format!("SELECT {theme}, value FROM document WHERE id = 1")), ["dark \u{1f319}|null"]);
    read[0].edit(|document| document.settings.sizes.push(7));
    db.statements();
    there.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "document" SET "settings" = ? WHERE "id" = ?"#]);
    let sizes = Backend::current().pick(
        "json_extract(settings, '$.sizes')",
        "settings -> 'sizes'",
        "json_extract(settings, '$.sizes')",
    );
    assert_eq!(db.rows(&format!("SELECT {sizes} FROM document WHERE id = 1")), ["[7]"]);
    Ok(())
}

#[tokio::test]
async fn a_value_that_its_type_cannot_hold_is_an_error_that_names_the_column() -> Result<()> {
    needs!(Sqlite, "columns that take values of other types");
    let db = database().await;
    db.change(
        "INSERT INTO integers VALUES (1, 300, 0, 0, 0, 0, 0, 0, 0), (2, 0, 0, 0, 0, -1, 0, 0, 0);
         INSERT INTO dates VALUES (1, 'yesterday', '00:00:00', '2024-01-01 00:00:00', '2024-01-01 00:00:00');
         INSERT INTO document VALUES (1, '{\"theme\": 1}', '{}'), (2, '[', '{}');",
    );
    let session = db.session();
    let found = [
        (session.get::<Integers>(1).await.expect_err("300 is no i8"), "Integers::a"),
        (session.get::<Integers>(2).await.expect_err("-1 is no u8"), "Integers::e"),
        (session.get::<Dates>(1).await.expect_err("no date"), "Dates::day"),
        (session.get::<Document>(1).await.expect_err("no settings"), "Document::settings"),
        (session.get::<Document>(2).await.expect_err("no JSON"), "Document::settings"),
    ];
    for (error, column) in found {
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.to_string().contains(column), "{error}");
    }
    Ok(())
}
