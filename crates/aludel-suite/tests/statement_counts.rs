//! How many statements are sent, and which.

mod support;

use aludel::prelude::*;
use support::{Backend, TestDb};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    email: Option<String>,
    score: f64,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    content: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
    #[relationship(back_populates = post)]
    comments: Many<Comment>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    body: String,
    #[column(references = Post::id)]
    post_id: i64,
    #[relationship(back_populates = comments)]
    post: One<Post>,
}

/// Ten users with ten posts each, and two comments on each of these.
async fn filled() -> TestDb {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO user WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
         SELECT i, 'user ' || i, NULL, 0.5 FROM n;
         INSERT INTO post WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
         SELECT i, 'post ' || i, '', (i - 1 - (i - 1) % 10) / 10 + 1 FROM n;
         INSERT INTO comment SELECT id, 'one', id FROM post UNION ALL SELECT id + 100, 'two', id FROM post;",
    );
    db
}

#[tokio::test]
async fn a_hundred_posts_with_their_authors_by_a_join_are_one_statement() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let posts = Post::query().with(Post::author.joined()).order_by(Post::id).all(&session).await?;
    let names: Vec<_> = posts.iter().map(|post| post.author.get().map(|user| user.username.clone())).collect();
    assert_eq!(names.len(), 100);
    assert_eq!(names.into_iter().last().expect("a post")?, "user 10");
    assert_eq!(db.statements().len(), 1);
    Ok(())
}

#[tokio::test]
async fn left_to_itself_with_joins_one_row_and_selects_many_in_a_second_statement() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    Post::query().with(Post::author).all(&session).await?;
    assert_eq!(db.statements().len(), 1);
    session.clear();
    User::query().with(User::posts).all(&session).await?;
    assert_eq!(db.statements().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_hundred_posts_with_their_authors_loaded_in_a_loop_are_two_statements() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let posts = Post::query().all(&session).await?;
    for post in &posts {
        let author = post.load(Post::author).await?;
        assert_eq!(author.id, post.user_id);
    }
    assert_eq!((posts.len(), db.statements().len()), (100, 2));
    Ok(())
}

#[tokio::test]
async fn collections_loaded_in_a_loop_are_one_statement_for_each_level() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let mut comments = 0;
    for user in &User::query().all(&session).await? {
        for post in &user.load(User::posts).await? {
            comments += post.load(Post::comments).await?.len();
        }
    }
    assert_eq!((comments, db.statements().len()), (200, 3));
    Ok(())
}

#[tokio::test]
async fn load_one_serves_the_entity_alone() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let users = User::query().order_by(User::id).all(&session).await?;
    assert_eq!(users[0].load_one(User::posts).await?.len(), 10);
    assert!(users[0].posts.is_loaded() && !users[1].posts.is_loaded());
    Ok(())
}

#[tokio::test]
async fn select_in_of_users_posts_and_comments_is_three_statements() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let load = User::posts.with(Post::comments.selectin()).selectin();
    let users = User::query().with(load).all(&session).await?;
    let mut comments = 0;
    for user in &users {
        for post in user.posts.get()? {
            comments += post.comments.get()?.len();
        }
    }
    assert_eq!((comments, db.statements().len()), (200, 3));
    Ok(())
}

#[tokio::test]
async fn parents_that_the_session_has_are_not_asked_for() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let _users = User::query().all(&session).await?;
    let posts = Post::query().all(&session).await?;
    db.statements();
    for post in &posts {
        post.load(Post::author).await?;
    }
    assert_eq!(db.statements(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_hundred_new_users_are_inserted_by_a_handful_of_statements() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let users = session.add_all((0..100).map(|i| User::build().username(format!("user {i}")).score(0.0)));
    session.commit().await?;
    let statements = db.statements();
    assert!(statements[0].starts_with("BEGIN"), "{statements:?}");
    assert_eq!(statements.last().expect("statements"), "COMMIT");
    let inserts = &statements[1..statements.len() - 1];
    assert!(inserts.iter().all(|sql| sql.starts_with("INSERT INTO \"user\"")), "{inserts:?}");
    assert!(inserts.len() <= 5, "{} inserts", inserts.len());
    // Each entity has the key of its own row.
    let expected: Vec<_> = users.iter().map(|user| format!("{}|{}", user.id, user.username)).collect();
    assert_eq!(db.rows("SELECT id, username FROM user ORDER BY id"), expected);
    Ok(())
}

#[tokio::test]
async fn new_users_with_posts_are_inserted_by_a_handful_of_statements_for_each_table() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    for i in 0..50 {
        let posts = [Post::build().title(format!("of {i}")).content(""), Post::build().title("other").content("")];
        session.add(User::build().username(format!("user {i}")).score(0.0).posts(posts));
    }
    session.commit().await?;
    assert!(db.work().len() <= 6);
    let mixed = "SELECT count(*) FROM post JOIN user ON user.id = user_id WHERE 'user' || substr(title, 3) = username";
    assert_eq!(db.rows(mixed), ["50"]);
    Ok(())
}

