//! Soft deletion: rows that stay in the database, and that nobody sees who does not ask for them.

mod support;

use aludel::prelude::*;
use support::{TestDb, one_of};

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[relationship(back_populates = author, cascade = "all, delete-orphan", passive_deletes, order_by = Post::id)]
    posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    #[column(references = User::id)]
    user_id: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[column(version)]
    version: i64,
    #[relationship(back_populates = posts)]
    author: One<User>,
    #[relationship(back_populates = post, cascade = "all, delete")]
    comments: Many<Comment>,
    #[relationship(back_populates = post)]
    bookmarks: Many<Bookmark>,
    #[relationship(secondary = PostTag, back_populates = posts, order_by = Tag::id)]
    tags: Many<Tag>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    #[column(primary_key)]
    id: i64,
    text: String,
    #[column(references = Post::id)]
    post_id: i64,
    #[column(soft_delete)]
    hidden: bool,
    #[relationship(back_populates = comments)]
    post: One<Post>,
}

#[derive(Model, Clone, Debug)]
struct Bookmark {
    #[column(primary_key)]
    id: i64,
    #[column(references = Post::id)]
    post_id: Option<i64>,
    #[relationship(back_populates = bookmarks)]
    post: One<Option<Post>>,
}

#[derive(Model, Clone, Debug)]
struct PostTag {
    #[column(primary_key, references = Post::id)]
    post_id: i64,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(soft_delete, name = "gone")]
    is_gone: bool,
    #[relationship(secondary = PostTag, back_populates = tags, order_by = Post::id)]
    posts: Many<Post>,
}

/// Cascades to what cannot be softly deleted.
#[derive(Model, Clone, Debug)]
struct Invoice {
    #[column(primary_key)]
    id: i64,
    #[column(soft_delete)]
    deleted_at: Option<Timestamp>,
    #[relationship(back_populates = invoice, cascade = "all, delete")]
    lines: Many<Line>,
}

#[derive(Model, Clone, Debug)]
struct Line {
    #[column(primary_key)]
    id: i64,
    #[column(references = Invoice::id)]
    invoice_id: i64,
    #[relationship(back_populates = lines)]
    invoice: One<Invoice>,
}

#[derive(Projection, Debug, PartialEq)]
struct Titled {
    title: String,
}

const POSTS: &str = "SELECT title, deleted_at IS NOT NULL, version FROM post ORDER BY id";
const COMMENTS: &str = "SELECT text, hidden FROM comment ORDER BY id";

/// Ann with the posts `a` (comments `a1`, `a2`, a bookmark, the tag `rust`) and `b`, and Bob with `c`, which is deleted.
async fn with_posts() -> Result<TestDb> {
    let db = TestDb::new().await;
    let session = db.session();
    let ann = session.add(User::build().name("ann"));
    let a = ann.push(User::posts, Post::build().title("a"));
    a.push(Post::comments, Comment::build().text("a1"));
    a.push(Post::comments, Comment::build().text("a2"));
    a.push(Post::bookmarks, Bookmark::build());
    a.push(Post::tags, Tag::build().name("rust"));
    ann.push(User::posts, Post::build().title("b"));
    let bob = session.add(User::build().name("bob"));
    let c = bob.push(User::posts, Post::build().title("c"));
    session.commit().await?;
    session.delete(&c);
    session.commit().await?;
    db.statements();
    Ok(db)
}

#[tokio::test]
async fn deletion_sets_the_column_and_follows_cascades_that_can() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    db.statements();
    session.delete(&ann);
    assert!(ann.deleted_at.is_some(), "at once");
    session.commit().await?;
    let work = db.work();
    // The posts and the comments are asked for, `passive_deletes` or not; then two comments, two posts, and the user.
    assert_eq!(work.len(), 7, "{work:#?}");
    assert_eq!(
        work[0],
        "SELECT \"id\", \"title\", \"user_id\", \"deleted_at\", \"version\" FROM \"post\" WHERE \"user_id\" IN (?) AND \"deleted_at\" IS NULL"
    );
    assert_eq!(
        work[1],
        "SELECT \"id\", \"text\", \"post_id\", \"hidden\" FROM \"comment\" WHERE \"post_id\" IN (?, ?) AND \"hidden\" = ?"
    );
    assert_eq!(db.rows(POSTS), ["a|1|2", "b|1|2", "c|1|2"]);
    assert_eq!(db.rows(COMMENTS), ["a1|1", "a2|1"]);
    assert_eq!(db.rows("SELECT count(*) FROM user WHERE deleted_at IS NULL"), ["1"]);
    assert_eq!(db.rows("SELECT count(DISTINCT deleted_at) FROM post WHERE user_id = 1"), ["1"], "the parent's time");
    assert_eq!(db.rows("SELECT post_id FROM bookmark"), ["1"], "what does not cascade keeps its key");
    assert_eq!(db.rows("SELECT post_id, tag_id FROM post_tag"), ["1|1"], "links stay");
    Ok(())
}

