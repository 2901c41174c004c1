//! What `cargo xtask oracle` has found: programs that SQLAlchemy ran otherwise, or with fewer statements.

mod support;

use aludel::prelude::*;
use support::TestDb;

/// Its comments lose their writer by the database's own ON DELETE SET NULL.
#[derive(Model, Clone, Debug)]
struct Person {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = author)]
    articles: Many<Article>,
    #[relationship(back_populates = writer, passive_deletes)]
    comments: Many<Comment>,
}

/// Owns its comments.
#[derive(Model, Clone, Debug)]
struct Article {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Person::id)]
    author_id: Option<i64>,
    #[relationship(back_populates = articles)]
    author: One<Option<Person>>,
    #[relationship(back_populates = article, cascade = "all, delete-orphan")]
    comments: Many<Comment>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Article::id)]
    article_id: i64,
    #[column(references = Person::id, on_delete = set_null)]
    writer_id: Option<i64>,
    #[relationship(back_populates = comments)]
    article: One<Article>,
    #[relationship(back_populates = comments)]
    writer: One<Option<Person>>,
}

const COMMENTS: &str = "SELECT name, writer_id FROM comment ORDER BY id";

fn starting_with(work: &[String], word: &str) -> usize {
    work.iter().filter(|sql| sql.starts_with(word)).count()
}

#[tokio::test]
async fn an_orphan_is_deleted_though_it_gets_a_parent_that_does_not_own_it() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("ann"));
    let article = session.add(Article::build().name("a"));
    let comments = ["c1", "c2", "c3"].map(|name| session.add(Comment::build().name(name).article(&article)));
    session.commit().await?;
    article.load(Article::comments).await?;
    comments.iter().for_each(|comment| article.remove(Article::comments, comment));
    ann.push(Person::comments, &comments[0]);
    comments[1].set(Comment::writer, &ann);
    // Another article owns it.
    let other = session.add(Article::build().name("b"));
    comments[2].set(Comment::article, &other);
    session.flush().await?;
    assert!(comments[0].is_deleted() && comments[1].is_deleted() && comments[2].is_persistent());
    session.commit().await?;
    assert_eq!(db.rows(COMMENTS), ["c3|NULL"]);
    Ok(())
}

/// A person with a comment that the session knows.
async fn commented() -> Result<(TestDb, Session, Entity<Person>, Entity<Comment>)> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("ann"));
    let article = session.add(Article::build().name("a"));
    let comment = session.add(Comment::build().name("c").article(&article).writer(&ann));
    session.flush().await?;
    db.statements();
    Ok((db, session, ann, comment))
}

