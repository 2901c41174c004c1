//! Streams, and SQL of the program's own.

mod support;

use aludel::prelude::*;
use support::{TestDb, native, needs};

#[derive(Model, Clone, Debug, PartialEq)]
struct Reading {
    #[column(primary_key)]
    id: i64,
    sensor: String,
    value: Option<f64>,
}

async fn filled(rows: u32) -> TestDb {
    let db = TestDb::new().await;
    db.change(&format!(
        "INSERT INTO reading WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         SELECT i, 's' || (i % 3), i / 2.0 FROM n;"
    ));
    db
}

#[tokio::test]
async fn a_stream_yields_all_rows_in_order_as_plain_values() -> Result<()> {
    let db = filled(2000).await;
    let session = db.session();
    let mut stream = Reading::query().order_by(Reading::id).stream(&session);
    let mut next = 1;
    while let Some(reading) = stream.next().await {
        let reading: Reading = reading?;
        assert_eq!(reading, Reading { id: next, sensor: format!("s{}", next % 3), value: Some(next as f64 / 2.0) });
        next += 1;
    }
    assert_eq!((next, db.statements().len()), (2001, 1));
    Ok(())
}

#[tokio::test]
async fn a_stream_of_a_selection_yields_tuples() -> Result<()> {
    let db = filled(10).await;
    let session = db.session();
    let query = Reading::query().filter(Reading::sensor.eq("s1")).order_by(Reading::id);
    let mut stream = query.select((Reading::id, Reading::value)).stream(&session);
    let mut rows: Vec<(i64, Option<f64>)> = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(row?);
    }
    assert_eq!(rows, [(1, Some(0.5)), (4, Some(2.0)), (7, Some(3.5)), (10, Some(5.0))]);
    Ok(())
}

#[tokio::test]
async fn outside_a_transaction_the_session_may_write_and_commit_while_it_streams() -> Result<()> {
    let db = filled(1000).await;
    let session = db.session();
    let mut stream = Reading::query().order_by(Reading::id).stream(&session);
    let mut seen = 0;
    while let Some(reading) = stream.next().await {
        let reading = reading?;
        seen += 1;
        if reading.id % 100 == 0 {
            Reading::query()
                .filter(Reading::id.eq(reading.id))
                .update(Reading::sensor.set("done"))
                .execute(&session)
                .await?;
            session.commit().await?;
        }
    }
    assert_eq!(seen, 1000);
    assert_eq!(db.rows("SELECT count(*) FROM reading WHERE sensor = 'done'"), ["10"]);
    Ok(())
}

