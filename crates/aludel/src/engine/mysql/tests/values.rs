use jiff::Timestamp;
use jiff::civil::{date, datetime, time};
use uuid::Uuid;

use super::*;
use crate::error::{Error, ErrorKind};

/// Stores a value in a column of a type; what a connection without Aludel reads there as text.
async fn stored(ty: &str, value: Value<'_>) -> Result<Option<String>> {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(&format!("CREATE TABLE t (v {ty})")).await.unwrap();
    c.execute("INSERT INTO t VALUES (?)", &[value]).await?;
    let mut stranger = database.stranger().await;
    Ok(stranger.query_first::<Option<String>, _>("SELECT v FROM t").await.unwrap().unwrap())
}

/// What `read` makes of an expression.
async fn read<T: Send>(expression: &str, read: impl FnMut(&Row<'_>) -> Result<T> + Send) -> Result<T> {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    Ok(rows(&mut c, &format!("SELECT {expression}"), &[], read).await?.remove(0))
}

#[tokio::test]
async fn each_value_is_stored_as_what_it_is() {
    let uuid = Uuid::from_u128(0x0123_4567_89ab_7def_8123_4567_89ab_cdef);
    let when: Timestamp = "2024-02-29T23:30:15.123456789Z".parse().unwrap();
    for (ty, value, expected) in [
        ("BOOLEAN", Value::Bool(true), "1"),
        ("BIGINT", Value::Int(i64::MIN), "-9223372036854775808"),
        ("BIGINT UNSIGNED", Value::UInt(u64::MAX), "18446744073709551615"),
        ("FLOAT", Value::Float(0.5), "0.5"),
        ("DOUBLE", Value::Double(0.1), "0.1"),
        ("VARCHAR(20)", Value::Text("grüße 🦀 'x'".into()), "grüße 🦀 'x'"),
        ("UUID", Value::Uuid(uuid), "01234567-89ab-7def-8123-456789abcdef"),
        ("CHAR(36)", Value::Uuid(uuid), "01234567-89ab-7def-8123-456789abcdef"),
        (
            "DECIMAL(65, 30)",
            Value::Decimal("-12345678901234567890.5".into()),
            "-12345678901234567890.500000000000000000000000000000",
        ),
        ("DATE", Value::Date(date(2024, 2, 29)), "2024-02-29"),
        ("TIME(6)", Value::Time(time(23, 59, 59, 999_999_999)), "23:59:59.999999"),
        ("DATETIME(6)", Value::DateTime(datetime(1999, 12, 31, 23, 59, 59, 5_000)), "1999-12-31 23:59:59.000005"),
        ("DATETIME(6)", Value::Timestamp(when), "2024-02-29 23:30:15.123456"),
        ("JSON", Value::Json("{\"a\": [1, null]}".into()), "{\"a\": [1, null]}"),
    ] {
        let shown = format!("{ty} {value:?}");
        let stored = stored(ty, value).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(stored.as_deref(), Some(expected), "{shown}");
    }
    assert_eq!(stored("INT", Value::Null).await.unwrap(), None);
}

#[tokio::test]
async fn each_value_comes_back_as_it_went() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(
        "CREATE TABLE t (a BOOLEAN, b BIGINT, c BIGINT UNSIGNED, d FLOAT, e DOUBLE, f LONGTEXT, g LONGBLOB, h UUID,
            i DECIMAL(20, 5), j DATE, k TIME(6), l DATETIME(6), m DATETIME(6), n JSON, o CHAR(36), p ENUM('x', 'y'), q BIT(1))",
    )
    .await
    .unwrap();
    let uuid = Uuid::from_u128(7);
    let when: Timestamp = "1960-01-02T03:04:05.000006Z".parse().unwrap();
    let bytes = [0u8, 255, 39, 92, 195, 40];
    let params = [
        Value::Bool(true),
        Value::Int(-5),
        Value::UInt(u64::MAX),
        Value::Float(1.25),
        Value::Double(f64::MAX),
        Value::Text("é\0'\\".into()),
        Value::Bytes(bytes[..].into()),
        Value::Uuid(uuid),
        Value::Decimal("10.50".into()),
        Value::Date(date(1, 1, 1)),
        Value::Time(time(1, 2, 3, 4_000)),
        Value::DateTime(datetime(9999, 12, 31, 0, 0, 0, 0)),
        Value::Timestamp(when),
        Value::Json("[1.5, \"ä\"]".into()),
        Value::Uuid(uuid),
        Value::Text("y".into()),
        Value::Bool(true),
    ];
    let places = vec!["?"; params.len()].join(", ");
    c.execute(&format!("INSERT INTO t VALUES ({places})"), &params).await.unwrap();
    let check = |row: &Row<'_>| {
        assert!(row.boolean(0)?);
        assert_eq!(row.integer(1)?, -5);
        assert_eq!(row.unsigned(2)?, u64::MAX);
        assert_eq!(row.double(3)?, 1.25);
        assert_eq!(row.double(4)?, f64::MAX);
        assert_eq!(row.text(5)?, "é\0'\\");
        assert_eq!(row.bytes(6)?, bytes);
        assert_eq!(row.uuid(7)?, uuid);
        assert_eq!(row.decimal(8)?, "10.50000");
        assert_eq!(row.date(9)?, date(1, 1, 1));
        assert_eq!(row.time(10)?, time(1, 2, 3, 4_000));
        assert_eq!(row.datetime(11)?, datetime(9999, 12, 31, 0, 0, 0, 0));
        assert_eq!(row.timestamp(12)?, when);
        assert_eq!(row.json(13)?, "[1.5, \"ä\"]");
        assert_eq!(row.uuid(14)?, uuid);
        assert_eq!(row.text(15)?, "y");
        assert!(row.boolean(16)?);
        assert_eq!(row.len(), 17);
        Ok(())
    };
    rows(&mut c, "SELECT * FROM t", &[], check).await.unwrap();
    let conditions = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14].map(|at: usize| params[at].clone());
    let found = rows(
        &mut c,
        "SELECT count(*) FROM t WHERE a = ? AND b = ? AND c = ? AND e = ? AND f = ? AND g = ? AND h = ? AND i = ? AND j = ?
            AND k = ? AND l = ? AND m = ? AND o = ?",
        &conditions,
        |row| row.integer(0),
    );
    assert_eq!(found.await.unwrap(), [1], "each value is found by itself");
    c.execute("DELETE FROM t", &[]).await.unwrap();
    c.execute(&format!("INSERT INTO t VALUES ({places})"), &vec![Value::Null; params.len()]).await.unwrap();
    rows(&mut c, "SELECT * FROM t", &[], |row| {
        assert!((0..row.len()).all(|at| row.is_null(at)));
        assert_eq!(row.optional_integer(1)?, None);
        assert_eq!(row.optional_text(5)?, None);
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn numbers_of_expressions_are_read_where_they_fit() {
    assert_eq!(read("SUM(n) FROM (SELECT 1 AS n UNION ALL SELECT 2) t", |row| row.integer(0)).await.unwrap(), 3);
    assert_eq!(read("SUM(n) FROM (SELECT 1 AS n) t WHERE n > 5", |row| row.optional_integer(0)).await.unwrap(), None);
    assert_eq!(read("AVG(n) FROM (SELECT 1 AS n UNION ALL SELECT 2) t", |row| row.double(0)).await.unwrap(), 1.5);
    assert_eq!(read("CAST(5 AS UNSIGNED)", |row| row.integer(0)).await.unwrap(), 5);
    assert!(read("1 = 1", |row| row.boolean(0)).await.unwrap());
    assert!(read("EXISTS (SELECT 1)", |row| row.boolean(0)).await.unwrap());
    assert_eq!(read("CAST('2.50' AS DECIMAL(5, 2))", |row| Ok(row.decimal(0)?.into_owned())).await.unwrap(), "2.50");
    assert_eq!(read("CAST(7 AS SIGNED)", |row| Ok(row.decimal(0)?.into_owned())).await.unwrap(), "7");
    assert!(read("UTC_TIMESTAMP() = NOW()", |row| row.boolean(0)).await.unwrap(), "the session is in UTC");
}

async fn mistake<T: Send>(expression: &str, wrong: impl FnMut(&Row<'_>) -> Result<T> + Send) -> String {
    let error: Error = read(expression, wrong).await.err().expect(expression);
    assert_eq!((error.kind(), error.position()), (ErrorKind::Decode, Some(0)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error() {
    assert_eq!(mistake("'x'", |row| row.integer(0)).await, "expected an integer, found text");
    assert_eq!(mistake("5", |row| row.text(0).map(drop)).await, "expected text, found an integer");
    assert_eq!(mistake("X'00'", |row| row.text(0).map(drop)).await, "expected text, found bytes");
    assert_eq!(mistake("1.5", |row| row.integer(0)).await, "the value is not an integer of 64 bits");
    assert_eq!(mistake("1.5e0", |row| row.integer(0)).await, "expected an integer, found a float");
    assert_eq!(mistake("2", |row| row.boolean(0)).await, "the value is not a boolean: the integer is neither 0 nor 1");
    assert_eq!(mistake("NULL", |row| row.integer(0)).await, "the value is NULL, and the Rust type is not an Option");
    assert_eq!(mistake("-1", |row| row.unsigned(0)).await, "-1 is out of range for `u64`");
    assert_eq!(
        mistake("CAST(18446744073709551615 AS UNSIGNED)", |row| row.integer(0)).await,
        "18446744073709551615 is out of range for `i64`"
    );
    assert_eq!(mistake("NOW()", |row| row.date(0)).await, "expected a date, found a date and time");
    assert!(mistake("CAST('25:00:00' AS TIME)", |row| row.time(0)).await.contains("time of day"));
    assert!(mistake("CAST('-01:00:00' AS TIME)", |row| row.time(0)).await.contains("time of day"));
    assert!(mistake("'no'", |row| row.uuid(0)).await.contains("not a UUID"));
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let error = rows(&mut c, "SELECT 1", &[], |row| row.integer(3)).await.unwrap_err();
    assert_eq!(error.to_string(), "the row has 1 columns, and none at position 3");
}

#[tokio::test]
async fn a_value_that_cannot_be_sent_names_its_place() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    for (value, kind, expected) in [
        (Value::Double(f64::NAN), ErrorKind::Decode, "value 2 of the statement: MariaDB and MySQL store neither NaN"),
        (
            Value::Float(f32::INFINITY),
            ErrorKind::Decode,
            "value 2 of the statement: MariaDB and MySQL store neither NaN",
        ),
        (
            Value::Date(date(-1, 1, 1)),
            ErrorKind::Decode,
            "value 2 of the statement: MariaDB and MySQL store no dates before",
        ),
        (Value::Invalid("too large".into()), ErrorKind::Decode, "value 2 of the statement: too large"),
    ] {
        let error = c.execute("SELECT ?, ?", &[Value::Int(1), value]).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_date_that_is_none_is_a_decode_error() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(
        "SET sql_mode = ''; CREATE TABLE t (v DATE, w DATETIME(6)); INSERT INTO t VALUES ('0000-00-00', 0)",
    )
    .await
    .unwrap();
    let error = rows(&mut c, "SELECT v FROM t", &[], |row| row.date(0)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::Decode, "the value is not a date (`YYYY-MM-DD`)")
    );
    assert!(rows(&mut c, "SELECT w FROM t", &[], |row| row.timestamp(0)).await.is_err());
}

#[tokio::test]
async fn statements_without_a_binary_form_are_read_too() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT)").await.unwrap();
    let read = rows(&mut c, "CHECK TABLE t", &[], |row| Ok(row.text(3)?.to_owned())).await.unwrap();
    assert_eq!(read, ["OK"]);
    let read = rows(&mut c, "SHOW TABLE STATUS LIKE 't'", &[], |row| row.optional_integer(4)).await.unwrap();
    assert_eq!(read, [Some(0)]);
}
