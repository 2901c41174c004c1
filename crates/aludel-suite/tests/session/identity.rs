//! One row is one entity in a session: what it shows, and when it is read again.

use crate::support::{TestDb, native};
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    email: Option<String>,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    db.change(
        "INSERT INTO user VALUES (1, 'ann', 'ann@x'), (2, 'bob', NULL);
         INSERT INTO post VALUES (1, 'one', 1), (2, 'two', 1), (3, 'three', 2);",
    );
    db
}

#[tokio::test]
async fn one_key_is_one_entity_however_it_is_reached() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    assert_eq!(User::query().order_by(User::id).first(&session).await?, Some(ann.clone()));
    assert_eq!(User::query().filter(User::username.eq("ann")).one(&session).await?, ann);
    let post = Post::query().with(Post::author.joined()).order_by(Post::id).first(&session).await?.expect("a post");
    assert_eq!(post.author.entity()?, ann);
    assert_eq!(session.get_one::<Post>(3).await?.load(Post::author).await?, session.get_one::<User>(2).await?);
    let pairs = Post::query().join(Post::author).select((Post::entity, User::entity)).order_by(Post::id);
    assert!(pairs.all(&session).await?.iter().take(2).all(|(_, author)| *author == ann));
    Ok(())
}

#[tokio::test]
async fn a_new_row_is_found_by_its_key_as_the_entity_that_was_added() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let new = session.add(User::build().username("new"));
    assert_eq!(User::query().filter(User::username.eq("new")).one(&session).await?, new);
    assert_eq!(session.get::<User>(new.id).await?, Some(new));
    Ok(())
}

#[tokio::test]
async fn entities_of_two_sessions_are_not_equal_but_the_same_row() -> Result<()> {
    let db = filled().await;
    let (here, there) = (db.session(), db.session());
    let (ann, other) = (here.get_one::<User>(1).await?, there.get_one::<User>(1).await?);
    assert_ne!(ann, other);
    assert!(ann.same_row(&other));
    assert!(!ann.same_row(&there.get_one::<User>(2).await?));
    assert!(here.is_same(&here.clone()) && !here.is_same(&there));
    Ok(())
}

#[tokio::test]
async fn a_missing_row_is_none_or_not_found_or_404() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    assert!(session.get::<User>(9).await?.is_none());
    let error = session.get_one::<User>(9).await.expect_err("no row");
    assert_eq!((error.kind(), error.table(), error.is_404()), (ErrorKind::NotFound, Some("user"), false));
    assert!(error.to_string().contains('9'), "{error}");
    assert!(session.get_or_404::<User>(9).await.expect_err("no row").is_404());
    Ok(())
}

#[tokio::test]
async fn a_query_does_not_overwrite_what_the_session_knows_within_a_transaction() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    db.change("UPDATE user SET username = 'anna'");
    User::query().all(&session).await?;
    assert_eq!(ann.username, "ann");
    User::query().populate_existing().all(&session).await?;
    assert_eq!(ann.username, "anna");
    Ok(())
}

#[tokio::test]
async fn populate_existing_leaves_unsent_changes_alone() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let bob = session.get_one::<User>(2).await?;
    ann.set(User::email, "mine@x");
    db.change("UPDATE user SET username = username || '!'");
    let guard = session.no_autoflush();
    User::query().populate_existing().all(&session).await?;
    assert_eq!((ann.email.as_deref(), ann.username.as_str(), bob.username.as_str()), (Some("mine@x"), "ann", "bob!"));
    drop(guard);
    session.commit().await?;
    assert_eq!(db.rows("SELECT username, email FROM user ORDER BY id"), ["ann!|mine@x", "bob!|NULL"]);
    Ok(())
}

#[tokio::test]
async fn after_a_commit_or_rollback_the_next_row_that_names_an_entity_refreshes_it() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    session.commit().await?;
    db.change("UPDATE user SET username = 'anna' WHERE id = 1");
    assert_eq!(ann.username, "ann", "nothing is read behind a field");
    User::query().all(&session).await?;
    assert_eq!(ann.username, "anna");

    session.rollback().await?;
    db.change("UPDATE user SET username = 'anne' WHERE id = 1");
    assert_eq!(session.get_one::<User>(1).await?.username, "anne");
    assert_eq!(ann.username, "anne");

    session.rollback().await?;
    db.change("DELETE FROM post; DELETE FROM user WHERE id = 1");
    assert!(session.get::<User>(1).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_reference_into_an_entity_is_a_snapshot() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let before: &User = &ann;
    ann.set(User::username, "anna");
    session.commit().await?;
    assert_eq!((before.username.as_str(), ann.username.as_str()), ("ann", "anna"));
    Ok(())
}

#[tokio::test]
async fn a_bulk_update_is_seen_by_the_next_query_or_get_that_names_the_row() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let (ann, bob) = (session.get_one::<User>(1).await?, session.get_one::<User>(2).await?);
    let changed = User::query().update(User::email.set("all@x")).execute(&session).await?;
    assert_eq!(changed, 2);
    assert_eq!(ann.email.as_deref(), Some("ann@x"));
    User::query().filter(User::id.eq(1)).one(&session).await?;
    assert_eq!(ann.email.as_deref(), Some("all@x"));
    session.get::<User>(2).await?;
    assert_eq!(bob.email.as_deref(), Some("all@x"));
    session.rollback().await?;
    assert_eq!(session.get_one::<User>(1).await?.email.as_deref(), Some("ann@x"));
    Ok(())
}

