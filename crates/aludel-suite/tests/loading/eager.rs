//! Relationships loaded along with a query.

use crate::support::TestDb;
use aludel::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    username: String,
    #[relationship(back_populates = author)]
    posts: Many<Post>,
    #[relationship(back_populates = editor)]
    edited: Many<Post>,
}

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
    #[relationship(back_populates = post, order_by = desc(Comment::id))]
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

#[derive(Model, Clone, Debug)]
struct Node {
    #[column(primary_key)]
    id: i64,
    #[column(references = Node::id)]
    parent_id: Option<i64>,
    #[relationship(back_populates = children)]
    parent: One<Option<Node>>,
    #[relationship(back_populates = parent)]
    children: Many<Node>,
}

async fn filled() -> TestDb {
    let db = TestDb::of([User::TABLE, Post::TABLE, Comment::TABLE, Node::TABLE]).await;
    db.change(
        "INSERT INTO user VALUES (1, 'ann'), (2, 'bob'), (3, 'cas');
         INSERT INTO post VALUES (1, 'one', 1, 2), (2, 'two', 1, NULL), (3, 'three', 2, 2), (4, 'four', 1, 3);
         INSERT INTO comment VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 3);
         INSERT INTO node VALUES (1, NULL), (2, 1), (3, 1), (4, 2);",
    );
    db
}

/// `user: post post; ..` of what is loaded.
fn posts_of(users: &[Entity<User>]) -> Result<String> {
    let of = |user: &Entity<User>| -> Result<String> {
        let titles: Vec<&str> = user.posts.get()?.iter().map(|post| post.title.as_str()).collect();
        Ok(format!("{}: {}", user.username, titles.join(" ")))
    };
    Ok(users.iter().map(of).collect::<Result<Vec<_>>>()?.join("; "))
}

const ALL: &str = "ann: one two four; bob: three; cas: ";

#[tokio::test]
async fn a_joined_collection_brings_each_entity_once_with_all_its_rows() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let load = User::posts.order_by(Post::id).joined();
    let users = User::query().with(load).order_by(User::id).all(&session).await?;
    assert_eq!(posts_of(&users)?, ALL);
    assert_eq!(db.statements().len(), 1);
    // The way back is known, too.
    assert_eq!(users[0].posts.get()?[0].author.get()?.username, "ann");
    Ok(())
}

#[tokio::test]
async fn a_joined_collection_is_whole_also_where_the_query_is_limited() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let query = || User::query().with(User::posts.order_by(Post::id).joined()).order_by(User::id);
    let first = query().first(&session).await?.expect("a user");
    assert_eq!(posts_of(&[first])?, "ann: one two four");
    session.clear();
    let second = query().limit(1).offset(1).all(&session).await?;
    assert_eq!(posts_of(&second)?, "bob: three");
    session.clear();
    assert_eq!(posts_of(&[query().filter(User::id.eq(1)).one(&session).await?])?, "ann: one two four");
    session.clear();
    let page = query().paginate(&session, PageQuery::new(1).per_page(2)).await?;
    assert_eq!((posts_of(&page.items)?.as_str(), page.total), ("ann: one two four; bob: three", Some(3)));
    assert_eq!(query().count(&session).await?, 3);
    Ok(())
}

#[tokio::test]
async fn filters_of_a_load_leave_the_entities_alone() -> Result<()> {
    let db = filled().await;
    for strategy in ["joined", "selectin"] {
        let session = db.session();
        let load = User::posts.filter(Post::title.contains("o")).order_by(Post::title);
        let load = if strategy == "joined" { load.joined() } else { load.selectin() };
        let users = User::query().with(load).order_by(User::id).all(&session).await?;
        assert_eq!(posts_of(&users)?, "ann: four one two; bob: ; cas: ", "{strategy}");
    }
    Ok(())
}

#[tokio::test]
async fn a_limit_is_for_each_parent() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let load = User::posts.order_by(Post::id.desc()).limit(2);
    let users = User::query().with(load).order_by(User::id).all(&session).await?;
    assert_eq!(posts_of(&users)?, "ann: four two; bob: three; cas: ");
    assert_eq!(db.statements().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_collection_has_the_order_of_its_relationship_unless_the_load_says_another() -> Result<()> {
    let db = filled().await;
    let bodies = async |query: Query<Post>| -> Result<Vec<String>> {
        let post = query.filter(Post::id.eq(1)).one(&db.session()).await?;
        Ok(post.comments.get()?.iter().map(|comment| comment.body.clone()).collect())
    };
    assert_eq!(bodies(Post::query().with(Post::comments)).await?, ["b", "a"]);
    assert_eq!(bodies(Post::query().with(Post::comments.joined())).await?, ["b", "a"]);
    assert_eq!(bodies(Post::query().with(Post::comments.order_by(Comment::id))).await?, ["a", "b"]);
    Ok(())
}

#[tokio::test]
async fn loads_nest_whatever_their_strategies() -> Result<()> {
    let db = filled().await;
    let nested = [
        User::posts.with(Post::comments.joined()).joined(),
        User::posts.with(Post::comments.selectin()).joined(),
        User::posts.with(Post::comments.joined()).selectin(),
        User::posts.with(Post::comments).with(Post::editor),
    ];
    for (number, load) in nested.into_iter().enumerate() {
        let session = db.session();
        let users = User::query().with(load).order_by(User::id).all(&session).await?;
        let mut comments: Vec<&str> = Vec::new();
        for user in &users {
            for post in user.posts.get()? {
                comments.extend(post.comments.get()?.iter().map(|comment| comment.body.as_str()));
            }
        }
        comments.sort_unstable();
        assert_eq!(comments, ["a", "b", "c"], "load {number}");
        assert!(db.statements().len() <= 4);
    }
    Ok(())
}

#[tokio::test]
async fn several_relationships_to_one_table_are_told_apart() -> Result<()> {
    let db = filled().await;
    for strategy in ["joined", "selectin"] {
        let session = db.session();
        let query = Post::query().order_by(Post::id);
        let query = match strategy {
            "joined" => query.with(Post::author.joined()).with(Post::editor.joined()),
            _ => query.with(Post::author.selectin()).with(Post::editor.selectin()),
        };
        let posts = query.all(&session).await?;
        let names: Vec<String> = posts
            .iter()
            .map(|post| {
                let editor = post.editor.get()?.map_or("nobody", |user| &user.username);
                Ok(format!("{} by {}", post.author.get()?.username, editor))
            })
            .collect::<Result<_>>()?;
        assert_eq!(names, ["ann by bob", "ann by nobody", "bob by bob", "ann by cas"], "{strategy}");
        assert_eq!(posts[0].editor.entity()?.expect("bob"), posts[2].author.entity()?);
    }
    Ok(())
}

#[tokio::test]
async fn a_filter_on_a_joined_table_and_a_joined_load_of_it_do_not_mix() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    // All posts of the users who have a post "two".
    let query = User::query().join(User::posts).filter(Post::title.eq("two"));
    let users = query.with(User::posts.order_by(Post::id).joined()).all(&session).await?;
    assert_eq!(posts_of(&users)?, "ann: one two four");
    Ok(())
}

