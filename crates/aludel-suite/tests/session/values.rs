//! Values that nobody gave: defaults of the program and of the database, and those that an update makes.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::TestDb;
use aludel::prelude::*;

async fn database() -> TestDb {
    TestDb::of([Item::TABLE, Ticket::TABLE, Country::TABLE]).await
}

/// Counts up, so that each call can be told from the others.
fn stamp() -> i64 {
    static STAMPS: AtomicI64 = AtomicI64::new(1);
    STAMPS.fetch_add(1, Ordering::Relaxed)
}

#[derive(Model, Clone, Debug, Default)]
struct Item {
    #[column(primary_key)]
    id: i64,
    name: String,
    note: Option<String>,
    #[column(default = 7)]
    amount: i32,
    #[column(default = stamp())]
    created: i64,
    #[column(default = stamp(), on_update = stamp())]
    updated: i64,
    #[column(server_default = "'new'")]
    status: String,
    #[column(server_default = "40 + 2")]
    answer: i32,
    #[column(server_default = "CURRENT_TIMESTAMP")]
    since: Option<String>,
}

/// Nothing but what the database makes.
#[derive(Model, Clone, Debug)]
struct Ticket {
    #[column(primary_key)]
    id: i64,
}

/// The key is the program's.
#[derive(Model, Clone, Debug)]
struct Country {
    #[column(primary_key)]
    code: String,
    name: String,
    #[column(server_default = "'EUR'")]
    currency: String,
}

const ITEM: &str = "SELECT name, note, amount, status, answer FROM item";

#[tokio::test]
async fn defaults_of_the_program_are_there_at_once_and_those_of_the_database_after_the_flush() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item::build().name("a"));
    assert_eq!((item.amount, item.status.as_str(), item.answer), (7, "", 0));
    assert!(item.created > 0);
    session.flush().await?;
    assert_eq!((item.amount, item.status.as_str(), item.answer, item.note.as_deref()), (7, "new", 42, None));
    assert!(item.since.is_some());
    session.commit().await?;
    assert_eq!(db.rows(ITEM), ["a|NULL|7|new|42"]);
    assert_eq!(db.rows("SELECT created FROM item"), [item.created.to_string()]);
    Ok(())
}

#[tokio::test]
async fn what_is_given_wins_over_defaults() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item::build().name("a").amount(1).status("old").answer(3).note("n"));
    session.commit().await?;
    assert_eq!((item.amount, item.status.as_str(), item.answer), (1, "old", 3));
    assert_eq!(db.rows(ITEM), ["a|n|1|old|3"]);
    Ok(())
}

#[tokio::test]
async fn a_default_that_is_set_before_the_flush_is_sent() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item::build().name("a"));
    item.set(Item::status, "set");
    item.edit(|item| item.answer = 5);
    session.commit().await?;
    assert_eq!((item.status.as_str(), item.answer), ("set", 5));
    assert_eq!(db.rows(ITEM), ["a|NULL|7|set|5"]);
    Ok(())
}

#[tokio::test]
async fn all_columns_of_a_literal_are_given_but_its_generated_key() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item { name: "a".into(), ..Default::default() });
    session.commit().await?;
    assert!(item.id > 0);
    assert_eq!(db.rows(ITEM), ["a|NULL|0||0"]);
    Ok(())
}

#[tokio::test]
async fn rows_that_give_different_columns_get_each_their_own_values() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let items: Vec<_> = (0..20)
        .map(|i| {
            let item = Item::build().name(format!("{i:02}"));
            session.add(match i % 4 {
                0 => item,
                1 => item.status(format!("s{i}")),
                2 => item.answer(i),
                _ => item.note(format!("n{i}")).id(1000 - i64::from(i)),
            })
        })
        .collect();
    session.commit().await?;
    let expected: Vec<_> = (0..20)
        .map(|i| match i % 4 {
            0 => format!("{i:02}|NULL|7|new|42"),
            1 => format!("{i:02}|NULL|7|s{i}|42"),
            2 => format!("{i:02}|NULL|7|new|{i}"),
            _ => format!("{i:02}|n{i}|7|new|42"),
        })
        .collect();
    assert_eq!(db.rows(&format!("{ITEM} ORDER BY name")), expected);
    for (item, row) in items.iter().zip(expected) {
        let shown = format!(
            "{}|{}|{}|{}|{}",
            item.name,
            item.note.as_deref().unwrap_or("NULL"),
            item.amount,
            item.status,
            item.answer
        );
        assert_eq!(shown, row);
        assert_eq!(db.rows(&format!("SELECT name FROM item WHERE id = {}", item.id)), [item.name.as_str()]);
    }
    Ok(())
}

