//! Deferred columns: left out by queries, loaded when they are asked for, written as any other.

mod support;

use aludel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use support::{Backend, TestDb, one_of};

#[derive(Model, Clone, Debug, Serialize, Deserialize)]
#[model(optimistic = "dirty")]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(deferred, text)]
    body: Deferred<String>,
    #[column(deferred, name = "attached")]
    attachment: Deferred<Option<Vec<u8>>>,
    views: i64,
    #[column(references = User::id)]
    user_id: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
}

#[derive(Model, Clone, Debug, Serialize, Deserialize)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(deferred)]
    biography: Deferred<String>,
    name: String,
    #[relationship(back_populates = author, order_by = Post::id)]
    posts: Many<Post>,
}

/// With a key of two columns.
#[derive(Model, Clone, Debug)]
struct Page {
    #[column(primary_key)]
    book: i64,
    #[column(primary_key)]
    number: i64,
    #[column(deferred, text)]
    text: Deferred<String>,
}

const LIST: &str = "\"post\".\"id\", \"post\".\"title\", NULL AS \"body\", NULL AS \"attached\", \"post\".\"views\", \"post\".\"user_id\"";

/// Ann with three posts, which have bodies; the first has an attachment.
async fn with_posts() -> Result<TestDb> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(User::build().name("ann").biography("born"));
    for number in 1..=3 {
        let post = Post::build().title(format!("t{number}")).body(format!("b{number}")).views(0);
        let post = ann.push(User::posts, if number == 1 { post.attachment(vec![1, 2]) } else { post });
        assert!(post.body.is_loaded(), "a new row has what it was given");
    }
    session.commit().await?;
    assert_eq!(ann.biography.get()?, "born");
    db.statements();
    Ok(db)
}

const BODIES: &str = "SELECT body, attached IS NULL FROM post ORDER BY id";

#[tokio::test]
async fn queries_leave_the_column_out_and_reading_it_says_so() -> Result<()> {
    let db = with_posts().await?;
    assert_eq!(db.rows(BODIES), ["b1|0", "b2|1", "b3|1"]);
    let session = db.session();
    let posts = Post::query().all(&session).await?;
    assert_eq!(db.work(), [format!("SELECT {LIST} FROM \"post\"")]);
    let error = posts[0].body.get().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotLoaded);
    assert_eq!(
        error.to_string(),
        "the column `Post::body` is deferred and not loaded; add `.with(Post::body)` to the query, or call \
         `.load(Post::body).await` on the entity"
    );
    assert_eq!(
        (posts[0].title.as_str(), posts[0].views, posts[0].user_id),
        ("t1", 0, 1),
        "what follows it is read right"
    );
    assert!(format!("{:?}", posts[0]).contains("<not loaded>"));

    let session = db.session();
    assert!(!session.get_one::<Post>(1).await?.body.is_loaded());
    assert!(!Post::query().filter(Post::body.eq("b2")).one(&session).await?.body.is_loaded(), "it can be asked for");
    assert_eq!(Post::query().order_by(Post::body.desc()).select(Post::body).all(&session).await?, ["b3", "b2", "b1"]);
    assert_eq!(Post::query().distinct().count(&session).await?, 3);
    assert_eq!(Post::query().filter(Post::id.lt(2)).union(Post::query()).all(&session).await?.len(), 3);
    let mut stream = Post::query().order_by(Post::id).stream(&session);
    assert!(!stream.next().await.unwrap()?.body.is_loaded());
    drop(stream);
    let user = session.get_one::<User>(1).await?;
    assert!(!user.load(User::posts).await?[0].body.is_loaded());
    Ok(())
}

#[tokio::test]
async fn a_load_serves_all_that_the_query_brought() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let posts = Post::query().order_by(Post::id).all(&session).await?;
    db.statements();
    assert_eq!(posts[1].load(Post::body).await?, "b2");
    for (post, body) in posts.iter().zip(["b1", "b2", "b3"]) {
        assert_eq!(post.load(Post::body).await?, body);
        assert_eq!(post.body.get()?, body);
        assert!(!session.is_modified(post));
    }
    assert_eq!(
        db.work(),
        [format!("SELECT \"post\".\"id\", \"post\".\"body\" FROM \"post\" WHERE \"post\".\"id\" {}", one_of(4))]
    );
    assert_eq!(posts[0].load_one(Post::attachment).await?, Some(vec![1, 2]));
    assert!(!posts[1].attachment.is_loaded());
    assert_eq!(posts[1].load(Post::attachment).await?, None);
    assert_eq!(posts[1].attachment.get()?, &None, "NULL is a value");
    assert_eq!(db.work().len(), 2);
    session.commit().await?;
    assert_eq!(db.work(), Vec::<String>::new(), "nothing was written");

    session.add_all((1..=2).map(|number| Page::build().book(7).number(number).text(format!("p{number}"))));
    session.commit().await?;
    let session = db.session();
    let pages = Page::query().order_by(Page::number).all(&session).await?;
    db.statements();
    assert_eq!((pages[0].load(Page::text).await?, pages[1].text.get()?.as_str()), ("p1".to_owned(), "p2"));
    assert_eq!(db.work().len(), 1);
    db.change("DELETE FROM page WHERE number = 2");
    let session = db.session();
    let page = session.get::<Page>((7, 2)).await?;
    assert!(page.is_none());
    Ok(())
}

