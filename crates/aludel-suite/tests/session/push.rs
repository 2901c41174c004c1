//! Children pushed onto a parent whose model they have several keys to.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    #[relationship(back_populates = sender, foreign_key = Message::from_id)]
    sent: Many<Message>,
    #[relationship(back_populates = recipient, foreign_key = Message::to_id)]
    received: Many<Message>,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
    #[relationship(back_populates = editor)]
    edited: Many<Post>,
}

/// Both keys are required.
#[derive(Model, Clone, Debug)]
struct Message {
    #[column(primary_key)]
    id: i64,
    body: String,
    #[column(references = User::id)]
    from_id: i64,
    #[column(references = User::id)]
    to_id: i64,
    #[relationship(foreign_key = from_id, back_populates = sent)]
    sender: One<User>,
    #[relationship(foreign_key = to_id, back_populates = received)]
    recipient: One<User>,
}

/// One key is required.
#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[column(references = User::id)]
    editor_id: Option<i64>,
    #[relationship(foreign_key = user_id, back_populates = posts)]
    author: One<User>,
    #[relationship(foreign_key = editor_id, back_populates = edited)]
    editor: One<Option<User>>,
}

#[tokio::test]
async fn push_fills_in_its_own_key_and_the_other_is_given() -> Result<()> {
    let db = TestDb::of([User::TABLE, Message::TABLE, Post::TABLE]).await;
    let session = db.session();
    let [ann, bob] = ["ann", "bob"].map(|name| session.add(User::build().username(name)));
    ann.push(User::sent, Message::build().body("by relationship").recipient(&bob));
    ann.push(User::received, Message::build().body("by key").from_id(bob.id));
    ann.push(User::sent, Message::build().body("both").sender(&bob).recipient(&bob));
    ann.push(User::posts, Post::build().title("own"));
    ann.push(User::edited, Post::build().title("other").author(&bob));
    session.add(User::build().username("cas").sent([Message::build().body("built").recipient(&ann)]));
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT body, from_id, to_id FROM message ORDER BY body"),
        ["both|1|2", "built|3|1", "by key|2|1", "by relationship|1|2"]
    );
    assert_eq!(db.rows("SELECT title, user_id, editor_id FROM post ORDER BY title"), ["other|2|1", "own|1|NULL"]);
    Ok(())
}

#[tokio::test]
async fn the_other_required_key_is_asked_for_by_the_flush() -> Result<()> {
    let db = TestDb::of([User::TABLE, Message::TABLE, Post::TABLE]).await;
    let session = db.session();
    let ann = session.add(User::build().username("ann"));
    session.commit().await?;
    ann.push(User::sent, Message::build().body("to nobody").sender(&ann));
    let error = session.flush().await.expect_err("a key is missing");
    assert_eq!(error.kind(), ErrorKind::NotNullViolation);
    assert!(error.to_string().contains("message.to_id was not given"), "{error}");
    session.rollback().await?;
    ann.push(User::edited, Post::build().title("by nobody"));
    let error = session.flush().await.expect_err("a key is missing");
    assert_eq!((error.kind(), error.columns()), (ErrorKind::NotNullViolation, &["user_id".to_owned()][..]));
    Ok(())
}
