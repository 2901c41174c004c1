//! Many-to-many relationships: rows of a link model are written and read by the collections of both sides.

mod support;

use aludel::prelude::*;
use serde::Serialize;
use support::TestDb;

#[derive(Model, Clone, Debug, Serialize)]
struct Article {
    #[column(primary_key)]
    id: Uuid,
    title: String,
    #[relationship(secondary = ArticleTag, back_populates = articles, order_by = Tag::name)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug)]
struct ArticleTag {
    #[column(primary_key, references = Article::id, on_delete = cascade)]
    article_id: Uuid,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

#[derive(Model, Clone, Debug, Serialize)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(secondary = ArticleTag, back_populates = tags, order_by = Article::title)]
    articles: Many<Article>,
}

/// Somebody who follows others: both keys of the link model lead to one model.
#[derive(Model, Clone, Debug)]
struct Person {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = Follow, foreign_key = follower_id, back_populates = followers, order_by = Person::name)]
    following: Many<Person>,
    #[relationship(secondary = Follow, foreign_key = followed_id, back_populates = following, order_by = Person::name)]
    followers: Many<Person>,
}

#[derive(Model, Clone, Debug)]
struct Follow {
    #[column(primary_key, references = Person::id)]
    follower_id: i64,
    #[column(primary_key, references = Person::id)]
    followed_id: i64,
}

/// Linked by rows with a key of their own, and from one side only.
#[derive(Model, Clone, Debug)]
struct Shelf {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = Placed)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug)]
struct Placed {
    #[column(primary_key)]
    id: Uuid,
    #[column(references = Shelf::id)]
    shelf_id: i64,
    #[column(references = Tag::id)]
    tag_id: i64,
    note: Option<String>,
    #[column(server_default = "7")]
    weight: i64,
}

/// Owns what it is linked with.
#[derive(Model, Clone, Debug)]
#[model(table = "packing")]
struct Case {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(secondary = Packed, cascade = "all")]
    items: Many<Item>,
}

#[derive(Model, Clone, Debug)]
struct Packed {
    #[column(primary_key, references = Case::id)]
    case_id: i64,
    #[column(primary_key, references = Item::id)]
    item_id: i64,
}

#[derive(Model, Clone, Debug)]
struct Item {
    #[column(primary_key)]
    id: i64,
    name: String,
}

const LINKS: &str = "SELECT title, name FROM article JOIN article_tag ON article_id = article.id \
    JOIN tag ON tag.id = tag_id ORDER BY title, name";
const FOLLOWS: &str = "SELECT a.name, b.name FROM follow JOIN person a ON a.id = follower_id \
    JOIN person b ON b.id = followed_id ORDER BY 1, 2";

/// Two articles: the first of glass and heat, the second of glass.
async fn published() -> Result<(TestDb, Session, [Entity<Article>; 2], [Entity<Tag>; 3])> {
    let db = TestDb::new().await;
    let session = db.session();
    let glass = session.add(Tag::build().name("glass"));
    let heat = session.add(Tag::build().name("heat"));
    let sand = session.add(Tag::build().name("sand"));
    let first = session.add(Article::build().title("first").tags([&glass, &heat]));
    let second = session.add(Article::build().title("second").tags([&glass]));
    session.commit().await?;
    db.statements();
    Ok((db, session, [first, second], [glass, heat, sand]))
}

fn names(tags: &[Entity<Tag>]) -> Vec<&str> {
    tags.iter().map(|tag| tag.name.as_str()).collect()
}

fn titles(articles: &[Entity<Article>]) -> Vec<&str> {
    articles.iter().map(|article| article.title.as_str()).collect()
}

