//! Every expression gives on each backend what Rust says that it is, or is refused before anything is sent.

mod support;

use std::ops::Bound;

use aludel::func::{self, sql_expr};
use aludel::prelude::*;
use aludel::query::Fetch;
use aludel::{sql_function, sql_operator};
use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan};
use rust_decimal::Decimal;
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct Item {
    #[column(primary_key)]
    id: i64,
    name: String,
    nick: Option<String>,
    small: i16,
    count: i64,
    stock: Option<i32>,
    weight: f64,
    #[column(precision = 12, scale = 3)]
    price: Decimal,
    sold: bool,
    made: Date,
    opens: Time,
    local: DateTime,
    seen: Timestamp,
    ended: Option<Timestamp>,
}

fn date(text: &str) -> Date {
    text.parse().expect("a date")
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Item 1 is all there; 2 has NULL wherever it may be; 3 has what is odd.
async fn filled() -> TestDb {
    let db = TestDb::of(Item::TABLE).await;
    let rows = [
        Item {
            id: 1,
            name: " Äpfel  ".into(),
            nick: Some("apple".into()),
            small: 7,
            count: 17,
            stock: Some(5),
            weight: 2.25,
            price: "12.345".parse().unwrap(),
            sold: true,
            made: date("2024-02-29"),
            opens: "08:05:09.5".parse().unwrap(),
            local: "2024-01-31T23:59:59.999999".parse().unwrap(),
            seen: instant("2026-11-21T10:15:00.25Z"),
            ended: Some(instant("2026-11-23T09:15:01Z")),
        },
        Item {
            id: 2,
            name: "100%_pure!".into(),
            nick: None,
            small: -7,
            count: -17,
            stock: None,
            weight: -2.75,
            price: "-0.500".parse().unwrap(),
            sold: false,
            made: date("2025-12-31"),
            opens: "00:00:00".parse().unwrap(),
            local: "2025-03-30T02:30:00".parse().unwrap(),
            seen: instant("2025-12-31T23:30:00Z"),
            ended: None,
        },
        Item {
            id: 3,
            name: "abcabc".into(),
            nick: Some(String::new()),
            small: 0,
            count: 3,
            stock: Some(0),
            weight: 3.0,
            price: "3.000".parse().unwrap(),
            sold: false,
            made: date("2000-01-01"),
            opens: "23:59:59.999999".parse().unwrap(),
            local: "2000-01-01T00:00:00".parse().unwrap(),
            seen: instant("1969-12-31T23:59:59.5Z"),
            ended: Some(instant("1970-01-01T00:00:00Z")),
        },
    ];
    let session = db.session();
    for row in rows {
        session.add(row);
    }
    session.commit().await.expect("rows");
    db
}

/// What an expression gives for each item.
async fn each<S>(db: &TestDb, selection: S) -> Vec<S::Output>
where
    S: aludel::query::Selection,
    S::Output: Fetch + Send,
{
    Item::query().order_by(Item::id).select(selection).all(&db.session()).await.expect("rows")
}

/// The items that a condition finds.
async fn ids(db: &TestDb, condition: Expr<bool>) -> Vec<i64> {
    Item::query().filter(condition).order_by(Item::id).select(Item::id).all(&db.session()).await.expect("rows")
}

/// The error of an expression that the backend does not have; nothing is sent.
async fn refused<S>(db: &TestDb, selection: S) -> String
where
    S: aludel::query::Selection,
    S::Output: Fetch + Send + std::fmt::Debug,
{
    db.statements();
    let error = Item::query().select(selection).all(&db.session()).await.expect_err("it is refused");
    assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidStatement), "{error:?}");
    assert_eq!(db.statements(), [""; 0]);
    error.to_string()
}