#[tokio::test]
async fn no_query_finds_deleted_rows() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let (a, rust) = (session.get_one::<Post>(1).await?, session.get_one::<Tag>(1).await?);
    let first = session.get_one::<Comment>(1).await?;
    session.delete(&first);
    session.commit().await?;
    drop((a, rust, first));

    let session = db.session();
    let titles = |posts: Vec<Entity<Post>>| posts.iter().map(|post| post.title.clone()).collect::<Vec<_>>();
    assert_eq!(titles(Post::query().order_by(Post::id).all(&session).await?), ["a", "b"]);
    assert_eq!(titles(Post::query().filter(Post::title.ge("b") | Post::id.eq(3)).all(&session).await?), ["b"]);
    assert_eq!(Post::query().count(&session).await?, 2);
    assert!(!Post::query().filter(Post::id.eq(3)).exists(&session).await?);
    assert!(session.get::<Post>(3).await?.is_none());
    assert_eq!(Post::query().order_by(Post::id).paginate(&session, PageQuery::new(1)).await?.total, Some(2));
    let keyed = Post::query().order_by(Post::title.desc()).limit(5).all(&session).await?;
    assert_eq!(titles(keyed), ["b", "a"]);

    // joins, aliases, conditions on relationships, subqueries
    let joined = User::query().join(User::posts).select((User::name, Post::title)).order_by(Post::id);
    let pairs: Vec<(String, String)> = joined.all(&session).await?;
    assert_eq!(pairs, [("ann".to_owned(), "a".to_owned()), ("ann".to_owned(), "b".to_owned())]);
    let outer = User::query().left_join(User::posts).group_by(User::id).order_by(User::id);
    let counts: Vec<i64> = outer.select(func::count(Post::id.optional())).all(&session).await?;
    assert_eq!(counts, [2, 0], "an outer join keeps the user");
    let other = Post::alias("other");
    let aliased = User::query().join(User::posts.to(&other)).filter(User::name.eq("bob"));
    assert_eq!(aliased.count(&session).await?, 0);
    let authors = User::query().filter(User::posts.any(Post::id.gt(0))).order_by(User::id);
    assert_eq!(authors.select(User::name).all(&session).await?, ["ann"]);
    let inner = User::query().filter(User::id.in_(Post::query().select(Post::user_id)));
    assert_eq!(inner.select(User::name).all(&session).await?, ["ann"]);
    let tagged = Tag::query().join(Tag::posts).join(Post::comments).select(Comment::text);
    assert_eq!(tagged.all(&session).await?, ["a2"]);
    let cte = Post::query().select(TitledColumns { title: Post::title }).cte("titles");
    assert_eq!(cte.query().count(&session).await?, 2);
    let both = Post::query().filter(Post::id.gt(1)).union_all(Post::query().filter(Post::id.gt(2)));
    assert_eq!(titles(both.all(&session).await?), ["b"]);

    // loads
    for users in [
        User::query().with(User::posts.with(Post::comments)).order_by(User::id).all(&session).await?,
        User::query()
            .with(User::posts.joined().with(Post::comments.joined()))
            .order_by(User::id)
            .all(&db.session())
            .await?,
    ] {
        assert_eq!((users[0].posts.get()?.len(), users[1].posts.get()?.len()), (2, 0));
        assert_eq!(users[0].posts.get()?[0].comments.get()?.len(), 1);
    }
    let fresh = db.session();
    let bob = fresh.get_one::<User>(2).await?;
    assert!(bob.load(User::posts).await?.is_empty());
    let comment = Comment::query().with(Comment::post).filter(Comment::id.eq(2)).one(&fresh).await?;
    assert_eq!(comment.post.get()?.title, "a");
    let tag = fresh.get_one::<Tag>(1).await?;
    assert_eq!(titles(tag.load(Tag::posts).await?), ["a"]);
    Ok(())
}