#[tokio::test]
async fn one_changed_column_is_one_update_of_that_column_alone() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    db.statements();
    user.set(User::email, "three@x");
    session.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "user" SET "email" = ? WHERE "id" = ?"#]);
    assert_eq!(db.rows("SELECT id, email FROM user WHERE email IS NOT NULL"), ["3|three@x"]);
    Ok(())
}

#[tokio::test]
async fn several_changes_of_one_row_are_one_update() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    db.statements();
    user.set(User::email, "a");
    user.set(User::email, "b");
    user.edit(|user| {
        user.username.push('!');
        user.score += 1.0;
    });
    session.commit().await?;
    assert_eq!(db.work(), [r#"UPDATE "user" SET "username" = ?, "email" = ?, "score" = ? WHERE "id" = ?"#]);
    assert_eq!(db.rows("SELECT username, email, score FROM user WHERE id = 3"), ["user 3!|b|1.5"]);
    Ok(())
}

#[tokio::test]
async fn nothing_changed_sends_nothing() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    db.statements();
    user.edit(|_| ());
    session.flush().await?;
    session.commit().await?;
    session.rollback().await?;
    assert_eq!(db.statements(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_value_set_to_what_it_is_sends_nothing() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    let post = session.get_one::<Post>(21).await?;
    // MariaDB has no infinity.
    let score = Backend::current().pick(f64::INFINITY, f64::NAN, f64::MAX);
    user.set(User::score, score);
    session.flush().await?;
    db.statements();
    user.set(User::username, "user 3");
    user.set(User::email, None::<String>);
    user.set(User::score, score);
    user.edit(|user| user.username = "user 3".into());
    post.set(Post::author, &user);
    session.flush().await?;
    assert_eq!(db.work(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_change_that_is_taken_back_sends_nothing() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    db.statements();
    user.set(User::username, "another");
    user.set(User::username, "user 3");
    session.commit().await?;
    assert_eq!(db.work(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn get_of_a_known_entity_sends_nothing_and_after_a_commit_asks_again() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    db.statements();
    assert_eq!(session.get::<User>(3).await?, Some(user.clone()));
    assert_eq!(db.statements(), [""; 0]);

    user.set(User::email, "three@x");
    session.commit().await?;
    db.statements();
    assert_eq!(session.get::<User>(3).await?, Some(user.clone()));
    assert_eq!(db.statements().len(), 1);
    assert_eq!(session.get::<User>(3).await?, Some(user));
    assert_eq!(db.statements(), [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_loaded_collection_is_asked_for_again_only_after_a_commit() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = session.get_one::<User>(3).await?;
    user.load(User::posts).await?;
    db.statements();
    user.load(User::posts).await?;
    assert_eq!(db.statements(), [""; 0]);
    session.commit().await?;
    db.statements();
    db.change("DELETE FROM comment; DELETE FROM post WHERE user_id = 3 AND id > 25");
    assert_eq!(user.load(User::posts).await?.len(), 5);
    assert_eq!(db.statements().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_query_flushes_only_when_there_is_something_to_send() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    User::query().count(&session).await?;
    assert_eq!(db.statements().len(), 1);
    session.add(User::build().username("new").score(0.0));
    assert_eq!(User::query().count(&session).await?, 11);
    let statements = db.statements();
    assert_eq!(statements.len(), 3, "BEGIN, INSERT, SELECT: {statements:?}");
    assert_eq!(db.rows("SELECT count(*) FROM user"), ["10"], "nothing is committed");
    Ok(())
}

#[tokio::test]
async fn many_deleted_rows_are_few_statements() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    for comment in &Comment::query().all(&session).await? {
        session.delete(comment);
    }
    db.statements();
    session.commit().await?;
    assert_eq!(db.work().len(), 1);
    assert_eq!(db.rows("SELECT count(*) FROM comment"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn thousands_of_rows_are_written_and_loaded_in_few_statements() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    for i in 0..5000 {
        let posts = [Post::build().title(i.to_string()).content("")];
        session.add(User::build().username(i.to_string()).score(0.0).posts(posts));
    }
    session.commit().await?;
    assert!(db.work().len() <= 25, "500 rows each, or as many as the parameters allow");
    assert_eq!(db.rows("SELECT count(*) FROM post JOIN user ON user.id = user_id WHERE title = username"), ["5000"]);
    session.clear();
    let users = User::query().with(User::posts).all(&session).await?;
    assert!(users.len() == 5000 && users.iter().all(|user| user.posts.get().is_ok_and(|posts| posts.len() == 1)));
    assert!(db.statements().len() <= 4);
    Ok(())
}

#[tokio::test]
async fn a_page_is_two_statements_and_exists_and_first_are_one() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    Post::query().order_by(Post::id).paginate(&session, PageQuery::new(2).per_page(20)).await?;
    assert_eq!(db.statements().len(), 2);
    assert!(Post::query().exists(&session).await?);
    assert!(Post::query().order_by(Post::id).first(&session).await?.is_some());
    assert_eq!(db.statements().len(), 2);
    Ok(())
}