#[tokio::test]
async fn a_query_loads_it_in_the_same_statement() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let query = || Post::query().with(Post::body).order_by(Post::id);
    let posts = query().all(&session).await?;
    assert_eq!(db.work(), [format!("SELECT {LIST}, \"post\".\"body\" FROM \"post\" ORDER BY \"post\".\"id\"")]);
    assert_eq!(posts[2].body.get()?, "b3");
    assert!(!posts[2].attachment.is_loaded());
    let both = Post::query().with(Post::attachment).with(Post::body).with(Post::author.with(User::biography));
    let both = both.filter(Post::id.eq(1)).one(&session).await?;
    assert_eq!(
        (both.attachment.get()?.clone(), both.views),
        (Some(vec![1, 2]), 0),
        "the session has had the row before"
    );
    assert_eq!(both.author.get()?.biography.get()?, "born");

    let session = db.session();
    let page = query().paginate(&session, PageQuery::new(1)).await?;
    assert_eq!(page.items[0].body.get()?, "b1");
    let union = Post::query().filter(Post::id.eq(1)).union_all(Post::query().filter(Post::id.eq(2))).with(Post::body);
    assert_eq!(union.all(&db.session()).await?[1].body.get()?.len(), 2);
    for load in
        [User::posts.with(Post::body), User::posts.joined().with(Post::body), User::posts.with(Post::body).limit(5)]
    {
        let users = User::query().with(User::biography).with(load).all(&db.session()).await?;
        assert_eq!((users[0].biography.get()?.as_str(), users[0].name.as_str()), ("born", "ann"));
        let bodies: Vec<&str> =
            users[0].posts.get()?.iter().map(|post| post.body.get().map(String::as_str)).collect::<Result<_>>()?;
        assert_eq!(bodies, ["b1", "b2", "b3"]);
    }
    let boss = Post::alias("other");
    let aliased = boss.query().with(Post::body).order_by(boss.col(Post::id)).all(&db.session()).await?;
    assert_eq!(aliased[0].body.get()?, "b1");

    let refused = [
        Post::query().with(Post::title).all(&session).await.unwrap_err(),
        Post::query().with(Post::body).select(Post::id).all(&session).await.unwrap_err(),
        Post::query().with(Post::body).delete().execute(&session).await.unwrap_err(),
        Post::query().with(Post::body).stream(&session).next().await.unwrap().unwrap_err(),
    ];
    for error in &refused {
        assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    }
    assert_eq!(
        refused[0].to_string(),
        "with(Post::title): the column is not deferred, and every query for entities reads it"
    );
    Ok(())
}

