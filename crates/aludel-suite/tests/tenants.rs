//! Tenants: a session sees and writes the rows of its own, whatever form a statement has.

mod support;

use aludel::prelude::*;
use aludel::query::excluded;
use support::{Backend, TestDb, one_of};

/// Known to all tenants.
#[derive(Model, Clone, Debug)]
struct Kind {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = kind, order_by = Item::id)]
    items: Many<Item>,
}

#[derive(Model, Clone, Debug)]
#[model(unique(columns(shop, code)))]
struct Item {
    #[column(primary_key)]
    id: i64,
    #[column(tenant, index, name = "shop_id")]
    shop: i64,
    #[column(length = 40)]
    code: String,
    price: i64,
    #[column(references = Kind::id)]
    kind_id: i64,
    #[column(references = Item::id)]
    part_of: Option<i64>,
    #[relationship(back_populates = items)]
    kind: One<Kind>,
    #[relationship(back_populates = item, cascade = "all, delete-orphan", order_by = Note::id)]
    notes: Many<Note>,
    #[relationship(secondary = ItemLabel, back_populates = items, order_by = Label::id)]
    labels: Many<Label>,
}

#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key)]
    id: i64,
    #[column(tenant)]
    shop_id: i64,
    text: String,
    #[column(references = Item::id)]
    item_id: i64,
    #[column(soft_delete)]
    deleted: bool,
    #[relationship(back_populates = notes)]
    item: One<Item>,
}

#[derive(Model, Clone, Debug)]
struct ItemLabel {
    #[column(primary_key, references = Item::id)]
    item_id: i64,
    #[column(primary_key, references = Label::id)]
    label_id: i64,
    #[column(tenant)]
    shop_id: i64,
}

/// Of no tenant, so that one label may be on the items of all.
#[derive(Model, Clone, Debug)]
struct Label {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = ItemLabel, back_populates = labels, order_by = Item::id)]
    items: Many<Item>,
}

/// With a key that is unique over all tenants.
#[derive(Model, Clone, Debug)]
struct Badge {
    #[column(primary_key)]
    id: i64,
    #[column(tenant)]
    shop_id: i64,
    #[column(unique)]
    number: i64,
    #[column(length = 40)]
    holder: String,
}

/// With a tenant in its key.
#[derive(Model, Clone, Debug)]
struct Stock {
    #[column(primary_key, tenant)]
    shop_id: i64,
    #[column(primary_key, length = 20)]
    place: String,
    amount: i64,
}

#[derive(Projection, Debug, PartialEq)]
struct Coded {
    code: String,
}

const ITEMS: &str = "SELECT shop_id, code, price FROM item ORDER BY id";

/// The items `a` and `b` of the first shop, and `a` (3) and `c` (4) of the second; all of one kind, each with a note and a
/// label.
async fn two_shops() -> Result<TestDb> {
    let db = TestDb::connect(Db::builder().secret_key("a secret of thirty-two characters!")).await;
    let session = db.session();
    session.add(Kind::build().name("tool"));
    session.add(Label::build().name("new"));
    session.commit().await?;
    for (shop, codes) in [(1, ["a", "b"]), (2, ["a", "c"])] {
        let session = db.session_for(shop)?;
        let label = session.get_one::<Label>(1).await?;
        for code in codes {
            let item = session.add(Item::build().code(code).price(10 * shop).kind_id(1));
            item.push(Item::notes, Note::build().text(format!("{shop}{code}")));
            item.push(Item::labels, &label);
            assert_eq!(item.shop, shop, "at once");
        }
        session.add(Badge::build().number(shop).holder("x"));
        session.add(Stock::build().place("shelf").amount(shop));
        session.commit().await?;
    }
    db.statements();
    Ok(db)
}

const BEFORE: [&str; 4] = ["1|a|10", "1|b|10", "2|a|20", "2|c|20"];