#[tokio::test]
async fn new_rows_are_linked_before_any_of_them_has_a_key() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let tags = [Tag::build().name("glass"), Tag::build().name("heat")];
    let article = session.add(Article::build().title("On vessels").tags(tags));
    let tags = article.tags.entities()?;
    assert_eq!(names(&tags), ["glass", "heat"]);
    assert_eq!(titles(&tags[0].articles.entities()?), ["On vessels"]);
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["On vessels|glass", "On vessels|heat"]);
    let work = db.work();
    assert_eq!(work.len(), 3, "one INSERT for each table: {work:#?}");
    let links = r#"INSERT INTO "article_tag" ("article_id", "tag_id") VALUES (?, ?), (?, ?)"#;
    assert_eq!(work[2], links, "the links come after both sides");
    Ok(())
}

#[tokio::test]
async fn both_sides_see_what_is_pushed_and_removed_at_once() -> Result<()> {
    let (db, session, [first, second], [glass, heat, sand]) = published().await?;
    first.load(Article::tags).await?;
    glass.load(Tag::articles).await?;
    heat.load(Tag::articles).await?;
    sand.load(Tag::articles).await?;
    db.statements();

    let pushed = first.push(Article::tags, &sand);
    assert_eq!(pushed, sand);
    assert_eq!(titles(&sand.articles.entities()?), ["first"]);
    heat.push(Tag::articles, &second);
    glass.remove(Tag::articles, &first);
    assert_eq!(names(&first.tags.entities()?), ["heat", "sand"]);
    assert_eq!(titles(&glass.articles.entities()?), ["second"]);
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["first|heat", "first|sand", "second|glass", "second|heat"]);
    let work = db.work();
    assert_eq!(work.len(), 2, "one DELETE, one INSERT: {work:#?}");
    assert!(work[0].starts_with(r#"DELETE FROM "article_tag""#), "{work:#?}");
    assert_eq!(work[1], r#"INSERT INTO "article_tag" ("article_id", "tag_id") VALUES (?, ?), (?, ?)"#);
    Ok(())
}

#[tokio::test]
async fn a_builder_is_pushed_as_a_row_is() -> Result<()> {
    let (db, session, [_, second], _) = published().await?;
    let ice = second.push(Article::tags, Tag::build().name("ice"));
    assert!(ice.is_pending());
    ice.push(Tag::articles, Article::build().title("third"));
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "second|glass", "second|ice", "third|ice"]);
    Ok(())
}

#[tokio::test]
async fn a_collection_is_set_to_a_list() -> Result<()> {
    let (db, session, [first, second], [glass, heat, sand]) = published().await?;
    glass.load(Tag::articles).await?;
    first.load(Article::tags).await?;
    db.statements();
    first.set(Article::tags, [&sand, &heat]);
    assert_eq!(names(&first.tags.entities()?), ["sand", "heat"]);
    assert_eq!(titles(&glass.articles.entities()?), ["second"]);
    session.commit().await?;
    assert_eq!(db.work().len(), 2, "one DELETE, one INSERT");
    assert_eq!(db.rows(LINKS), ["first|heat", "first|sand", "second|glass"]);

    let third = session.add(Article::build().title("third"));
    third.set(Article::tags, vec![Tag::build().name("ice")]);
    first.set(Article::tags, Vec::<Entity<Tag>>::new());
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["second|glass", "third|ice"]);

    let other = db.session();
    let second = other.get_one::<Article>(second.id).await?;
    second.set(Article::tags, Vec::<Entity<Tag>>::new());
    let error = other.commit().await.expect_err("what is to be removed is not known");
    assert_eq!(error.kind(), ErrorKind::NotLoaded);
    Ok(())
}

#[tokio::test]
async fn deleting_with_cascade_all_deletes_the_other_end() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let crate_ = |name: &str| {
        Case::build().name(name).items([Item::build().name(format!("{name}1")), Item::build().name(format!("{name}2"))])
    };
    session.add_all([crate_("a"), crate_("b"), crate_("c")]);
    session.commit().await?;
    for loaded in [false, true] {
        let session = db.session();
        let name = if loaded { "b" } else { "a" };
        let case = Case::query().filter(Case::name.eq(name)).one(&session).await?;
        if loaded {
            case.load(Case::items).await?;
        }
        db.statements();
        session.delete(&case);
        session.commit().await?;
        let work = db.work();
        let selects = work.iter().filter(|sql| sql.starts_with("SELECT")).count();
        assert_eq!((selects, work.len() - selects), (usize::from(!loaded), 3), "{work:#?}");
    }
    assert_eq!(db.rows("SELECT name FROM item ORDER BY name"), ["c1", "c2"]);
    assert_eq!(db.rows("SELECT (SELECT count(*) FROM packed), (SELECT count(*) FROM packing)"), ["2|1"]);
    Ok(())
}