#[tokio::test]
async fn a_row_of_nothing_but_a_key_can_be_added() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let tickets = session.add_all([Ticket::build(), Ticket::build(), Ticket::build()]);
    session.commit().await?;
    let keys: Vec<_> = tickets.iter().map(|ticket| ticket.id.to_string()).collect();
    assert_eq!(db.rows("SELECT id FROM ticket ORDER BY id"), keys);
    Ok(())
}

#[tokio::test]
async fn server_values_of_rows_with_keys_of_their_own_find_their_rows() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let rows = [("nl", "Netherlands"), ("de", "Germany"), ("be", "Belgium")];
    let countries = session.add_all(rows.map(|(code, name)| Country::build().code(code).name(name)));
    session.add(Country::build().code("ch").name("Switzerland").currency("CHF"));
    session.commit().await?;
    assert!(countries.iter().all(|country| country.currency == "EUR"));
    assert_eq!(countries[1].name, "Germany");
    assert_eq!(session.get::<Country>("de").await?, Some(countries[1].clone()));
    assert_eq!(db.rows("SELECT code, currency FROM country ORDER BY code"), ["be|EUR", "ch|CHF", "de|EUR", "nl|EUR"]);
    Ok(())
}

#[tokio::test]
async fn on_update_is_written_with_every_update_and_shown() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item::build().name("a"));
    session.commit().await?;
    let before = item.updated;
    item.set(Item::name, "b");
    session.commit().await?;
    let after = item.updated;
    assert!(after > before);
    assert_eq!(db.rows("SELECT name, updated FROM item"), [format!("b|{after}")]);

    item.set(Item::name, "b");
    session.commit().await?;
    assert_eq!(item.updated, after, "nothing was changed");

    item.set(Item::updated, 1);
    session.commit().await?;
    assert_eq!(db.rows("SELECT updated FROM item"), ["1"], "what is set wins");
    Ok(())
}

#[tokio::test]
async fn on_update_is_written_by_a_bulk_update_that_does_not_set_the_column() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item::build().name("a"));
    session.commit().await?;
    let before = item.updated;
    Item::query().update(Item::name.set("b")).execute(&session).await?;
    session.get_one::<Item>(item.id).await?;
    assert!(item.updated > before);
    Item::query().update((Item::name.set("c"), Item::updated.set(1))).execute(&session).await?;
    session.commit().await?;
    assert_eq!(db.rows("SELECT name, updated FROM item"), ["c|1"]);
    Ok(())
}

#[tokio::test]
async fn insert_all_writes_rows_without_entities() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let rows = [Item::build().name("a"), Item::build().name("b").status("old")];
    assert_eq!(Item::insert_all(rows).execute(&session).await?, 2);
    session.commit().await?;
    assert_eq!(db.rows(&format!("{ITEM} ORDER BY name")), ["a|NULL|7|new|42", "b|NULL|7|old|42"]);
    Ok(())
}

#[tokio::test]
async fn what_is_set_while_a_row_is_pending_is_inserted_with_it() -> Result<()> {
    let db = database().await;
    let session = db.session();
    let item = session.add(Item::build().name("a").note("n"));
    item.set(Item::note, None::<String>);
    item.edit(|item| item.name.push('!'));
    db.statements();
    session.commit().await?;
    let work = db.work();
    assert!(work.len() == 1 && work[0].starts_with("INSERT"), "{work:?}");
    assert_eq!(db.rows(ITEM), ["a!|NULL|7|new|42"]);
    Ok(())
}
