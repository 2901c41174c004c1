//! Pages that begin after a row.

mod support;

use aludel::prelude::*;
use aludel::sql::OrderBy;
use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config as Proptest, TestRunner};
use support::TestDb;

#[derive(Model, Clone, Debug)]
struct Entry {
    #[column(primary_key)]
    id: i64,
    rank: Option<i64>,
    name: String,
    score: f64,
    at: Option<Timestamp>,
    #[relationship(back_populates = entry)]
    notes: Many<Note>,
}

#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Entry::id)]
    entry_id: i64,
    #[relationship(back_populates = notes)]
    entry: One<Entry>,
}

const SECRET: &str = "a secret of more than sixteen bytes";

async fn database() -> TestDb {
    TestDb::connect(Db::builder().secret_key(SECRET)).await
}

async fn filled() -> TestDb {
    let db = database().await;
    db.change(
        "INSERT INTO entry (id, rank, name, score, at) VALUES (1, 5, 'b', 0.5, NULL), (2, NULL, 'a', 1.5, NULL),
            (3, 5, 'a', 2.5, NULL), (4, 1, 'c', 0.1, NULL), (5, NULL, 'c', 0.2, NULL);
         INSERT INTO note (id, text, entry_id) VALUES (1, 'x', 1), (2, 'y', 1), (3, 'x', 3);",
    );
    db
}

/// The ids of all pages from the first on, and of all pages back from the last.
async fn walk(session: &Session, query: &Query<Entry>, size: u64) -> Result<(Vec<i64>, Vec<i64>)> {
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let mut page = query.clone().paginate_by_key(session, CursorQuery::new().per_page(size)).await?;
    assert!(page.prev.is_none());
    loop {
        there.extend(page.iter().map(|entry| entry.id));
        let Some(next) = page.next.clone() else { break };
        assert_eq!(page.items.len() as u64, size, "a page with another after it is full");
        page = query.clone().paginate_by_key(session, CursorQuery::at(next).per_page(size)).await?;
    }
    loop {
        back.splice(0..0, page.iter().map(|entry| entry.id));
        let Some(prev) = page.prev.clone() else { break };
        page = query.clone().paginate_by_key(session, CursorQuery::at(prev).per_page(size)).await?;
        assert!(page.next.is_some());
    }
    Ok((there, back))
}

#[tokio::test]
async fn pages_follow_each_other_forwards_and_backwards() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query = Entry::query().order_by((Entry::name.asc(), Entry::score.desc()));
    let expected = vec![3, 2, 1, 5, 4];
    for size in 1..=6 {
        assert_eq!(walk(session, &query, size).await?, (expected.clone(), expected.clone()), "{size}");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_is_one_statement_that_begins_at_the_row() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query = Entry::query().order_by(Entry::name).select(Entry::id);
    let page = query.clone().paginate_by_key(session, CursorQuery::new().per_page(2)).await?;
    assert_eq!(page.items, [2, 3]);
    db.statements();
    let page = query.paginate_by_key(session, CursorQuery::at(page.next.expect("a next page")).per_page(2)).await?;
    assert_eq!(page.items, [1, 4]);
    assert_eq!(
        db.statements(),
        [
            r#"SELECT "entry"."id", "entry"."name", "entry"."id" FROM "entry" WHERE "entry"."name" >= ? AND ("entry"."name" > ? OR "entry"."name" = ? AND "entry"."id" > ?) ORDER BY "entry"."name", "entry"."id" LIMIT ?"#
        ]
    );
    Ok(())
}