#[tokio::test]
async fn it_is_written_without_being_loaded() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let post = session.get_one::<Post>(1).await?;
    post.set(Post::title, "other");
    session.commit().await?;
    assert_eq!(db.rows(BODIES)[0], "b1|0", "what is not loaded is not written");
    db.statements();
    post.set(Post::body, "new");
    assert_eq!(post.body.get()?, "new");
    post.edit(|post| post.attachment = None.into());
    session.commit().await?;
    assert_eq!(db.work(), ["UPDATE \"post\" SET \"body\" = ?, \"attached\" = ? WHERE \"id\" = ?"]);
    assert_eq!(db.rows(BODIES)[0], "new|1");

    // What is loaded is compared, as `optimistic` says.
    let session = db.session();
    let post = Post::query().with(Post::body).filter(Post::id.eq(2)).one(&session).await?;
    db.change("UPDATE post SET body = 'theirs' WHERE id = 2");
    post.set(Post::body, "mine");
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::StaleData);
    session.rollback().await?;
    assert_eq!(db.rows(BODIES)[1], "theirs|1");

    let rows = [Post::build().title("x").body("bulk").views(1).user_id(1)];
    Post::insert_all(rows).execute(&session).await?;
    Post::query()
        .filter(Post::body.eq("bulk"))
        .update(Post::body.set(Post::body.concat("!")))
        .execute(&session)
        .await?;
    session.commit().await?;
    assert_eq!(db.rows(BODIES)[3], "bulk!|1");
    let literal = Post {
        id: 0,
        title: "y".to_owned(),
        body: Deferred::default(),
        attachment: None.into(),
        views: 0,
        user_id: 1,
        author: One::default(),
    };
    session.add(literal);
    assert_eq!(session.commit().await.unwrap_err().kind(), ErrorKind::Decode, "a new row needs its value");
    session.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn what_is_read_again_is_not_loaded() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let post = Post::query().with(Post::body).filter(Post::id.eq(1)).one(&session).await?;
    session.refresh(&post).await?;
    assert!(!post.body.is_loaded());
    session.refresh_columns(&post, Post::body).await?;
    assert_eq!(post.body.get()?, "b1");

    session.commit().await?;
    db.change("UPDATE post SET body = 'theirs' WHERE id = 1");
    assert_eq!(post.body.get()?, "b1", "as long as nothing reads the row");
    Post::query().all(&session).await?;
    assert_eq!(post.load(Post::body).await?, "theirs");
    session.commit().await?;
    let later = db.session();
    let posts = Post::query().with(Post::body).order_by(Post::id).all(&later).await?;
    later.commit().await?;
    db.statements();
    for post in &posts {
        post.load(Post::body).await?;
    }
    assert_eq!(db.work().len(), 1, "all rows are read again at once, with the column");

    post.set(Post::body, "mine");
    session.flush().await?;
    session.rollback().await?;
    assert_eq!(post.load(Post::body).await?, "theirs");
    let unsent = session.get_one::<Post>(2).await?;
    unsent.set(Post::body, "unsent");
    let _guard = session.no_autoflush();
    let all = Post::query().with(Post::body).order_by(Post::id).all(&session).await?;
    assert_eq!(all[1].body.get()?, "unsent", "a change stays");
    Ok(())
}

#[tokio::test]
async fn a_merge_leaves_what_is_not_loaded_alone() -> Result<()> {
    let db = with_posts().await?;
    let other = db.session();
    let mut plain = other.get_one::<Post>(2).await?.detach();
    let mut loaded = Post::query().with(Post::body).filter(Post::id.eq(3)).one(&other).await?.detach();
    let theirs = other.get_one::<Post>(1).await?;
    theirs.set(Post::views, 5);
    let session = db.session();
    let merged = session.merge(&theirs).await?;
    plain.title = "merged".to_owned();
    session.merge(plain).await?;
    loaded.body = "from a cache".to_owned().into();
    session.merge(loaded).await?;
    session.commit().await?;
    assert_eq!(merged.views, 5);
    assert_eq!(db.rows(BODIES), ["b1|0", "b2|1", "from a cache|1"]);
    assert_eq!(db.rows("SELECT title FROM post WHERE id = 2"), ["merged"]);
    Ok(())
}

#[tokio::test]
async fn serialization_leaves_it_out_when_it_is_not_loaded() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let post = session.get_one::<Post>(2).await?;
    let without = json!({ "id": 2, "title": "t2", "views": 0, "user_id": 1 });
    assert_eq!(serde_json::to_value(&post).unwrap(), without);
    post.load(Post::body).await?;
    post.load(Post::attachment).await?;
    let with = json!({ "id": 2, "title": "t2", "body": "b2", "attachment": null, "views": 0, "user_id": 1 });
    assert_eq!(serde_json::to_value(&post).unwrap(), with);
    let users = User::query().with(User::posts).all(&db.session()).await?;
    let text = serde_json::to_string(&users).unwrap();
    assert!(!text.contains("biography") && !text.contains("body"), "{text}");
    let read: Deferred<String> = serde_json::from_value(json!("x")).unwrap();
    assert_eq!(read.into_inner()?, "x");
    Ok(())
}

#[tokio::test]
async fn returned_entities_have_it_not_loaded() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let rows = [Post::build().title("x").body("bulk").views(1).user_id(1)];
    let new = Post::insert_all(rows).returning(Post::entity).execute(&session).await?;
    assert_eq!((new[0].title.as_str(), new[0].body.is_loaded(), new[0].user_id), ("x", false, 1));
    assert_eq!(new[0].load(Post::body).await?, "bulk");
    if Backend::current() == Backend::Postgres {
        let locked = Post::query().with(Post::body).filter(Post::id.eq(1)).for_update().one(&session).await?;
        assert_eq!(locked.body.get()?, "b1");
    }
    Ok(())
}
