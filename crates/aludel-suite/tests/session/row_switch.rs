//! A row deleted and a new one with the same key in one flush: the row is updated.

use crate::support::{Backend, TestDb};
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct Author {
    #[column(primary_key, autoincrement = false)]
    id: i64,
    #[column(unique)]
    name: String,
    bio: Option<String>,
    #[column(server_default = "'new'")]
    status: String,
    #[relationship(back_populates = author, cascade = "all, delete-orphan")]
    books: Many<Book>,
    #[relationship(back_populates = author)]
    notes: Many<Note>,
    #[relationship(passive_deletes)]
    logs: Many<Log>,
}

#[derive(Model, Clone, Debug)]
struct Book {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = Author::id, on_delete = cascade)]
    author_id: i64,
    #[relationship(back_populates = books)]
    author: One<Author>,
}

#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key)]
    id: i64,
    body: String,
    #[column(references = Author::id, on_delete = set_null)]
    author_id: Option<i64>,
    #[relationship(back_populates = notes)]
    author: One<Option<Author>>,
}

#[derive(Model, Clone, Debug)]
struct Log {
    #[column(primary_key)]
    id: i64,
    #[column(references = Author::id, on_delete = cascade)]
    author_id: i64,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    word: String,
}

#[derive(Model, Clone, Debug)]
struct Tagging {
    #[column(primary_key, references = Author::id)]
    author_id: i64,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
    weight: i64,
    #[column(references = Tag::id)]
    also_id: Option<i64>,
}

#[derive(Model, Clone, Debug)]
struct Link {
    #[column(primary_key, references = Author::id)]
    author_id: i64,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

async fn filled() -> TestDb {
    let db = TestDb::of([Author::TABLE, Book::TABLE, Note::TABLE, Log::TABLE, Tag::TABLE, Tagging::TABLE, Link::TABLE])
        .await;
    db.change(
        "INSERT INTO author VALUES (1, 'ann', 'long', 'old'), (2, 'bob', NULL, 'old');
         INSERT INTO book VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2);
         INSERT INTO note VALUES (1, 'n', 1);
         INSERT INTO log VALUES (1, 1);
         INSERT INTO tag VALUES (1, 'x'), (2, 'y');
         INSERT INTO tagging VALUES (1, 1, 10, NULL), (1, 2, 20, NULL);
         INSERT INTO link VALUES (1, 1);",
    );
    db
}

#[tokio::test]
async fn a_deleted_row_and_a_new_one_of_its_key_are_one_update() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Author>(2).await?;
    session.delete(&old);
    let new = session.add(Author::build().id(2).name("bea"));
    db.statements();
    session.flush().await?;
    let updates: Vec<String> = db.work().into_iter().filter(|sql| sql.contains("\"author\" SET")).collect();
    let expected = Backend::current().pick(
        r#"UPDATE "author" SET "name" = ?, "bio" = ?, "status" = ('new') WHERE "id" = ? RETURNING "status""#,
        r#"UPDATE "author" SET "name" = ?, "bio" = ?, "status" = DEFAULT WHERE "id" = ? RETURNING "status""#,
        r#"UPDATE "author" SET "name" = ?, "bio" = ?, "status" = DEFAULT WHERE "id" = ?"#,
    );
    assert_eq!(updates, [expected]);
    assert!(old.is_deleted() && new.is_persistent());
    assert_eq!(new.status, "new");
    assert_eq!(session.get_one::<Author>(2).await?, new);
    new.set(Author::bio, "short".to_owned());
    session.commit().await?;
    assert!(!old.is_persistent() && !old.is_deleted());
    assert_eq!(db.rows("SELECT * FROM author ORDER BY id"), ["1|ann|long|old", "2|bea|short|new"]);
    Ok(())
}

