use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use uuid::Uuid;

use super::*;
use crate::error::ErrorKind;

async fn stored(value: Value<'_>) -> (String, String) {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let params = [value.clone(), value];
    rows(&mut c, "SELECT typeof(?), CAST(? AS TEXT)", &params, |row| {
        Ok((row.text(0)?.to_owned(), if row.is_null(1) { "NULL".to_owned() } else { row.text(1)?.to_owned() }))
    })
    .await
    .unwrap()
    .remove(0)
}

async fn read<T: Send>(sql: &str, read: impl FnMut(&Row<'_>) -> Result<T> + Send) -> Result<T> {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    Ok(rows(&mut c, &format!("SELECT {sql}"), &[], read).await?.remove(0))
}

/// The value, through a column of the type that the schema gives it.
async fn round_trip<T: Send>(column: &str, value: Value<'_>, read: impl FnMut(&Row<'_>) -> Result<T> + Send) -> T {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(&format!("CREATE TABLE t (v {column})")).await.unwrap();
    c.execute("INSERT INTO t VALUES (?)", &[value]).await.unwrap();
    rows(&mut c, "SELECT v FROM t", &[], read).await.unwrap().remove(0)
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn datetime(text: &str) -> DateTime {
    text.parse().unwrap()
}

fn timestamp(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[tokio::test]
async fn values_are_stored_in_the_documented_form() {
    let pair = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
    let uuid: Uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap();
    assert_eq!(stored(Value::Null).await, pair("null", "NULL"));
    assert_eq!(stored(Value::Bool(true)).await, pair("integer", "1"));
    assert_eq!(stored(Value::Int(-5)).await, pair("integer", "-5"));
    assert_eq!(stored(Value::UInt(7)).await, pair("integer", "7"));
    assert_eq!(stored(Value::Float(0.5)).await, pair("real", "0.5"));
    assert_eq!(stored(Value::Double(-1.25)).await, pair("real", "-1.25"));
    assert_eq!(stored(Value::Text("".into())).await, pair("text", ""));
    assert_eq!(stored(Value::Text("grün".into())).await, pair("text", "grün"));
    assert_eq!(stored(Value::Bytes(Cow::Borrowed(b"ab"))).await, pair("blob", "ab"));
    assert_eq!(stored(Value::Bytes(Cow::Borrowed(b""))).await, pair("blob", ""));
    assert_eq!(stored(Value::Uuid(uuid)).await, pair("text", "67e55044-10b1-426f-9247-bb680e5fe0c8"));
    assert_eq!(stored(Value::Decimal("12.50".into())).await, pair("real", "12.5"));
    assert_eq!(stored(Value::Decimal("-12.00".into())).await, pair("integer", "-12"));
    assert_eq!(stored(Value::Date(date("2024-02-29"))).await, pair("text", "2024-02-29"));
    assert_eq!(stored(Value::Time(Time::constant(7, 5, 9, 0))).await, pair("text", "07:05:09.000000"));
    assert_eq!(stored(Value::Time(Time::constant(7, 5, 9, 1_000))).await, pair("text", "07:05:09.000001"));
    assert_eq!(stored(Value::Time(Time::constant(7, 5, 9, 1))).await, pair("text", "07:05:09.000000001"));
    assert_eq!(
        stored(Value::DateTime(datetime("0044-03-15T12:00:00.25"))).await,
        pair("text", "0044-03-15 12:00:00.250000")
    );
    assert_eq!(
        stored(Value::Timestamp(timestamp("2024-07-01T10:00:00+02:00"))).await,
        pair("text", "2024-07-01 08:00:00.000000")
    );
    assert_eq!(stored(Value::Json("[1]".into())).await, pair("text", "[1]"));
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went() {
    let uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    assert!(round_trip("INTEGER", Value::Null, |row| Ok(row.is_null(0))).await);
    assert!(round_trip("BOOLEAN", Value::Bool(true), |row| row.boolean(0)).await);
    for v in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(round_trip("BIGINT", Value::Int(v), |row| row.integer(0)).await, v);
    }
    assert_eq!(round_trip("BIGINT", Value::UInt(i64::MAX as u64), |row| row.unsigned(0)).await, i64::MAX as u64);
    assert_eq!(round_trip("FLOAT", Value::Float(0.1), |row| row.double(0)).await as f32, 0.1f32);
    for v in [0.1, -0.0, 2.0, 1e300, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY] {
        let back = round_trip("DOUBLE", Value::Double(v), |row| row.double(0)).await;
        assert_eq!(back, v);
    }
    for v in ["", "a", "grün\0🦀", "12"] {
        assert_eq!(round_trip("VARCHAR(80)", Value::Text(v.into()), |row| Ok(row.text(0)?.to_owned())).await, v);
    }
    for v in [&b""[..], b"\xff\0\x01"] {
        assert_eq!(round_trip("BLOB", Value::Bytes(v.into()), |row| Ok(row.bytes(0)?.to_owned())).await, v);
    }
    assert_eq!(round_trip("CHAR(36)", Value::Uuid(uuid), |row| row.uuid(0)).await, uuid);
    for v in ["1970-01-01", "9999-12-31", "-009999-01-01", "0000-01-01"] {
        assert_eq!(round_trip("DATE", Value::Date(date(v)), |row| row.date(0)).await, date(v), "{v}");
    }
    for v in [Time::MIN, Time::MAX, Time::constant(12, 30, 0, 500_000_000)] {
        assert_eq!(round_trip("TIME", Value::Time(v), |row| row.time(0)).await, v);
    }
    for v in [DateTime::MIN, DateTime::MAX, datetime("2024-02-29T23:59:59.999999")] {
        assert_eq!(round_trip("DATETIME", Value::DateTime(v), |row| row.datetime(0)).await, v);
    }
    for v in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH, timestamp("2024-02-29T23:59:59.123456789Z")] {
        assert_eq!(round_trip("TIMESTAMP", Value::Timestamp(v), |row| row.timestamp(0)).await, v);
    }
    for v in ["{\"a\":[1,null]}", "null", "\"x\"", "7", "1.5"] {
        assert_eq!(round_trip("JSON", Value::Json(v.into()), |row| Ok(row.json(0)?.to_owned())).await, v);
    }
}

#[tokio::test]
async fn decimals_come_back_without_their_trailing_zeros() {
    for (v, back) in [
        ("0", "0"),
        ("12.50", "12.5"),
        ("-0.000001", "-0.000001"),
        ("123456789012345", "123456789012345"),
        ("1234567890.12345", "1234567890.12345"),
        ("100000000000000000000", "100000000000000000000"),
        ("0.1", "0.1"),
        ("+3.0", "3"),
    ] {
        let read = |row: &Row<'_>| Ok(row.decimal(0)?.into_owned());
        assert_eq!(round_trip("NUMERIC(38, 6)", Value::Decimal(v.into()), read).await, back);
    }
    assert_eq!(read("'12.50'", |row| Ok(row.decimal(0)?.into_owned())).await.unwrap(), "12.50", "text is left alone");
}

#[tokio::test]
async fn a_decimal_compares_as_a_number_beside_an_expression() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    let more = rows(&mut c, "SELECT (1 + 1) > ?", &[Value::Decimal("1.5".into())], |row| row.boolean(0)).await.unwrap();
    assert_eq!(more, [true]);
}

