use super::*;
use crate::engine::BeginMode;
use crate::error::ErrorKind;

#[tokio::test]
async fn rows_of_many_columns_have_their_nulls_in_their_places() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    // The bits of the first six columns share a byte with two that mean nothing.
    for columns in [1, 5, 6, 7, 8, 13, 14, 15, 40] {
        for first in 0..3 {
            let value = |column: usize| (column + first).is_multiple_of(3).then(|| column.to_string());
            let list: Vec<String> = (0..columns).map(|column| value(column).unwrap_or("NULL".to_owned())).collect();
            let seen = rows(&mut c, &format!("SELECT {}", list.join(", ")), &[], |row| {
                (0..columns)
                    .map(|column| Ok(row.optional_integer(column)?.map(|n| n.to_string())))
                    .collect::<Result<Vec<_>>>()
            })
            .await
            .unwrap();
            assert_eq!(seen, [(0..columns).map(value).collect::<Vec<_>>()], "{columns} from {first}");
        }
    }
}

#[tokio::test]
async fn a_row_longer_than_a_packet_comes_whole() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    let sql = "SELECT REPEAT('a', 9000000), 7, REPEAT('ü', 4500000), seq FROM seq_1_to_3";
    let seen = rows(&mut c, sql, &[], |row| {
        assert!(row.text(0)?.bytes().all(|byte| byte == b'a'));
        assert!(row.text(2)?.chars().all(|char| char == 'ü'));
        Ok((row.text(0)?.len(), row.integer(1)?, row.text(2)?.len(), row.integer(3)?))
    })
    .await
    .unwrap();
    assert_eq!(seen, (1..=3).map(|n| (9_000_000, 7, 9_000_000, n)).collect::<Vec<_>>());
    assert_eq!(integer(&mut c, "SELECT 1").await, 1);
}

#[tokio::test]
async fn an_error_amid_the_rows_leaves_the_connection_and_the_transaction_as_they_are() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (n INT)").await.unwrap();
    let id = integer(&mut c, "SELECT CONNECTION_ID()").await;
    c.begin(BeginMode::Immediate).await.unwrap();
    c.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    let failing = "SELECT IF(seq < 50000, seq, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_60000";
    let mut seen = 0;
    let outcome = c
        .fetch(failing, &[], &mut |_| {
            seen += 1;
            Ok(())
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidStatement);
    assert_eq!(seen, 49_999);
    assert!(c.in_transaction());
    let cursor = c.open_cursor(failing, &[]).await.unwrap();
    assert!(c.fetch_some(cursor, 10, &mut |_| Ok(())).await.unwrap());
    assert!(c.fetch_some(cursor, 100_000, &mut |_| Ok(())).await.is_err());
    assert!(c.in_transaction());
    c.commit().await.unwrap();
    assert_eq!(integer(&mut c, "SELECT n + CONNECTION_ID() FROM t").await, id + 1);
}

#[tokio::test]
async fn a_cursor_on_a_procedure_ends_with_its_first_result() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE PROCEDURE p() BEGIN SELECT seq FROM seq_1_to_3; SELECT 'x', 'y' FROM seq_1_to_9; END")
        .await
        .unwrap();
    for _ in 0..2 {
        let cursor = c.open_cursor("CALL p()", &[]).await.unwrap();
        let mut seen = Vec::new();
        while c
            .fetch_some(cursor, 2, &mut |row| {
                seen.push(row.integer(0)?);
                Ok(())
            })
            .await
            .unwrap()
        {}
        assert_eq!(seen, [1, 2, 3]);
        assert_eq!(integer(&mut c, "SELECT 5").await, 5);
        c.close_cursor(cursor);
        assert_eq!(rows(&mut c, "CALL p()", &[], |row| row.integer(0)).await.unwrap(), [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_procedure_that_fails_after_its_first_result_is_an_error() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT * FROM nowhere; END").await.unwrap();
    let error = c.execute("CALL p()", &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable);
    let error = c.execute_batch("SELECT 1; SELECT * FROM nowhere; SELECT 2").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable);
    assert_eq!(integer(&mut c, "SELECT 3").await, 3);
}

#[tokio::test]
async fn values_of_all_forms_come_out_of_a_statement_that_runs_again() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch(
        "CREATE TABLE t (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d INT UNSIGNED, e BIGINT, f FLOAT, g DOUBLE,
            h VARCHAR(300), i DATETIME(6), j TIME(6), k YEAR, l BIT(9), m DECIMAL(9, 2));
         INSERT INTO t VALUES (-128, 65535, -8388608, 4294967295, -1, 0.5, 0.25, REPEAT('z', 300),
            '2024-02-29 00:00:00', '00:00:00', 1999, 257, -1.50), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            NULL, NULL, NULL, NULL), (1, 2, 3, 4, 5, 6, 7, '', '2024-02-29 01:02:03.000004', '23:59:59.5', 2000, 1, 0)",
    )
    .await
    .unwrap();
    for _ in 0..3 {
        let seen = rows(&mut c, "SELECT * FROM t", &[], |row| {
            if row.is_null(0) {
                assert!((0..13).all(|column| row.is_null(column)));
                return Ok("NULL".to_owned());
            }
            let integers = [0, 1, 2, 3, 4, 10].map(|column| row.integer(column));
            let integers: Vec<i64> = integers.into_iter().collect::<Result<_>>()?;
            let rest = (row.double(5)?, row.double(6)?, row.text(7)?.len(), row.bytes(11)?.to_vec());
            Ok(format!("{integers:?} {rest:?} {} {} {}", row.datetime(8)?, row.time(9)?, row.decimal(12)?))
        })
        .await
        .unwrap();
        assert_eq!(
            seen,
            [
                "[-128, 65535, -8388608, 4294967295, -1, 1999] (0.5, 0.25, 300, [1, 1]) 2024-02-29T00:00:00 00:00:00 -1.50",
                "NULL",
                "[1, 2, 3, 4, 5, 2000] (6.0, 7.0, 0, [0, 1]) 2024-02-29T01:02:03.000004 23:59:59.5 0.00",
            ]
        );
    }
}

#[tokio::test]
async fn no_file_of_this_machine_is_read() {
    let database = Database::new().await;
    let engine = database.engine().await;
    let mut c = acquire(&engine).await;
    c.execute_batch("CREATE TABLE t (line TEXT)").await.unwrap();
    let error = c.execute_batch("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert_eq!(integer(&mut c, "SELECT count(*) FROM t").await, 0);
}
