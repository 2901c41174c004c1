use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

use super::*;
use crate::error::ErrorKind;

/// The value through a column: what the stranger reads of it as text, and what comes back.
async fn round_trip<T: Send>(
    column: &str,
    value: Value<'_>,
    read: impl FnMut(&Row<'_>) -> Result<T> + Send,
) -> (String, T) {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(&format!("CREATE TABLE t (v {column})")).await.unwrap();
    c.execute("INSERT INTO t VALUES ($1)", &[value]).await.unwrap();
    let back = rows(&mut c, "SELECT v FROM t", &[], read).await.unwrap().remove(0);
    let text = schema.text("SELECT v::text FROM t").await.unwrap_or_else(|| "NULL".to_owned());
    schema.drop().await;
    (text, back)
}

async fn read<T: Send>(sql: &str, read: impl FnMut(&Row<'_>) -> Result<T> + Send) -> Result<T> {
    let engine = Engine::connect(&DatabaseUrl::parse(&server()).unwrap(), &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    Ok(rows(&mut c, &format!("SELECT {sql}"), &[], read).await?.remove(0))
}

fn stored<T>(text: &str, value: T) -> (String, T) {
    (text.to_owned(), value)
}

#[tokio::test]
async fn integers_and_booleans_come_back_as_they_went() {
    for (column, values) in [
        ("SMALLINT", [i16::MIN.into(), -1, i16::MAX.into()]),
        ("INTEGER", [i32::MIN.into(), -1, i32::MAX.into()]),
        ("BIGINT", [i64::MIN, 0, i64::MAX]),
        ("NUMERIC(30, 0)", [i64::MIN, 120_000, i64::MAX]),
        ("OID", [0, 7, u32::MAX.into()]),
    ] {
        for v in values {
            let expected = stored(&v.to_string(), v);
            assert_eq!(round_trip(column, Value::Int(v), |row| row.integer(0)).await, expected, "{column}");
        }
    }
    assert_eq!(round_trip("BOOLEAN", Value::Bool(true), |row| row.boolean(0)).await, stored("true", true));
    assert_eq!(round_trip("BOOLEAN", Value::Int(0), |row| row.boolean(0)).await, stored("false", false));
    let largest = u64::MAX;
    let back = round_trip("NUMERIC(20, 0)", Value::UInt(largest), |row| row.unsigned(0)).await;
    assert_eq!(back, stored("18446744073709551615", largest));
    assert_eq!(round_trip("BIGINT", Value::UInt(7), |row| row.unsigned(0)).await, stored("7", 7));
}

#[tokio::test]
async fn null_comes_back_as_none_from_every_type() {
    for column in [
        "BIGINT",
        "BOOLEAN",
        "TEXT",
        "BYTEA",
        "UUID",
        "NUMERIC",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMPTZ",
        "JSONB",
        "REAL",
        "INTERVAL",
    ] {
        let none = |row: &Row<'_>| Ok((row.is_null(0), row.optional_integer(0)?, row.optional_text(0)?.is_none()));
        assert_eq!(round_trip(column, Value::Null, none).await, stored("NULL", (true, None, true)), "{column}");
    }
}

#[tokio::test]
async fn floats_come_back_to_the_bit() {
    for v in [0.1, -0.0, 2.0, 1e300, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        let (_, back) = round_trip("DOUBLE PRECISION", Value::Double(v), |row| row.double(0)).await;
        assert_eq!(back.to_bits(), v.to_bits());
    }
    let (text, back) = round_trip("REAL", Value::Float(0.1), |row| row.double(0)).await;
    assert_eq!((text.as_str(), back as f32), ("0.1", 0.1f32));
    assert_eq!(round_trip("NUMERIC(8, 2)", Value::Double(12.5), |row| row.double(0)).await, stored("12.50", 12.5));
    assert_eq!(round_trip("DOUBLE PRECISION", Value::Int(3), |row| row.double(0)).await, stored("3", 3.0));
    assert_eq!(read("7", |row| row.double(0)).await.unwrap(), 7.0);
}

#[tokio::test]
async fn text_and_bytes_come_back_as_they_went() {
    for column in ["TEXT", "VARCHAR(80)", "NAME"] {
        for v in ["", "a", "grün🦀", "12"] {
            let back = round_trip(column, Value::Text(v.into()), |row| Ok(row.text(0)?.to_owned())).await;
            assert_eq!(back, stored(v, v.to_owned()));
        }
    }
    for (v, text) in [(&b""[..], "\\x"), (b"\xff\0\x01", "\\xff0001")] {
        let back = round_trip("BYTEA", Value::Bytes(v.into()), |row| Ok(row.bytes(0)?.to_owned())).await;
        assert_eq!(back, stored(text, v.to_owned()));
    }
    let long = "x".repeat(300_000);
    let (_, back) = round_trip("TEXT", Value::Text(long.as_str().into()), |row| Ok(row.text(0)?.to_owned())).await;
    assert!(back == long, "a text longer than the buffer");
}

#[tokio::test]
async fn uuids_and_json_come_back_as_they_went() {
    let uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    assert_eq!(round_trip("UUID", Value::Uuid(uuid), |row| row.uuid(0)).await, stored(text, uuid));
    assert_eq!(round_trip("CHAR(36)", Value::Uuid(uuid), |row| row.uuid(0)).await, stored(text, uuid));
    for column in ["JSON", "JSONB", "TEXT"] {
        for v in ["{\"a\": [1, null]}", "null", "\"x\"", "7", "1.5"] {
            let back = round_trip(column, Value::Json(v.into()), |row| Ok(row.json(0)?.to_owned())).await;
            assert_eq!(back, stored(v, v.to_owned()), "{column}");
        }
    }
}

#[tokio::test]
async fn decimals_keep_every_digit() {
    for v in ["0", "12.50", "-0.000001", "123456789012345678901234567890.123456789", "10000", "-1"] {
        let back = round_trip("NUMERIC", Value::Decimal(v.into()), |row| Ok(row.decimal(0)?.into_owned())).await;
        assert_eq!(back, stored(v, v.to_owned()));
    }
    let back =
        round_trip("NUMERIC(10, 3)", Value::Decimal("+1.5".into()), |row| Ok(row.decimal(0)?.into_owned())).await;
    assert_eq!(back, stored("1.500", "1.500".to_owned()));
    assert_eq!(read("7::bigint", |row| Ok(row.decimal(0)?.into_owned())).await.unwrap(), "7");
}

#[tokio::test]
async fn dates_and_times_come_back_in_microseconds() {
    let date = |text: &str| text.parse::<Date>().unwrap();
    for (v, text) in [
        ("1970-01-01", "1970-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("2000-02-29", "2000-02-29"),
        ("0000-12-31", "0001-12-31 BC"),
    ] {
        assert_eq!(round_trip("DATE", Value::Date(date(v)), |row| row.date(0)).await, stored(text, date(v)));
    }
    let time = Time::constant(7, 5, 9, 123_456_000);
    assert_eq!(round_trip("TIME", Value::Time(time), |row| row.time(0)).await, stored("07:05:09.123456", time));
    let fine = Time::constant(23, 59, 59, 999_999_999);
    let cut = Time::constant(23, 59, 59, 999_999_000);
    assert_eq!(round_trip("TIME", Value::Time(fine), |row| row.time(0)).await, stored("23:59:59.999999", cut));
    let v: DateTime = "2024-02-29T23:59:59.999999".parse().unwrap();
    let back = round_trip("TIMESTAMP", Value::DateTime(v), |row| row.datetime(0)).await;
    assert_eq!(back, stored("2024-02-29 23:59:59.999999", v));
    let v: DateTime = "-000043-03-15T12:00:00.25".parse().unwrap();
    let back = round_trip("TIMESTAMP", Value::DateTime(v), |row| row.datetime(0)).await;
    assert_eq!(back, stored("0044-03-15 12:00:00.25 BC", v));
    let v: Timestamp = "2024-07-01T10:00:00.5+02:00".parse().unwrap();
    let (_, back) = round_trip("TIMESTAMPTZ", Value::Timestamp(v), |row| row.timestamp(0)).await;
    assert_eq!(back, v);
    let v: Timestamp = "-000043-03-15T12:00:00Z".parse().unwrap();
    let (_, back) = round_trip("TIMESTAMPTZ", Value::Timestamp(v), |row| row.timestamp(0)).await;
    assert_eq!(back, v);
}

#[tokio::test]
async fn types_that_the_library_does_not_know_go_and_come_as_text() {
    let schema = Schema::new().await;
    let engine = schema.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS integer CHECK (value > 0); \
         CREATE TABLE t (m mood, p positive, i interval, a integer[], n inet, d daterange)",
    )
    .await
    .unwrap();
    let text = |v: &'static str| Value::Text(v.into());
    let params =
        [text("happy"), Value::Int(7), text("1 day"), text("{1,2}"), text("10.0.0.1"), text("[2024-01-01,2024-02-01)")];
    c.execute("INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6)", &params).await.unwrap();
    let all = |row: &Row<'_>| {
        let texts = [0, 2, 3, 4, 5].map(|at| row.text(at).map(str::to_owned));
        Ok((texts.into_iter().collect::<Result<Vec<_>>>()?, row.integer(1)?))
    };
    let back = rows(&mut c, "SELECT * FROM t WHERE m = $1", &[text("happy")], all).await.unwrap();
    let texts = ["happy", "1 day", "{1,2}", "10.0.0.1", "[2024-01-01,2024-02-01)"].map(str::to_owned).to_vec();
    assert_eq!(back, [(texts, 7)]);
    let error = c.execute("INSERT INTO t (m) VALUES ($1)", &[text("secret")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    schema.drop().await;
}

#[tokio::test]
async fn a_parameter_that_is_text_takes_every_value_as_its_text() {
    let timestamp: Timestamp = "2024-02-01T12:00:00Z".parse().unwrap();
    let engine = Engine::connect(&DatabaseUrl::parse(&server()).unwrap(), &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    for (value, text) in [
        (Value::Int(-5), "-5"),
        (Value::UInt(u64::MAX), "18446744073709551615"),
        (Value::Bool(true), "true"),
        (Value::Double(1.5), "1.5"),
        (Value::Double(f64::NEG_INFINITY), "-Infinity"),
        (Value::Decimal("1.50".into()), "1.50"),
        (Value::Date(Date::constant(2024, 2, 1)), "2024-02-01"),
        (Value::Time(Time::constant(7, 5, 9, 0)), "07:05:09"),
        (Value::DateTime(Date::constant(-43, 3, 15).at(12, 0, 0, 0)), "0044-03-15 12:00:00 BC"),
        (Value::Timestamp(timestamp), "2024-02-01 12:00:00+00"),
    ] {
        let back = rows(&mut c, "SELECT $1::text", &[value], |row| Ok(row.text(0)?.to_owned())).await.unwrap();
        assert_eq!(back, [text]);
    }
    let back = rows(&mut c, "SELECT $1::date", &[Value::Text("2024-02-01".into())], |row| row.date(0)).await.unwrap();
    assert_eq!(back, [Date::constant(2024, 2, 1)], "and text goes to every type");
}

#[tokio::test]
async fn what_a_parameter_cannot_take_is_refused_with_its_number() {
    let engine = Engine::connect(&DatabaseUrl::parse(&server()).unwrap(), &EngineOptions::new()).await.unwrap();
    let mut c = acquire(&engine).await;
    let uuid = Uuid::nil();
    for (kind, value, message) in [
        ("int4", Value::Int(1 << 31), "value 2 of the statement: the number is out of range for the type `integer`"),
        ("int2", Value::Int(1 << 15), "out of range for the type `smallint`"),
        ("int8", Value::UInt(u64::MAX), "out of range for the type `bigint`"),
        ("float4", Value::Double(1e300), "out of range for the type `real`"),
        ("numeric", Value::Decimal("1e5".into()), "other characters than digits"),
        ("int4", Value::Uuid(uuid), "takes the type `integer` here, and the value's is uuid"),
        ("timestamptz", Value::DateTime(DateTime::default()), "takes the type `timestamptz` here"),
        ("text", Value::Text("a\0b".into()), "NUL"),
        ("text", Value::Bytes(b"x"[..].into()), "the value's is bytes"),
        ("text", Value::Invalid("the reason".into()), "the reason"),
    ] {
        let sql = format!("SELECT $1::int4, $2::{kind}");
        for _ in 0..2 {
            let error = c.execute(&sql, &[Value::Null, value.clone()]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(error.statement(), Some(sql.as_str()));
        }
    }
    let error = c.execute("SELECT $1::int4, $2::int4", &[Value::Null]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert_eq!(error.to_string(), "the statement has 2 placeholders, and 1 values were given");
    assert_eq!(integer(&mut c, "SELECT 1").await, 1, "the connection is as good as before");
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_with_its_position() {
    async fn refused<T: Send>(sql: &str, with: impl FnMut(&Row<'_>) -> Result<T> + Send) -> String {
        let Err(error) = read(sql, with).await else { panic!("{sql} was read") };
        assert_eq!(error.kind(), ErrorKind::Decode, "{sql}: {error}");
        assert_eq!(error.position(), Some(0), "{sql}");
        error.to_string()
    }
    assert_eq!(refused("'x'::text", |row| row.integer(0)).await, "expected an integer, found text");
    assert_eq!(refused("1.5::float8", |row| row.integer(0)).await, "expected an integer, found a float");
    assert_eq!(
        refused("NULL::int", |row| row.integer(0)).await,
        "the value is NULL, and the Rust type is not an Option"
    );
    assert!(refused("1.5", |row| row.integer(0)).await.contains("not an integer of 64 bits"));
    assert_eq!(refused("-1", |row| row.unsigned(0)).await, "-1 is out of range for `u64`");
    assert!(refused("1", |row| row.boolean(0)).await.contains("expected a boolean, found an integer"));
    assert!(refused("1", |row| row.text(0).map(drop)).await.contains("expected text, found an integer"));
    assert!(refused("'x'::text", |row| row.uuid(0)).await.contains("not a UUID"));
    assert!(refused("'NaN'::numeric", |row| row.decimal(0).map(drop)).await.contains("NaN"));
    assert!(refused("'Infinity'::numeric", |row| row.decimal(0).map(drop)).await.contains("infinite"));
    assert!(refused("'infinity'::date", |row| row.date(0)).await.contains("infinity"));
    assert!(refused("'-infinity'::timestamp", |row| row.datetime(0)).await.contains("infinity"));
    assert!(refused("'infinity'::timestamptz", |row| row.timestamp(0)).await.contains("infinity"));
    assert!(refused("'20000-01-01'::date", |row| row.date(0)).await.contains("beyond the years"));
    assert!(refused("'24:00'::time", |row| row.time(0)).await.contains("24:00"));
    assert!(refused("now()::timestamp", |row| row.timestamp(0)).await.contains("found a date and time without a zone"));
    let error = read("1, 2", |row| row.integer(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "the row has 2 columns, and none at position 2");
    assert_eq!(read("1, 2", |row| Ok(row.len())).await.unwrap(), 2);
}

#[tokio::test]
async fn aggregates_come_in_the_types_that_are_asked_for() {
    assert_eq!(read("sum(n::bigint) FROM generate_series(1, 10) n", |row| row.integer(0)).await.unwrap(), 55);
    assert_eq!(read("sum(n::int) FROM generate_series(1, 10) n", |row| row.integer(0)).await.unwrap(), 55);
    assert_eq!(read("avg(n::int) FROM generate_series(1, 2) n", |row| row.double(0)).await.unwrap(), 1.5);
    assert_eq!(
        read("sum(n::bigint) * 10000 FROM generate_series(1, 2) n", |row| row.integer(0)).await.unwrap(),
        30_000
    );
}