#[tokio::test]
async fn what_is_pushed_and_removed_again_is_not_sent() -> Result<()> {
    let (db, session, [first, _], [glass, _, sand]) = published().await?;
    first.load(Article::tags).await?;
    db.statements();
    first.push(Article::tags, &sand);
    first.remove(Article::tags, &sand);
    first.remove(Article::tags, &glass);
    first.push(Article::tags, &glass);
    first.push(Article::tags, &glass);
    session.commit().await?;
    assert_eq!(db.work(), [""; 0]);
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "second|glass"]);
    Ok(())
}

#[tokio::test]
async fn a_link_that_is_there_is_not_written_twice_though_nothing_is_loaded() -> Result<()> {
    let (db, _, [first, _], [glass, _, sand]) = published().await?;
    let session = db.session();
    let first = session.get_one::<Article>(first.id).await?;
    let (glass, sand) = (session.get_one::<Tag>(glass.id).await?, session.get_one::<Tag>(sand.id).await?);
    db.statements();
    first.push(Article::tags, &glass);
    first.push(Article::tags, &sand);
    sand.push(Tag::articles, &first);
    session.commit().await?;
    let work = db.work();
    assert!(work.len() <= 2, "one INSERT, and where it cannot leave out a pair by itself, one SELECT: {work:#?}");
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "first|sand", "second|glass"]);

    first.remove(Article::tags, &sand);
    session.commit().await?;
    assert_eq!(db.work(), [r#"DELETE FROM "article_tag" WHERE ("article_id" = ? AND "tag_id" = ?)"#]);
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "second|glass"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_not_linked_cannot_be_removed() -> Result<()> {
    let (db, session, [first, _], [_, _, sand]) = published().await?;
    first.load(Article::tags).await?;
    first.remove(Article::tags, &sand);
    let error = session.commit().await.expect_err("sand is no tag of the first");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(
        error.to_string().contains("`Article::tags` does not belong") || error.to_string().contains("Article::tags"),
        "{error}"
    );
    session.rollback().await?;
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "second|glass"]);
    Ok(())
}

#[tokio::test]
async fn one_lazy_load_serves_all_siblings() -> Result<()> {
    let (db, ..) = published().await?;
    let session = db.session();
    let articles = Article::query().order_by(Article::title).all(&session).await?;
    db.statements();
    let mut found = Vec::new();
    for article in &articles {
        found.push(names(&article.load(Article::tags).await?).join(" "));
    }
    assert_eq!(found, ["glass heat", "glass"]);
    assert_eq!(db.statements().len(), 1);
    Ok(())
}

