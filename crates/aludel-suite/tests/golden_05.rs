//! Relationships, written as well as read.

mod support;

use aludel::prelude::*;
use support::TestDb;

#[derive(Model, Clone, Debug, Default)]
struct Employee {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Employee::id)]
    boss_id: Option<i64>,
    #[relationship(back_populates = reports)]
    boss: One<Option<Employee>>,
    #[relationship(back_populates = boss)]
    reports: Many<Employee>,
}

#[derive(Model, Clone, Debug)]
struct Article {
    #[column(primary_key)]
    id: Uuid,
    title: String,
    #[column(references = Employee::id)]
    author_id: i64,
    #[column(references = Employee::id, on_delete = set_null)]
    editor_id: Option<i64>,
    #[relationship(foreign_key = author_id)]
    author: One<Employee>,
    #[relationship(foreign_key = editor_id)]
    editor: One<Option<Employee>>,
    #[relationship(secondary = ArticleTag, back_populates = articles)]
    tags: Many<Tag>,
    #[relationship(back_populates = article, cascade = "all, delete-orphan", order_by = Comment::id)]
    comments: Many<Comment>,
    #[column(version)]
    version: i32,
}

#[derive(Model, Clone, Debug)]
struct ArticleTag {
    #[column(primary_key, references = Article::id, on_delete = cascade)]
    article_id: Uuid,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

#[derive(Model, Clone, Debug, Default)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    #[column(unique)]
    name: String,
    #[relationship(secondary = ArticleTag, back_populates = tags)]
    articles: Many<Article>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    body: String,
    #[column(references = Article::id)]
    article_id: Uuid,
    #[relationship(back_populates = comments)]
    article: One<Article>,
}

const ARTICLES: &str = "SELECT title, author.name, editor.name FROM article \
    JOIN employee author ON author.id = author_id LEFT JOIN employee editor ON editor.id = editor_id";
const TAGS: &str = "SELECT name, title FROM tag LEFT JOIN article_tag ON tag_id = tag.id \
    LEFT JOIN article ON article.id = article_id ORDER BY name";
const COMMENTS: &str = "SELECT body FROM comment JOIN article ON article.id = article_id ORDER BY comment.id";

#[tokio::test]
async fn the_golden_lines_on_relationships() -> Result<()> {
    let db = TestDb::new().await;
    let session = &db.session();

    let ann = session.add(Employee::build().name("Ann"));
    let bob = session.add(Employee::build().name("Bob").boss(&ann));
    let article = session.add(
        Article::build()
            .title("On vessels")
            .author(&bob)
            .comments([Comment::build().body("first"), Comment::build().body("second")])
            .tags([Tag::build().name("glass"), Tag::build().name("heat")]),
    );
    let sand = session.add(Tag { name: "sand".into(), ..Default::default() });
    assert!(ann.is_pending() && sand.is_pending());
    session.commit().await?;
    assert!(ann.is_persistent());
    assert_eq!(
        db.rows("SELECT e.name, b.name FROM employee e LEFT JOIN employee b ON b.id = e.boss_id ORDER BY 1"),
        ["Ann|NULL", "Bob|Ann"]
    );
    assert_eq!(db.rows(ARTICLES), ["On vessels|Bob|NULL"]);
    assert_eq!(db.rows(COMMENTS), ["first", "second"]);
    assert_eq!(db.rows(TAGS), ["glass|On vessels", "heat|On vessels", "sand|NULL"]);
    assert_eq!((bob.boss_id, article.author_id), (Some(ann.id), bob.id));

    article.set(Article::editor, &ann);
    let third = article.push(Article::comments, Comment::build().body("third"));
    assert_eq!(third.article.get()?.title, "On vessels");
    let first = article.load(Article::comments).await?[0].clone();
    article.remove(Article::comments, &first);
    article.set(Article::editor, None);
    session.commit().await?;
    assert_eq!(db.rows(ARTICLES), ["On vessels|Bob|NULL"]);
    assert_eq!(db.rows(COMMENTS), ["second", "third"]);

    db.change("UPDATE article SET title = 'On glass', version = version + 1");
    article.edit(|a| {
        a.title.push('!');
    });
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleData);
    session.rollback().await?;
    session.refresh(&article).await?;
    assert_eq!(article.title, "On glass");
    assert_eq!(db.rows(ARTICLES), ["On glass|Bob|NULL"]);
    Ok(())
}

