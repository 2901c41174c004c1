//! How many round trips the loads of several relationships take, counted on the wire between the library and a PostgreSQL
//! server.

use aludel::prelude::*;

use crate::support::{TestDb, Wire, needs};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Team::id)]
    team_id: Option<i64>,
    #[relationship(back_populates = members)]
    team: One<Option<Team>>,
    #[relationship(back_populates = author, foreign_key = author_id, order_by = Post::id)]
    posts: Many<Post>,
    #[relationship(back_populates = editor, foreign_key = editor_id, order_by = Post::id)]
    edited: Many<Post>,
    #[relationship(back_populates = user, order_by = Address::id)]
    addresses: Many<Address>,
    #[relationship(secondary = UserTag, order_by = Tag::id)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug)]
struct Team {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[relationship(back_populates = team)]
    members: Many<User>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    author_id: i64,
    #[column(references = User::id)]
    editor_id: Option<i64>,
    #[relationship(foreign_key = author_id, back_populates = posts)]
    author: One<User>,
    #[relationship(foreign_key = editor_id, back_populates = edited)]
    editor: One<Option<User>>,
}

#[derive(Model, Clone, Debug)]
struct Address {
    #[column(primary_key)]
    id: i64,
    city: String,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = addresses)]
    user: One<User>,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug)]
struct UserTag {
    #[column(primary_key, references = User::id)]
    user_id: i64,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

fn models() -> impl aludel::Models {
    [User::TABLE, Team::TABLE, Post::TABLE, Address::TABLE, Tag::TABLE, UserTag::TABLE]
}

async fn filled() -> TestDb {
    let db = TestDb::of(models()).await;
    db.change(
        "INSERT INTO team (id, name) VALUES (1, 'red');
         INSERT INTO user (id, name, team_id) VALUES (1, 'ann', 1), (2, 'bob', NULL), (3, 'cid', 1);
         INSERT INTO post (id, title, author_id, editor_id) VALUES (1, 'a', 1, 2), (2, 'b', 1, NULL), (3, 'c', 3, 1);
         INSERT INTO address (id, city, user_id) VALUES (1, 'Ulm', 1), (2, 'Graz', 2), (3, 'Bern', 2);
         INSERT INTO tag (id, name) VALUES (1, 'x'), (2, 'y');
         INSERT INTO user_tag (user_id, tag_id) VALUES (1, 1), (1, 2), (3, 2);",
    );
    db
}

/// All users with five relationships each: the query, and a statement for each of them.
async fn with_five(session: &Session) -> Result<Vec<Entity<User>>> {
    User::query()
        .with(User::posts)
        .with(User::edited)
        .with(User::addresses)
        .with(User::tags)
        .with(User::team.selectin())
        .order_by(User::id)
        .all(session)
        .await
}

fn described(users: &[Entity<User>]) -> Result<Vec<String>> {
    let text = |user: &Entity<User>| -> Result<String> {
        let posts: Vec<&str> = user.posts.get()?.iter().map(|post| post.title.as_str()).collect();
        let edited: Vec<&str> = user.edited.get()?.iter().map(|post| post.title.as_str()).collect();
        let cities: Vec<&str> = user.addresses.get()?.iter().map(|address| address.city.as_str()).collect();
        let tags: Vec<&str> = user.tags.get()?.iter().map(|tag| tag.name.as_str()).collect();
        let team = user.team.get()?.map_or("", |team| team.name.as_str());
        Ok(format!("{} {posts:?} {edited:?} {cities:?} {tags:?} {team}", user.name))
    };
    users.iter().map(text).collect()
}

const DESCRIBED: [&str; 3] = [
    r#"ann ["a", "b"] ["c"] ["Ulm"] ["x", "y"] red"#,
    r#"bob [] ["a"] ["Graz", "Bern"] [] "#,
    r#"cid ["c"] [] [] ["y"] red"#,
];

#[tokio::test]
async fn relationships_are_loaded_by_a_statement_each() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let users = with_five(&session).await?;
    assert_eq!(db.statements().len(), 6);
    assert_eq!(described(&users)?, DESCRIBED);
    // A post that two of them bring is one entity.
    let (written, edited) = (users[0].posts.get()?, users[1].edited.get()?);
    assert!(std::ptr::eq(&written[0], &edited[0]));
    // What is loaded is not loaded again.
    User::query().with(User::posts).with(User::edited).with(User::tags).all(&session).await?;
    assert_eq!(db.statements().len(), 1);
    Ok(())
}

#[tokio::test]
async fn relationships_of_one_level_are_loaded_in_one_round_trip() -> Result<()> {
    needs!(Postgres, "the protocol of PostgreSQL takes several statements in one request");
    let db = filled().await;
    let wire = Wire::to(&db.uri()).await;
    let options = EngineOptions::new().pool_size(1).max_overflow(0);
    let counted = Db::builder().models(models()).uri(wire.uri.clone()).engine(options).connect().await?;
    // The connection gets to know the statements.
    with_five(&counted.session()).await?;
    wire.requests();
    let session = counted.session();
    let users = with_five(&session).await?;
    assert_eq!(wire.requests(), 2, "the query, and its relationships");
    assert_eq!(described(&users)?, DESCRIBED);

    // In a transaction too.
    let session = counted.session();
    let mut user = session.get_or_404::<User>(2).await?;
    user.set(User::name, "eve");
    session.flush().await?;
    wire.requests();
    let users = with_five(&session).await?;
    assert_eq!(wire.requests(), 2);
    user = users[1].clone();
    assert_eq!(user.name, "eve");
    assert_eq!(user.addresses.get()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_one_load_brings_another_does_not_ask_for() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    // All editors are authors: the second relationship finds them in the session.
    let posts = Post::query()
        .with(Post::author.selectin())
        .with(Post::editor.selectin())
        .filter(Post::id.ne(1))
        .order_by(Post::id)
        .all(&session)
        .await?;
    assert_eq!(db.statements().len(), 2);
    assert_eq!(posts[1].editor.get()?.map(|editor| editor.name.as_str()), Some("ann"));
    Ok(())
}

#[tokio::test]
async fn a_load_that_fails_among_others_names_its_statement() -> Result<()> {
    needs!(Postgres, "dividing by zero is an error there");
    let db = filled().await;
    let session = db.session();
    let failing = User::addresses.filter((Address::id / (Address::id - Address::id)).eq(1));
    let result = User::query().with(User::posts).with(failing).with(User::tags).all(&session).await;
    let error = result.expect_err("a division by zero");
    assert!(error.statement().is_some_and(|sql| sql.contains(r#"FROM "address""#)), "{error:?}");
    // Outside of a transaction nothing is left behind.
    assert_eq!(described(&with_five(&session).await?)?, DESCRIBED);
    Ok(())
}
