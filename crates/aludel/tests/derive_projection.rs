//! What `#[derive(Projection)]` makes of a struct.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "models of a test")]

use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    pub username: String,
    pub nick: Option<String>,
    #[relationship(back_populates = author)]
    pub posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: i64,
    pub title: String,
    #[column(references = User::id)]
    pub user_id: i64,
    #[relationship(back_populates = posts)]
    pub author: One<User>,
}

async fn session() -> Result<(Db, Session)> {
    let db = Db::test().await?;
    let session = db.session();
    session.add(User::build().username("ann").posts([Post::build().title("one"), Post::build().title("two")]));
    session.add(User::build().username("bob").nick("b"));
    session.commit().await?;
    Ok((db, session))
}

#[tokio::test]
async fn a_projection_is_selected_by_the_names_of_its_fields() -> Result<()> {
    #[derive(Projection, Debug, PartialEq)]
    struct PerAuthor {
        username: String,
        posts: i64,
    }
    let (_db, session) = session().await?;
    let query = Post::query().join(Post::author).group_by(User::id);
    let busy =
        query.select(PerAuthorColumns { posts: count(Post::id), username: User::username }).all(&session).await?;
    assert_eq!(busy, [PerAuthor { username: "ann".into(), posts: 2 }]);
    Ok(())
}

#[tokio::test]
async fn a_projection_holds_entities_options_and_other_projections() -> Result<()> {
    #[derive(Projection, Debug)]
    struct Names {
        username: String,
        nick: Option<String>,
    }
    #[derive(Projection, Debug)]
    struct Line {
        names: Names,
        post: Option<Entity<Post>>,
        user: Entity<User>,
        id: i64,
    }
    let (_db, session) = session().await?;
    let lines = User::query()
        .left_join(User::posts)
        .order_by((User::id, Post::id.optional()))
        .select(LineColumns {
            names: NamesColumns { username: User::username, nick: User::nick },
            post: Post::entity.optional(),
            user: User::entity,
            id: User::id,
        })
        .all(&session)
        .await?;
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            let title = line.post.as_ref().map(|post| post.title.clone());
            assert_eq!((line.user.id, &line.user.username), (line.id, &line.names.username));
            (line.names.username.as_str(), line.names.nick.as_deref(), title)
        })
        .collect();
    let wanted =
        [("ann", None, Some("one".to_owned())), ("ann", None, Some("two".to_owned())), ("bob", Some("b"), None)];
    assert_eq!(seen, wanted);
    Ok(())
}
