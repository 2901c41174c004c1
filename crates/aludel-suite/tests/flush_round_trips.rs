//! How many round trips a flush takes, counted on the wire between the library and a PostgreSQL server.

use aludel::prelude::*;

mod support;
use support::{TestDb, Wire, needs};

#[derive(Model, Clone, Debug)]
struct Shop {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = shop)]
    products: Many<Product>,
    #[relationship(back_populates = shop)]
    customers: Many<Customer>,
}

#[derive(Model, Clone, Debug)]
struct Product {
    #[column(primary_key)]
    id: i64,
    name: String,
    price: i64,
    #[column(references = Shop::id)]
    shop_id: i64,
    #[relationship(back_populates = products)]
    shop: One<Shop>,
}

#[derive(Model, Clone, Debug)]
struct Customer {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Shop::id)]
    shop_id: i64,
    #[relationship(back_populates = customers)]
    shop: One<Shop>,
}

#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: String,
}

/// Adds, changes and deletes 100 rows of four tables, in whatever order a program does.
async fn change_100_rows(session: &Session, round: usize) {
    let old = Shop::query().filter(Shop::name.eq(format!("shop {round}"))).one(session).await.unwrap();
    let products =
        Product::query().filter(Product::shop_id.eq(old.id)).order_by(Product::id).all(session).await.unwrap();
    let notes = Note::query().order_by(Note::id).limit(20).all(session).await.unwrap();
    let shop = session.add(Shop::build().name(format!("shop {}", round + 1)));
    for number in 0..20 {
        session.add(Product::build().name(format!("new {number}")).price(number).shop(&shop));
        session.add(Note::build().text(format!("{round}")));
        if number % 2 == 0 {
            shop.push(Shop::customers, Customer::build().name(format!("customer {number}")));
        }
    }
    for product in &products[..10] {
        product.set(Product::price, product.price + 100);
    }
    // To a row that is new itself.
    for product in &products[10..15] {
        product.set(Product::shop_id, shop.id);
    }
    old.set(Shop::name, "old");
    for note in &notes[..3] {
        note.set(Note::text, "read");
    }
    for product in &products[15..] {
        session.delete(product);
    }
    for note in &notes[3..] {
        session.delete(note);
    }
}

#[tokio::test]
async fn a_flush_of_100_mixed_changes_takes_3_round_trips_at_most() -> Result<()> {
    needs!(Postgres, "the protocol of PostgreSQL takes several statements in one request");
    let db = TestDb::new().await;
    let wire = Wire::to(&db.uri()).await;
    let options = EngineOptions::new().pool_size(1).max_overflow(0);
    let counted = Db::builder().uri(wire.uri.clone()).engine(options).connect().await?;
    let session = counted.session();
    let shop = session.add(Shop::build().name("shop 0"));
    session.add_all((0..20).map(|number| Product::build().name("first").price(number).shop(&shop)));
    session.add_all((0..20).map(|_| Note::build().text("first")));
    session.commit().await?;

    let mut taken = Vec::new();
    for round in 0..3 {
        let session = counted.session();
        change_100_rows(&session, round).await;
        wire.requests();
        session.flush().await?;
        taken.push(wire.requests());
        session.commit().await?;
        assert_eq!(wire.requests(), 1, "the commit");
    }
    // The new shop goes first, because the others need its key, and all others together. What is new to the connection, in
    // the second round a DELETE of more rows, is prepared before.
    assert_eq!(taken, [3, 3, 2]);

    // In each round a shop, 20 products, 20 notes and 10 customers are new; a shop, 15 products and 3 notes are changed;
    // 17 notes are gone, and of the last shop's 20 or 25 products all but 15.
    assert_eq!(db.rows("SELECT count(*) FROM shop"), ["4"]);
    assert_eq!(db.rows("SELECT count(*) FROM shop WHERE name = 'old'"), ["3"]);
    assert_eq!(db.rows("SELECT count(*) FROM customer"), ["30"]);
    assert_eq!(
        db.rows("SELECT shop_id, count(*) FROM product GROUP BY shop_id ORDER BY 1"),
        ["1|10", "2|10", "3|10", "4|25"]
    );
    assert_eq!(db.rows("SELECT count(*) FROM note"), ["29"]);
    Ok(())
}
