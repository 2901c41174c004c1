//! The first vertical slice.
#![allow(missing_docs)]
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 80)]
    pub username: String,
    #[column(unique, length = 120)]
    pub email: String,
    #[relationship(back_populates = author)]
    pub posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    #[column(length = 100, index)]
    pub title: String,
    #[column(text)]
    pub content: String,
    #[column(references = User::id)]
    pub user_id: i64,
    #[relationship(back_populates = posts)]
    pub author: One<User>,
}

#[tokio::test]
async fn slice() -> Result<()> {
    let db = Db::test().await?;
    let session = db.session();
    let john = session.add(User::build().username("johndoe").email("john@example.com"));
    let post = session.add(Post::build().title("Hello").content("A first post").author(&john));
    assert!(john.is_pending());
    assert_eq!(john.posts.get()?.len(), 1);
    session.commit().await?;
    assert_eq!(john.id, 1);
    assert_eq!(post.user_id, 1);
    assert_eq!(post.author.get()?.username, "johndoe");
    john.set(User::email, "j@x");
    session.commit().await?;

    let other = db.session();
    let user = other.get_one::<User>(1).await?;
    assert_eq!(user.email, "j@x");
    assert!(!user.posts.is_loaded());
    println!("{}", user.posts.get().err().map(|e| e.to_string()).unwrap_or_default());
    let posts = user.load(User::posts).await?;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].author.get()?.id, 1);
    println!("{user:?} {posts:?}");
    Ok(())
}