#[tokio::test]
async fn what_sqlite_cannot_store_is_refused() {
    let engine = memory().await;
    let mut c = acquire(&engine).await;
    for (value, message) in [
        (Value::UInt(u64::MAX), "value 2 of the statement: the integer is above 9223372036854775807"),
        (Value::Float(f32::NAN), "SQLite cannot store NaN"),
        (Value::Double(f64::NAN), "SQLite cannot store NaN"),
        (Value::Decimal("1234567890.1234567".into()), "17 significant digits, and SQLite keeps 15"),
        (Value::Decimal("1e5".into()), "other characters than digits"),
        (Value::Decimal("".into()), "other characters than digits"),
    ] {
        let error = c.execute("SELECT ?, ?", &[Value::Null, value]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.statement(), Some("SELECT ?, ?"));
    }
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
    assert_eq!(refused("'x'", |row| row.integer(0)).await, "expected an integer, found text");
    assert_eq!(refused("1.5", |row| row.integer(0)).await, "expected an integer, found a float");
    assert_eq!(refused("NULL", |row| row.integer(0)).await, "the value is NULL, and the Rust type is not an Option");
    assert_eq!(refused("-1", |row| row.unsigned(0)).await, "-1 is out of range for `u64`");
    assert!(refused("2", |row| row.boolean(0)).await.contains("neither 0 nor 1"));
    assert!(refused("'1'", |row| row.double(0)).await.contains("found text"));
    assert!(refused("1", |row| row.text(0).map(drop)).await.contains("expected text, found an integer"));
    assert!(refused("x'00'", |row| row.text(0).map(drop)).await.contains("found bytes"));
    assert!(refused("1", |row| row.bytes(0).map(drop)).await.contains("expected bytes"));
    assert!(refused("x'00'", |row| row.uuid(0)).await.contains("16 bytes"));
    assert!(refused("'{67e55044-10b1-426f-9247-bb680e5fe0c8}'", |row| row.uuid(0)).await.contains("not a UUID"));
    assert!(refused("'1e5'", |row| row.decimal(0).map(drop)).await.contains("not a decimal number"));
    assert!(refused("9e999", |row| row.decimal(0).map(drop)).await.contains("infinite"));
    assert!(refused("'2024-02-30'", |row| row.date(0)).await.contains("not a date"));
    assert!(refused("'2024-02-01 00:00:00'", |row| row.date(0)).await.contains("not a date"));
    assert!(refused("'25:00'", |row| row.time(0)).await.contains("not a time"));
    assert!(refused("'2024-02-01 10:00:00+02:00'", |row| row.datetime(0)).await.contains("without a zone"));
    assert!(refused("'2024-02-01x10:00:00'", |row| row.timestamp(0)).await.contains("not a timestamp"));
    assert!(refused("1", |row| row.timestamp(0)).await.contains("found an integer"));
    assert!(refused("x'00'", |row| row.json(0).map(drop)).await.contains("expected JSON"));
}

