//! Computed columns, comments, indexes of all kinds and keys of several columns, stated by models.
#![allow(clippy::duplicated_attributes, reason = "clippy takes columns of two indexes for an attribute given twice")]

mod support;

use aludel::prelude::*;
use aludel::schema::{Column, Computed, Index, IndexElement, NullsOrder, SqlType, Table};
use support::{Backend, TestDb};

/// A ware, with its price.
#[derive(Model, Clone, Debug)]
#[model(
    comment = "What's for sale",
    primary_key(columns(batch, number)),
    index(columns(desc(price), quantity), name = "dear_first")
)]
struct Ware {
    #[column(primary_key, autoincrement = false)]
    number: i64,
    #[column(primary_key, length = 10)]
    batch: String,
    #[column(comment = "in cents")]
    price: i64,
    quantity: i64,
    #[column(computed = "price * quantity", stored)]
    worth: Option<i64>,
}

/// Holds the key of a ware.
#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(batch, number), references(Ware::batch, Ware::number), on_delete = cascade, name = "fk_of_two"))]
struct Sale {
    #[column(primary_key)]
    id: i64,
    batch: String,
    number: i64,
}

async fn shop() -> TestDb {
    TestDb::of((Ware::TABLE, Sale::TABLE)).await
}

#[tokio::test]
async fn a_computed_column_comes_back_after_insert_and_update() -> Result<()> {
    let test = shop().await;
    let session = test.session();
    let ware = session.add(Ware::build().number(1).batch("a").price(3).quantity(4));
    session.commit().await?;
    assert_eq!(ware.worth, Some(12));
    ware.set(Ware::quantity, 5);
    session.commit().await?;
    assert_eq!(ware.worth, Some(15));
    assert_eq!(test.rows("SELECT price, quantity, worth FROM ware"), ["3|5|15"]);
    // A literal gives all columns, but nobody writes this one.
    session.add(Ware { number: 2, batch: "a".into(), price: 1, quantity: 2, worth: Some(99) });
    session.commit().await?;
    assert_eq!(test.rows("SELECT worth FROM ware ORDER BY number"), ["15", "2"]);
    Ok(())
}

#[tokio::test]
async fn setting_a_computed_column_is_an_error_that_names_it() -> Result<()> {
    let test = shop().await;
    let session = test.session();
    let ware = session.add(Ware::build().number(1).batch("a").price(3).quantity(4));
    session.commit().await?;
    ware.set(Ware::worth, 7);
    let error = session.commit().await.expect_err("it is computed");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("ware.worth is computed by the database"), "{error}");
    session.rollback().await?;
    assert_eq!(test.rows("SELECT worth FROM ware"), ["12"]);
    Ok(())
}

#[tokio::test]
async fn rows_are_written_in_the_order_of_a_key_of_two_columns() -> Result<()> {
    let test = shop().await;
    let session = test.session();
    session.add(Sale::build().batch("a").number(1));
    session.add(Ware::build().number(1).batch("a").price(1).quantity(1));
    session.commit().await?;
    assert_eq!(test.rows("SELECT batch, number FROM sale"), ["a|1"]);
    assert!(session.get::<Ware>(("a".to_owned(), 1)).await?.is_some(), "the key's order is the one that was stated");
    session.add(Sale::build().batch("b").number(1));
    let error = session.commit().await.expect_err("there is no such ware");
    assert_eq!(error.kind(), ErrorKind::ForeignKeyViolation);
    Ok(())
}

#[tokio::test]
async fn what_models_state_is_reflected() -> Result<()> {
    let test = shop().await;
    let reflected = test.db.reflect().await?;
    let ware = reflected.table("ware").expect("the table");
    assert_eq!(ware.primary_key_columns(), ["batch", "number"]);
    assert!(ware.column("worth").expect("it").computed.as_ref().is_some_and(|computed| computed.stored));
    let index = ware.indexes.iter().find(|index| index.name.as_deref() == Some("dear_first")).expect("the index");
    assert_eq!(index.elements, [IndexElement::column("price").descending(), IndexElement::column("quantity")]);
    let comments = Backend::current() != Backend::Sqlite;
    assert_eq!(ware.comment.as_deref(), comments.then_some("What's for sale"));
    assert_eq!(ware.column("price").expect("it").comment.as_deref(), comments.then_some("in cents"));
    let sale = reflected.table("sale").expect("the table");
    assert_eq!(sale.foreign_keys[0].name.as_deref(), Some("fk_of_two"));
    assert_eq!(sale.foreign_keys[0].columns, ["batch", "number"]);
    Ok(())
}