fn texts(texts: [&str; 3]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

#[tokio::test]
async fn null_is_a_value_like_others_to_is_distinct_from() {
    let db = filled().await;
    assert_eq!(ids(&db, Item::nick.is_distinct_from("apple")).await, [2, 3]);
    assert_eq!(ids(&db, Item::nick.is_not_distinct_from("apple")).await, [1]);
    assert_eq!(ids(&db, Item::nick.is_not_distinct_from(None::<String>)).await, [2]);
    assert_eq!(ids(&db, Item::nick.is_distinct_from(None::<String>)).await, [1, 3]);
    assert_eq!(ids(&db, Item::stock.is_distinct_from(func::nullif(Item::stock, 0))).await, [3]);
    assert_eq!(ids(&db, Item::stock.is_not_distinct_from(func::nullif(Item::stock, 0))).await, [1, 2]);
    assert_eq!(ids(&db, !Item::nick.is_distinct_from("apple") | Item::id.eq(3)).await, [1, 3]);
    let same = each(&db, Item::nick.is_not_distinct_from("apple")).await;
    assert_eq!(same, [true, false, false], "it is never NULL, and needs no Option");
}

#[tokio::test]
async fn numbers_of_all_types_are_calculated_with() {
    let db = filled().await;
    assert_eq!(each(&db, Item::count + 3).await, [20, -14, 6]);
    assert_eq!(each(&db, Item::count - Item::count * 2).await, [-17, 17, -3]);
    assert_eq!(each(&db, Item::count / 2).await, [17 / 2, -17 / 2, 3 / 2]);
    assert_eq!(each(&db, Item::count % 5).await, [2, -2, 3]);
    assert_eq!(each(&db, -Item::count).await, [-17, 17, -3]);
    assert_eq!(each(&db, -(-Item::count)).await, [17, -17, 3]);
    assert_eq!(each(&db, -(Item::count + 1) * 2).await, [-36, 32, -8]);
    assert_eq!(each(&db, Item::small * 2 + 1).await, [15_i16, -13, 1]);
    assert_eq!(each(&db, Item::stock + 1).await, [Some(6), None, Some(1)]);
    assert_eq!(each(&db, Item::weight * 2.0 + 0.5).await, [5.0, -5.0, 6.5]);
    assert_eq!(each(&db, Item::weight / 2.0).await, [1.125, -1.375, 1.5]);
    assert_eq!(each(&db, -Item::weight).await, [-2.25, 2.75, -3.0]);
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let sums = each(&db, Item::price + decimal("0.005")).await;
    let sums: Vec<Decimal> = match Backend::current() {
        // It calculates with floats.
        Backend::Sqlite => sums.iter().map(|sum| sum.round_dp(9)).collect(),
        _ => sums,
    };
    assert_eq!(sums, [decimal("12.35"), decimal("-0.495"), decimal("3.005")]);
    assert_eq!(each(&db, -Item::price * decimal("2")).await, [decimal("-24.69"), decimal("1"), decimal("-6")]);
    assert_eq!(each(&db, func::literal(100_i64) - Item::count).await, [83, 117, 97]);
    let rest = Item::weight % 2.0;
    match Backend::current() {
        Backend::MariaDb => assert_eq!(each(&db, rest).await, [0.25, -0.75, 1.0]),
        _ => assert!(refused(&db, rest).await.contains("`%` of")),
    }
    let rest = Item::price % decimal("2");
    match Backend::current() {
        Backend::Sqlite => assert!(refused(&db, rest).await.contains("`%` of numbers")),
        _ => assert_eq!(each(&db, rest).await, [decimal("0.345"), decimal("-0.5"), decimal("1")]),
    }
}

#[tokio::test]
async fn numbers_are_rounded() {
    let db = filled().await;
    assert_eq!(each(&db, func::abs(Item::count)).await, [17, 17, 3]);
    assert_eq!(each(&db, func::abs(Item::weight)).await, [2.25, 2.75, 3.0]);
    assert_eq!(each(&db, func::round(Item::weight)).await, [2.0, -3.0, 3.0]);
    assert_eq!(each(&db, func::round_to(Item::weight * 1.01, 2)).await, [2.27, -2.78, 3.03]);
    assert_eq!(each(&db, func::floor(Item::weight)).await, [2.0, -3.0, 3.0]);
    assert_eq!(each(&db, func::ceil(Item::weight)).await, [3.0, -2.0, 3.0]);
    assert_eq!(each(&db, func::floor(func::literal(-1e300))).await, [-1e300; 3]);
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(each(&db, func::round(Item::price)).await, [decimal("12"), decimal("-1"), decimal("3")]);
    assert_eq!(each(&db, func::round_to(Item::price, 1)).await, [decimal("12.3"), decimal("-0.5"), decimal("3")]);
    assert_eq!(each(&db, func::floor(Item::price)).await, [decimal("12"), decimal("-1"), decimal("3")]);
    assert_eq!(each(&db, func::ceil(Item::price)).await, [decimal("13"), decimal("0"), decimal("3")]);
}

#[tokio::test]
async fn texts_are_taken_apart_and_put_together() {
    let db = filled().await;
    assert_eq!(each(&db, func::trim(Item::name)).await, texts(["Äpfel", "100%_pure!", "abcabc"]));
    assert_eq!(each(&db, func::ltrim(Item::name)).await, texts(["Äpfel  ", "100%_pure!", "abcabc"]));
    assert_eq!(each(&db, func::rtrim(Item::name)).await, texts([" Äpfel", "100%_pure!", "abcabc"]));
    assert_eq!(each(&db, upper(Item::nick)).await, [Some("APPLE".into()), None, Some(String::new())]);
    assert_eq!(each(&db, lower(func::substr(Item::name, 3, 2))).await, texts(["pf", "0%", "ca"]));
    assert_eq!(each(&db, func::substr(Item::name, Item::id, 100)).await, texts([" Äpfel  ", "00%_pure!", "cabc"]));
    assert_eq!(each(&db, func::replace(Item::name, "abc", "x")).await, texts([" Äpfel  ", "100%_pure!", "xx"]));
    assert_eq!(each(&db, func::replace(Item::name, "", "x")).await, texts([" Äpfel  ", "100%_pure!", "abcabc"]));
    assert_eq!(each(&db, length(Item::name)).await, [8, 10, 6]);
    assert_eq!(each(&db, func::position(Item::name, "pf")).await, [3, 0, 0]);
    assert_eq!(each(&db, func::position(Item::name, "c")).await, [0, 0, 3]);
    assert_eq!(each(&db, Item::name.concat("!").concat(Item::name)).await[2], "abcabc!abcabc");
    assert_eq!(each(&db, Item::nick.concat("?")).await, [Some("apple?".into()), None, Some("?".into())]);
    assert_eq!(each(&db, length(Item::nick).optional()).await, [Some(5), None, Some(0)]);
    assert!(refused(&db, length(Item::nick)).await.contains("use `.optional()`"));
}

#[tokio::test]
async fn texts_are_matched() {
    let db = filled().await;
    assert_eq!(ids(&db, Item::name.contains("%_")).await, [2]);
    assert_eq!(ids(&db, Item::name.contains("_")).await, [2]);
    assert_eq!(ids(&db, Item::name.starts_with("100%")).await, [2]);
    assert_eq!(ids(&db, Item::name.starts_with("1%")).await, [0; 0]);
    assert_eq!(ids(&db, Item::name.ends_with("_pure!")).await, [2]);
    assert_eq!(ids(&db, Item::name.ends_with("%!")).await, [0; 0]);
    assert_eq!(ids(&db, Item::name.like("_bc%")).await, [3]);
    assert_eq!(ids(&db, Item::name.not_like("_bc%")).await, [1, 2]);
    assert_eq!(ids(&db, !Item::name.not_like("_bc%")).await, [3]);
    for escape in ['!', '\\', '\'', '#'] {
        let pattern = format!("100{escape}%{escape}_%");
        assert_eq!(ids(&db, Item::name.like_escape(pattern, escape)).await, [2], "{escape}");
    }
    assert_eq!(ids(&db, Item::name.like_escape("%!!", '!')).await, [2]);
    assert_eq!(ids(&db, !Item::name.like_escape("%!!", '!')).await, [1, 3]);
    assert_eq!(ids(&db, Item::nick.like(Item::nick)).await, [1, 3]);
    match Backend::current() {
        Backend::Postgres => {
            assert_eq!(ids(&db, Item::name.ilike("ABC%")).await, [3]);
            assert_eq!(ids(&db, !Item::name.ilike("% ÄPF%") & Item::id.ne(2)).await, [3]);
        }
        _ => assert!(refused(&db, Item::name.ilike("ABC%")).await.contains("lower(..)")),
    }
}

#[tokio::test]
async fn rows_of_values_are_compared() {
    let db = filled().await;
    let row = (Item::count, Item::name);
    assert_eq!(ids(&db, row.in_([(3, "abcabc"), (17, "abcabc")])).await, [3]);
    assert_eq!(ids(&db, row.not_in([(3, "abcabc"), (17, "abcabc")])).await, [1, 2]);
    assert_eq!(ids(&db, row.in_(Vec::<(i64, String)>::new())).await, [0; 0]);
    assert_eq!(ids(&db, row.not_in(Vec::<(i64, String)>::new())).await, [1, 2, 3]);
    assert_eq!(ids(&db, row.eq((-17, "100%_pure!"))).await, [2]);
    assert_eq!(ids(&db, row.ne((-17, "100%_pure!"))).await, [1, 3]);
    assert_eq!(ids(&db, (Item::sold, Item::count).lt((true, 0))).await, [2, 3]);
    assert_eq!(ids(&db, (Item::sold, Item::count).le((false, -17))).await, [2]);
    assert_eq!(ids(&db, (Item::sold, Item::count).gt((false, -17))).await, [1, 3]);
    assert_eq!(ids(&db, (Item::sold, Item::count).ge((false, 3))).await, [1, 3]);
    assert_eq!(ids(&db, (Item::id, Item::id + 1, Item::stock).in_([(1, 2, 5), (2, 3, 0), (3, 4, 0)])).await, [1, 3]);
    let many: Vec<(i64, String)> = (0..1_500).map(|number| (number, "abcabc".to_owned())).collect();
    assert_eq!(ids(&db, row.in_(many)).await, [3]);
}

#[tokio::test]
async fn a_new_rows_key_can_stand_in_a_row_of_values() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    // From here on keys are counted up.
    db.change("UPDATE item SET id = id");
    let item = session.get::<Item>(3).await?.expect("an item");
    let new = session.add(Item { id: 0, ..Item::clone(&item) });
    let found = Item::query().filter((Item::id, Item::count).in_([(new.id, 3)])).select(Item::id).one(&session).await?;
    assert_eq!(found, new.id);
    Ok(())
}