#[tokio::test]
async fn rows_that_come_and_go_meanwhile_move_no_others() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query = || Entry::query().order_by(Entry::id).select(Entry::id);
    let first = query().paginate_by_key(session, CursorQuery::new().per_page(2)).await?;
    db.change(
        "DELETE FROM note; DELETE FROM entry WHERE id <= 2; INSERT INTO entry (id, name, score) VALUES (-1, 'new', 0)",
    );
    let second = query().paginate_by_key(session, CursorQuery::at(first.next.expect("a page")).per_page(2)).await?;
    assert_eq!(second.items, [3, 4]);
    let before = query().paginate_by_key(session, CursorQuery::at(second.prev.expect("a page")).per_page(2)).await?;
    assert_eq!((before.items, before.prev.is_none()), (vec![-1], true));
    // a page that has become empty leads back
    let third = query().paginate_by_key(session, CursorQuery::at(second.next.clone().expect("a page"))).await?;
    assert_eq!(third.items, [5]);
    db.change("DELETE FROM entry WHERE id = 5");
    let empty = query().paginate_by_key(session, CursorQuery::at(second.next.expect("a page"))).await?;
    assert!(empty.items.is_empty() && empty.next.is_none());
    let back = query().paginate_by_key(session, CursorQuery::at(empty.prev.expect("a page")).per_page(2)).await?;
    assert_eq!(back.items, [3, 4], "with the row of the cursor itself");
    Ok(())
}

#[tokio::test]
async fn joins_add_the_keys_that_tell_their_rows_apart() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query =
        || Entry::query().left_join(Entry::notes).order_by(Entry::name.desc()).select((Entry::id, Note::id.optional()));
    let mut found = Vec::new();
    let mut cursor = CursorQuery::new();
    loop {
        let page = query().paginate_by_key(session, cursor.per_page(1)).await?;
        found.extend(page.items);
        match page.next {
            Some(next) => cursor = CursorQuery::at(next),
            None => break,
        }
    }
    assert_eq!(found, [(5, None), (4, None), (1, Some(2)), (1, Some(1)), (3, Some(3)), (2, None)]);
    let notes = Note::query().join(Note::entry).with(Note::entry).order_by(Entry::name);
    let page = notes.paginate_by_key(session, CursorQuery::new().per_page(2)).await?;
    assert_eq!(page.iter().map(|note| note.id).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(page.items[0].entry.get()?.name, "a");
    let entries = Entry::query().with(Entry::notes.joined()).order_by(Entry::id);
    let page = entries.paginate_by_key(session, CursorQuery::new().per_page(1)).await?;
    assert_eq!(page.items[0].notes.get()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_cursor_that_was_changed_or_is_of_another_order_is_bad_input() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let by = |order: OrderBy| Entry::query().order_by(order);
    let page = by(Entry::name.asc()).paginate_by_key(session, CursorQuery::new().per_page(1)).await?;
    let cursor = page.next.expect("a page");
    let changed = format!("A{}", &cursor[1..]);
    let changed = if changed == cursor { format!("B{}", &cursor[1..]) } else { changed };
    db.statements();
    for (query, text, starts) in [
        (by(Entry::name.asc()), changed.as_str(), "`cursor` is not one of ours"),
        (by(Entry::name.asc()), "%%%", "`cursor` is not one of ours"),
        (by(Entry::name.desc()), cursor.as_str(), "`cursor` belongs to another list"),
        (by(Entry::score.asc()), cursor.as_str(), "`cursor` belongs to another list"),
    ] {
        let error = query.paginate_by_key(session, CursorQuery::at(text)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().starts_with(starts), "{error}");
    }
    let note = Note::query().paginate_by_key(session, CursorQuery::at(cursor)).await.unwrap_err();
    assert_eq!(note.kind(), ErrorKind::BadRequest);
    assert!(db.statements().is_empty());
    Ok(())
}

#[tokio::test]
async fn what_has_no_keys_is_refused() {
    let db = filled().await;
    let session = &db.session();
    let page = |query: Query<Entry>| query.paginate_by_key(session, CursorQuery::new());
    let limited = page(Entry::query().limit(3)).await.unwrap_err();
    let grouped = page(Entry::query().group_by(Entry::id)).await.unwrap_err();
    let union = page(Entry::query().union(Entry::query())).await.unwrap_err();
    let order = page(Entry::query().order_by(lower(Entry::name))).await.unwrap_err();
    for error in [limited, grouped, union, order] {
        assert_eq!(error.kind(), ErrorKind::InvalidStatement);
        assert!(error.to_string().starts_with("paginate_by_key: "), "{error}");
    }
    let none = Entry::query().paginate_by_key(session, CursorQuery::new().per_page(0)).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::BadRequest);
    let without = TestDb::new().await;
    let error = Entry::query().paginate_by_key(&without.session(), CursorQuery::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("ALUDEL_SECRET_KEY"), "{error}");
    let short = Db::builder().uri("sqlite://").secret_key("short").connect().await.unwrap_err();
    assert_eq!(short.kind(), ErrorKind::Config);
    assert!(!short.to_string().contains("`short`"), "{short}");
}