/// What `create_all` says of an index of a table, where it is refused.
async fn refusal(index: Index) -> Option<String> {
    let test = TestDb::without_tables(Db::builder()).await;
    let mut metadata = MetaData::default();
    let column = |name: &str| Column::new(name, SqlType::BigInt);
    let table = Table::new("t").with_column(column("id")).with_column(column("a")).with_primary_key(["id"]);
    metadata.add_table(table.with_index(index.named("ix"))).expect("a table");
    let session = test.session();
    let statements = match aludel::sql::ddl::create_all::<&str>(test.dialect(), &metadata, &[]) {
        Ok(statements) => statements,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert_eq!(error.table(), Some("t"));
            return Some(error.to_string());
        }
    };
    for statement in statements {
        session.sql(&statement).execute().await.expect("a statement");
    }
    session.commit().await.expect("the table");
    let reflected = test.db.reflect().await.expect("the table");
    assert_eq!(reflected.table("t").expect("it").indexes, metadata.tables()[0].indexes);
    None
}

#[tokio::test]
async fn an_index_is_created_and_reflected_or_refused_by_name() {
    let refused = |what: &str| Some(format!("index `ix` of table `t` has {what}"));
    let here = |sqlite, postgres, mariadb| Backend::current().pick(sqlite, postgres, mariadb);
    let partial = Index::new(["a"]).with_predicate("a > 1");
    let cases = [
        (Index::of([IndexElement::column("a").descending()]), None),
        (
            partial,
            here(
                None,
                None,
                refused(
                    "a condition, and only SQLite and PostgreSQL have partial indexes: index all rows there, or compute a column and index that",
                ),
            ),
        ),
        (
            Index::of([IndexElement::expression("abs(a)"), IndexElement::column("id")]),
            here(
                None,
                None,
                refused(
                    "an expression, and MariaDB indexes columns alone: add a column with `computed = \"..\"` and index that",
                ),
            ),
        ),
        (
            Index::of([IndexElement::column("a").nulls(NullsOrder::First)]),
            here(
                refused("a place for NULL, which only PostgreSQL can choose: leave out NULLS FIRST and NULLS LAST"),
                None,
                refused("a place for NULL, which only PostgreSQL can choose: leave out NULLS FIRST and NULLS LAST"),
            ),
        ),
        (
            Index::new(["a"]).including(["id"]),
            here(
                refused("included columns, which only PostgreSQL has: add them to its columns, or leave them out"),
                None,
                refused("included columns, which only PostgreSQL has: add them to its columns, or leave them out"),
            ),
        ),
    ];
    for (index, expected) in cases {
        let shown = format!("{index:?}");
        assert_eq!(refusal(index).await, expected.clone(), "{shown}");
    }
}

#[tokio::test]
async fn a_virtual_column_is_created_or_refused_by_name() -> Result<()> {
    let test = TestDb::without_tables(Db::builder()).await;
    let mut metadata = MetaData::default();
    let computed = Column::new("twice", SqlType::BigInt).nullable().with_computed(Computed::virtually("id * 2"));
    metadata.add_table(
        Table::new("t").with_column(Column::new("id", SqlType::BigInt)).with_column(computed).with_primary_key(["id"]),
    )?;
    let made = aludel::sql::ddl::create_all::<&str>(test.dialect(), &metadata, &[]);
    if Backend::current() == Backend::Postgres {
        let error = made.expect_err("it stores them");
        assert_eq!(
            error.to_string(),
            "column t.twice is computed when it is read, and PostgreSQL computes columns when they are written: add `stored`"
        );
        return Ok(());
    }
    test.change(&made?.join("; "));
    test.change("INSERT INTO t (id) VALUES (21)");
    assert_eq!(test.rows("SELECT twice FROM t"), ["42"]);
    let reflected = test.db.reflect().await?;
    let twice = reflected.table("t").and_then(|table| table.column("twice")).expect("the column");
    assert!(twice.computed.as_ref().is_some_and(|computed| !computed.stored));
    Ok(())
}