#[tokio::test]
async fn a_query_can_ask_for_deleted_rows() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let all = Post::query().with_deleted().order_by(Post::id).select(Post::title);
    assert_eq!(all.all(&session).await?, ["a", "b", "c"]);
    let only = Post::query().only_deleted().all(&session).await?;
    assert_eq!((only.len(), only[0].title.as_str()), (1, "c"));
    assert!(session.get::<Post>(3).await?.is_none(), "the session has it, and `get` does not give it");
    session.refresh(&only[0]).await?;
    session.refresh_columns(&only[0], Post::title).await?;

    let users = User::query().with_deleted().with(User::posts).order_by(User::id).all(&session).await?;
    assert_eq!(users[1].posts.get()?.len(), 1);
    assert!(users[1].load(User::posts).await?.is_empty(), "what was lifted is no whole collection");
    let users = User::query().with(User::posts.with_deleted()).order_by(User::id).all(&session).await?;
    assert_eq!((users[0].posts.get()?.len(), users[1].posts.get()?.len()), (2, 1));
    let joined = User::query().with_deleted().with(User::posts.joined()).order_by(User::id).all(&db.session()).await?;
    assert_eq!(joined[1].posts.get()?.len(), 1);
    let any = User::query().with_deleted().filter(User::posts.any(Post::title.eq("c")));
    assert_eq!(any.count(&session).await?, 1);
    let inner = Post::query().with_deleted().select(Post::user_id);
    assert_eq!(User::query().filter(User::id.in_(inner)).count(&session).await?, 2, "each query says it for itself");
    let parts = Post::query().with_deleted().filter(Post::id.gt(2));
    assert_eq!(parts.clone().union_all(Post::query().filter(Post::id.gt(1))).all(&session).await?.len(), 2);
    assert_eq!(parts.union_all(Post::query().filter(Post::id.gt(1))).with_deleted().all(&session).await?.len(), 3);

    let error = Line::query().only_deleted().all(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert_eq!(
        error.to_string(),
        "filter(..): only_deleted(): `Line` has no column that says whether a row is deleted; mark one `#[column(soft_delete)]`"
    );
    Ok(())
}

#[tokio::test]
async fn a_row_can_be_restored() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let c = Post::query().only_deleted().one(&session).await?;
    session.restore(&c);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM post WHERE deleted_at IS NULL"), ["3"]);
    let bob = session.get_one::<User>(2).await?;
    assert_eq!(bob.load(User::posts).await?.len(), 1);

    // A mark that is taken back before the flush leaves the children alone.
    session.delete(&bob);
    session.restore(&bob);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM post WHERE deleted_at IS NULL"), ["3"]);
    let line = session.add(Line::build().invoice(Invoice::build()));
    session.commit().await?;
    session.restore(&line);
    assert_eq!(session.flush().await.unwrap_err().kind(), ErrorKind::InvalidStatement);
    Ok(())
}

#[tokio::test]
async fn a_rollback_takes_the_mark_away() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let ann = session.get_one::<User>(1).await?;
    ann.load(User::posts).await?;
    let a = session.get_one::<Post>(1).await?;
    session.delete(&a);
    assert_eq!(ann.posts.get()?.len(), 1);
    session.flush().await?;
    assert!(session.get::<Post>(1).await?.is_none());
    session.rollback().await?;
    assert!(a.deleted_at.is_none());
    assert_eq!(ann.posts.get()?.len(), 2);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM post WHERE deleted_at IS NULL"), ["2"]);
    assert!(session.get::<Post>(1).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn orphans_and_new_children_follow_the_same_rules() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let ann = User::query().with(User::posts).filter(User::id.eq(1)).one(&session).await?;
    let b = session.get_one::<Post>(2).await?;
    ann.remove(User::posts, &b);
    session.commit().await?;
    assert_eq!(db.rows("SELECT deleted_at IS NULL, user_id FROM post WHERE id = 2"), ["0|1"]);

    session.add(Post::build().title("never").user_id(ann.id));
    session.delete(&ann);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM post"), ["3"], "a new child of a deleted parent is not written");
    let pending = session.add(User::build().name("nobody"));
    session.delete(&pending);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM user"), ["2"]);
    Ok(())
}