/// A row without its key, and the terms of an order: the column, whether it descends, where NULL comes.
type Rows = Vec<(Option<i64>, String, u8, Option<i64>)>;
type Terms = Vec<(u8, bool, u8)>;

fn order(terms: &Terms) -> Vec<OrderBy> {
    let term = |&(column, descending, nulls): &(u8, bool, u8)| {
        let order = match (column, descending) {
            (0, false) => Entry::rank.asc(),
            (0, true) => Entry::rank.desc(),
            (1, false) => Entry::name.asc(),
            (1, true) => Entry::name.desc(),
            (2, false) => Entry::score.asc(),
            (2, true) => Entry::score.desc(),
            (_, false) => Entry::at.asc(),
            (_, true) => Entry::at.desc(),
        };
        match nulls {
            0 => order,
            1 => order.nulls_first(),
            _ => order.nulls_last(),
        }
    };
    terms.iter().map(term).collect()
}

async fn holds(rows: Rows, terms: Terms, size: u64) -> Result<()> {
    let db = database().await;
    let session = &db.session();
    let start = "2026-01-01T00:00:00Z".parse::<Timestamp>().expect("a time");
    let build = |(rank, name, score, at): (Option<i64>, String, u8, Option<i64>)| {
        let at = at.map(|micros| start + aludel::prelude::Duration::from_micros(micros as u64));
        Entry::build().name(name).score(f64::from(score) / 3.0).rank(rank).at(at)
    };
    Entry::insert_all(rows.into_iter().map(build)).execute(session).await?;
    // The database's own order, with the key where the pages put it.
    let last = terms.last().is_some_and(|(_, descending, _)| *descending);
    let key = if last { Entry::id.desc() } else { Entry::id.asc() };
    let query = Entry::query().order_by(order(&terms));
    let expected = query.clone().order_by(key).select(Entry::id).all(session).await?;
    assert_eq!(walk(session, &query, size).await?, (expected.clone(), expected), "{terms:?}");
    Ok(())
}

#[test]
fn walking_forwards_and_backwards_gives_exactly_the_ordered_rows() {
    let row = (prop::option::of(-2..3_i64), "[ab]{0,2}", 0..4_u8, prop::option::of(0..3_i64));
    let rows = prop::collection::vec(row, 0..14);
    let terms = prop::collection::vec((0..4_u8, any::<bool>(), 0..3_u8), 0..4);
    let terms = terms.prop_map(|mut terms: Terms| {
        let mut seen = Vec::new();
        terms.retain(|(column, ..)| {
            !seen.contains(column) && {
                seen.push(*column);
                true
            }
        });
        terms
    });
    let cases = support::Backend::current().pick(200, 40, 40);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut runner = TestRunner::new(Proptest { cases, failure_persistence: None, ..Proptest::default() });
    let outcome = runner.run(&(rows, terms, 1..6_u64), |(rows, terms, size)| {
        runtime
            .block_on(holds(rows, terms, size))
            .map_err(|error| proptest::test_runner::TestCaseError::fail(error.to_string()))
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