#[tokio::test]
async fn the_first_condition_that_holds_decides_a_case() {
    let db = filled().await;
    let size = case().when(Item::count.gt(10), "large").when(Item::count.gt(0), "middle").else_("small");
    assert_eq!(each(&db, size.clone()).await, texts(["large", "small", "middle"]));
    assert_eq!(ids(&db, size.eq("small")).await, [2]);
    let number = case().when(Item::sold.eq(true), 1_i64).else_(Item::count);
    assert_eq!(each(&db, number).await, [1, -17, 3]);
    assert_eq!(each(&db, case().when(Item::count.lt(0), 0_i64).end()).await, [None, Some(0), None]);
    assert_eq!(each(&db, case().when(Item::nick.is_null(), 1.5).else_(Item::weight)).await, [2.25, 1.5, 3.0]);
    assert_eq!(each(&db, case().when(Item::count.gt(0), true).else_(false)).await, [true, false, true]);
    let nick = case().when(Item::id.eq(3), Item::nick).else_(None::<String>);
    assert_eq!(each(&db, nick).await, [None, None, Some(String::new())]);
    let seen = case().when(Item::id.eq(1), Item::seen).else_(instant("2000-01-01T00:00:00Z"));
    assert_eq!(each(&db, seen).await[1], instant("2000-01-01T00:00:00Z"));
    assert!(refused(&db, case().when(Item::id.eq(1), 5_i64).else_(None::<i64>)).await.contains("`end()`"));
    assert!(refused(&db, case().when(Item::id.eq(1), 5_i32).else_(Item::stock)).await.contains("`.optional()`"));
    let order = case().when(Item::id.eq(2), 0).else_(1);
    let first = Item::query().order_by((order, Item::id)).select(Item::id).first(&db.session()).await;
    assert_eq!(first.expect("an item"), Some(2));
}

#[tokio::test]
async fn values_are_chosen_among_null_and_others() {
    let db = filled().await;
    assert_eq!(each(&db, coalesce(Item::nick, "-")).await, texts(["apple", "-", ""]));
    assert_eq!(each(&db, coalesce(func::nullif(Item::nick, ""), Item::name)).await[1..], ["100%_pure!", "abcabc"]);
    assert_eq!(each(&db, func::nullif(Item::count, 3)).await, [Some(17), Some(-17), None]);
    assert_eq!(each(&db, func::greatest(Item::count, 3)).await, [17, 3, 3]);
    assert_eq!(each(&db, func::least(Item::count, Item::id)).await, [1, -17, 3]);
    assert_eq!(each(&db, func::least(Item::name, "b")).await[1..], ["100%_pure!", "abcabc"]);
    let stock = each(&db, func::greatest(Item::stock, 1)).await;
    let null = Backend::current().pick(None, Some(1), None);
    assert_eq!(stock, [Some(5), null, Some(1)], "PostgreSQL leaves NULL out");
    assert_eq!(each(&db, func::literal("x")).await, texts(["x", "x", "x"]));
    assert_eq!(each(&db, func::literal(None::<i64>)).await, [None, None, None]);
    assert_eq!(each(&db, func::literal(2.5)).await, [2.5, 2.5, 2.5]);
}