#[tokio::test]
async fn no_read_shows_rows_of_another_tenant() -> Result<()> {
    let db = two_shops().await?;
    assert_eq!(db.rows(ITEMS), BEFORE);
    let s = db.session_for(1)?;
    let ids = |items: Vec<Entity<Item>>| items.iter().map(|item| item.id).collect::<Vec<_>>();

    // plain queries, counts, pages, keys
    assert_eq!(ids(Item::query().all(&s).await?), [1, 2]);
    assert_eq!(
        ids(Item::query().filter(Item::price.gt(0) | Item::shop.eq(2)).order_by(Item::id).all(&s).await?),
        [1, 2]
    );
    assert_eq!(Item::query().filter(Item::shop.eq(2)).count(&s).await?, 0);
    assert_eq!(Item::query().order_by(Item::id.desc()).first(&s).await?.unwrap().id, 2);
    assert!(!Item::query().filter(Item::code.eq("c")).exists(&s).await?);
    assert!(Item::query().filter(Item::id.eq(3)).one_or_none(&s).await?.is_none());
    assert!(s.get::<Item>(3).await?.is_none());
    assert!(s.get::<Stock>((2, "shelf".to_owned())).await?.is_none());
    assert_eq!(s.get_one::<Stock>((1, "shelf".to_owned())).await?.amount, 1);
    assert_eq!(Item::query().order_by(Item::id).paginate(&s, PageQuery::new(1)).await?.total, Some(2));
    let page = Item::query().order_by(Item::price.desc()).paginate_by_key(&s, CursorQuery::new().per_page(1)).await?;
    let next = CursorQuery::at(page.next.clone().unwrap()).per_page(5);
    assert_eq!(ids(Item::query().order_by(Item::price.desc()).paginate_by_key(&s, next).await?.items).len(), 1);
    assert_eq!(Item::query().distinct().select(Item::price).all(&s).await?, [10]);
    let sums = Item::query().group_by(Item::kind_id).having(func::count(Item::id).gt(0));
    assert_eq!(sums.select(func::sum(Item::price)).all(&s).await?, [Some(20)]);
    let ranked = Item::query().select((Item::id, func::row_number().over(window().order_by(Item::id.desc()))));
    assert_eq!(ranked.order_by(Item::id).all(&s).await?, [(1, 2), (2, 1)]);
    let mut streamed = Vec::new();
    let mut rows = Item::query().order_by(Item::id).stream(&s);
    while let Some(item) = rows.next().await {
        streamed.push(item?.id);
    }
    assert_eq!(streamed, [1, 2]);
    drop(rows);
    let mut chunks = Item::query().stream_entities(&s, 1);
    let mut seen = Vec::new();
    while let Some(chunk) = chunks.next().await? {
        seen.extend(ids(chunk));
    }
    assert_eq!(seen, [1, 2]);
    assert!(!Item::query().explain(&s).await?.is_empty());

    // joins and aliases, from what has a tenant and from what has none
    let kinds = Kind::query().join(Kind::items).select(Item::id).order_by(Item::id);
    assert_eq!(kinds.all(&s).await?, [1, 2]);
    let outer = Kind::query().left_join(Kind::items).join(Item::notes).select(Note::text).order_by(Note::id);
    assert_eq!(outer.all(&s).await?, ["1a", "1b"]);
    let other = Item::alias("other");
    let pairs = Item::query().join_on(&other, other.col(Item::kind_id).eq(Item::kind_id));
    assert_eq!(pairs.clone().count(&s).await?, 4);
    assert_eq!(other.query().select(other.col(Item::id)).order_by(other.col(Item::id)).all(&s).await?, [1, 2]);
    let crossed = Kind::query().join_on(Item::TABLE, None::<Expr<bool>>).select(Item::id).order_by(Item::id);
    assert_eq!(crossed.all(&s).await?, [1, 2]);
    let left = Kind::query().left_join_on(&other, other.col(Item::shop).eq(2)).select(other.col(Item::id).optional());
    assert_eq!(left.all(&s).await?, [None]);
    let labelled = Label::query().join(Label::items).select(Item::id).order_by(Item::id);
    assert_eq!(labelled.all(&s).await?, [1, 2]);

    // subqueries, EXISTS, common table expressions, unions
    let inner = Kind::query().filter(Kind::id.in_(Item::query().filter(Item::code.eq("c")).select(Item::kind_id)));
    assert_eq!(inner.count(&s).await?, 0);
    assert_eq!(Kind::query().filter(Kind::items.any(Item::code.eq("c"))).count(&s).await?, 0);
    assert_eq!(Label::query().filter(Label::items.any(Item::code.eq("c"))).count(&s).await?, 0);
    assert_eq!(Note::query().filter(Note::item.has(Item::code.eq("c"))).count(&s).await?, 0);
    let absent = Kind::query().filter(!exists(Item::query().filter(Item::code.eq("c"))));
    assert_eq!(absent.count(&s).await?, 1);
    let most = Item::query().select(func::max(Item::price)).scalar();
    assert_eq!(Kind::query().select(most).all(&s).await?, [Some(10)]);
    let cte = Item::query().select(CodedColumns { code: Item::code }).cte("codes");
    assert_eq!(cte.query().count(&s).await?, 2);
    let sub = Item::query().select(CodedColumns { code: Item::code }).subquery("codes");
    assert_eq!(sub.query().filter(sub.columns().code.eq("c")).count(&s).await?, 0);
    let step = Item::query()
        .filter(Item::part_of.is_null())
        .select(CodedColumns { code: Item::code })
        .recursive_cte_distinct("tree", |tree| {
            Item::query().join_on(tree, tree.columns().code.ne(Item::code)).select(CodedColumns { code: Item::code })
        });
    let mut tree: Vec<String> = step.query().all(&s).await?.into_iter().map(|row| row.code).collect();
    tree.sort();
    assert_eq!(tree, ["a", "b"]);
    let union = Item::query().filter(Item::id.gt(1)).union_all(Item::query().filter(Item::id.gt(2)));
    assert_eq!(ids(union.all(&s).await?), [2]);
    assert_eq!(Item::query().filter(Item::id.gt(0)).union(Item::query()).count(&s).await?, 2);

    // loads
    for session in [db.session_for(1)?, db.session_for(1)?] {
        let kind = session.get_one::<Kind>(1).await?;
        assert_eq!(ids(kind.load(Kind::items).await?), [1, 2]);
        let label = session.get_one::<Label>(1).await?;
        assert_eq!(ids(label.load(Label::items).await?), [1, 2]);
    }
    let loads = [Kind::items.with(Item::notes), Kind::items.joined().with(Item::notes.joined()), Kind::items.limit(3)];
    for load in loads {
        let kinds = Kind::query().with(load).all(&db.session_for(1)?).await?;
        assert_eq!(kinds[0].items.get()?.iter().map(|item| item.id).collect::<Vec<_>>(), [1, 2]);
    }
    let labels = Label::query().with(Label::items.joined()).all(&db.session_for(1)?).await?;
    assert_eq!(labels[0].items.get()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn keys_that_lead_to_another_tenant_lead_nowhere() -> Result<()> {
    let db = two_shops().await?;
    // Somebody has written a note of the first shop on an item of the second.
    db.change("UPDATE note SET item_id = 3 WHERE id = 1");
    let session = db.session_for(1)?;
    let note = session.get_one::<Note>(1).await?;
    assert_eq!(note.load(Note::item).await.unwrap_err().kind(), ErrorKind::NotFound);
    let notes = Note::query().with(Note::item).order_by(Note::id).all(&db.session_for(1)?).await?;
    assert!(notes[0].item.get().is_err() && notes[1].item.get().is_ok());
    assert_eq!(Note::query().join(Note::item).count(&session).await?, 1);
    assert!(session.get::<Item>(3).await?.is_none());

    // A row that the session has, and that somebody gave to the other shop since.
    let session = db.session_for(1)?;
    let items = Item::query().order_by(Item::id).all(&session).await?;
    db.change("UPDATE item SET shop_id = 3 WHERE id <= 2");
    assert_eq!(session.refresh(&items[0]).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(session.refresh_columns(&items[0], Item::price).await.unwrap_err().kind(), ErrorKind::NotFound);
    items[0].set(Item::price, 99);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await?;
    session.delete(&items[1]);
    session.commit().await?;
    assert_eq!(db.rows(ITEMS), ["3|a|10", "3|b|10", "2|a|20", "2|c|20"]);
    let sql = support::native("SELECT shop_id FROM item WHERE id = ?");
    assert_eq!(session.sql(&sql).bind(3).one::<i64>().await?, 2, "SQL by hand is sent as it is");
    Ok(())
}

#[tokio::test]
async fn no_write_reaches_rows_of_another_tenant() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    assert_eq!(Item::query().update(Item::price.set(Item::price + 1)).execute(&s).await?, 2);
    assert_eq!(Item::query().filter(Item::id.ge(2)).update(Item::price.set(50)).execute(&s).await?, 1);
    let from = Item::query()
        .filter(Item::kind_id.eq(Kind::id))
        .update(Item::code.set(Kind::name.concat("-").concat(Item::code)));
    let from = from.from::<Kind>();
    assert_eq!(from.execute(&s).await?, 2);
    let from = Kind::query().filter(Kind::id.eq(Item::kind_id) & Item::price.eq(20)).update(Kind::name.set(Item::code));
    assert_eq!(from.from::<Item>().execute(&s).await?, 0, "there is no such price in this shop");
    assert_eq!(Note::query().filter(Note::id.eq(3)).delete().execute(&s).await?, 0);
    assert_eq!(Note::query().with_deleted().filter(Note::id.eq(3)).delete_hard().execute(&s).await?, 0);
    assert_eq!(Stock::query().delete().execute(&s).await?, 1);
    s.commit().await?;
    assert_eq!(db.rows(ITEMS), ["1|tool-a|11", "1|tool-b|50", "2|a|20", "2|c|20"]);
    assert_eq!(db.rows("SELECT shop_id FROM stock"), ["2"]);
    assert_eq!(db.rows("SELECT name FROM kind"), ["tool"]);

    if Backend::current() != Backend::MariaDb {
        let update = Item::query().update(Item::price.set(7)).returning(Item::id);
        assert_eq!(update.execute(&s).await?.len(), 2);
    }
    let item = s.get_one::<Item>(1).await?;
    item.load(Item::notes).await?;
    db.statements();
    item.set(Item::price, 5);
    s.commit().await?;
    assert_eq!(db.work(), ["UPDATE \"item\" SET \"price\" = ? WHERE \"id\" = ? AND \"shop_id\" = ?"]);
    s.delete_hard(&item);
    s.commit().await?;
    let work = db.work();
    assert!(work.contains(&"DELETE FROM \"item\" WHERE (\"id\" = ?) AND \"shop_id\" = ?".to_owned()), "{work:#?}");
    assert!(
        work.contains(&"DELETE FROM \"item_label\" WHERE \"item_id\" IN (?) AND \"shop_id\" = ?".to_owned()),
        "{work:#?}"
    );
    assert_eq!(db.rows("SELECT shop_id, text FROM note ORDER BY id"), ["1|1b", "2|2a", "2|2c"]);
    assert_eq!(db.rows("SELECT item_id, shop_id FROM item_label ORDER BY item_id"), ["2|1", "3|2", "4|2"]);
    Ok(())
}

#[tokio::test]
async fn an_upsert_never_writes_over_another_tenants_row() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let rows = [Item::build().code("a").price(77).kind_id(1), Item::build().code("c").price(78).kind_id(1)];
    Item::insert_all(rows).on_conflict((Item::shop, Item::code)).do_update(Item::price).execute(&s).await?;
    s.commit().await?;
    assert_eq!(db.rows(ITEMS), ["1|a|77", "1|b|10", "2|a|20", "2|c|20", "1|c|78"]);

    // A key without the tenant: the first badge is this shop's, the second the other's.
    db.statements();
    let badges = || (1..=3).map(|number| Badge::build().number(number).holder("new"));
    let upsert = Badge::insert_all(badges()).on_conflict(Badge::number);
    let written = upsert.do_update((Badge::holder, Badge::number.set(excluded(Badge::number)))).execute(&s).await?;
    s.commit().await?;
    assert_eq!(written, Backend::current().pick(2, 2, 3), "MariaDB counts the row that it found");
    assert_eq!(db.work().len(), 1);
    let badges_are =
        |rows: &[&str]| assert_eq!(db.rows("SELECT number, shop_id, holder FROM badge ORDER BY number"), rows);
    badges_are(&["1|1|new", "2|2|x", "3|1|new"]);

    let upsert =
        || Badge::insert_all(badges()).on_conflict(Badge::number).do_update(Badge::holder).returning(Badge::number);
    let nothing = || Badge::insert_all(badges()).on_conflict(Badge::number).do_nothing().returning(Badge::holder);
    let (updated, left) = (upsert().execute(&s).await, nothing().execute(&s).await);
    if Backend::current() == Backend::MariaDb {
        // It would return the other shop's row.
        assert_eq!(updated.unwrap_err().kind(), ErrorKind::Unsupported);
        assert_eq!(left.unwrap_err().kind(), ErrorKind::Unsupported);
    } else {
        assert_eq!(updated?, [1, 3]);
        assert!(left?.is_empty());
    }
    s.commit().await?;
    badges_are(&["1|1|new", "2|2|x", "3|1|new"]);
    let mine = Item::insert_all([Item::build().code("a").price(1).kind_id(1)]).on_conflict((Item::shop, Item::code));
    let error = mine.do_update(Item::shop.set(2)).execute(&s).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    Ok(())
}

#[tokio::test]
async fn a_row_of_another_tenant_is_refused() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let refusal = "item.shop_id: a row of the tenant 2 is no business of this session, whose tenant is 1; leave `Item::shop` \
                   out, or take `db.session_for(2)`";
    s.add(Item::build().code("x").price(1).kind_id(1).shop(2));
    let error = s.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidStatement, refusal));
    s.rollback().await?;

    let row = Item::build().code("x").price(1).kind_id(1).shop(2);
    assert_eq!(Item::insert_all([row]).execute(&s).await.unwrap_err().to_string(), refusal);
    let item = s.get_one::<Item>(1).await?;
    item.set(Item::shop, 2);
    assert_eq!(s.commit().await.unwrap_err().to_string(), refusal);
    s.rollback().await?;
    let error = Item::query().update(Item::shop.set(2)).execute(&s).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);

    // What was read elsewhere is no way in either.
    let mut copy = db.session_for(2)?.get_one::<Item>(3).await?.detach();
    copy.price = 99;
    s.merge(copy.clone()).await?;
    assert_eq!(s.commit().await.unwrap_err().to_string(), refusal);
    s.rollback().await?;
    copy.shop = 1;
    s.merge(copy).await?;
    assert_eq!(
        s.commit().await.unwrap_err().kind(),
        ErrorKind::UniqueViolation,
        "the key is taken, by nobody it knows"
    );
    s.rollback().await?;
    assert_eq!(db.rows(ITEMS), BEFORE);
    Ok(())
}