#[tokio::test]
async fn with_selects_the_collection_in_a_second_statement_or_joins_it() -> Result<()> {
    let (db, ..) = published().await?;
    for joined in [false, true] {
        let session = db.session();
        let query = Article::query().order_by(Article::title);
        let query = if joined { query.with(Article::tags.joined()) } else { query.with(Article::tags) };
        db.statements();
        let articles = query.all(&session).await?;
        let statements = db.statements();
        assert_eq!(statements.len(), if joined { 1 } else { 2 }, "{statements:#?}");
        let tags: Vec<_> =
            articles.iter().map(|article| names(&article.tags.entities().expect("loaded")).join(" ")).collect();
        assert_eq!(tags, ["glass heat", "glass"], "joined: {joined}");
        assert_eq!(articles.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn rows_without_links_have_an_empty_collection() -> Result<()> {
    let (db, ..) = published().await?;
    for joined in [false, true] {
        let session = db.session();
        let query = Tag::query().filter(Tag::name.eq("sand"));
        let query = if joined { query.with(Tag::articles.joined()) } else { query.with(Tag::articles) };
        let sand = query.one(&session).await?;
        assert!(sand.articles.get()?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_load_can_be_filtered_ordered_and_limited_for_each_parent() -> Result<()> {
    let (db, _, [_, second], _) = published().await?;
    let session = db.session();
    let second = session.get_one::<Article>(second.id).await?;
    second.push(Article::tags, Tag::build().name("ice"));
    second.push(Article::tags, Tag::build().name("jam"));
    session.commit().await?;

    for joined in [false, true] {
        let session = db.session();
        let load = Article::tags.filter(Tag::name.ne("glass")).order_by(Tag::name.desc());
        let load = if joined { load.joined() } else { load };
        let articles = Article::query().order_by(Article::title).with(load).all(&session).await?;
        let tags: Vec<_> =
            articles.iter().map(|article| names(&article.tags.entities().expect("loaded")).join(" ")).collect();
        assert_eq!(tags, ["heat", "jam ice"], "joined: {joined}");
        // what was filtered is not the whole collection
        assert_eq!(names(&articles[0].load(Article::tags).await?), ["glass", "heat"]);
    }

    let session = db.session();
    db.statements();
    let articles = Article::query()
        .order_by(Article::title)
        .with(Article::tags.order_by(Tag::name.desc()).limit(1))
        .all(&session)
        .await?;
    assert_eq!(db.statements().len(), 2);
    let tags: Vec<_> =
        articles.iter().map(|article| names(&article.tags.entities().expect("loaded")).join(" ")).collect();
    assert_eq!(tags, ["heat", "jam"]);
    Ok(())
}

#[tokio::test]
async fn loads_nest_through_links() -> Result<()> {
    let (db, ..) = published().await?;
    for joined in [false, true] {
        let session = db.session();
        let load = if joined {
            Article::tags.joined().with(Tag::articles.joined())
        } else {
            Article::tags.with(Tag::articles)
        };
        db.statements();
        let articles = Article::query().order_by(Article::title).with(load).all(&session).await?;
        assert_eq!(db.statements().len(), if joined { 1 } else { 3 });
        let first = articles[0].tags.entities()?;
        assert_eq!(titles(&first[0].articles.entities()?), ["first", "second"]);
        assert_eq!(titles(&first[1].articles.entities()?), ["first"]);
    }
    Ok(())
}

#[tokio::test]
async fn any_asks_for_a_row_at_the_other_end() -> Result<()> {
    let (db, ..) = published().await?;
    let session = db.session();
    let heat = Article::query().filter(Article::tags.any(Tag::name.eq("heat"))).all(&session).await?;
    assert_eq!(titles(&heat), ["first"]);
    let none = Tag::query().filter(!Tag::articles.any(Article::title.is_not_null())).all(&session).await?;
    assert_eq!(names(&none), ["sand"]);
    let with_heat = Article::tags.any(Tag::name.eq("heat"));
    let beside = Tag::query().filter(Tag::articles.any(with_heat)).order_by(Tag::name).all(&session).await?;
    assert_eq!(names(&beside), ["glass", "heat"]);
    Ok(())
}

#[tokio::test]
async fn a_query_joins_by_the_link_model() -> Result<()> {
    let (db, ..) = published().await?;
    let session = db.session();
    let rows = Article::query()
        .join(Article::tags)
        .order_by((Article::title, Tag::name))
        .select((Article::title, Tag::name))
        .all(&session)
        .await?;
    let rows: Vec<String> = rows.into_iter().map(|(title, name)| format!("{title}|{name}")).collect();
    assert_eq!(rows, ["first|glass", "first|heat", "second|glass"]);

    let counts = Tag::query()
        .left_join(Tag::articles)
        .group_by((Tag::id, Tag::name))
        .order_by(Tag::name)
        .select((Tag::name, aludel::model::count(Article::id)))
        .all(&session)
        .await?;
    assert_eq!(counts, [("glass".to_owned(), 2), ("heat".to_owned(), 1), ("sand".to_owned(), 0)]);

    // the link model's own columns are there too
    let glass = Article::query().join(Article::tags).filter(ArticleTag::tag_id.gt(0)).count(&session).await?;
    assert_eq!(glass, 3);
    Ok(())
}

#[tokio::test]
async fn deleting_a_row_deletes_its_links_and_loads_nothing() -> Result<()> {
    let (db, _, _, [glass, ..]) = published().await?;
    let session = db.session();
    let glass = session.get_one::<Tag>(glass.id).await?;
    db.statements();
    session.delete(&glass);
    session.commit().await?;
    let deletes = [r#"DELETE FROM "article_tag" WHERE "tag_id" IN (?)"#, r#"DELETE FROM "tag" WHERE ("id" = ?)"#];
    assert_eq!(db.work(), deletes);
    assert_eq!(db.rows(LINKS), ["first|heat"]);
    assert_eq!(db.rows("SELECT count(*) FROM article"), ["2"]);
    Ok(())
}

#[tokio::test]
async fn many_deleted_rows_have_their_links_deleted_in_one_statement() -> Result<()> {
    let (db, ..) = published().await?;
    let session = db.session();
    for article in Article::query().all(&session).await? {
        session.delete(&article);
    }
    for tag in Tag::query().with(Tag::articles).all(&session).await? {
        session.delete(&tag);
    }
    db.statements();
    session.commit().await?;
    let work = db.work();
    assert!(work.len() <= 4, "{work:#?}");
    assert_eq!(
        db.rows(
            "SELECT (SELECT count(*) FROM article), (SELECT count(*) FROM tag), (SELECT count(*) FROM article_tag)"
        ),
        ["0|0|0"]
    );
    Ok(())
}

#[tokio::test]
async fn a_deleted_row_is_in_no_loaded_collection() -> Result<()> {
    let (_db, session, [first, _], [glass, ..]) = published().await?;
    first.load(Article::tags).await?;
    session.delete(&glass);
    session.flush().await?;
    assert_eq!(names(&first.tags.entities()?), ["heat"]);
    session.rollback().await?;
    assert_eq!(names(&first.load(Article::tags).await?), ["glass", "heat"]);
    Ok(())
}

#[tokio::test]
async fn a_rollback_takes_links_back() -> Result<()> {
    let (db, session, [first, _], [glass, _, sand]) = published().await?;
    first.load(Article::tags).await?;
    first.push(Article::tags, &sand);
    session.flush().await?;
    first.remove(Article::tags, &glass);
    session.rollback().await?;
    assert_eq!(names(&first.load(Article::tags).await?), ["glass", "heat"]);
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "second|glass"]);

    let savepoint = session.begin_nested().await?;
    first.push(Article::tags, &sand);
    session.flush().await?;
    savepoint.rollback().await?;
    first.remove(Article::tags, &glass);
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["first|heat", "second|glass"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_takes_the_place_of_a_deleted_one_has_its_own_links() -> Result<()> {
    let (db, session, [first, _], [glass, _, sand]) = published().await?;
    let id = first.id;
    session.delete(&first);
    session.add(Article::build().id(id).title("again").tags([&glass, &sand]));
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["again|glass", "again|sand", "second|glass"]);
    Ok(())
}

#[tokio::test]
async fn a_linked_row_that_is_deleted_before_the_flush_is_not_linked() -> Result<()> {
    let (db, session, [first, second], [.., sand]) = published().await?;
    let ice = first.push(Article::tags, Tag::build().name("ice"));
    session.delete(&ice);
    first.push(Article::tags, &sand);
    session.delete(&sand);
    second.push(Article::tags, Tag::build().name("jam"));
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["first|glass", "first|heat", "second|glass", "second|jam"]);
    assert_eq!(db.rows("SELECT name FROM tag ORDER BY name"), ["glass", "heat", "jam"]);
    Ok(())
}

#[tokio::test]
async fn entities_of_the_link_model_know_when_their_row_is_gone() -> Result<()> {
    let (db, session, [first, _], [glass, ..]) = published().await?;
    let link = session.get_one::<ArticleTag>((first.id, glass.id)).await?;
    first.remove(Article::tags, &glass);
    session.flush().await?;
    assert!(!link.is_persistent());
    assert!(session.get::<ArticleTag>((first.id, glass.id)).await?.is_none());
    session.commit().await?;
    assert_eq!(db.rows(LINKS), ["first|heat", "second|glass"]);
    Ok(())
}

#[tokio::test]
async fn a_bulk_write_of_the_link_model_is_seen_by_the_next_load() -> Result<()> {
    let (_db, session, [first, _], [glass, ..]) = published().await?;
    assert_eq!(first.load(Article::tags).await?.len(), 2);
    ArticleTag::query().filter(ArticleTag::tag_id.eq(glass.id)).delete().execute(&session).await?;
    assert_eq!(names(&first.load(Article::tags).await?), ["heat"]);
    Ok(())
}

#[tokio::test]
async fn a_model_is_linked_with_itself() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("Ann"));
    let bob = session.add(Person::build().name("Bob").following([&ann]));
    let cas = session.add(Person::build().name("Cas").following([&ann, &bob]).followers([&ann]));
    let names = |people: Vec<Entity<Person>>| people.iter().map(|person| person.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(ann.followers.entities()?), ["Bob", "Cas"]);
    session.commit().await?;
    assert_eq!(db.work().len(), 2, "people and follows");
    assert_eq!(db.rows(FOLLOWS), ["Ann|Cas", "Bob|Ann", "Cas|Ann", "Cas|Bob"]);

    let session = db.session();
    for joined in [false, true] {
        let load = if joined { Person::followers.joined() } else { Person::followers.selectin() };
        let found = Person::query().with(load).order_by(Person::name).all(&session).await?;
        assert_eq!(names(found[0].followers.entities()?), ["Bob", "Cas"]);
        assert_eq!(names(found[1].followers.entities()?), ["Cas"]);
        assert_eq!(names(found[2].load(Person::following).await?), ["Ann", "Bob"]);
        session.clear();
    }
    let fans = Person::query().filter(Person::following.any(Person::name.eq("Bob"))).all(&session).await?;
    assert_eq!(names(fans), ["Cas"]);

    let cas = session.get_one::<Person>(cas.id).await?;
    let ann = session.get_one::<Person>(ann.id).await?;
    ann.remove(Person::followers, &cas);
    session.commit().await?;
    assert_eq!(db.rows(FOLLOWS), ["Ann|Cas", "Bob|Ann", "Cas|Bob"]);
    session.delete(&cas);
    session.commit().await?;
    assert_eq!(db.rows(FOLLOWS), ["Bob|Ann"]);
    Ok(())
}

#[tokio::test]
async fn a_row_can_be_linked_with_itself() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("Ann"));
    ann.push(Person::following, &ann);
    session.commit().await?;
    assert_eq!(db.rows(FOLLOWS), ["Ann|Ann"]);
    assert_eq!(ann.load(Person::followers).await?, [ann.clone()]);
    session.delete(&ann);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM person"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn a_link_model_may_have_a_key_of_its_own_and_columns_that_fill_themselves() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let shelf = session.add(Shelf::build().name("top").tags([Tag::build().name("glass"), Tag::build().name("heat")]));
    session.commit().await?;
    let placed = "SELECT name, weight, note FROM placed JOIN tag ON tag.id = tag_id ORDER BY name";
    assert_eq!(db.rows(placed), ["glass|7|NULL", "heat|7|NULL"]);
    // nothing is loaded: the pair that is there is asked for
    let other = db.session();
    let (shelf, glass) =
        (other.get_one::<Shelf>(shelf.id).await?, Tag::query().filter(Tag::name.eq("glass")).one(&other).await?);
    shelf.push(Shelf::tags, &glass);
    other.commit().await?;
    assert_eq!(db.rows(placed), ["glass|7|NULL", "heat|7|NULL"]);
    other.delete(&shelf);
    other.commit().await?;
    assert_eq!(db.rows("SELECT (SELECT count(*) FROM placed), (SELECT count(*) FROM tag)"), ["0|2"]);
    Ok(())
}

#[tokio::test]
async fn serializing_ends_where_it_came_from() -> Result<()> {
    let (db, ..) = published().await?;
    let session = db.session();
    let articles =
        Article::query().order_by(Article::title).with(Article::tags.with(Tag::articles)).all(&session).await?;
    let json = serde_json::to_value(&articles).expect("JSON");
    assert_eq!(json[0]["tags"][0]["name"], "glass");
    assert!(json[0]["tags"][0].get("articles").is_none(), "the way back is left out: {json}");
    Ok(())
}

#[tokio::test]
async fn a_detached_row_is_not_linked() -> Result<()> {
    let (_db, session, [first, _], [_, _, sand]) = published().await?;
    session.delete(&sand);
    session.commit().await?;
    first.push(Article::tags, &sand);
    let error = session.commit().await.expect_err("sand is gone");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(error.to_string().contains("`Tag`"), "{error}");
    session.rollback().await
}

#[tokio::test]
async fn hundreds_of_links_are_few_statements() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let tags = (0..1200).map(|number| Tag::build().name(format!("tag {number}")));
    session.add(Article::build().title("many").tags(tags));
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM article_tag"), ["1200"]);
    let work = db.work();
    let links = work.iter().filter(|sql| sql.contains("article_tag")).count();
    assert_eq!(links, 3, "500 rows each");
    Ok(())
}