#[tokio::test]
async fn types_are_cast() {
    let db = filled().await;
    assert_eq!(each(&db, Item::count.cast::<String>()).await, texts(["17", "-17", "3"]));
    assert_eq!(each(&db, Item::count.cast::<f64>() / 2.0).await, [8.5, -8.5, 1.5]);
    assert_eq!(each(&db, func::round(Item::weight).cast::<i64>()).await, [2, -3, 3]);
    assert_eq!(each(&db, Item::small.cast::<i64>() * 100_000).await, [700_000, -700_000, 0]);
    assert_eq!(each(&db, Item::sold.cast::<i64>()).await, [1, 0, 0]);
    assert_eq!(each(&db, Item::sold.cast::<i32>() + 1).await, [2, 1, 1]);
    assert_eq!(each(&db, func::substr(Item::name.concat("00042"), 9, 0).concat("42").cast::<i64>()).await, [42; 3]);
    assert_eq!(each(&db, func::literal("2.5").cast::<f64>()).await, [2.5; 3]);
    assert_eq!(each(&db, Item::stock.cast::<i64>().optional()).await, [Some(5), None, Some(0)]);
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(each(&db, Item::count.cast::<Decimal>()).await, [decimal("17"), decimal("-17"), decimal("3")]);
    assert_eq!(each(&db, Item::price.cast::<f64>()).await, [12.345, -0.5, 3.0]);
    assert_eq!(each(&db, Item::made.cast::<String>()).await, texts(["2024-02-29", "2025-12-31", "2000-01-01"]));
    assert_eq!(each(&db, Item::local.cast::<Date>()).await[0], date("2024-01-31"));
    assert_eq!(each(&db, Item::local.cast::<Time>()).await[0], "23:59:59.999999".parse().unwrap());
    assert_eq!(each(&db, Item::made.cast::<DateTime>()).await[0], "2024-02-29T00:00:00".parse().unwrap());
    assert_eq!(each(&db, Item::made.cast::<Timestamp>()).await[0], instant("2024-02-29T00:00:00Z"));
    assert_eq!(
        each(&db, Item::seen.cast::<Date>()).await,
        [date("2026-11-21"), date("2025-12-31"), date("1969-12-31")]
    );
    assert_eq!(each(&db, Item::seen.cast::<DateTime>()).await[1], "2025-12-31T23:30:00".parse().unwrap());
    assert_eq!(each(&db, Item::local.cast::<Timestamp>()).await[1], instant("2025-03-30T02:30:00Z"));
    let chrono = each(&db, Item::seen.cast::<chrono::DateTime<chrono::Utc>>()).await;
    assert_eq!(chrono[1].to_rfc3339(), "2025-12-31T23:30:00+00:00");
    assert_eq!(ids(&db, Item::seen.cast::<Date>().eq(date("2025-12-31"))).await, [2]);
}

#[tokio::test]
async fn dates_and_times_have_parts() {
    let db = filled().await;
    let items = Item::query().order_by(Item::id).all(&db.session()).await.expect("items");
    let zoned: Vec<DateTime> = items.iter().map(|item| jiff::tz::Offset::UTC.to_datetime(item.seen)).collect();
    let moments = |of: fn(&DateTime) -> i64| -> (Vec<i64>, Vec<i64>) {
        (zoned.iter().map(of).collect(), items.iter().map(|item| of(&item.local)).collect())
    };
    let dates = |of: fn(Date) -> i64| -> Vec<i64> { items.iter().map(|item| of(item.made)).collect() };
    macro_rules! check {
        ($($name:ident: $of:expr;)*) => {$(
            let (seen, local) = moments($of);
            assert_eq!(each(&db, func::$name(Item::seen)).await, seen, stringify!($name));
            assert_eq!(each(&db, func::$name(Item::local)).await, local, stringify!($name));
        )*};
    }
    check! {
        year: |at| at.year().into();
        month: |at| at.month().into();
        day: |at| at.day().into();
        hour: |at| at.hour().into();
        minute: |at| at.minute().into();
        second: |at| at.second().into();
        day_of_week: |at| at.weekday().to_sunday_zero_offset().into();
        day_of_year: |at| at.day_of_year().into();
    }
    assert_eq!(each(&db, func::year(Item::made)).await, dates(|at| at.year().into()));
    assert_eq!(each(&db, func::month(Item::made)).await, dates(|at| at.month().into()));
    assert_eq!(each(&db, func::day(Item::made)).await, dates(|at| at.day().into()));
    assert_eq!(each(&db, func::day_of_week(Item::made)).await, dates(|at| at.weekday().to_sunday_zero_offset().into()));
    assert_eq!(each(&db, func::hour(Item::opens)).await, [8, 0, 23]);
    assert_eq!(each(&db, func::minute(Item::opens)).await, [5, 0, 59]);
    assert_eq!(each(&db, func::second(Item::opens)).await, [9, 0, 59]);
    assert_eq!(each(&db, func::year(Item::ended).optional()).await, [Some(2026), None, Some(1970)]);
    let kind = || case().when(Item::count.gt(3), 3_i64).when(Item::count.gt(0), 0_i64).else_(3_i64);
    let kinds = Item::query().group_by(kind()).order_by(kind()).select((kind(), count_all())).all(&db.session()).await;
    assert_eq!(kinds.expect("groups"), [(0, 1), (3, 2)]);
    let years = Item::query().group_by(func::year(Item::made)).order_by(func::year(Item::made));
    let years = years.select((func::year(Item::made), count_all())).all(&db.session()).await;
    assert_eq!(years.expect("years"), [(2000, 1), (2024, 1), (2025, 1)]);
}

