//! Relationships loaded along with a query.

use aludel::prelude::*;

use crate::models::{Comment, Employee, Post, User, blog};
use crate::statements::{forget, sent};

fn titles(user: &User) -> Vec<String> {
    user.posts.get().unwrap().iter().map(|post| post.title.clone()).collect()
}

#[tokio::test]
async fn to_one_row_is_one_statement() -> Result<()> {
    let (_db, session) = blog().await?;
    forget();
    let posts = Post::query().with(Post::author).with(Post::editor).order_by(Post::id).all(&session).await?;
    assert_eq!(sent().len(), 1);
    let names: Vec<_> = posts.iter().map(|post| post.author.get().unwrap().username.as_str()).collect();
    assert_eq!(names, ["ann", "ann", "ann", "bob"]);
    assert_eq!(posts[1].editor.get()?.unwrap().username, "bob");
    assert!(posts[0].editor.get()?.is_none());
    assert_eq!(posts[0].author.entity()?, posts[1].author.entity()?);
    Ok(())
}

#[tokio::test]
async fn to_many_rows_is_a_second_statement() -> Result<()> {
    let (_db, session) = blog().await?;
    forget();
    let users = User::query().with(User::posts).order_by(User::id).all(&session).await?;
    assert_eq!(sent().len(), 2);
    assert_eq!(titles(&users[0]), ["Flask in Rust", "Rust alone", "100% draft"]);
    assert_eq!(titles(&users[2]), Vec::<String>::new());
    assert_eq!(users[0].posts.get()?[0].author.get()?.username, "ann");
    Ok(())
}

#[tokio::test]
async fn to_many_rows_can_be_joined() -> Result<()> {
    let (_db, session) = blog().await?;
    forget();
    let users =
        User::query().with(User::posts.joined().with(Post::comments.joined())).order_by(User::id).all(&session).await?;
    assert_eq!(sent().len(), 1);
    assert_eq!(users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["ann", "bob", "cid"]);
    assert_eq!(titles(&users[0]).len(), 3);
    assert_eq!(titles(&users[2]).len(), 0);
    let flask = users[0].posts.get()?.iter().find(|post| post.title == "Flask in Rust").unwrap();
    assert_eq!(flask.comments.get()?.iter().map(|comment| comment.body.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(flask.author.get()?.username, "ann");
    assert!(users[0].posts.get()?.iter().any(|post| post.comments.get().unwrap().is_empty()));
    Ok(())
}

#[tokio::test]
async fn two_joined_collections_do_not_multiply() -> Result<()> {
    let (_db, session) = blog().await?;
    let ann = session.add(Employee::build().name("ann"));
    for name in ["bob", "cid"] {
        session.add(Employee::build().name(name).boss(&ann));
    }
    session.commit().await?;
    let employees = Employee::query()
        .with(Employee::reports.joined())
        .with(Employee::boss.with(Employee::reports.joined()))
        .order_by(Employee::id)
        .all(&session)
        .await?;
    assert_eq!(employees.len(), 3);
    assert_eq!(employees[0].reports.get()?.len(), 2);
    assert_eq!(employees[2].boss.get()?.unwrap().reports.get()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn loads_are_filtered_ordered_limited_and_nested() -> Result<()> {
    let (_db, session) = blog().await?;
    let users = User::query()
        .with(User::posts.filter(Post::draft.eq(false)).order_by(Post::id.desc()).limit(1).with(Post::comments))
        .order_by(User::id)
        .all(&session)
        .await?;
    assert_eq!(titles(&users[0]), ["Rust alone"]);
    assert_eq!(titles(&users[1]), ["A reply"]);
    assert_eq!(users[0].posts.get()?[0].comments.get()?[0].body, "three");
    Ok(())
}

#[tokio::test]
async fn a_joined_load_is_filtered_and_ordered() -> Result<()> {
    let (_db, session) = blog().await?;
    let posts = User::posts.filter(Post::draft.eq(false)).order_by(Post::title.desc()).joined();
    let users = User::query().with(posts).order_by(User::id).all(&session).await?;
    assert_eq!(titles(&users[0]), ["Rust alone", "Flask in Rust"]);
    assert_eq!(users.len(), 3);
    Ok(())
}

#[tokio::test]
async fn joined_collections_and_a_limit_mean_the_parents() -> Result<()> {
    let (_db, session) = blog().await?;
    let users = User::query().with(User::posts.joined()).order_by(User::id).limit(2).all(&session).await?;
    assert_eq!(users.len(), 2);
    assert_eq!(titles(&users[0]).len(), 3);
    let first = User::query().with(User::posts.joined()).order_by(User::id).first(&session).await?.unwrap();
    assert_eq!(titles(&first).len(), 3);
    let one = User::query().with(User::posts.joined()).filter(User::id.eq(1)).one(&session).await?;
    assert_eq!(titles(&one).len(), 3);
    Ok(())
}

#[tokio::test]
async fn select_in_below_joined_and_the_reverse() -> Result<()> {
    let (_db, session) = blog().await?;
    forget();
    let comments =
        Comment::query().with(Comment::post.with(Post::comments)).order_by(Comment::id).all(&session).await?;
    assert_eq!(sent().len(), 2);
    assert_eq!(comments[0].post.get()?.comments.get()?.len(), 2);
    let users = User::query().with(User::posts.with(Post::editor)).all(&session).await?;
    assert_eq!(users[0].posts.get()?[1].editor.get()?.unwrap().username, "bob");
    Ok(())
}

#[tokio::test]
async fn what_is_not_loaded_is_an_error_and_raise_makes_loading_it_one() -> Result<()> {
    let (_db, session) = blog().await?;
    let post = Post::query().filter(Post::id.eq(1)).one(&session).await?;
    assert_eq!(post.author.get().unwrap_err().kind(), ErrorKind::NotLoaded);
    let bob = User::query().with(User::posts.raise()).filter(User::id.eq(2)).one(&session).await?;
    assert!(bob.load(User::posts).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_join_of_the_query_and_a_load_go_together() -> Result<()> {
    let (_db, session) = blog().await?;
    let posts = Post::query()
        .join(Post::author)
        .filter(Post::title.contains("Flask") & User::username.ne("spam"))
        .with(Post::author.joined())
        .all(&session)
        .await?;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].author.get()?.username, "ann");
    Ok(())
}