#[tokio::test]
async fn a_hard_deletion_takes_hidden_rows_with_it() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    let a = Post::query().with(Post::comments).with(Post::bookmarks).filter(Post::id.eq(1)).one(&session).await?;
    let first = session.get_one::<Comment>(1).await?;
    session.delete(&first);
    session.commit().await?;
    a.load(Post::comments).await?;
    session.delete_hard(&a);
    session.commit().await?;
    assert_eq!(db.rows("SELECT title FROM post ORDER BY id"), ["b", "c"]);
    assert_eq!(db.rows("SELECT count(*) FROM comment"), ["0"], "the hidden one too");
    assert_eq!(db.rows("SELECT post_id FROM bookmark"), ["NULL"]);
    assert_eq!(db.rows("SELECT count(*) FROM post_tag"), ["0"]);

    let c = Post::query().only_deleted().one(&session).await?;
    session.delete_hard(&c);
    session.commit().await?;
    assert_eq!(db.rows("SELECT title FROM post"), ["b"]);
    Ok(())
}

#[tokio::test]
async fn a_cascade_to_rows_that_cannot_be_softly_deleted_is_refused() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let line = session.add(Line::build().invoice(Invoice::build()));
    session.commit().await?;
    let invoice = line.load(Line::invoice).await?;
    session.delete(&invoice);
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert_eq!(
        error.to_string(),
        "a `Invoice` is softly deleted, and `Invoice::lines` cascades to `Line`, which is not: give `Line` a \
         `#[column(soft_delete)]`, take the delete cascade off the relationship, or use `session.delete_hard(..)`"
    );
    session.rollback().await?;
    assert_eq!(db.rows("SELECT count(*) FROM invoice WHERE deleted_at IS NULL"), ["1"]);
    session.delete_hard(&invoice);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM line"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn bulk_writes_leave_deleted_rows_alone() -> Result<()> {
    let db = with_posts().await?;
    let session = db.session();
    assert_eq!(Post::query().update(Post::title.set("x")).execute(&session).await?, 2);
    assert_eq!(Post::query().with_deleted().update(Post::title.set("y")).execute(&session).await?, 3);
    let work = db.work();
    assert_eq!(
        work[0],
        "UPDATE \"post\" SET \"title\" = ?, \"version\" = \"post\".\"version\" + ? WHERE \"post\".\"deleted_at\" IS NULL"
    );
    assert_eq!(work[1], "UPDATE \"post\" SET \"title\" = ?, \"version\" = \"post\".\"version\" + ?");

    assert_eq!(Post::query().filter(Post::id.in_([1, 3])).delete().execute(&session).await?, 1);
    assert_eq!(
        db.work()[0],
        format!(
            "UPDATE \"post\" SET \"deleted_at\" = ?, \"version\" = \"post\".\"version\" + ? WHERE \"post\".\"id\" {} AND \
             \"post\".\"deleted_at\" IS NULL",
            one_of(2)
        )
    );
    assert_eq!(Post::query().filter(Post::id.eq(3)).delete_hard().execute(&session).await?, 0);
    assert_eq!(Post::query().filter(Post::id.eq(3)).only_deleted().delete_hard().execute(&session).await?, 1);
    session.commit().await?;
    assert_eq!(db.rows(POSTS), ["y|1|4", "y|0|3"]);
    Ok(())
}

#[tokio::test]
async fn a_merged_row_is_found_though_it_is_deleted() -> Result<()> {
    let db = with_posts().await?;
    let mut copy = Post::query().only_deleted().one(&db.session()).await?.detach();
    copy.deleted_at = None;
    let session = db.session();
    let merged = session.merge(copy).await?;
    session.commit().await?;
    assert_eq!((merged.id, merged.deleted_at), (3, None));
    assert_eq!(Post::query().count(&session).await?, 3);
    Ok(())
}
