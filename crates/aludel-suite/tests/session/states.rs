//! What the session says of its entities, and how it forgets them.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    email: Option<String>,
    karma: i64,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: Option<i64>,
    #[relationship(back_populates = posts)]
    author: One<Option<User>>,
}

const USERS: &str = "SELECT name, email, karma FROM user ORDER BY id";

async fn with_ann() -> Result<(TestDb, Session, Entity<User>)> {
    let db = TestDb::of([User::TABLE, Post::TABLE]).await;
    let session = db.session();
    let ann = session.add(User::build().name("Ann").email("ann@x").karma(1));
    session.commit().await?;
    db.statements();
    Ok((db, session, ann))
}

#[tokio::test]
async fn new_dirty_and_deleted_follow_the_flush() -> Result<()> {
    let (_db, session, ann) = with_ann().await?;
    assert!(session.new().is_empty() && session.dirty().is_empty() && session.deleted().is_empty());
    let bob = session.add(User::build().name("Bob").karma(2));
    let post = session.add(Post::build().title("one"));
    ann.set(User::karma, 5);
    let models: Vec<&str> = session.new().iter().map(|row| row.model_name()).collect();
    assert_eq!(models, ["User", "Post"]);
    assert_eq!(session.new()[1].downcast::<Post>(), Some(post));
    assert_eq!(session.new()[0].downcast::<Post>(), None);
    assert_eq!(session.dirty().iter().filter_map(|row| row.downcast::<User>()).collect::<Vec<_>>(), [ann.clone()]);
    session.flush().await?;
    assert!(session.new().is_empty() && session.dirty().is_empty());
    session.delete(&bob);
    ann.set(User::karma, 6);
    session.delete(&ann);
    assert_eq!(session.deleted().len(), 2);
    assert!(session.dirty().is_empty(), "a row to be deleted is not written");
    session.rollback().await?;
    assert!(session.new().is_empty() && session.dirty().is_empty() && session.deleted().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_change_that_was_taken_back_is_no_modification() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    assert!(!session.is_modified(&ann));
    ann.set(User::karma, 5);
    assert!(session.is_modified(&ann));
    ann.set(User::karma, 1);
    assert_eq!((session.dirty().len(), session.is_modified(&ann)), (1, false));
    session.commit().await?;
    assert!(db.work().iter().all(|sql| !sql.starts_with("UPDATE")));
    let bob = session.add(User::build().name("Bob").karma(2));
    assert!(session.is_modified(&bob));
    Ok(())
}

#[tokio::test]
async fn history_has_the_databases_value_and_the_new_one() -> Result<()> {
    let (_db, session, ann) = with_ann().await?;
    let same = ann.history(User::email)?;
    assert_eq!((same.old, same.new), (Some(Some("ann@x".to_owned())), Some("ann@x".to_owned())));
    ann.set(User::karma, 5);
    ann.set(User::karma, 7);
    let history = ann.history(User::karma)?;
    assert_eq!((history.old, history.new, history.is_changed()), (Some(1), 7, true));
    session.flush().await?;
    let history = ann.history(User::karma)?;
    assert_eq!((history.old, history.new, history.is_changed()), (Some(7), 7, false));
    session.rollback().await?;
    assert_eq!(ann.history(User::karma)?.old, Some(1));
    let bob = session.add(User::build().name("Bob").karma(2));
    let history = bob.history(User::karma)?;
    assert_eq!((history.old, history.new, history.is_changed()), (None, 2, true));
    Ok(())
}

#[tokio::test]
async fn an_expunged_entity_is_written_no_more() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    ann.set(User::karma, 5);
    session.expunge(&ann)?;
    assert!(!ann.is_persistent() && session.dirty().is_empty());
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["Ann|ann@x|1"]);
    assert_eq!(ann.karma, 5);
    let again = session.get_one::<User>(ann.id).await?;
    assert!(again != ann && again.same_row(&ann));
    assert_eq!(again.karma, 1);
    Ok(())
}

