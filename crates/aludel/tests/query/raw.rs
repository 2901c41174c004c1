//! SQL of the application's own.

use aludel::prelude::*;

use crate::models::{User, blog};

#[tokio::test]
async fn rows_are_read_in_order_of_their_columns() -> Result<()> {
    let (_db, session) = blog().await?;
    let rows: Vec<(String, i64)> = session
        .sql("SELECT title, id FROM post WHERE id > ? AND title <> ? ORDER BY id")
        .bind(1)
        .bind("x")
        .all()
        .await?;
    assert_eq!(rows[0], ("Rust alone".into(), 2));
    assert_eq!(rows.len(), 3);
    let n: i64 = session.sql("SELECT count(*) FROM user").one().await?;
    assert_eq!(n, 3);
    let none: Option<String> =
        session.sql("SELECT username FROM user WHERE id = ?").bind(None::<i64>).one_or_none().await?;
    assert!(none.is_none());
    let first: Option<String> = session.sql("SELECT username FROM user ORDER BY id").first().await?;
    assert_eq!(first.as_deref(), Some("ann"));
    Ok(())
}

#[tokio::test]
async fn one_is_exactly_one() -> Result<()> {
    let (_db, session) = blog().await?;
    let one = async |sql: &str| session.sql(sql).one::<i64>().await.map_err(|error| error.kind());
    assert_eq!(one("SELECT id FROM user WHERE id = 1").await, Ok(1));
    assert_eq!(one("SELECT id FROM user WHERE id = 9").await, Err(ErrorKind::NotFound));
    assert_eq!(one("SELECT id FROM user").await, Err(ErrorKind::MultipleFound));
    Ok(())
}

#[tokio::test]
async fn the_number_of_columns_must_fit() -> Result<()> {
    let (_db, session) = blog().await?;
    let error = session.sql("SELECT id, username FROM user").all::<i64>().await.unwrap_err();
    insta::assert_snapshot!(error, @"the statement gives 2 columns, and `i64` takes 1");
    let error = session.sql("SELECT * FROM user").all::<Entity<User>>().await.unwrap_err();
    insta::assert_snapshot!(error, @"an entity of `User` cannot be made here, where no query says which columns are whose: select its columns, or use `User::query()`");
    Ok(())
}

#[tokio::test]
async fn writes_are_in_the_transaction_and_refresh_entities() -> Result<()> {
    let (_db, session) = blog().await?;
    let ann = User::query().filter(User::id.eq(1)).one(&session).await?;
    assert_eq!(session.sql("UPDATE user SET karma = ? WHERE id = 1").bind(5).execute().await?, 1);
    let ann_again = User::query().filter(User::id.eq(1)).one(&session).await?;
    assert_eq!((ann_again.karma, ann.karma), (5, 5));
    let back: Vec<i64> = session.sql("DELETE FROM comment WHERE id > 2 RETURNING id").all().await?;
    assert_eq!(back.len(), 2);
    session.rollback().await?;
    let n: i64 = session.sql("SELECT count(*) FROM comment").one().await?;
    assert_eq!(n, 4);
    Ok(())
}
