//! Sequences and identity columns.

mod support;

use aludel::ErrorKind;
use aludel::prelude::*;
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct Invoice {
    #[column(primary_key)]
    id: i64,
    #[column(sequence(name = "invoice_number", start = 1000, increment = 10), unique)]
    number: i64,
    #[column(length = 20)]
    what: String,
}

/// A key of a sequence that two tables share.
#[derive(Model, Clone, Debug)]
struct Cat {
    #[column(primary_key, sequence = "animal_id")]
    id: i64,
    #[column(length = 20)]
    name: String,
}

#[derive(Model, Clone, Debug)]
struct Dog {
    #[column(primary_key, sequence = "animal_id")]
    id: i64,
    #[column(length = 20)]
    name: String,
}

#[derive(Model, Clone, Debug)]
struct Ticket {
    #[column(primary_key, identity(start = 500))]
    id: i64,
    #[column(length = 20)]
    what: String,
}

#[derive(Model, Clone, Debug)]
struct Strict {
    #[column(primary_key, identity(always, start = 7, increment = 3))]
    id: i64,
    #[column(length = 20)]
    what: String,
}

#[tokio::test]
async fn a_column_takes_its_numbers_from_its_sequence() {
    needs!(Postgres | MariaDb, "SQLite has no sequences");
    let test = TestDb::of(Invoice::TABLE).await;
    let session = test.session();
    let rows = ["a", "b", "c"].map(|what| session.add(Invoice::build().what(what)));
    session.commit().await.unwrap();
    assert_eq!(rows.map(|row| row.number), [1000, 1010, 1020]);
    assert_eq!(session.next_value(Invoice::number).await.unwrap(), 1030);
    session.rollback().await.unwrap();
    assert_eq!(session.next_value("invoice_number").await.unwrap(), 1040, "no rollback gives a number back");
    let own = session.add(Invoice::build().what("own").number(7));
    session.commit().await.unwrap();
    assert_eq!(own.number, 7);
    assert_eq!(test.rows("SELECT number, what FROM invoice ORDER BY id"), ["1000|a", "1010|b", "1020|c", "7|own"]);
}

#[tokio::test]
async fn two_tables_share_the_numbers_of_their_keys() {
    needs!(Postgres | MariaDb, "SQLite has no sequences");
    let test = TestDb::of((Cat::TABLE, Dog::TABLE)).await;
    let session = test.session();
    session.add(Cat::build().name("Tom"));
    session.add(Cat::build().name("Kit"));
    session.flush().await.unwrap();
    let dog = session.add(Dog::build().name("Rex"));
    session.commit().await.unwrap();
    assert_eq!(dog.id, 3);
    let names = test.rows("SELECT id, name FROM cat ORDER BY id");
    assert_eq!(names, ["1|Tom", "2|Kit"]);
    assert_eq!(test.session().get_one::<Cat>(2).await.unwrap().name, "Kit");
}

#[tokio::test]
async fn sequences_go_with_their_tables() {
    needs!(Postgres | MariaDb, "SQLite has no sequences");
    let test = TestDb::of((Cat::TABLE, Dog::TABLE)).await;
    assert_eq!(test.session().next_value("animal_id").await.unwrap(), 1);
    test.db.create_all().await.unwrap();
    test.db.drop_all().await.unwrap();
    let error = test.session().next_value("animal_id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable, "{error}");
    test.db.create_all().await.unwrap();
    assert_eq!(test.session().next_value(Cat::id).await.unwrap(), 1);
}

#[tokio::test]
async fn an_identity_counts_from_its_start() {
    needs!(Postgres | MariaDb, "SQLite counts from the greatest key");
    let test = TestDb::of(Ticket::TABLE).await;
    let session = test.session();
    let (one, two) = (session.add(Ticket::build().what("a")), session.add(Ticket::build().what("b")));
    session.commit().await.unwrap();
    assert_eq!((one.id, two.id), (500, 501));
    session.add(Ticket::build().what("given").id(9));
    session.commit().await.unwrap();
    assert_eq!(test.rows("SELECT id, what FROM ticket ORDER BY id"), ["9|given", "500|a", "501|b"]);
}

#[tokio::test]
async fn an_identity_that_always_counts_takes_no_keys() {
    needs!(Postgres, "only PostgreSQL generates always");
    let test = TestDb::of(Strict::TABLE).await;
    let session = test.session();
    let (one, two) = (session.add(Strict::build().what("a")), session.add(Strict::build().what("b")));
    session.commit().await.unwrap();
    assert_eq!((one.id, two.id), (7, 10));
    session.add(Strict::build().what("given").id(9));
    session.commit().await.unwrap_err();
    session.rollback().await.unwrap();
    assert_eq!(test.rows("SELECT id, what FROM strict ORDER BY id"), ["7|a", "10|b"]);
}

#[tokio::test]
async fn sequences_are_reflected_and_are_no_identities() {
    needs!(Postgres, "PostgreSQL's catalogs tell them apart");
    let test = TestDb::of((Invoice::TABLE, Ticket::TABLE)).await;
    let reflected = test.db.reflect().await.unwrap();
    let number = reflected.table("invoice").unwrap().column("number").unwrap().clone();
    assert_eq!((number.sequence.unwrap().name.as_ref(), number.autoincrement), ("invoice_number", false));
    assert!(reflected.table("ticket").unwrap().column("id").unwrap().autoincrement);
}

#[tokio::test]
async fn what_a_backend_cannot_count_is_refused_with_the_cure() {
    needs!(Sqlite | MariaDb, "PostgreSQL can");
    let test = TestDb::without_tables(Db::builder().models(Strict::TABLE)).await;
    let error = test.db.create_all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("strict.id of `sequences::Strict`"), "{error}");
    if Backend::current() == Backend::Sqlite {
        let test = TestDb::without_tables(Db::builder().models(Invoice::TABLE)).await;
        let error = test.db.create_all().await.unwrap_err();
        assert!(error.to_string().contains("invoice.number of `sequences::Invoice` takes its values from a sequence"));
        let error = test.session().next_value("invoice_number").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
