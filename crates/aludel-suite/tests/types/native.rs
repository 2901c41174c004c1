//! Arrays, ranges, intervals and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Bound;

use crate::support::{Backend, TestDb, needs};
use aludel::ErrorKind;
use aludel::model::Range;
use aludel::prelude::*;
use aludel::schema::SqlType;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::{Span, ToSpan};
use rust_decimal::Decimal;

#[derive(Model, Clone, Debug, PartialEq, Default)]
struct Arrays {
    #[column(primary_key)]
    id: i64,
    small: Vec<i16>,
    integers: Vec<i32>,
    big: Vec<i64>,
    single: Vec<f32>,
    double: Vec<f64>,
    flags: Vec<bool>,
    texts: Vec<String>,
    uuids: Vec<Uuid>,
    days: Vec<Date>,
    clocks: Vec<Time>,
    moments: Vec<DateTime>,
    instants: Vec<Timestamp>,
    prices: Vec<Decimal>,
    hosts: Vec<IpAddr>,
    with_null: Vec<Option<String>>,
    maybe: Option<Vec<i64>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Ranges {
    #[column(primary_key)]
    id: i64,
    integers: Range<i32>,
    big: Range<i64>,
    prices: Range<Decimal>,
    moments: Range<DateTime>,
    instants: Range<Timestamp>,
    days: Range<Date>,
    maybe: Option<Range<i32>>,
}

#[derive(Model, Clone, Debug)]
struct Lease {
    #[column(primary_key)]
    id: i64,
    term: Span,
    grace: Option<Span>,
}

#[derive(Model, Clone, Debug)]
struct Host {
    #[column(primary_key)]
    id: i64,
    #[column(index)]
    address: IpAddr,
    other: Option<IpAddr>,
}

fn full() -> Arrays {
    let moment = date(2026, 11, 21).at(12, 30, 0, 123_456_000);
    Arrays {
        small: vec![i16::MIN, i16::MAX],
        integers: vec![i32::MIN, i32::MAX],
        big: vec![i64::MIN, 0, i64::MAX],
        single: vec![1.5, f32::INFINITY],
        double: vec![0.1, -1e300],
        flags: vec![true, false],
        texts: ["", "a,b", "NULL", "{", "\"quoted\" \\ ä"].map(str::to_owned).into(),
        uuids: vec![Uuid::nil(), Uuid::max()],
        days: vec![date(2026, 11, 21), date(-43, 3, 15)],
        clocks: vec![Time::MIN, moment.time()],
        moments: vec![moment],
        instants: vec![Timestamp::UNIX_EPOCH, moment.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()],
        prices: vec!["12.50".parse().unwrap()],
        hosts: vec!["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
        with_null: vec![Some("x".to_owned()), None],
        maybe: Some(vec![]),
        ..Arrays::default()
    }
}

#[tokio::test]
async fn arrays_come_back_with_all_their_elements() {
    needs!(Postgres, "arrays are PostgreSQL's");
    let test = TestDb::of(Arrays::TABLE).await;
    let session = test.session();
    session.add(full());
    session.add(Arrays::default());
    session.commit().await.unwrap();
    let seen =
        "SELECT integers[2], texts[2], cardinality(big), with_null[2] IS NULL, instants[2] FROM arrays WHERE id = 1";
    assert_eq!(test.rows(seen), ["2147483647|a,b|3|1|2026-11-21 12:30:00.123456"]);
    let session = test.session();
    let rows = Arrays::query().order_by(Arrays::id).all(&session).await.unwrap();
    assert_eq!(*rows[0], Arrays { id: 1, ..full() });
    assert_eq!(*rows[1], Arrays { id: 2, ..Arrays::default() });
    rows[1].set(Arrays::texts, vec!["new".to_owned()]);
    session.commit().await.unwrap();
    assert_eq!(test.rows("SELECT texts FROM arrays WHERE id = 2"), ["{new}"]);
}

#[tokio::test]
async fn arrays_are_searched() {
    needs!(Postgres, "arrays are PostgreSQL's");
    let test = TestDb::of(Arrays::TABLE).await;
    let session = test.session();
    let row = |texts: &[&str], big: &[i64]| {
        let texts = texts.iter().map(ToString::to_string).collect();
        Arrays { texts, big: big.to_vec(), ..Arrays::default() }
    };
    session.add(row(&["red", "green"], &[1, 2, 3]));
    session.add(row(&["green", "blue"], &[3]));
    session.add(row(&[], &[]));
    session.commit().await.unwrap();
    let found = async |condition: Expr<bool>| {
        Arrays::query().filter(condition).order_by(Arrays::id).select(Arrays::id).all(&session).await.unwrap()
    };
    assert_eq!(found(Arrays::texts.contains(["green"])).await, [1, 2]);
    assert_eq!(found(Arrays::texts.contains(["green", "blue"])).await, [2]);
    assert_eq!(found(!Arrays::texts.contains(["green"])).await, [3]);
    assert_eq!(found(Arrays::big.contains([1_i64, 3])).await, [1]);
    assert_eq!(found(Arrays::big.contained_by([3_i64, 4])).await, [2, 3]);
    assert_eq!(found(Arrays::texts.overlaps(["red", "blue"])).await, [1, 2]);
    assert_eq!(found(Arrays::texts.any("red")).await, [1]);
    assert_eq!(found(Arrays::big.any(Arrays::id)).await, [1]);
    assert_eq!(found(Arrays::big.all(3)).await, [2, 3]);
    assert_eq!(found(Arrays::big.array_length().gt(1)).await, [1]);
    assert_eq!(found(Arrays::big.eq(vec![3_i64])).await, [2]);
    let lengths: Vec<i64> =
        Arrays::query().order_by(Arrays::id).select(Arrays::big.array_length()).all(&session).await.unwrap();
    assert_eq!(lengths, [3, 1, 0]);
}

#[tokio::test]
async fn ranges_come_back_as_postgresql_writes_them() {
    needs!(Postgres, "ranges are PostgreSQL's");
    let test = TestDb::of(Ranges::TABLE).await;
    let session = test.session();
    let noon = date(2026, 11, 21).at(12, 0, 0, 0);
    let row = Ranges {
        id: 0,
        integers: Range::from(1..=4),
        big: Range::from(..9),
        prices: Range::new(Bound::Excluded(Decimal::ONE), Bound::Included("2.50".parse().unwrap())),
        moments: Range::from(noon..),
        instants: Range::from(Timestamp::UNIX_EPOCH..noon.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()),
        days: Range::empty(),
        maybe: None,
    };
    session.add(row.clone());
    session.commit().await.unwrap();
    let seen = "SELECT integers::text, big::text, prices::text, isempty(days), maybe FROM ranges";
    assert_eq!(test.rows(seen), ["[1,5)|(,9)|(1,2.50]|1|NULL"]);
    let read = test.session().get_one::<Ranges>(1).await.unwrap();
    assert_eq!(*read, Ranges { id: 1, integers: Range::from(1..5), ..row });
    session.add(Ranges { integers: Range::empty(), maybe: Some(Range::from(..)), ..row.clone() });
    session.commit().await.unwrap();
    let found = async |condition: Expr<bool>| {
        Ranges::query().filter(condition).order_by(Ranges::id).select(Ranges::id).all(&session).await.unwrap()
    };
    assert_eq!(found(Ranges::integers.contains(4)).await, [1]);
    assert!(found(Ranges::integers.contains(5)).await.is_empty());
    assert_eq!(found(Ranges::integers.contains(Range::from(2..4))).await, [1]);
    assert_eq!(found(Ranges::integers.overlaps(4..10)).await, [1]);
    assert_eq!(found(Ranges::integers.contained_by(0..10)).await, [1, 2]);
    assert_eq!(found(Ranges::maybe.contains(7)).await, [2]);
    assert_eq!(found(Ranges::moments.contains(noon)).await, [1, 2]);
    assert_eq!(found(Ranges::integers.eq(1..5)).await, [1]);
}

#[tokio::test]
async fn intervals_keep_months_days_and_microseconds_apart() {
    needs!(Postgres, "intervals are PostgreSQL's");
    let test = TestDb::of(Lease::TABLE).await;
    let session = test.session();
    session.add(Lease::build().term(14.months().days(40).hours(36).microseconds(1)));
    session.add(Lease::build().term(-3.days().minutes(90)).grace(Span::new()));
    session.commit().await.unwrap();
    let seen = "SELECT term, term = INTERVAL '14 months 40 days 36 hours 1 microsecond' FROM lease ORDER BY id";
    assert_eq!(test.rows(seen)[0], "1 year 2 mons 40 days 36:00:00.000001|1");
    let read = Lease::query().order_by(Lease::id).all(&test.session()).await.unwrap();
    assert_eq!(read[0].term.fieldwise(), 1.year().months(2).days(40).hours(36).microseconds(1));
    assert_eq!(read[1].term.fieldwise(), -3.days().hours(1).minutes(30));
    assert_eq!(read[1].grace.unwrap().fieldwise(), Span::new());
    test.change("UPDATE lease SET term = '1 month -1 day' WHERE id = 1");
    let error = Lease::query().all(&test.session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("one sign"), "{error}");
    let long = Lease::query().filter(Lease::term.gt(1.hour())).count(&session).await.unwrap();
    assert_eq!(long, 1);
}

#[tokio::test]
async fn addresses_are_stored_on_every_backend() {
    let test = TestDb::of(Host::TABLE).await;
    let session = test.session();
    for address in ["10.0.0.1", "2001:db8::1", "::ffff:10.0.0.2"] {
        session.add(Host::build().address(address.parse::<IpAddr>().unwrap()));
    }
    session.commit().await.unwrap();
    let (v6, second) = Backend::current().pick(
        ("2001:db8::1", "10.0.0.2"),
        ("2001:db8::1/128", "10.0.0.2/32"),
        ("2001:db8::1", "10.0.0.2"),
    );
    assert_eq!(
        test.rows("SELECT address, other FROM host ORDER BY id")[1..],
        [format!("{v6}|NULL"), format!("{second}|NULL")]
    );
    let session = test.session();
    let hosts = Host::query().order_by(Host::id).all(&session).await.unwrap();
    let read: Vec<String> = hosts.iter().map(|host| host.address.to_string()).collect();
    assert_eq!(read, ["10.0.0.1", "2001:db8::1", "10.0.0.2"]);
    let second: IpAddr = "10.0.0.2".parse().unwrap();
    assert_eq!(Host::query().filter(Host::address.eq(second)).count(&session).await.unwrap(), 1);
    assert_eq!(
        Host::query().filter(Host::address.in_([second, "::1".parse().unwrap()])).count(&session).await.unwrap(),
        1
    );
    hosts[0].set(Host::other, second);
    session.commit().await.unwrap();
    assert_eq!(Host::query().filter(Host::other.eq(Host::address)).count(&session).await.unwrap(), 0);
    assert_eq!(Host::query().filter(Host::other.is_not_null()).count(&session).await.unwrap(), 1);
}

#[derive(Model, Clone, Debug)]
struct Gateway {
    #[column(primary_key)]
    old: Ipv4Addr,
    new: Ipv6Addr,
    backup: Option<Ipv4Addr>,
}

#[tokio::test]
async fn addresses_of_one_version_are_stored_as_what_they_are() -> Result<()> {
    let test = TestDb::of(Gateway::TABLE).await;
    let session = test.session();
    let (old, new): (Ipv4Addr, Ipv6Addr) = ("10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
    session.add(Gateway::build().old(old).new(new));
    session.commit().await?;
    let stored = Backend::current().pick(
        "10.0.0.1|2001:db8::1|NULL",
        "10.0.0.1/32|2001:db8::1/128|NULL",
        "10.0.0.1|2001:db8::1|NULL",
    );
    assert_eq!(test.rows("SELECT old, new, backup FROM gateway"), [stored]);
    let session = test.session();
    let gateway = session.get_or_404::<Gateway>(old).await?;
    assert_eq!((gateway.old, gateway.new, gateway.backup), (old, new, None));
    gateway.set(Gateway::backup, old);
    session.commit().await?;
    assert_eq!(Gateway::query().filter(Gateway::backup.eq(old)).filter(Gateway::new.eq(new)).count(&session).await?, 1);
    let reflected = test.reflect().await?;
    let table = reflected.table("gateway").expect("the table");
    let types = |name: &str| table.column(name).map(|column| column.ty.clone()).expect("a column");
    let (four, six) = Backend::current().pick(
        (SqlType::Inet4, SqlType::Inet6),
        (SqlType::Inet, SqlType::Inet),
        (SqlType::Inet4, SqlType::Inet6),
    );
    assert_eq!((types("old"), types("new")), (four, six));
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Account {
    #[column(primary_key)]
    id: i64,
    #[column(precision = 28, scale = 2)]
    balance: Decimal,
}

#[tokio::test]
async fn decimals_are_compared_by_all_their_digits() {
    needs!(Postgres | MariaDb, "SQLite keeps 15 digits");
    let test = TestDb::of(Account::TABLE).await;
    let session = test.session();
    let balances = ["12345678901234567890.12", "12345678901234567890.13", "12345678901234567890.14"];
    let balances = balances.map(|text| text.parse::<Decimal>().unwrap());
    for balance in balances {
        session.add(Account::build().balance(balance));
        session.flush().await.unwrap();
    }
    session.commit().await.unwrap();
    let found = async |condition: Expr<bool>| {
        Account::query().filter(condition).order_by(Account::id).select(Account::id).all(&session).await.unwrap()
    };
    assert_eq!(found(Account::balance.eq(balances[1])).await, [2]);
    assert_eq!(found(Account::balance.gt(balances[1])).await, [3]);
    assert_eq!(found(Account::balance.in_([balances[0], balances[2]])).await, [1, 3]);
    let raised = Account::query().update(Account::balance.set(Account::balance + Decimal::new(1, 2)));
    raised.execute(&session).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(test.rows("SELECT balance FROM account WHERE id = 1"), ["12345678901234567890.13"]);
}

#[tokio::test]
async fn native_types_are_reflected_as_they_were_created() {
    needs!(Postgres, "arrays, ranges and intervals are PostgreSQL's");
    let test = TestDb::of((Arrays::TABLE, Ranges::TABLE, Lease::TABLE, Host::TABLE)).await;
    let reflected = test.db.reflect().await.unwrap();
    for table in test.db.metadata().tables() {
        for column in &table.columns {
            let found = &reflected.table(&table.name).unwrap().column(&column.name).unwrap().ty;
            assert_eq!(*found, column.ty, "{}.{}", table.name, column.name);
        }
    }
}

#[tokio::test]
async fn an_address_is_reflected_as_one() {
    needs!(Postgres | Sqlite, "on MariaDB an address is a text");
    let test = TestDb::of(Host::TABLE).await;
    let reflected = test.db.reflect().await.unwrap();
    assert_eq!(reflected.table("host").unwrap().column("address").unwrap().ty, SqlType::Inet);
}

#[tokio::test]
async fn elsewhere_native_types_are_refused_with_the_cure() {
    needs!(Sqlite | MariaDb, "PostgreSQL has them");
    for (models, parts) in [
        (Arrays::TABLE, ["arrays.small of `types::native::Arrays` is an array", "`Json<Vec<T>>`"]),
        (Ranges::TABLE, ["ranges.integers of `types::native::Ranges` is a range", "two columns"]),
        (Lease::TABLE, ["lease.term of `types::native::Lease` is an interval", "an integer of seconds"]),
    ] {
        let test = TestDb::without_tables(Db::builder().models(models)).await;
        let error = test.db.create_all().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(parts.iter().all(|part| error.to_string().contains(part)), "{error}");
        assert!(test.db.reflect().await.unwrap().tables().is_empty());
    }
    let test = TestDb::of(Host::TABLE).await;
    let query = Arrays::query().filter(Arrays::texts.contains(["x"]));
    let error = query.all(&test.session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`@>`"), "{error}");
    assert!(test.statements().iter().all(|sql| !sql.contains("arrays")), "nothing is sent");
}