#[tokio::test]
async fn trees_are_loaded_by_joins_and_selects() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let nodes = Node::query().with(Node::parent.joined()).order_by(Node::id).all(&session).await?;
    let parents: Vec<Option<i64>> =
        nodes.iter().map(|node| Ok(node.parent.get()?.map(|parent| parent.id))).collect::<Result<_>>()?;
    assert_eq!(parents, [None, Some(1), Some(1), Some(2)]);
    assert_eq!(nodes[3].parent.entity()?.expect("a parent"), nodes[1]);
    // Children before their parents.
    session.clear();
    let nodes = Node::query().with(Node::parent.joined()).order_by(Node::id.desc()).all(&session).await?;
    assert_eq!(nodes[0].parent.entity()?.expect("a parent"), nodes[2]);
    assert_eq!(nodes[2].parent.entity()?.expect("a parent"), nodes[3]);
    session.clear();
    let load = Node::children.with(Node::children.order_by(Node::id)).order_by(Node::id).joined();
    let root = Node::query().filter(Node::parent_id.is_null()).with(load).one(&session).await?;
    let children = root.children.get()?;
    assert_eq!(children.iter().map(|node| node.id).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((children[0].children.get()?[0].id, children[1].children.get()?.len()), (4, 0));
    Ok(())
}

#[tokio::test]
async fn rows_whose_foreign_key_leads_nowhere_are_in_the_result() -> Result<()> {
    let db = filled().await;
    db.change_unchecked("INSERT INTO post VALUES (5, 'lost', 99, NULL)");
    for load in [Post::author.joined(), Post::author.selectin(), Post::author.with(User::posts).joined()] {
        let session = db.session();
        let posts = Post::query().with(load).order_by(Post::id).all(&session).await?;
        assert_eq!(posts.len(), 5);
        assert_eq!(posts[0].author.get()?.username, "ann");
        let error = posts[4].author.get().err().map(|error| error.kind());
        assert_eq!(error, Some(ErrorKind::NotFound));
    }
    Ok(())
}

#[tokio::test]
async fn raise_makes_reading_and_loading_an_error() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let user = User::query().with(User::posts.raise()).filter(User::id.eq(1)).one(&session).await?;
    assert_eq!(user.posts.get().err().map(|error| error.kind()), Some(ErrorKind::NotLoaded));
    let error = user.load(User::posts).await.expect_err("raised");
    assert_eq!(error.kind(), ErrorKind::NotLoaded);
    assert!(error.to_string().contains("User::posts.raise()"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_load_that_finds_no_row_is_loaded_and_empty() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let cas = User::query().with(User::posts).filter(User::id.eq(3)).one(&session).await?;
    assert!(cas.posts.is_loaded() && cas.posts.get()?.is_empty());
    let post = Post::query().with(Post::editor).filter(Post::id.eq(2)).one(&session).await?;
    assert!(post.editor.is_loaded() && post.editor.get()?.is_none());
    Ok(())
}

#[tokio::test]
async fn what_is_loaded_anew_shows_what_was_pushed_and_not_sent() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let cas = session.get_one::<User>(3).await?;
    let new = cas.push(User::posts, Post::build().title("five").author(&cas));
    let loaded = cas.load(User::posts).await?;
    assert_eq!(loaded, [new]);
    let users = User::query().with(User::posts.order_by(Post::id)).order_by(User::id).all(&session).await?;
    assert_eq!(posts_of(&users)?, format!("{ALL}five"));
    Ok(())
}

#[tokio::test]
async fn load_through_a_foreign_key_that_was_set_follows_it() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = session.get_one::<Post>(1).await?;
    assert_eq!(post.load(Post::author).await?.username, "ann");
    post.set(Post::user_id, 3);
    assert!(!post.author.is_loaded());
    assert_eq!(post.load(Post::author).await?.username, "cas");
    Ok(())
}

#[tokio::test]
async fn with_is_refused_where_there_are_no_entities_to_load_for() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let error = User::query().with(User::posts).select(User::id).all(&session).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    let mut stream = User::query().with(User::posts).stream(&session);
    let error = stream.next().await.expect("an item").expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(stream.next().await.is_none());
    Ok(())
}