#[tokio::test]
async fn a_key_that_the_database_makes_null_is_null_without_a_statement() -> Result<()> {
    let (db, session, ann, comment) = commented().await?;
    session.delete(&ann);
    comment.set(Comment::name, "changed");
    session.flush().await?;
    assert_eq!((comment.writer_id, comment.writer.get()?.is_none()), (None, true));
    let work = db.work();
    let updates: Vec<_> = work.iter().filter(|sql| sql.starts_with("UPDATE")).collect();
    assert_eq!(updates, [r#"UPDATE "comment" SET "name" = ? WHERE "id" = ?"#], "{work:#?}");
    session.commit().await?;
    assert_eq!(db.rows(COMMENTS), ["changed|NULL"]);

    let bob = session.add(Person::build().name("bob"));
    comment.set(Comment::writer, &bob);
    session.commit().await?;
    assert_eq!(db.rows(COMMENTS), [format!("changed|{}", bob.id)]);
    Ok(())
}

#[tokio::test]
async fn rows_whose_key_the_database_makes_null_follow_whether_their_collection_is_loaded_or_not() -> Result<()> {
    let (db, session, ann, _) = commented().await?;
    session.commit().await?;
    let session = db.session();
    let comment = Comment::query().one(&session).await?;
    session.delete(&session.get_one::<Person>(ann.id).await?);
    db.statements();
    session.flush().await?;
    assert_eq!(comment.writer_id, None);
    comment.set(Comment::writer, None);
    session.commit().await?;
    assert_eq!(starting_with(&db.work(), "UPDATE"), 0);
    assert_eq!(db.rows(COMMENTS), ["c|NULL"]);
    Ok(())
}

#[tokio::test]
async fn a_key_that_the_database_made_null_comes_back_with_a_rollback() -> Result<()> {
    let (db, session, ann, comment) = commented().await?;
    session.commit().await?;
    session.delete(&ann);
    comment.load(Comment::writer).await?;
    session.flush().await?;
    session.rollback().await?;
    assert_eq!(comment.writer_id, Some(ann.id));
    assert_eq!(comment.load(Comment::writer).await?, Some(ann.clone()));
    session.commit().await?;
    assert_eq!(db.rows(COMMENTS), [format!("c|{}", ann.id)]);
    Ok(())
}

#[tokio::test]
async fn a_child_that_the_database_knows_under_another_parent_is_updated() -> Result<()> {
    let (db, session, ann, comment) = commented().await?;
    let bob = session.add(Person::build().name("bob"));
    session.flush().await?;
    // The database has it under Ann, who stays.
    comment.set(Comment::writer, &bob);
    session.delete(&bob);
    session.commit().await?;
    assert_eq!(comment.writer_id, None);
    assert_eq!(db.rows(COMMENTS), ["c|NULL"]);
    assert_eq!(db.rows("SELECT name FROM person"), [ann.name.clone()]);
    Ok(())
}

#[tokio::test]
async fn new_rows_share_an_insert_whichever_nullable_columns_were_given() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("ann"));
    session.flush().await?;
    db.statements();
    session.add(Article::build().name("a"));
    session.add(Article::build().name("b").author(&ann));
    session.add(Article::build().name("c").author_id(None));
    session.commit().await?;
    let work = db.work();
    assert_eq!(work.len(), 1, "{work:#?}");
    let rows = db.rows("SELECT name, author_id FROM article ORDER BY name");
    assert_eq!(rows, ["a|NULL".to_owned(), format!("b|{}", ann.id), "c|NULL".to_owned()]);
    Ok(())
}

#[tokio::test]
async fn changed_rows_are_updated_table_by_table() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let [ann, bob] = ["ann", "bob"].map(|name| session.add(Person::build().name(name)));
    let article = session.add(Article::build().name("a"));
    session.commit().await?;
    db.statements();
    bob.set(Person::name, "bobby");
    article.set(Article::name, "b");
    ann.set(Person::name, "anna");
    session.commit().await?;
    let work = db.work();
    let person = r#"UPDATE "person" SET "name" = ? WHERE "id" = ?"#;
    assert_eq!(work, [person, person, r#"UPDATE "article" SET "name" = ? WHERE "id" = ?"#]);
    assert_eq!(db.rows("SELECT name FROM person ORDER BY id"), ["anna", "bobby"]);
    Ok(())
}

#[tokio::test]
async fn what_was_loaded_after_a_clear_is_read_anew_when_the_savepoint_is_rolled_back() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(Person::build().name("ann"));
    session.commit().await?;
    let id = ann.id;
    let savepoint = session.begin_nested().await?;
    ann.set(Person::name, "anna");
    session.flush().await?;
    session.clear();
    let anna = session.get_one::<Person>(id).await?;
    assert_eq!(anna.name, "anna");
    savepoint.rollback().await?;
    assert_eq!(session.get_one::<Person>(id).await?.name, "ann");
    anna.set(Person::name, "anna");
    session.commit().await?;
    assert_eq!(db.rows("SELECT name FROM person"), ["anna"]);
    assert_eq!(starting_with(&db.work(), "INSERT"), 1);
    Ok(())
}
