//! Writes without loading.

use aludel::prelude::*;

use crate::models::{Comment, Post, User, blog};
use crate::statements::{forget, sent};

#[tokio::test]
async fn an_update_writes_values_and_expressions() -> Result<()> {
    let (_db, session) = blog().await?;
    forget();
    let changed = Post::query()
        .filter(Post::user_id.eq(1))
        .update((Post::title.set("x"), Post::views.set(Post::views + 1), Post::content.set(None)))
        .execute(&session)
        .await?;
    assert_eq!(changed, 3);
    insta::assert_snapshot!(sent().join("\n"), @r#"
    BEGIN IMMEDIATE
    UPDATE "post" SET "title" = ?, "views" = "post"."views" + ?, "content" = ? WHERE "post"."user_id" = ?
    "#);
    let rows: Vec<(String, i64, Option<String>)> =
        Post::query().order_by(Post::id).select((Post::title, Post::views, Post::content)).all(&session).await?;
    assert_eq!(rows[0], ("x".into(), 8, None));
    assert_eq!(rows[3], ("A reply".into(), 0, Some("to ann".into())));
    session.rollback().await?;
    assert!(!Post::query().filter(Post::title.eq("x")).exists(&session).await?);
    Ok(())
}

#[tokio::test]
async fn entities_see_a_bulk_update_with_the_next_query() -> Result<()> {
    let (_db, session) = blog().await?;
    let ann = User::query().filter(User::id.eq(1)).one(&session).await?;
    User::query().update(User::karma.set(User::karma * 2)).execute(&session).await?;
    assert_eq!(ann.karma, 30);
    User::query().all(&session).await?;
    assert_eq!(ann.karma, 60);
    Ok(())
}

#[tokio::test]
async fn a_delete_takes_what_the_filters_find() -> Result<()> {
    let (_db, session) = blog().await?;
    let deleted = Comment::query().filter(Comment::post.has_author("ann")).delete().execute(&session).await?;
    assert_eq!(deleted, 3);
    session.commit().await?;
    assert_eq!(Comment::query().count(&session).await?, 1);
    Ok(())
}

trait OfAuthor {
    fn has_author(self, name: &str) -> Expr<bool>;
}

impl OfAuthor for aludel::model::ToOne<Comment, Post> {
    fn has_author(self, name: &str) -> Expr<bool> {
        self.has(Post::author.has(User::username.eq(name)))
    }
}

#[tokio::test]
async fn bulk_writes_take_filters_alone() -> Result<()> {
    let (_db, session) = blog().await?;
    let error = Post::query().order_by(Post::id).limit(1).delete().execute(&session).await.unwrap_err();
    insta::assert_snapshot!(error, @"delete of post: it takes the query's filters alone, and this query has an order; choose the rows with `.filter(..)`, related ones with `.any(..)` or `.has(..)`");
    let error = Post::query().join(Post::author).update(Post::title.set("x")).execute(&session).await.unwrap_err();
    insta::assert_snapshot!(error, @"update of post: it takes the query's filters alone, and this query has a join; choose the rows with `.filter(..)`, related ones with `.any(..)` or `.has(..)`");
    let error = Post::query().filter(User::karma.gt(1)).delete().execute(&session).await.unwrap_err();
    insta::assert_snapshot!(error, @"delete of post: user.karma is a column of another table; choose the rows by related ones with `.any(..)` or `.has(..)`");
    let error = Post::query().update(Post::views.set(User::id)).execute(&session).await.unwrap_err();
    insta::assert_snapshot!(error, @"update of post: user.id is a column of another table; choose the rows by related ones with `.any(..)` or `.has(..)`");
    Ok(())
}

#[tokio::test]
async fn rows_are_inserted_in_few_statements() -> Result<()> {
    let (_db, session) = blog().await?;
    let ann = User::query().filter(User::id.eq(1)).one(&session).await?;
    forget();
    let inserted =
        Post::insert_all([Post::build().title("a").user_id(1), Post::build().title("b").user_id(1).views(3)])
            .execute(&session)
            .await?;
    assert_eq!(inserted, 2);
    insta::assert_snapshot!(sent().join("\n"), @r#"
    BEGIN IMMEDIATE
    INSERT INTO "post" ("title", "content", "draft", "views", "user_id") VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)
    "#);
    let linked = Post::insert_all([Post::build().title("c").author(&ann)]).execute(&session).await?;
    assert_eq!(linked, 1);
    assert_eq!(Post::query().filter(Post::user_id.eq(1)).count(&session).await?, 6);
    let many = (0..1_200).map(|n| User::build().username(format!("user{n}")).karma(n));
    assert_eq!(User::insert_all(many).execute(&session).await?, 1_200);
    assert_eq!(User::query().count(&session).await?, 1_203);
    assert_eq!(User::insert_all(Vec::<User>::new()).execute(&session).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_new_row_linked_to_a_new_row_is_not_inserted() -> Result<()> {
    let (_db, session) = blog().await?;
    let new = User::build().username("new").karma(0);
    let error = Post::insert_all([Post::build().title("a").author(new)]).execute(&session).await.unwrap_err();
    insta::assert_snapshot!(error, @"insert_all: `Post::author` links a row to one that is not in the database, or to rows that would have to be changed; use `session.add` for it");
    let error = User::insert_all([User::build().username("ann").karma(0)]).execute(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    Ok(())
}