#[tokio::test]
async fn children_of_the_old_row_go_and_those_of_the_new_one_stay() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Author>(1).await?;
    let kept = session.get_one::<Book>(2).await?;
    session.delete(&old);
    let new = session
        .add(Author::build().id(1).name("ann").books([Book::build().title("d")]).notes([Note::build().body("m")]));
    kept.set(Book::author, &new);
    session.add(Book::build().title("e").author_id(1));
    session.commit().await?;
    assert!(new.is_persistent());
    assert_eq!(db.rows("SELECT id, title, author_id FROM book ORDER BY id"), ["2|b|1", "3|c|2", "4|d|1", "5|e|1"]);
    assert_eq!(db.rows("SELECT body, author_id FROM note ORDER BY id"), ["n|NULL", "m|1"]);
    assert_eq!(db.rows("SELECT * FROM log"), ["1|1"], "the row was not deleted, so that the database did not cascade");
    assert_eq!(db.rows("SELECT * FROM author WHERE id = 1"), ["1|ann|NULL|new"]);
    let titles: Vec<String> = new.load(Author::books).await?.iter().map(|book| book.title.clone()).collect();
    assert_eq!(titles, ["b", "d", "e"]);
    Ok(())
}

#[tokio::test]
async fn composite_keys_switch_and_point_at_rows_of_the_same_flush() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Tagging>((1, 2)).await?;
    session.delete(&old);
    let tag = session.add(Tag::build().word("z"));
    let new = session.add(Tagging::build().author_id(1).tag_id(2).weight(7).also_id(tag.id));
    session.commit().await?;
    assert_eq!((old.is_persistent(), new.is_persistent(), new.also_id), (false, true, Some(tag.id)));
    assert_eq!(db.rows("SELECT * FROM tagging ORDER BY tag_id"), ["1|1|10|NULL", "1|2|7|3"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_nothing_but_its_key_needs_no_statement() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Link>((1, 1)).await?;
    session.delete(&old);
    let new = session.add(Link::build().author_id(1).tag_id(1));
    db.statements();
    session.flush().await?;
    assert_eq!(db.work(), [""; 0]);
    assert!(old.is_deleted() && new.is_persistent());
    session.commit().await?;
    assert_eq!(db.rows("SELECT * FROM link"), ["1|1"]);
    Ok(())
}

#[tokio::test]
async fn another_new_row_can_have_the_unique_value_that_is_given_up() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Author>(2).await?;
    session.delete(&old);
    session.add_all([Author::build().id(3).name("bob"), Author::build().id(2).name("bea")]);
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, name FROM author ORDER BY id"), ["1|ann", "2|bea", "3|bob"]);
    Ok(())
}

#[tokio::test]
async fn a_rollback_gives_the_row_back_to_the_old_entity() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Author>(2).await?;
    let savepoint = session.begin_nested().await?;
    session.delete(&old);
    let new = session.add(Author::build().id(2).name("bea"));
    session.flush().await?;
    savepoint.rollback().await?;
    assert!(old.is_persistent() && !new.is_persistent());
    assert_eq!(session.get_one::<Author>(2).await?, old);
    assert_eq!(old.name, "bob");
    session.delete(&old);
    let new = session.add(Author::build().id(2).name("bea"));
    session.flush().await?;
    session.rollback().await?;
    assert!(old.is_persistent() && !new.is_persistent());
    old.set(Author::name, "ben");
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, name FROM author ORDER BY id"), ["1|ann", "2|ben"]);
    Ok(())
}

#[tokio::test]
async fn a_row_that_somebody_else_has_deleted_cannot_be_switched() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Tagging>((1, 1)).await?;
    db.change("DELETE FROM tagging WHERE tag_id = 1");
    session.delete(&old);
    session.add(Tagging::build().author_id(1).tag_id(1).weight(1));
    let error = session.flush().await.expect_err("the row is gone");
    assert_eq!(error.kind(), ErrorKind::StaleData);
    session.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn a_changed_row_that_is_deleted_is_switched_by_the_key_that_the_database_has() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let old = session.get_one::<Author>(2).await?;
    old.set(Author::name, "not sent");
    session.delete(&old);
    session.add(Author::build().id(2).name("bea"));
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, name FROM author ORDER BY id"), ["1|ann", "2|bea"]);
    Ok(())
}