#[tokio::test]
async fn a_raw_update_is_seen_by_the_next_query_that_names_the_row() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let post = ann.load(User::posts).await?[0].clone();
    assert_eq!(
        session.sql(&native("UPDATE user SET username = ? WHERE id = ?")).bind("anna").bind(1).execute().await?,
        1
    );
    session.sql("UPDATE post SET title = 'first' WHERE id = 1").execute().await?;
    let seen = Post::query().with(Post::author.joined()).filter(Post::id.eq(1)).one(&session).await?;
    assert_eq!((seen.title.as_str(), post.title.as_str(), ann.username.as_str()), ("first", "first", "anna"));
    Ok(())
}

#[tokio::test]
async fn a_bulk_delete_is_seen_by_get() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = session.get_one::<Post>(3).await?;
    assert_eq!(Post::query().filter(Post::id.eq(3)).delete().execute(&session).await?, 1);
    assert!(session.get::<Post>(3).await?.is_none());
    session.rollback().await?;
    assert_eq!(session.get::<Post>(3).await?, Some(post));
    Ok(())
}

#[tokio::test]
async fn refresh_reads_the_row_again_and_gives_up_unsent_changes() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.load(User::posts).await?;
    ann.set(User::email, "mine@x");
    db.change("UPDATE user SET username = 'anna' WHERE id = 1; DELETE FROM post WHERE id = 1");
    let guard = session.no_autoflush();
    session.refresh(&ann).await?;
    drop(guard);
    assert_eq!((ann.username.as_str(), ann.email.as_deref()), ("anna", Some("ann@x")));
    assert!(!ann.posts.is_loaded());
    assert_eq!(ann.load(User::posts).await?.len(), 1);
    db.statements();
    session.commit().await?;
    assert!(db.work().is_empty(), "the change was given up");
    Ok(())
}

#[tokio::test]
async fn refresh_of_a_row_that_is_gone_or_pending_is_an_error() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = session.get_one::<Post>(3).await?;
    db.change("DELETE FROM post WHERE id = 3");
    assert_eq!(session.refresh(&post).await.expect_err("gone").kind(), ErrorKind::NotFound);
    let new = session.add(User::build().username("new"));
    assert_eq!(session.refresh(&new).await.expect_err("pending").kind(), ErrorKind::InvalidStatement);
    Ok(())
}

#[tokio::test]
async fn a_row_that_is_to_be_deleted_is_not_found_any_more() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = session.get_one::<Post>(3).await?;
    session.delete(&post);
    assert!(session.get::<Post>(3).await?.is_none());
    assert_eq!(Post::query().count(&session).await?, 2);
    assert!(session.get::<Post>(3).await?.is_none());
    session.rollback().await?;
    assert_eq!(session.get::<Post>(3).await?, Some(post));
    Ok(())
}

#[tokio::test]
async fn clear_leaves_what_was_flushed_in_the_transaction() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let cas = session.add(User::build().username("cas"));
    session.flush().await?;
    session.clear();
    let again = session.get_one::<User>(cas.id).await?;
    assert_ne!(again, cas);
    cas.set(User::username, "lost");
    session.commit().await?;
    assert_eq!(db.rows("SELECT username FROM user WHERE id = 3"), ["cas"]);
    session.delete(&cas);
    let error = session.commit().await.expect_err("not this session's");
    assert!(error.to_string().contains("`clear`"), "{error}");
    Ok(())
}

#[tokio::test]
async fn clear_forgets_entities_which_stay_readable_and_belong_to_no_session() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.set(User::username, "lost");
    session.clear();
    assert_eq!(ann.username, "lost");
    assert_ne!(session.get_one::<User>(1).await?, ann);
    assert_eq!(ann.load(User::posts).await.expect_err("cleared").kind(), ErrorKind::Detached);
    session.commit().await?;
    assert_eq!(db.rows("SELECT username FROM user WHERE id = 1"), ["ann"]);
    Ok(())
}

#[tokio::test]
async fn detach_gives_a_plain_value_with_no_relationship_loaded() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.load(User::posts).await?;
    let plain: User = ann.detach();
    assert_eq!((plain.id, plain.username.as_str()), (1, "ann"));
    assert!(!plain.posts.is_loaded());
    assert!(ann.posts.is_loaded());
    Ok(())
}

#[tokio::test]
async fn a_relationship_that_is_not_loaded_names_itself_and_the_two_cures() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    let Err(error) = ann.posts.get() else { panic!("not loaded") };
    assert_eq!(error.kind(), ErrorKind::NotLoaded);
    for part in ["User::posts", ".with(User::posts)", ".load(User::posts).await"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_changed_moves_the_entity_in_the_identity_map() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = session.get_one::<Post>(3).await?;
    post.set(Post::id, 30);
    session.flush().await?;
    assert_eq!(session.get::<Post>(30).await?, Some(post.clone()));
    assert!(session.get::<Post>(3).await?.is_none());
    session.rollback().await?;
    assert_eq!(post.id, 3);
    assert_eq!(session.get::<Post>(3).await?, Some(post));
    assert!(session.get::<Post>(30).await?.is_none());
    Ok(())
}