#[tokio::test]
async fn in_a_transaction_a_stream_sees_its_changes_and_a_commit_ends_it() -> Result<()> {
    let db = filled(1000).await;
    let session = db.session();
    session.add(Reading::build().id(0).sensor("new"));
    let mut stream = Reading::query().order_by(Reading::id).stream(&session);
    assert_eq!(stream.next().await.expect("a row")?.sensor, "new");
    assert_eq!(Reading::query().count(&session).await?, 1001, "another statement in between");
    session.commit().await?;
    let mut rest = 0;
    let error = loop {
        match stream.next().await.expect("an error before the end") {
            Ok(_) => rest += 1,
            Err(error) => break error,
        }
    };
    assert!(rest < 1000, "what was read already may come");
    assert!(error.to_string().contains("commit"), "{error}");
    assert!(stream.next().await.is_none());
    assert_eq!(Reading::query().count(&session).await?, 1001, "the session goes on");
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_dropped_leaves_the_session_usable() -> Result<()> {
    let db = filled(1000).await;
    let session = db.session();
    for _ in 0..20 {
        let mut stream = Reading::query().stream(&session);
        stream.next().await.expect("a row")?;
    }
    session.add(Reading::build().sensor("new"));
    session.commit().await?;
    assert_eq!(Reading::query().count(&session).await?, 1001);
    Ok(())
}

#[tokio::test]
async fn a_stream_is_owned_and_outlives_its_session() -> Result<()> {
    let db = filled(600).await;
    let session = db.session();
    let mut stream = Reading::query().stream(&session);
    session.close().await;
    drop(session);
    let task = tokio::spawn(async move {
        let mut rows = 0;
        while let Some(row) = stream.next().await {
            row?;
            rows += 1;
        }
        Ok::<_, Error>(rows)
    });
    assert_eq!(task.await.expect("no panic")?, 600);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_is_the_error_of_its_row() -> Result<()> {
    needs!(Sqlite, "a column of numbers that takes a text");
    let db = filled(3).await;
    db.change("UPDATE reading SET value = 'much' WHERE id = 2");
    let session = db.session();
    let mut stream = Reading::query().order_by(Reading::id).stream(&session);
    let mut outcomes = Vec::new();
    while let Some(row) = stream.next().await {
        outcomes.push(row.map_err(|error| error.kind()));
    }
    assert!(outcomes.contains(&Err(ErrorKind::Decode)), "{outcomes:?}");
    let error = Reading::query().all(&session).await.expect_err("no number");
    assert_eq!(
        (error.kind(), error.table(), error.columns()),
        (ErrorKind::Decode, Some("reading"), &["value".to_owned()][..])
    );
    assert!(error.to_string().contains("Reading::value"), "{error}");
    Ok(())
}

#[tokio::test]
async fn raw_sql_binds_values_and_reads_tuples() -> Result<()> {
    let db = filled(5).await;
    let session = db.session();
    let rows: Vec<(i64, String)> = session
        .sql(&native("SELECT id, sensor FROM reading WHERE sensor = ? AND id > ?"))
        .bind("s1")
        .bind(1)
        .all()
        .await?;
    assert_eq!(rows, [(4, "s1".into())]);
    assert_eq!(session.sql("SELECT max(value) FROM reading").one::<Option<f64>>().await?, Some(2.5));
    assert_eq!(session.sql("SELECT id FROM reading WHERE id = 9").first::<i64>().await?, None);
    assert_eq!(
        session.sql("SELECT id FROM reading").one::<i64>().await.expect_err("five").kind(),
        ErrorKind::MultipleFound
    );
    let counted = native("SELECT count(*) FROM reading WHERE sensor = ?");
    let injected = session.sql(&counted).bind("' OR 1=1 --").one::<i64>();
    assert_eq!(injected.await?, 0);
    let error = session.sql("SELECT id, sensor FROM reading").all::<i64>().await.expect_err("two columns");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    let error = session.sql("SELEKT 1").all::<i64>().await.expect_err("no SQL");
    assert_eq!((error.kind(), error.statement()), (ErrorKind::InvalidStatement, Some("SELEKT 1")));
    Ok(())
}

#[tokio::test]
async fn raw_sql_that_only_reads_opens_no_transaction_and_what_writes_does() -> Result<()> {
    let db = filled(5).await;
    let session = db.session();
    session.sql("SELECT 1").all::<i64>().await?;
    assert_eq!(db.statements(), ["SELECT 1"]);
    let ids =
        session.sql("INSERT INTO reading (id, sensor) VALUES (8, 'a'), (9, 'b') RETURNING id").all::<i64>().await?;
    assert_eq!(ids, [8, 9]);
    assert!(db.statements()[0].starts_with("BEGIN"));
    assert_eq!(session.sql(&native("DELETE FROM reading WHERE id < ?")).bind(3).execute().await?, 2);
    session.rollback().await?;
    assert_eq!(db.rows("SELECT count(*) FROM reading"), ["5"]);
    session.sql(&native("UPDATE reading SET value = ? WHERE id = 1")).bind(None::<f64>).execute().await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT value FROM reading WHERE id = 1"), ["NULL"]);
    Ok(())
}

#[tokio::test]
async fn raw_sql_is_one_statement_with_a_value_for_each_placeholder() -> Result<()> {
    let db = filled(1).await;
    // Each in a session of its own: an error ends a transaction of PostgreSQL.
    let value = native("SELECT ?");
    let errors = [
        db.session().sql(&value).all::<i64>().await.err(),
        db.session().sql("SELECT 1").bind(1).all::<i64>().await.err(),
        db.session().sql("SELECT 1; DROP TABLE reading").all::<i64>().await.err(),
        db.session().sql("DELETE FROM reading; DROP TABLE reading").execute().await.err(),
        db.session().sql("").all::<i64>().await.err(),
    ];
    for (at, error) in errors.into_iter().enumerate() {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::InvalidStatement), "number {at}");
    }
    assert_eq!(db.rows("SELECT count(*) FROM reading"), ["1"]);
    Ok(())
}

#[tokio::test]
async fn a_stream_of_a_database_in_memory_is_read_at_once() -> Result<()> {
    needs!(Sqlite, "databases in memory");
    let db = Db::connect("sqlite://").await?;
    db.create_all().await?;
    let session = db.session();
    session.add_all((0..600).map(|_| Reading::build().sensor("s")));
    session.commit().await?;
    let mut stream = Reading::query().stream(&session);
    let mut rows = 0;
    while let Some(row) = stream.next().await {
        row?;
        rows += 1;
        if rows == 10 {
            assert_eq!(Reading::query().count(&session).await?, 600);
        }
    }
    assert_eq!(rows, 600);
    Ok(())
}