#[tokio::test]
async fn joins_to_aliases_have_link_tables_of_their_own() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("Ann"));
    let bob = session.add(Person::build().name("Bob").following([&ann]));
    session.add(Person::build().name("Cas").following([&ann, &bob]).followers([&ann]));
    session.commit().await?;
    assert_eq!(db.rows(FOLLOWS), ["Ann|Cas", "Bob|Ann", "Cas|Ann", "Cas|Bob"]);

    let (idol, fan) = (Person::alias("idol"), Person::alias("fan"));
    let both = Person::query()
        .join(Person::following.to(&idol))
        .join(Person::followers.to(&fan))
        .order_by((Person::name, idol.col(Person::name), fan.col(Person::name)))
        .select((Person::name, idol.col(Person::name), fan.col(Person::name)));
    let found: Vec<(String, String, String)> = both.all(&session).await?;
    let found: Vec<String> = found.into_iter().map(|(name, idol, fan)| format!("{name} {idol} {fan}")).collect();
    assert_eq!(found, ["Ann Cas Bob", "Ann Cas Cas", "Bob Ann Cas", "Cas Ann Ann", "Cas Bob Ann"]);

    // The link model's own name is that of the first join, and a second join from an alias leads on.
    let further = Person::alias("further");
    let chain = Person::query()
        .join(Person::following.to(&idol))
        .join(idol.rel(Person::following).to(&further))
        .filter(Follow::follower_id.eq(bob.id))
        .select((Person::name, idol.col(Person::name), further.col(Person::name)));
    let found: Vec<(String, String, String)> = chain.all(&session).await?;
    assert_eq!(found, [("Bob".to_owned(), "Ann".to_owned(), "Cas".to_owned())]);

    let none = Person::alias("none");
    let outer = Person::query()
        .left_join(Person::following.to(&none))
        .filter(none.rel(Person::followers).any(Person::name.eq("Bob")))
        .order_by(Person::name)
        .select((Person::name, Follow::followed_id.optional()));
    let found: Vec<(String, Option<i64>)> = outer.all(&session).await?;
    assert_eq!(found, [("Bob".to_owned(), Some(ann.id)), ("Cas".to_owned(), Some(ann.id))]);

    let error = Person::query()
        .left_join(Person::following.to(&none))
        .select(Follow::followed_id)
        .all(&session)
        .await
        .expect_err("there may be no link");
    assert!(error.to_string().contains("`follow` is outer-joined"), "{error}");
    Ok(())
}