/// A database with Ann, her report Bob, and his article with two comments.
async fn published() -> Result<(TestDb, Session, Entity<Article>)> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Employee::build().name("Ann"));
    let bob = session.add(Employee::build().name("Bob").boss(&ann));
    let comments = [Comment::build().body("first"), Comment::build().body("second")];
    let article = session.add(Article::build().title("On vessels").author(&bob).comments(comments));
    session.commit().await?;
    db.statements();
    Ok((db, session, article))
}

#[tokio::test]
async fn what_is_linked_pushed_and_removed_is_one_update_one_insert_and_one_delete() -> Result<()> {
    let (db, session, article) = published().await?;
    let comments = article.load(Article::comments).await?;
    let ann = Employee::query().filter(Employee::name.eq("Ann")).one(&session).await?;
    db.statements();
    article.set(Article::editor, &ann);
    article.push(Article::comments, Comment::build().body("third"));
    article.remove(Article::comments, &comments[0]);
    session.commit().await?;
    let work = db.work();
    let count = |word: &str| work.iter().filter(|sql| sql.starts_with(word)).count();
    assert_eq!((count("UPDATE"), count("INSERT"), count("DELETE")), (1, 1, 1), "{work:#?}");
    assert_eq!(db.rows(ARTICLES), ["On vessels|Bob|Ann"]);
    assert_eq!(db.rows(COMMENTS), ["second", "third"]);
    Ok(())
}

#[tokio::test]
async fn a_literal_struct_is_a_new_row_too() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Employee { name: "Ann".into(), ..Default::default() });
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, name, boss_id FROM employee"), [format!("{}|Ann|NULL", ann.id)]);
    Ok(())
}

#[tokio::test]
async fn setting_one_side_moves_a_row_between_loaded_collections() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Employee::build().name("Ann"));
    let bob = session.add(Employee::build().name("Bob"));
    let cas = session.add(Employee::build().name("Cas").boss(&ann));
    session.commit().await?;
    assert_eq!(ann.load(Employee::reports).await?, [cas.clone()]);
    assert!(bob.load(Employee::reports).await?.is_empty());

    cas.set(Employee::boss, &bob);
    assert!(ann.reports.get()?.is_empty());
    assert_eq!(bob.reports.entities()?, [cas.clone()]);
    assert_eq!(cas.boss_id, Some(bob.id));

    cas.set(Employee::boss, None);
    assert!(bob.reports.get()?.is_empty());
    assert_eq!((cas.boss_id, cas.boss.get()?.is_none()), (None, true));

    ann.push(Employee::reports, &cas);
    assert_eq!(cas.boss.entity()?, Some(ann.clone()));
    session.commit().await?;
    assert_eq!(db.rows("SELECT boss_id FROM employee WHERE name = 'Cas'"), [ann.id.to_string()]);
    Ok(())
}

#[tokio::test]
async fn two_foreign_keys_to_one_model_do_not_get_mixed_up() -> Result<()> {
    let (db, session, article) = published().await?;
    let cas = session.add(Employee::build().name("Cas"));
    article.set(Article::editor, &cas);
    session.commit().await?;
    let found = Article::query().with(Article::author.joined()).with(Article::editor.joined()).one(&session).await?;
    assert_eq!(found, article);
    assert_eq!(found.author.get()?.name, "Bob");
    assert_eq!(found.editor.get()?.expect("an editor").name, "Cas");
    assert_eq!(db.rows(ARTICLES), ["On vessels|Bob|Cas"]);
    Ok(())
}

#[tokio::test]
async fn the_order_of_a_relationship_is_that_of_its_collection() -> Result<()> {
    let (db, session, article) = published().await?;
    db.change("UPDATE comment SET id = 1000 - id");
    session.rollback().await?;
    let bodies: Vec<_> = article.load(Article::comments).await?.iter().map(|comment| comment.body.clone()).collect();
    assert_eq!(bodies, ["second", "first"]);
    Ok(())
}

#[tokio::test]
async fn deleting_a_parent_deletes_what_its_collection_owns() -> Result<()> {
    let (db, session, article) = published().await?;
    session.delete(&article);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM article"), ["0"]);
    assert_eq!(db.rows("SELECT count(*) FROM comment"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn the_database_sets_null_where_the_foreign_key_says_so() -> Result<()> {
    let (db, session, article) = published().await?;
    let cas = session.add(Employee::build().name("Cas"));
    article.set(Article::editor, &cas);
    session.commit().await?;
    session.delete(&cas);
    session.commit().await?;
    assert_eq!(db.rows(ARTICLES), ["On vessels|Bob|NULL"]);
    session.get_one::<Article>(article.id).await?;
    assert_eq!(article.editor_id, None);
    Ok(())
}