#[tokio::test]
async fn an_expunged_new_row_is_not_inserted_and_no_rollback_brings_it_back() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let bob = session.add(User::build().name("Bob").karma(2));
    let cas = session.add(User::build().name("Cas").karma(3));
    session.expunge(&bob)?;
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["Ann|ann@x|1", "Cas|NULL|3"]);

    session.delete(&ann);
    session.flush().await?;
    session.expunge(&ann)?;
    cas.set(User::karma, 9);
    session.flush().await?;
    session.expunge(&cas)?;
    session.rollback().await?;
    assert!(!ann.is_persistent() && !cas.is_persistent());
    assert_eq!(db.rows(USERS), ["Ann|ann@x|1", "Cas|NULL|3"]);
    cas.set(User::karma, 10);
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["Ann|ann@x|1", "Cas|NULL|3"]);
    Ok(())
}

#[tokio::test]
async fn an_expired_entity_is_read_anew_by_whoever_asks() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let ann = session.get_one::<User>(ann.id).await?;
    ann.load(User::posts).await?;
    db.statements();
    ann.set(User::karma, 50);
    db.change("UPDATE user SET karma = 9");
    session.expire(&ann)?;
    assert!(!session.is_modified(&ann) && session.dirty().is_empty());
    assert_eq!((ann.karma, ann.posts.is_loaded()), (1, false));
    assert_eq!(session.get_one::<User>(ann.id).await?.karma, 9);
    assert_eq!(db.work().len(), 1);
    session.get_one::<User>(ann.id).await?;
    assert!(db.work().is_empty(), "it is current again");
    assert_eq!(db.rows(USERS), ["Ann|ann@x|9"]);

    db.change("UPDATE user SET karma = 10");
    ann.set(User::name, "lost");
    session.expire_all();
    assert_eq!(User::query().one(&session).await?.karma, 10);
    assert_eq!((ann.name.as_str(), ann.karma), ("Ann", 10));
    let bob = session.add(User::build().name("Bob").karma(2));
    assert_eq!(session.expire(&bob).unwrap_err().kind(), ErrorKind::InvalidStatement);
    let other = db.session();
    assert_eq!(other.expire(&ann).unwrap_err().kind(), ErrorKind::InvalidStatement);
    assert_eq!(other.expunge(&ann).unwrap_err().kind(), ErrorKind::InvalidStatement);
    Ok(())
}

#[tokio::test]
async fn named_columns_are_refreshed_and_others_stay_changed() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    db.change("UPDATE user SET karma = 9, email = 'theirs', name = 'theirs'");
    ann.edit(|ann| {
        ann.name = "mine".into();
        ann.karma = 100;
    });
    session.refresh_columns(&ann, (User::karma, User::email)).await?;
    assert_eq!(db.work(), [r#"SELECT "user"."karma", "user"."email" FROM "user" WHERE "user"."id" = ?"#]);
    assert_eq!((ann.name.as_str(), ann.email.as_deref(), ann.karma), ("mine", Some("theirs"), 9));
    session.commit().await?;
    assert_eq!(db.rows(USERS), ["mine|theirs|9"]);
    db.change("DELETE FROM user");
    let gone = session.refresh_columns(&ann, User::karma).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn a_refreshed_foreign_key_leads_elsewhere() -> Result<()> {
    let (db, session, ann) = with_ann().await?;
    let post = session.add(Post::build().title("one").author(&ann));
    session.commit().await?;
    db.change("INSERT INTO user (id, name, karma) VALUES (77, 'Bob', 1); UPDATE post SET user_id = 77");
    session.refresh_columns(&post, Post::user_id).await?;
    assert_eq!(post.user_id, Some(77));
    assert_eq!(post.load(Post::author).await?.expect("an author").name, "Bob");
    Ok(())
}
