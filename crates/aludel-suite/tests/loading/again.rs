//! Relationships that are loaded, and are read from the database again all the same: they were loaded in part, or a
//! bulk write has gone over their rows.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    #[relationship(back_populates = author, order_by = Post::id)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id, on_delete = cascade)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
    #[relationship(back_populates = post, order_by = Comment::id)]
    comments: Many<Comment>,
    #[relationship(back_populates = post)]
    summary: One<Option<Summary>>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    body: String,
    #[column(references = Post::id, on_delete = cascade)]
    post_id: i64,
    #[relationship(back_populates = comments)]
    post: One<Post>,
}

#[derive(Model, Clone, Debug)]
struct Summary {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Post::id, on_delete = cascade)]
    post_id: i64,
    #[relationship(back_populates = summary)]
    post: One<Post>,
}

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE, Comment::TABLE, Summary::TABLE]).await;
    db.change(
        "INSERT INTO user VALUES (1, 'ann'), (2, 'bob');
         INSERT INTO post VALUES (1, 'one', 1), (2, 'two', 1), (3, 'three', 2), (4, 'four', 1);
         INSERT INTO comment VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 3);
         INSERT INTO summary VALUES (1, 's', 1);",
    );
    db
}

fn ids(posts: &[Entity<Post>]) -> Vec<i64> {
    posts.iter().map(|post| post.id).collect()
}

fn read(user: &Entity<User>) -> Result<Vec<i64>> {
    Ok(user.posts.get()?.iter().map(|post| post.id).collect())
}

#[tokio::test]
async fn a_part_of_a_collection_can_be_read_and_a_load_brings_the_whole() -> Result<()> {
    let db = filled().await;
    let parts = || {
        [
            User::posts.filter(Post::title.contains("w")).joined(),
            User::posts.filter(Post::title.contains("w")).selectin(),
            User::posts.order_by(Post::title).limit(1),
            User::posts.order_by(Post::title).filter(Post::id.gt(1)).limit(1),
        ]
    };
    let found: [&[i64]; 4] = [&[2], &[2], &[4], &[4]];
    for single in [false, true] {
        for (part, found) in parts().into_iter().zip(found) {
            let session = db.session();
            let users = User::query().with(part).order_by(User::id).all(&session).await?;
            assert_eq!(read(&users[0])?, found);
            db.statements();
            let all = if single { users[0].load_one(User::posts).await? } else { users[0].load(User::posts).await? };
            assert_eq!(ids(&all), [1, 2, 4]);
            assert_eq!(read(&users[0])?, [1, 2, 4]);
            assert_eq!(db.statements().len(), 1);
            // From now on it is loaded.
            users[0].load(User::posts).await?;
            assert_eq!(db.statements().len(), 0);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_query_with_the_whole_collection_replaces_a_part() -> Result<()> {
    let db = filled().await;
    for whole in [User::posts.selectin(), User::posts.joined()] {
        let session = db.session();
        let part = User::posts.limit(1);
        let ann = User::query().with(part).filter(User::id.eq(1)).one(&session).await?;
        assert_eq!(read(&ann)?, [1]);
        User::query().with(whole).all(&session).await?;
        assert_eq!(read(&ann)?, [1, 2, 4]);
    }
    Ok(())
}

#[tokio::test]
async fn a_to_one_relationship_that_a_condition_left_out_is_looked_up_again() -> Result<()> {
    let db = filled().await;
    for joined in [false, true] {
        let session = db.session();
        let load = Post::summary.with(Summary::post).filter(Summary::text.eq("other"));
        let load = if joined { load.joined() } else { load.selectin() };
        let post = Post::query().with(load).filter(Post::id.eq(1)).one(&session).await?;
        assert!(post.summary.get()?.is_none());
        assert_eq!(post.load(Post::summary).await?.map(|summary| summary.id), Some(1));

        let session = db.session();
        let load = Post::author.with(User::posts).filter(User::username.eq("other"));
        let load = if joined { load.joined() } else { load.selectin() };
        let post = Post::query().with(load).filter(Post::id.eq(1)).one(&session).await?;
        assert_eq!(post.author.get().err().map(|error| error.kind()), Some(ErrorKind::NotFound));
        assert_eq!(post.load(Post::author).await?.username, "ann");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_pushed_onto_a_part_is_in_the_whole() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = User::query().with(User::posts.limit(1)).filter(User::id.eq(1)).one(&session).await?;
    let new = ann.push(User::posts, Post::build().title("five").author(&ann));
    assert_eq!(ann.posts.get()?.len(), 2);
    let all = ann.load(User::posts).await?;
    assert_eq!(ids(&all), [1, 2, 4, 5]);
    assert_eq!(all[3], new);
    Ok(())
}

#[tokio::test]
async fn a_load_after_a_bulk_delete_or_update_reads_the_collection_again() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = User::query().with(User::posts).filter(User::id.eq(1)).one(&session).await?;
    Post::query().filter(Post::id.eq(2)).delete().execute(&session).await?;
    assert_eq!(read(&ann)?, [1, 2, 4], "readers keep what they had");
    assert_eq!(ids(&ann.load(User::posts).await?), [1, 4]);
    Post::query().filter(Post::id.eq(4)).update(Post::user_id.set(2)).execute(&session).await?;
    User::query().with(User::posts).all(&session).await?;
    assert_eq!(read(&ann)?, [1]);
    session.sql("DELETE FROM post WHERE id = 1").execute().await?;
    assert!(ann.load(User::posts).await?.is_empty());
    session.commit().await?;
    assert_eq!(db.rows("SELECT id, user_id FROM post ORDER BY id"), ["3|2", "4|2"]);
    Ok(())
}

#[tokio::test]
async fn an_empty_collection_is_read_again_after_a_bulk_insert() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = Post::query().with(Post::comments).filter(Post::id.eq(2)).one(&session).await?;
    assert!(post.comments.get()?.is_empty());
    Comment::insert_all([Comment::build().body("d").post_id(2)]).execute(&session).await?;
    let bodies: Vec<String> = post.load(Post::comments).await?.iter().map(|comment| comment.body.clone()).collect();
    assert_eq!(bodies, ["d"]);
    Ok(())
}

#[tokio::test]
async fn rows_that_the_database_deletes_after_others_are_not_given_back_by_get() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let posts = Post::query().with(Post::comments).order_by(Post::id).all(&session).await?;
    assert_eq!(session.get::<Comment>(3).await?.map(|comment| comment.id), Some(3));
    User::query().filter(User::id.eq(2)).delete().execute(&session).await?;
    assert!(session.get::<Comment>(3).await?.is_none());
    assert!(session.get::<Post>(3).await?.is_none());
    assert!(posts[2].load(Post::comments).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_bulk_write_on_another_table_leaves_what_is_loaded() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = User::query().with(User::posts).filter(User::id.eq(1)).one(&session).await?;
    Comment::query().delete().execute(&session).await?;
    db.statements();
    assert_eq!(ids(&ann.load(User::posts).await?), [1, 2, 4]);
    assert_eq!(db.statements().len(), 0);
    Ok(())
}