#[tokio::test]
async fn a_position_past_the_end_of_the_row_is_an_error() {
    let error = read("1, 2", |row| row.integer(2)).await.unwrap_err();
    assert_eq!(error.to_string(), "the row has 2 columns, and none at position 2");
    assert!(read("1, 2", |row| row.integer(usize::MAX)).await.is_err());
    assert_eq!(read("1, 2", |row| Ok(row.len())).await.unwrap(), 2);
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error_and_still_there_as_bytes() {
    let error = read("CAST(x'61ff' AS TEXT)", |row| row.text(0).map(drop)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("not UTF-8"), "{error}");
    assert_eq!(read("CAST(x'61ff' AS TEXT)", |row| Ok(row.bytes(0)?.to_owned())).await.unwrap(), b"a\xff");
}

#[tokio::test]
async fn one_value_may_be_read_in_several_forms() {
    let both = |row: &Row<'_>| {
        let bytes = row.bytes(0)?;
        let text = row.text(0)?;
        Ok((bytes.to_owned(), text.to_owned(), row.bytes(0)?.as_ptr() == bytes.as_ptr()))
    };
    // The value is made by an expression, so that SQLite has not ended it with a NUL yet.
    let (bytes, text, same) = read("substr('abcdef', 2, 3)", both).await.unwrap();
    assert_eq!((bytes.as_slice(), text.as_str(), same), (&b"bcd"[..], "bcd", true));
}

#[tokio::test]
async fn other_writers_forms_of_dates_and_uuids_are_read() {
    let noon = datetime("2024-02-01T12:00:00");
    for text in ["2024-02-01 12:00:00", "2024-02-01T12:00", "2024-02-01 12:00:00.0Z", "2024-02-01 12:00:00+00:00"] {
        assert_eq!(read(&format!("'{text}'"), |row| row.datetime(0)).await.unwrap(), noon, "{text}");
    }
    assert_eq!(read("'2024-02-01'", |row| row.datetime(0)).await.unwrap(), datetime("2024-02-01T00:00:00"));
    let instant = timestamp("2024-02-01T12:00:00Z");
    for text in [
        "2024-02-01 12:00:00",
        "2024-02-01T12:00:00.000Z",
        "2024-02-01 13:30:00+01:30",
        "2024-02-01 07:00:00-0500",
        "2024-02-01 14:00:00 +02",
    ] {
        assert_eq!(read(&format!("'{text}'"), |row| row.timestamp(0)).await.unwrap(), instant, "{text}");
    }
    assert!(read("CURRENT_TIMESTAMP", |row| row.timestamp(0)).await.is_ok());
    let uuid = Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    for text in [
        "'67e5504410b1426f9247bb680e5fe0c8'",
        "'67E55044-10B1-426F-9247-BB680E5FE0C8'",
        "x'67e5504410b1426f9247bb680e5fe0c8'",
    ] {
        assert_eq!(read(text, |row| row.uuid(0)).await.unwrap(), uuid, "{text}");
    }
}