#[tokio::test]
async fn intervals_are_added_to_dates_and_times() {
    let db = filled().await;
    let items = Item::query().order_by(Item::id).all(&db.session()).await.expect("items");
    let made = |span: Span| -> Vec<Date> { items.iter().map(|item| item.made + span).collect() };
    let local = |span: Span| -> Vec<DateTime> { items.iter().map(|item| item.local + span).collect() };
    let seen = |hours: i64| -> Vec<Timestamp> { items.iter().map(|item| item.seen + hours.hours()).collect() };
    assert_eq!(each(&db, Item::made + func::days(1)).await, made(1.day()));
    assert_eq!(each(&db, Item::made - func::days(60)).await, made(-60.days()));
    assert_eq!(each(&db, Item::made + func::months(12)).await, made(12.months()), "the 29th becomes the 28th");
    assert_eq!(each(&db, Item::made - func::years(1)).await, made(-1.year()));
    assert_eq!(each(&db, Item::made + (func::months(1) + func::days(1))).await, made(1.month().days(1)));
    assert_eq!(each(&db, Item::made + 2.weeks()).await, made(2.weeks()));
    assert_eq!(each(&db, Item::local + func::months(1)).await, local(1.month()), "the fraction stays");
    assert_eq!(each(&db, Item::local + func::seconds(1)).await, local(1.second()));
    assert_eq!(each(&db, Item::local - func::minutes(90)).await, local(-90.minutes()));
    assert_eq!(each(&db, Item::local + 1.day().hours(3).seconds(5)).await, local(1.day().hours(3).seconds(5)));
    assert_eq!(each(&db, Item::seen + func::hours(5)).await, seen(5));
    assert_eq!(each(&db, Item::seen + Duration::from_secs(7_200)).await, seen(2));
    assert_eq!(each(&db, Item::seen - jiff::SignedDuration::from_hours(26)).await, seen(-26));
    assert_eq!(
        each(&db, Item::seen + func::days(Item::id)).await,
        [items[0].seen + 24.hours(), items[1].seen + 48.hours(), items[2].seen + 72.hours(),]
    );
    assert_eq!(
        each(&db, Item::seen - func::hours(Item::id * 2)).await,
        [items[0].seen - 2.hours(), items[1].seen - 4.hours(), items[2].seen - 6.hours(),]
    );
    assert_eq!(each(&db, (Item::ended + func::days(1)).is_null()).await, [false, true, false]);
    assert_eq!(ids(&db, (Item::seen + func::days(2)).gt(Item::ended)).await, [1, 3]);
    assert_eq!(ids(&db, (Item::seen + func::seconds(0)).eq(items[1].seen)).await, [2]);
    assert!(refused(&db, Item::made + func::hours(1)).await.contains("cast it to a `DateTime`"));
    assert!(refused(&db, Item::seen + Duration::from_millis(1_500)).await.contains("whole seconds"));
    assert!(refused(&db, Item::seen + func::years(i64::MAX)).await.contains("beyond the range"));
}

#[tokio::test]
async fn dates_and_times_have_differences() {
    let db = filled().await;
    let days = each(&db, func::days_between(Item::made, date("2024-03-01"))).await;
    let expected = |from: &str| i64::from((date("2024-03-01") - date(from)).get_days());
    assert_eq!(days, [expected("2024-02-29"), expected("2025-12-31"), expected("2000-01-01")]);
    assert_eq!(each(&db, func::days_between(Item::seen, Item::ended).optional()).await, [Some(2), None, Some(1)]);
    let seconds = each(&db, func::seconds_between(Item::seen, Item::ended).optional()).await;
    let first = (2 * 86_400 - 3_600) as f64 + 0.75;
    assert_eq!(seconds, [Some(first), None, Some(0.5)]);
    let seconds =
        each(&db, func::seconds_between(Item::local, "2000-01-01T00:00:01".parse::<DateTime>().unwrap())).await;
    assert_eq!(seconds[2], 1.0);
    assert!((seconds[0] + 760_060_798.999_999).abs() < 1e-5, "{}", seconds[0]);
    let old = func::seconds_between(Item::seen, instant("2026-01-01T00:00:00Z")).gt(86_400.0);
    assert_eq!(ids(&db, old).await, [3]);
}

#[tokio::test]
async fn the_database_knows_the_time() {
    let db = filled().await;
    let (before, now) = (Timestamp::now() - 2.seconds(), each(&db, func::now()).await[0]);
    assert!(before <= now && now <= Timestamp::now() + 2.seconds(), "{now}");
    let today = each(&db, func::current_date()).await[0];
    let dates = [before, Timestamp::now()].map(|at| jiff::tz::Offset::UTC.to_datetime(at).date());
    assert!(dates.contains(&today), "{today}");
    let later = Timestamp::now() - 1.hour();
    assert_eq!(ids(&db, func::current_timestamp().gt(later)).await, [1, 2, 3]);
    assert_eq!(ids(&db, Item::seen.lt(func::now() - func::years(1000))).await, [0; 0]);
}

