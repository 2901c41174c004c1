//! Tables and views without a model are queried by the names of their columns.

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb};

/// A table with a view, made by hand, and three rows.
async fn goods() -> Result<(TestDb, MetaData)> {
    let test = TestDb::without_tables(Db::builder()).await;
    let document = Backend::current().pick("JSON", "JSONB", "JSON");
    test.change(&format!(
        "CREATE TABLE goods (id INTEGER PRIMARY KEY, name VARCHAR(20), price NUMERIC(10, 2), sold DATE, details {document}); \
         INSERT INTO goods VALUES (1, 'lamp', 9.50, '2024-02-29', '{{\"w\": 1}}'), (2, '100%', NULL, NULL, NULL), \
         (3, 'Sun', 4, '2020-01-01', NULL); \
         CREATE VIEW cheap AS SELECT id, name FROM goods WHERE price < 5"
    ));
    let metadata = test.db.reflect().await?;
    Ok((test, metadata))
}

#[tokio::test]
async fn rows_are_read_by_name_and_by_position() -> Result<()> {
    let (test, metadata) = goods().await?;
    let (session, goods) = (test.session(), metadata.table("goods").expect("the table"));
    test.statements();
    let row = session.select_from(goods).filter(goods.c("id")?.eq(1)).one().await?;
    assert_eq!(row.get::<String>("name")?, "lamp");
    assert_eq!(row.get::<rust_decimal::Decimal>("price")?, rust_decimal::Decimal::new(95, 1));
    assert_eq!(row.get::<Option<jiff::civil::Date>>(3)?, Some(jiff::civil::date(2024, 2, 29)));
    assert_eq!(row.get::<aludel::Json<serde_json::Value>>("details")?["w"], 1);
    assert_eq!(row.names().collect::<Vec<_>>(), ["id", "name", "price", "sold", "details"]);
    assert_eq!(
        test.work(),
        [
            r#"SELECT "goods"."id", "goods"."name", "goods"."price", "goods"."sold", "goods"."details" FROM "goods" WHERE "goods"."id" = ? LIMIT ?"#
        ]
    );
    let empty = session.select_from(goods).filter(goods.c("name")?.eq("100%")).one().await?;
    assert_eq!(empty.get::<Option<rust_decimal::Decimal>>("price")?, None);
    Ok(())
}

#[tokio::test]
async fn rows_are_filtered_ordered_and_cut() -> Result<()> {
    let (test, metadata) = goods().await?;
    let (session, goods) = (test.session(), metadata.table("goods").expect("the table"));
    let ids = async |query: aludel::query::TableQuery<'_>| -> Result<Vec<i64>> {
        query.all().await?.iter().map(|row| row.get("id")).collect()
    };
    let all = || session.select_from(goods);
    let c = |name: &str| goods.c(name);
    assert_eq!(ids(all().order_by(c("id")?.desc()).limit(2)).await?, [3, 2]);
    assert_eq!(ids(all().order_by(c("id")?).offset(1).limit(1)).await?, [2]);
    assert_eq!(ids(all().filter(c("price")?.is_null() | c("name")?.eq("lamp")).order_by(c("id")?)).await?, [1, 2]);
    assert_eq!(ids(all().filter(c("id")?.in_([1, 3])).filter(!c("id")?.ge(3))).await?, [1]);
    assert_eq!(ids(all().filter(c("name")?.contains("0%"))).await?, [2]);
    assert_eq!(ids(all().filter(c("sold")?.gt(jiff::civil::date(2022, 1, 1)))).await?, [1]);
    assert_eq!(ids(all().filter(c("price")?.eq(None::<i64>))).await?, [2]);
    assert_eq!(all().filter(c("id")?.gt(1)).count().await?, 2);
    assert!(all().filter(c("id")?.gt(9)).first().await?.is_none());
    let names = all().columns([c("name")?]).order_by(c("id")?).first().await?.expect("a row");
    assert_eq!((names.len(), names.get::<String>(0)?), (1, "lamp".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_view_is_queried_as_a_table_is() -> Result<()> {
    let (test, metadata) = goods().await?;
    let (session, cheap) = (test.session(), metadata.view("cheap").expect("the view"));
    let row = session.select_from(cheap).filter(cheap.c("id")?.ge(1)).one().await?;
    assert_eq!(row.get::<String>("name")?, "Sun");
    Ok(())
}

#[tokio::test]
async fn a_wrong_name_or_type_is_an_error_that_names_it() -> Result<()> {
    let (test, metadata) = goods().await?;
    let (session, goods) = (test.session(), metadata.table("goods").expect("the table"));
    let error = goods.c("nam").expect_err("no such column");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert_eq!(error.to_string(), "table `goods` has no column `nam`; did you mean `name`?");

    let row = session.select_from(goods).filter(goods.c("id")?.eq(2)).one().await?;
    let message = |error: Error| (error.kind(), error.to_string());
    let (kind, text) = message(row.get::<i64>("prise").expect_err("no such column"));
    assert_eq!(
        (kind, text.as_str()),
        (ErrorKind::InvalidStatement, "a row of `goods` has no column `prise`; did you mean `price`?")
    );
    let (_, text) = message(row.get::<i64>(9).expect_err("no such position"));
    assert_eq!(text, "a row of `goods` has 5 values, and the one at position 9 was asked for");
    let (kind, text) = message(row.get::<i64>("name").expect_err("a text"));
    assert_eq!(kind, ErrorKind::Decode);
    assert!(text.starts_with("goods.name: expected") && !text.contains("100%"), "{text}");
    let (kind, text) = message(row.get::<i64>("sold").expect_err("NULL"));
    assert_eq!(kind, ErrorKind::Decode);
    assert!(text.starts_with("goods.sold: the value is NULL"), "{text}");

    let cheap = metadata.view("cheap").expect("the view");
    let error = session.select_from(goods).columns([cheap.c("id")?]).all().await.expect_err("another's column");
    assert_eq!(error.to_string(), "cheap.id is no column of `goods`, which the query selects from");
    Ok(())
}
