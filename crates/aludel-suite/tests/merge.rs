//! `session.merge`: state from outside, copied onto the session's entities.

mod support;

use aludel::prelude::*;
use support::TestDb;

#[derive(Model, Clone, Debug, Default)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    email: Option<String>,
    #[relationship(back_populates = author, cascade = "all, delete-orphan")]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug, Default)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

#[derive(Model, Clone, Debug)]
struct Note {
    #[column(primary_key, autoincrement = false)]
    id: i64,
    body: String,
    #[column(version)]
    version: i32,
}

const USERS: &str = "SELECT name, email FROM user ORDER BY id";
const POSTS: &str = "SELECT title, user_id FROM post ORDER BY id";

/// A database with Ann and her two posts, and a session that has loaded nothing.
async fn with_ann() -> Result<(TestDb, Session, i64)> {
    let db = TestDb::new().await;
    let session = db.session();
    let posts = [Post::build().title("one"), Post::build().title("two")];
    let ann = session.add(User::build().name("Ann").email("ann@x").posts(posts));
    session.commit().await?;
    let id = ann.id;
    db.statements();
    let session = db.session();
    Ok((db, session, id))
}

#[tokio::test]
async fn a_row_that_is_not_loaded_is_loaded_and_changed() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let merged = session.merge(User { id, name: "Anna".into(), email: None, ..User::default() }).await?;
    assert!(merged.is_persistent());
    session.commit().await?;
    let work = db.work();
    assert_eq!(work.len(), 2, "{work:?}");
    assert_eq!(work[1], r#"UPDATE "user" SET "name" = ?, "email" = ? WHERE "id" = ?"#);
    assert_eq!(db.rows(USERS), ["Anna|NULL"]);
    Ok(())
}

#[tokio::test]
async fn a_loaded_row_is_the_same_entity() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let ann = session.get_one::<User>(id).await?;
    db.statements();
    // Of a builder only what was given is copied.
    let merged = session.merge(User::build().id(id).name("Anna")).await?;
    assert_eq!(merged, ann);
    assert!(db.work().is_empty());
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["Anna|ann@x"]);
    // What is equal writes nothing.
    db.statements();
    session.merge(ann.detach()).await?;
    session.commit().await?;
    assert!(db.work().iter().all(|sql| !sql.starts_with("UPDATE")));
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_nowhere_is_new() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let by_key = session.merge(User { id: id + 100, name: "Bob".into(), ..User::default() }).await?;
    assert!(by_key.is_pending());
    let counted = session.merge(User { name: "Cas".into(), ..User::default() }).await?;
    assert!(by_key.is_persistent() && counted.is_pending());
    assert_eq!(session.merge(User::build().id(id + 100).name("Bobby")).await?, by_key);
    session.commit().await?;
    let mut rows = db.rows("SELECT name FROM user ORDER BY name");
    rows.sort();
    assert_eq!(rows, ["Ann", "Bobby", "Cas"]);
    assert_eq!(by_key.id, id + 100);
    Ok(())
}

#[tokio::test]
async fn an_entity_of_another_session_brings_what_it_has_loaded() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let other = db.session();
    let theirs = other.get_one::<User>(id).await?;
    let posts = theirs.load(User::posts).await?;
    theirs.set(User::name, "Anna");
    posts[0].set(Post::title, "first");
    theirs.remove(User::posts, &posts[1]);
    theirs.push(User::posts, Post::build().title("three"));

    let mine = session.merge(&theirs).await?;
    assert!(mine != theirs && mine.is_persistent());
    assert_eq!(session.merge(&mine).await?, mine);
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["Anna|ann@x"]);
    assert_eq!(db.rows(POSTS), [format!("first|{id}"), format!("three|{id}")]);
    assert_eq!(mine.posts.get()?.len(), 2);
    drop(other);
    assert_eq!(db.rows(POSTS).len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_relationship_that_is_not_loaded_stays_as_it_is() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let other = db.session();
    let theirs = other.get_one::<User>(id).await?;
    theirs.set(User::name, "Anna");
    session.merge(&theirs).await?;
    session.commit().await?;
    assert_eq!((db.rows(USERS), db.rows(POSTS).len()), (vec!["Anna|ann@x".to_owned()], 2));
    Ok(())
}

#[tokio::test]
async fn a_graph_of_new_rows_of_another_session_is_new_here_too() -> Result<()> {
    let (db, session, _) = with_ann().await?;
    let other = db.session();
    let bob = other.add(User::build().name("Bob").posts([Post::build().title("b1"), Post::build().title("b2")]));
    let mine = session.merge(&bob).await?;
    assert!(mine.is_pending());
    session.commit().await?;
    assert!(bob.is_pending());
    assert_eq!(
        db.rows("SELECT p.title, u.name FROM post p JOIN user u ON u.id = p.user_id ORDER BY p.id"),
        ["one|Ann", "two|Ann", "b1|Bob", "b2|Bob"]
    );
    Ok(())
}

#[tokio::test]
async fn what_a_builder_is_linked_to_is_merged_too() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let first = Post::query().order_by(Post::id).first(&session).await?.expect("a post").id;
    let posts = [Post::build().id(first).title("first"), Post::build().title("three")];
    let ann = session.merge(User::build().id(id).name("Anna").posts(posts)).await?;
    session.commit().await?;
    assert_eq!(db.rows(POSTS), [format!("first|{id}"), format!("two|{id}"), format!("three|{id}")]);
    assert_eq!(ann.posts.get()?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_version_that_was_given_has_to_be_the_rows() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let note = session.add(Note::build().id(1).body("a"));
    session.commit().await?;
    let cached = note.detach();
    note.set(Note::body, "b");
    session.commit().await?;

    let fresh = db.session();
    let error = fresh.merge(cached).await.unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::StaleData, Some("note")));
    // A builder that says nothing of it means the row as it is.
    fresh.merge(Note::build().id(1).body("c")).await?;
    fresh.commit().await?;
    assert_eq!(db.rows("SELECT body, version FROM note"), ["c|3"]);
    Ok(())
}

#[tokio::test]
async fn pending_changes_are_flushed_before_and_nothing_in_between() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let ann = session.get_one::<User>(id).await?;
    ann.set(User::email, "new@x");
    db.statements();
    session.merge(User::build().id(id).name("Anna").posts([Post::build().title("three")])).await?;
    let work = db.work();
    assert!(work[0].starts_with("UPDATE") && !work.iter().any(|sql| sql.starts_with("INSERT")), "{work:?}");
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["Anna|new@x"]);
    Ok(())
}

#[tokio::test]
async fn members_of_a_merged_collection_come_with_the_collection() -> Result<()> {
    let (db, session, id) = with_ann().await?;
    let ann = User::query().filter(User::id.eq(id)).with(User::posts).one(&session).await?;
    let other = db.session();
    db.statements();
    let merged = other.merge(&ann).await?;
    // The row, and all that its collection has.
    assert_eq!(db.work().len(), 2);
    assert_eq!(merged.posts.get()?.len(), 2);
    other.commit().await?;
    assert_eq!(db.rows(POSTS), [format!("one|{id}"), format!("two|{id}")]);
    Ok(())
}