#[tokio::test]
async fn aggregates_count_some_rows_and_each_value_once() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let row = Item::query().select((
        count(Item::nick).filter(Item::nick.ne("")),
        count_all().filter(Item::count.gt(0)),
        count(Item::sold).distinct(),
        sum(Item::count).filter(Item::sold.eq(false)),
        avg(Item::count).filter(Item::count.gt(0)),
        sum(Item::weight),
        min(Item::count).filter(Item::id.gt(100)),
        max(Item::made),
    ));
    let expected = (1, 2, 2, Some(-14), Some(10.0), Some(2.5), None, Some(date("2025-12-31")));
    assert_eq!(row.one(&session).await?, expected);
    let twice = sum(Item::count).filter(Item::count.gt(0)).filter(Item::sold.eq(true));
    assert_eq!(Item::query().select(twice).one(&session).await?, Some(17));
    let distinct =
        (count_distinct(Item::sold), sum(func::abs(Item::count)).distinct(), avg(func::abs(Item::count)).distinct());
    assert_eq!(Item::query().select(distinct).one(&session).await?, (2, Some(20), Some(10.0)));
    let price = Item::query().select(sum(Item::price).filter(Item::id.ne(3))).one(&session).await?;
    assert_eq!(price, Some("11.845".parse().unwrap()));
    let having = Item::query().group_by(Item::sold).having(count_all().filter(Item::id.gt(1)).eq(2)).select(Item::sold);
    assert_eq!(having.all(&session).await?, [false]);
    let shares = Item::query().group_by(Item::sold).order_by(count_all().desc()).select(count_all() * 100 / 3);
    assert_eq!(shares.all(&session).await?, [66, 33]);
    assert!(refused(&db, count_all().distinct()).await.contains("`count(column)`"));
    Ok(())
}

#[tokio::test]
async fn texts_are_gathered() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let gathered = |texts: func::Aggregate<Option<String>>| {
        let session = session.clone();
        async move { Item::query().select(texts).one(&session).await }
    };
    let some = |text: &str| Some(text.to_owned());
    let nicks = func::string_agg(Item::nick, "; ").order_by(Item::id.desc());
    assert_eq!(gathered(nicks.clone()).await?, some("; apple"));
    assert_eq!(gathered(nicks.filter(Item::id.gt(5))).await?, None);
    let kinds = case().when(Item::count.gt(0), "a").else_("b");
    assert_eq!(gathered(func::group_concat(kinds.clone()).order_by(Item::id)).await?, some("a,b,a"));
    assert_eq!(gathered(func::group_concat(kinds.clone()).distinct().order_by(kinds.clone())).await?, some("a,b"));
    for separator in ["'", "\\", "it's \\' "] {
        let texts = func::string_agg(kinds.clone(), separator).order_by(Item::id);
        assert_eq!(gathered(texts).await?, Some(["a", "b", "a"].join(separator)));
    }
    let distinct = func::string_agg(kinds.clone(), "-").distinct().order_by(kinds.desc());
    match Backend::current() {
        Backend::Sqlite => assert!(refused(&db, distinct).await.contains("can only be `,`")),
        _ => assert_eq!(gathered(distinct).await?, some("b-a")),
    }
    let over = func::string_agg(Item::name.cast::<String>(), ",").over(window().partition_by(Item::id));
    match Backend::current() {
        Backend::MariaDb => assert!(refused(&db, over).await.contains("over a window")),
        _ => assert_eq!(each(&db, over).await[2], some("abcabc")),
    }
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Sale {
    #[column(primary_key)]
    id: i64,
    shop: String,
    day: i64,
    amount: i64,
}

/// Days 1, 2, 4 and 5 of the north, where the last two sold the same, and 1 and 2 of the south.
async fn sales() -> TestDb {
    let db = TestDb::of(Sale::TABLE).await;
    db.change(
        "INSERT INTO sale VALUES (1, 'north', 1, 10), (2, 'north', 2, 30), (3, 'north', 4, 20), (4, 'north', 5, 20),
            (5, 'south', 1, 5), (6, 'south', 2, 5)",
    );
    db
}

async fn seen<T>(db: &TestDb, value: Expr<T>) -> Vec<T>
where
    Expr<T>: aludel::query::Selection<Output = T>,
    T: ColumnType + Fetch,
{
    Sale::query().order_by(Sale::id).select(value).all(&db.session()).await.expect("rows")
}