#[tokio::test]
async fn a_session_without_a_tenant_is_told_the_cure() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session();
    let cure = "`Item` has a tenant, and this session has none: take `db.session_for(tenant)`, or call \
                `session.set_tenant(tenant)` before the rows are asked for; `session.all_tenants()` is for work on the rows of \
                all";
    let errors = [
        Item::query().all(&s).await.unwrap_err(),
        Item::query().count(&s).await.unwrap_err(),
        Kind::query().join(Kind::items).all(&s).await.unwrap_err(),
        Kind::query().filter(Kind::items.any(Item::id.gt(0))).all(&s).await.unwrap_err(),
        Kind::query().with(Kind::items).all(&s).await.unwrap_err(),
        s.get_one::<Kind>(1).await?.load(Kind::items).await.unwrap_err(),
        s.get_one::<Label>(1).await?.load(Label::items).await.unwrap_err(),
        s.get::<Item>(1).await.unwrap_err(),
        Item::query().update(Item::price.set(0)).execute(&s).await.unwrap_err(),
        Item::query().delete().execute(&s).await.unwrap_err(),
        Item::insert_all([Item::build().code("x").price(1).kind_id(1)]).execute(&s).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::InvalidStatement, cure.replace("`Item` has", &named(&error)))
        );
    }
    assert_eq!(Kind::query().count(&s).await?, 1, "what has no tenant is everybody's");
    let item = s.add(Item::build().code("x").price(1).kind_id(1));
    s.set_tenant(1)?;
    s.commit().await?;
    assert_eq!(item.shop, 1, "it may be told later than the row");
    s.set_tenant(1)?;
    assert_eq!(s.set_tenant(2).unwrap_err().kind(), ErrorKind::InvalidStatement);
    assert_eq!(s.all_tenants().unwrap_err().kind(), ErrorKind::InvalidStatement);
    assert!(db.session().set_tenant(None::<i64>).is_err());
    let wrong = db.session_for("one")?;
    assert_eq!(
        Item::query().all(&wrong).await.unwrap_err().to_string(),
        "the session's tenant is a text value, and `Item::shop` is of another type: give `set_tenant` a value of that type"
    );
    let pending = db.session();
    let kind = pending.add(Kind::build().name("x"));
    assert!(pending.set_tenant(kind.id).is_err(), "no key yet");
    Ok(())
}