#[tokio::test]
async fn window_functions_see_the_rows_around_one() {
    let db = sales().await;
    let by_day = || window().partition_by(Sale::shop).order_by(Sale::day);
    let by_amount = || window().partition_by(Sale::shop).order_by(Sale::amount.desc());
    assert_eq!(seen(&db, func::row_number().over(by_day())).await, [1, 2, 3, 4, 1, 2]);
    assert_eq!(seen(&db, func::rank().over(by_amount())).await, [4, 1, 2, 2, 1, 1]);
    assert_eq!(seen(&db, func::dense_rank().over(by_amount())).await, [3, 1, 2, 2, 1, 1]);
    let shares = seen(&db, func::percent_rank().over(by_day())).await;
    assert_eq!(shares.iter().map(|share| (share * 3.0).round()).collect::<Vec<_>>(), [0.0, 1.0, 2.0, 3.0, 0.0, 3.0]);
    let shares = seen(&db, func::cume_dist().over(by_amount())).await;
    assert_eq!(shares, [1.0, 0.25, 0.75, 0.75, 1.0, 1.0]);
    assert_eq!(seen(&db, func::ntile(2).over(by_day())).await, [1, 1, 2, 2, 1, 2]);
    assert_eq!(
        seen(&db, func::lag(Sale::amount, 1).over(by_day())).await,
        [None, Some(10), Some(30), Some(20), None, Some(5)]
    );
    assert_eq!(
        seen(&db, func::lead(Sale::amount, 2).over(by_day())).await,
        [Some(20), Some(20), None, None, None, None]
    );
    let or = func::lag_or(Sale::amount, 1, 0).over(by_day());
    match Backend::current() {
        Backend::MariaDb => {
            let error = Sale::query().select(or).all(&db.session()).await.expect_err("it has none");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
        _ => {
            assert_eq!(seen(&db, or).await, [0, 10, 30, 20, 0, 5]);
            assert_eq!(seen(&db, func::lead_or(Sale::amount, 1, -1).over(by_day())).await, [30, 20, 20, -1, 5, -1]);
        }
    }
    assert_eq!(seen(&db, func::first_value(Sale::amount).over(by_day())).await[3], Some(10));
    assert_eq!(seen(&db, func::last_value(Sale::amount).over(by_day())).await[1], Some(30), "up to this row");
    assert_eq!(seen(&db, func::last_value(Sale::amount).over(by_day().rows(..))).await[1], Some(20));
    assert_eq!(
        seen(&db, func::nth_value(Sale::amount, 2).over(by_day())).await,
        [None, Some(30), Some(30), Some(30), None, Some(5)]
    );
    assert_eq!(seen(&db, func::row_number().over(window().order_by(Sale::id.desc()))).await, [6, 5, 4, 3, 2, 1]);
    let error = Sale::query().select(func::ntile(0).over(by_day())).all(&db.session()).await.expect_err("of none");
    assert!(error.to_string().contains("count from 1"), "{error}");
}

#[tokio::test]
async fn aggregates_go_over_frames() {
    let db = sales().await;
    let by_day = || window().partition_by(Sale::shop).order_by(Sale::day);
    let total = || sum(Sale::amount);
    let some = |sums: [i64; 6]| sums.map(Some).to_vec();
    assert_eq!(seen(&db, total().over(window())).await, some([90; 6]));
    assert_eq!(seen(&db, total().over(window().partition_by(Sale::shop))).await, some([80, 80, 80, 80, 10, 10]));
    assert_eq!(seen(&db, total().over(by_day())).await, some([10, 40, 60, 80, 5, 10]));
    assert_eq!(seen(&db, total().over(by_day().rows(-1..=1))).await, some([40, 60, 70, 40, 10, 10]));
    assert_eq!(seen(&db, total().over(by_day().rows(..=0))).await, some([10, 40, 60, 80, 5, 10]));
    assert_eq!(seen(&db, total().over(by_day().rows(..0))).await, [None, Some(10), Some(40), Some(60), None, Some(5)]);
    assert_eq!(seen(&db, total().over(by_day().rows(1..))).await[..2], [Some(70), Some(40)]);
    assert_eq!(seen(&db, total().over(by_day().range(-1..=0))).await, some([10, 40, 20, 40, 5, 10]));
    assert_eq!(seen(&db, count_all().over(by_day().range(-1..=1))).await, [2, 2, 2, 2, 2, 2]);
    let counted = count(Sale::id).filter(Sale::amount.gt(15)).over(window().partition_by(Sale::shop));
    assert_eq!(seen(&db, counted).await, [3, 3, 3, 3, 0, 0]);
    assert_eq!(seen(&db, avg(Sale::amount).over(window().partition_by(Sale::shop))).await[5], Some(5.0));
    let share = Sale::amount * 100 / coalesce(total().over(window()), 1);
    assert_eq!(seen(&db, share).await, [11, 33, 22, 22, 5, 5]);
    let groups = total().over(window().order_by(Sale::amount).groups(-1..=0));
    match Backend::current() {
        Backend::MariaDb => {
            let error = Sale::query().select(groups).all(&db.session()).await.expect_err("it has none");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("frame of groups"), "{error}");
        }
        _ => assert_eq!(seen(&db, groups).await, some([20, 70, 50, 50, 10, 10])),
    }
    for (value, message) in [
        (total().over(by_day().rows((Bound::Included(1), Bound::Included(-1)))), "ends before it begins"),
        (total().distinct().over(by_day()), "cannot be `distinct`"),
        (total().over(window().range(-1..=0)), "needs an order"),
    ] {
        let error = Sale::query().select(value).all(&db.session()).await.expect_err(message);
        assert!(error.to_string().contains(message), "{error}");
    }
    let ordered = func::rank().over(window().order_by(Sale::amount.desc()));
    let first = Sale::query().order_by((ordered, Sale::id)).select(Sale::id).all(&db.session()).await;
    assert_eq!(first.expect("rows"), [2, 3, 4, 1, 5, 6], "in ORDER BY too");
}

sql_function! {
    /// The code of the first character.
    fn ascii_code(text: String) -> i64 = "ascii";
    /// SQLite's name of it.
    fn unicode(text: String) -> i64;
    fn coalesced(text: Option<String>, other: String) -> String = "coalesce";
    fn no_name(text: String) -> i64 = "now(); --";
}

sql_operator! {
    fn plus(left: i64, right: i64) -> i64 = "+";
    fn glob(text: String, pattern: String) -> bool = "GLOB";
    fn similar(text: String, pattern: String) -> bool = "SIMILAR TO";
    fn regexp(text: String, pattern: String) -> bool = "REGEXP";
    fn no_sign(left: i64, right: i64) -> i64 = "+ 1); --";
}

#[tokio::test]
async fn functions_and_operators_of_ones_own_have_types() {
    let db = filled().await;
    let first = func::substr(Item::name, 3, 1);
    let codes = if Backend::current() == Backend::Sqlite { unicode(first) } else { ascii_code(first) };
    assert_eq!(each(&db, codes).await, [112, 48, 99]);
    assert_eq!(each(&db, coalesced(Item::nick, "-")).await, texts(["apple", "-", ""]), "NULL is taken care of");
    assert_eq!(each(&db, func::function::<String>("replace", (Item::name, "abc", "x"))).await[2], "xx");
    assert_eq!(each(&db, func::function::<f64>("round", (Item::weight,))).await[1], -3.0);
    assert!(refused(&db, func::function::<String>("lower", (Item::nick,))).await.contains("`.optional()`"));
    assert_eq!(each(&db, func::function::<Option<String>>("lower", (Item::nick,))).await[1], None);
    assert_eq!(each(&db, plus(Item::count, 3) * 2).await, [40, -28, 12]);
    let pattern = |of: &dyn Fn(&'static str) -> Expr<bool>| of(Backend::current().pick("ab*", "ab%", "^ab"));
    let condition = pattern(&|text| match Backend::current() {
        Backend::Sqlite => glob(Item::name, text),
        Backend::Postgres => similar(Item::name, text),
        Backend::MariaDb => regexp(Item::name, text),
    });
    assert_eq!(ids(&db, condition.clone() & Item::id.gt(0)).await, [3]);
    assert_eq!(ids(&db, !condition).await, [1, 2]);
    assert_eq!(each(&db, Item::count.op::<i64>("-", 1_i64).op::<i64>("*", Item::id)).await, [16, -36, 6]);
    assert!(refused(&db, no_name(Item::name)).await.contains("no name of a function"));
    assert!(refused(&db, no_sign(Item::count, 1)).await.contains("no operator"));
}

#[tokio::test]
async fn sql_of_ones_own_takes_values_and_columns() -> Result<()> {
    let db = filled().await;
    assert_eq!(each(&db, sql_expr::<i64>("? * ? + 1").bind(Item::count).bind(2_i64)).await, [35, -33, 7]);
    let condition = sql_expr::<bool>("? BETWEEN ? AND ?").bind(Item::count).bind(0_i64).bind(10_i64);
    assert_eq!(ids(&db, condition.clone().into()).await, [3]);
    assert_eq!(ids(&db, !condition.clone()).await, [1, 2]);
    assert_eq!(ids(&db, condition | Item::id.eq(1)).await, [1, 3]);
    let text = sql_expr::<String>("'?' || ? || 'it''s ?'").bind("' OR 1 = 1 --");
    if Backend::current() != Backend::MariaDb {
        assert_eq!(each(&db, text).await[0], "?' OR 1 = 1 --it's ?");
    }
    let sum = sql_expr::<Option<i64>>("max(?)").bind(Item::count);
    assert_eq!(Item::query().select(sum).one(&db.session()).await?, Some(17));
    let ordered = Item::query().order_by(sql_expr::<i64>("abs(? - ?)").bind(Item::count).bind(3_i64));
    assert_eq!(ordered.select(Item::id).all(&db.session()).await?, [3, 1, 2]);
    let session = db.session();
    let changed = Item::query().filter(Item::id.eq(1));
    changed.update(Item::count.set(sql_expr("? + ?").bind(Item::count).bind(100_i64))).execute(&session).await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT count FROM item WHERE id = 1"), ["117"]);
    let error = refused(&db, sql_expr::<i64>("? + ?").bind(1_i64)).await;
    assert!(error.contains("has 2 placeholders, and 1 values are bound"), "{error}");
    Ok(())
}

#[tokio::test]
async fn conditions_are_values() {
    let db = filled().await;
    assert_eq!(each(&db, Item::count.gt(0)).await, [true, false, true]);
    assert_eq!(each(&db, Item::count.gt(0) & !Item::sold.eq(true)).await, [false, false, true]);
    assert_eq!(each(&db, Item::nick.is_null()).await, [false, true, false]);
    assert_eq!(each(&db, Item::nick.eq("apple").optional()).await, [Some(true), None, Some(false)]);
    assert_eq!(each(&db, Item::name.contains("%")).await, [false, true, false]);
    assert_eq!(each(&db, Item::id.in_([1, 2])).await, [true, true, false]);
    assert_eq!(each(&db, (Item::id, Item::sold).eq((1, true))).await, [true, false, false]);
    let grouped = Item::query().group_by(Item::count.gt(0)).order_by(Item::count.gt(0));
    let rows = grouped.select((Item::count.gt(0), count_all())).all(&db.session()).await.expect("groups");
    assert_eq!(rows, [(false, 1), (true, 2)]);
}

#[tokio::test]
async fn updates_write_expressions() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let all = Item::query();
    all.update((
        Item::name.set(case().when(Item::sold.eq(true), "sold").else_(func::trim(Item::name))),
        Item::ended.set(Item::seen + func::days(1)),
        Item::stock.set(func::nullif(Item::stock, 0)),
    ))
    .execute(&session)
    .await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT name, stock FROM item ORDER BY id"), ["sold|5", "100%_pure!|NULL", "abcabc|NULL"]);
    assert_eq!(each(&db, Item::ended).await[1], Some(instant("2026-01-01T23:30:00Z")));
    Ok(())
}

#[tokio::test]
async fn what_is_not_native_is_refused_wherever_it_stands() {
    needs!(Sqlite | MariaDb, "ILIKE is PostgreSQL's own");
    let db = filled().await;
    let session = db.session();
    db.statements();
    let odd = || Item::name.ilike("a%");
    let query = || Item::query().filter(odd());
    let errors = [
        query().all(&session).await.map(|_| ()).expect_err("a filter"),
        query().count(&session).await.map(|_| ()).expect_err("a count"),
        query().exists(&session).await.map(|_| ()).expect_err("an exists"),
        query().delete().execute(&session).await.map(|_| ()).expect_err("a delete"),
        Item::query().update(Item::sold.set(odd())).execute(&session).await.map(|_| ()).expect_err("an update"),
        Item::query().order_by(odd()).first(&session).await.map(|_| ()).expect_err("an order"),
        Item::query().filter(Item::id.in_(query().select(Item::id))).all(&session).await.map(|_| ()).expect_err("in"),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains("ILIKE is PostgreSQL's alone"), "{error}");
    }
    assert_eq!(db.statements(), [""; 0]);
}