/// The link model's message where it is that one which is read.
fn named(error: &Error) -> String {
    let model = if error.to_string().starts_with("`ItemLabel`") { "ItemLabel" } else { "Item" };
    format!("`{model}` has")
}

#[tokio::test]
async fn a_session_may_span_all_tenants() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session();
    s.all_tenants()?;
    assert_eq!(Item::query().count(&s).await?, 4);
    assert_eq!(s.get_one::<Kind>(1).await?.load(Kind::items).await?.len(), 4);
    let item = s.get_one::<Item>(3).await?;
    item.set(Item::price, 21);
    s.add(Item::build().code("z").price(1).kind_id(1).shop(2));
    s.commit().await?;
    assert_eq!(db.rows(ITEMS), ["1|a|10", "1|b|10", "2|a|21", "2|c|20", "2|z|1"]);
    s.add(Item::build().code("q").price(1).kind_id(1));
    let error = s.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotNullViolation);
    assert_eq!(
        error.to_string(),
        "a row of `item` belongs to a tenant, and this session spans all of them: give `shop` on the new `Item`"
    );
    Ok(())
}

#[tokio::test]
async fn sessions_that_are_used_again_have_no_tenant_left() -> Result<()> {
    let db = two_shops().await?;
    for _ in 0..20 {
        drop(db.session_for(1)?);
    }
    assert!(Item::query().all(&db.session()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn statements_have_the_condition_and_no_more() -> Result<()> {
    let db = two_shops().await?;
    let s = db.session_for(1)?;
    let kinds = Kind::query().with(Kind::items.with(Item::notes)).all(&s).await?;
    assert_eq!(kinds.len(), 1);
    let work = db.work();
    assert_eq!(work.len(), 3, "{work:#?}");
    let items =
        format!("WHERE \"item\".\"kind_id\" {} AND \"item\".\"shop_id\" = ? ORDER BY \"item\".\"id\"", one_of(1));
    assert!(work[1].ends_with(&items), "{work:#?}");
    let notes = "AND \"note\".\"shop_id\" = ? AND \"note\".\"deleted\" = ?";
    assert!(work[2].contains(&format!("WHERE \"note\".\"item_id\" {} {notes}", one_of(2))), "{work:#?}");
    assert_eq!(Item::query().to_sql(db.dialect())?.matches("shop_id").count(), 2, "in the list, and in the condition");
    Ok(())
}

#[tokio::test]
async fn a_middleware_tells_the_requests_session() -> Result<()> {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::Response;
    use axum::routing::get;
    use axum::{Json, Router};
    use tower::ServiceExt;

    async fn whose(session: Session, request: Request, next: Next) -> Result<Response> {
        let shop = request.headers().get("x-shop").and_then(|shop| shop.to_str().ok()?.parse::<i64>().ok());
        if let Some(shop) = shop {
            session.set_tenant(shop)?;
        }
        Ok(next.run(request).await)
    }

    async fn codes(session: Session) -> Result<Json<Vec<String>>> {
        Ok(Json(Item::query().order_by(Item::id).select(Item::code).all(&session).await?))
    }

    let db = two_shops().await?;
    let app = Router::new().route("/", get(codes)).layer(from_fn(whose)).layer(db.layer());
    let ask = async |shop: Option<&str>| {
        let request =
            shop.into_iter().fold(Request::builder().uri("/"), |request, shop| request.header("x-shop", shop));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(ask(Some("1")).await, (StatusCode::OK, "[\"a\",\"b\"]".to_owned()));
    assert_eq!(ask(Some("2")).await, (StatusCode::OK, "[\"a\",\"c\"]".to_owned()));
    assert_eq!(ask(None).await.0, StatusCode::INTERNAL_SERVER_ERROR, "nobody is everybody");
    Ok(())
}
