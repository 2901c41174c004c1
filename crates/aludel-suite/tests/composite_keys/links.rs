//! Relationships by foreign keys of several columns: what single-column ones do.
#![allow(clippy::duplicated_attributes, reason = "keys share columns")]

use crate::support::TestDb;
use aludel::prelude::*;

/// A row that points at one of those that point at it.
#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(id, leader_id), references(Author::tenant_id, Author::id)))]
struct Tenant {
    #[column(primary_key)]
    id: i64,
    name: String,
    leader_id: Option<i64>,
    #[relationship]
    leader: One<Option<Author>>,
    #[relationship(back_populates = tenant, cascade = "all", order_by = Author::id)]
    authors: Many<Author>,
}

#[derive(Model, Clone, Debug)]
#[model(unique(columns(tenant_id, id)))]
struct Author {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Tenant::id)]
    tenant_id: i64,
    #[relationship(back_populates = authors)]
    tenant: One<Tenant>,
    #[relationship(back_populates = author, order_by = Post::id, cascade = "all, delete-orphan")]
    posts: Many<Post>,
    #[relationship(back_populates = reviewer, order_by = Post::id)]
    reviews: Many<Post>,
}

/// Two keys that share a column.
#[derive(Model, Clone, Debug)]
#[model(foreign_key(columns(tenant_id, author_id), references(Author::tenant_id, Author::id)))]
#[model(foreign_key(columns(tenant_id, reviewer_id), references(Author::tenant_id, Author::id), name = "fk_reviewer"))]
struct Post {
    #[column(primary_key)]
    id: i64,
    title: String,
    tenant_id: i64,
    author_id: i64,
    reviewer_id: Option<i64>,
    #[relationship(foreign_key = (tenant_id, author_id), back_populates = posts)]
    author: One<Author>,
    #[relationship(foreign_key = fk_reviewer, back_populates = reviews)]
    reviewer: One<Option<Author>>,
}

/// Two tenants of two authors with two posts each; the first author of each reviews the others' posts.
async fn filled() -> TestDb {
    let db = TestDb::new().await;
    db.change(
        "INSERT INTO tenant (id, name) VALUES (1, 'north'), (2, 'south');
         INSERT INTO author (id, name, tenant_id) VALUES (1, 'ann', 1), (2, 'bob', 1), (3, 'cid', 2), (4, 'dee', 2);
         INSERT INTO post (id, title, tenant_id, author_id, reviewer_id) VALUES
             (1, 'a', 1, 1, NULL), (2, 'b', 1, 1, NULL), (3, 'c', 1, 2, 1), (4, 'd', 1, 2, 1),
             (5, 'e', 2, 3, NULL), (6, 'f', 2, 3, NULL), (7, 'g', 2, 4, 3), (8, 'h', 2, 4, 3);",
    );
    db
}

fn titles(posts: &[Entity<Post>]) -> Vec<String> {
    posts.iter().map(|post| post.title.clone()).collect()
}

fn titles_of(author: &Entity<Author>) -> Result<Vec<String>> {
    Ok(author.posts.get()?.iter().map(|post| post.title.clone()).collect())
}

#[tokio::test]
async fn a_new_row_takes_all_columns_of_its_key_from_pending_parents() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let tenant = session.add(Tenant::build().name("north"));
    let ann = session.add(Author::build().name("ann").tenant(&tenant));
    let bob = session.add(Author::build().name("bob").tenant(&tenant));
    let post = session.add(Post::build().title("a").author(&ann).reviewer(&bob));
    assert_eq!((post.tenant_id, post.author_id, post.reviewer_id), (tenant.id, ann.id, Some(bob.id)));
    assert_eq!(titles_of(&ann)?, ["a"]);
    assert_eq!(bob.reviews.get()?.len(), 1);
    session.commit().await?;
    assert_eq!((post.tenant_id, post.author_id, post.reviewer_id), (1, 1, Some(2)));
    assert_eq!(db.rows("SELECT tenant_id, author_id, reviewer_id FROM post"), ["1|1|2"]);
    Ok(())
}

#[tokio::test]
async fn a_parent_gives_its_key_to_the_builders_in_its_collection() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let tenant = session.add(Tenant::build().name("north"));
    session.flush().await?;
    let ann = session.add(Author::build().name("ann").tenant_id(tenant.id));
    let b = ann.push(Author::posts, Post::build().title("b").tenant_id(tenant.id));
    // Whichever of the two parents' keys is missing: it is said when it runs.
    let a = session.add(Author::build().name("bob").tenant(&tenant).posts([Post::build().title("a")]));
    session.commit().await?;
    assert_eq!((b.tenant_id, b.author_id), (tenant.id, ann.id));
    assert_eq!(titles_of(&a)?, ["a"]);
    assert_eq!(
        db.rows("SELECT title, tenant_id, name FROM post JOIN author USING (tenant_id) WHERE author.id = author_id ORDER BY 1"),
        ["a|1|bob", "b|1|ann"]
    );
    Ok(())
}

#[tokio::test]
async fn a_column_of_the_key_that_contradicts_the_row_is_refused() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = session.get_or_404::<Author>(1).await?;
    session.add(Post::build().title("x").author(&ann).tenant_id(1));
    session.flush().await?;
    session.add(Post::build().title("x").author(&ann).tenant_id(2));
    let error = session.flush().await.expect_err("another tenant");
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    assert!(
        error.to_string().contains("was given `tenant_id`, and by `Post::author` a row with another one"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn both_sides_are_kept_in_step() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let authors = Author::query().with(Author::posts).with(Author::reviews).order_by(Author::id).all(&session).await?;
    let post = session.get_or_404::<Post>(1).await?;
    post.set(Post::author, &authors[1]);
    assert_eq!(
        (titles_of(&authors[0])?, titles_of(&authors[1])?),
        (vec!["b".into()], vec!["c".into(), "d".into(), "a".into()])
    );
    post.set(Post::reviewer, &authors[0]);
    assert_eq!(authors[0].reviews.get()?.len(), 3);
    // NULL in one column of the key is enough, and the other is the author's too.
    post.set(Post::reviewer, None);
    assert_eq!((post.reviewer_id, post.tenant_id), (None, 1));
    assert_eq!(authors[0].reviews.get()?.len(), 2);
    authors[2].remove(Author::reviews, &session.get_or_404::<Post>(7).await?);
    authors[2].push(Author::reviews, &session.get_or_404::<Post>(8).await?);
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT id, tenant_id, author_id, reviewer_id FROM post WHERE id IN (1, 7, 8) ORDER BY 1"),
        ["1|1|2|NULL", "7|2|4|NULL", "8|2|4|3"]
    );
    Ok(())
}

#[tokio::test]
async fn another_tenants_parent_takes_the_shared_column_along() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = Post::query().with(Post::author).with(Post::reviewer).filter(Post::id.eq(3)).one(&session).await?;
    let cid = session.get_or_404::<Author>(3).await?;
    post.set(Post::author, &cid);
    assert_eq!((post.tenant_id, post.author_id, post.reviewer_id), (2, 3, Some(1)));
    assert_eq!(post.reviewer.get().expect_err("it leads elsewhere").kind(), ErrorKind::NotLoaded);
    post.set(Post::reviewer, &cid);
    session.commit().await?;
    assert_eq!(db.rows("SELECT tenant_id, author_id, reviewer_id FROM post WHERE id = 3"), ["2|3|3"]);
    Ok(())
}

#[tokio::test]
async fn a_key_that_may_not_be_null_is_not_taken_away() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = Author::query().with(Author::posts).filter(Author::id.eq(1)).one(&session).await?;
    let first = session.get_or_404::<Post>(1).await?;
    ann.remove(Author::posts, &first);
    session.commit().await?;
    assert_eq!(db.rows("SELECT id FROM post WHERE author_id = 1"), ["2"], "an orphan is deleted");
    Ok(())
}

#[tokio::test]
async fn collections_and_parents_are_loaded_in_one_statement_each() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let authors = Author::query().with(Author::posts).order_by(Author::id).all(&session).await?;
    assert_eq!(db.statements().len(), 2);
    let all: Vec<Vec<String>> = authors.iter().map(titles_of).collect::<Result<_>>()?;
    assert_eq!(all, [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]);
    assert_eq!(authors[3].posts.get()?[0].author.get()?.name, "dee");

    session.clear();
    let posts = Post::query().order_by(Post::id).all(&session).await?;
    db.statements();
    assert_eq!(posts[6].load(Post::author).await?.name, "dee");
    let statements = db.statements();
    assert_eq!(statements.len(), 1);
    assert!(statements[0].contains(r#"("author"."tenant_id", "author"."id") IN ("#), "{statements:?}");
    // The session has all of them.
    let reviewers: Vec<Option<i64>> = posts.iter().map(|post| post.reviewer_id).collect();
    for (post, reviewer) in posts.iter().zip(reviewers) {
        assert_eq!(post.load(Post::reviewer).await?.map(|author| author.id), reviewer);
    }
    assert_eq!(db.statements().len(), 0);
    Ok(())
}

#[tokio::test]
async fn to_one_is_joined_and_to_many_too_where_it_is_asked_for() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let posts = Post::query().with(Post::author).with(Post::reviewer).order_by(Post::id).all(&session).await?;
    assert_eq!(db.statements().len(), 1);
    let names: Vec<_> = posts
        .iter()
        .map(|post| Ok((post.author.get()?.name.clone(), post.reviewer.get()?.map(|author| author.name.clone()))))
        .collect::<Result<_>>()?;
    assert_eq!(names[1], ("ann".into(), None));
    assert_eq!(names[7], ("dee".into(), Some("cid".into())));
    session.clear();
    let authors = Author::query().with(Author::reviews.joined()).order_by(Author::id).all(&session).await?;
    assert_eq!(db.statements().len(), 1);
    let counts: Vec<usize> =
        authors.iter().map(|author| author.reviews.get().map(|posts| posts.len())).collect::<Result<_>>()?;
    assert_eq!(counts, [2, 0, 2, 0]);
    Ok(())
}

#[tokio::test]
async fn filtered_and_limited_loads_are_for_each_parent() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let last = Author::posts.order_by(Post::id.desc()).limit(1);
    let authors = Author::query().with(last).order_by(Author::id).all(&session).await?;
    assert_eq!(db.statements().len(), 2);
    let all: Vec<Vec<String>> = authors.iter().map(titles_of).collect::<Result<_>>()?;
    assert_eq!(all, [["b"], ["d"], ["f"], ["h"]]);
    // What was cut is loaded whole when it is asked for.
    assert_eq!(titles(&authors[0].load(Author::posts).await?), ["a", "b"]);
    session.clear();
    let authors =
        Author::query().with(Author::posts.filter(Post::title.gt("e"))).order_by(Author::id).all(&session).await?;
    let all: Vec<Vec<String>> = authors.iter().map(titles_of).collect::<Result<_>>()?;
    assert_eq!(all, [vec![], vec![], vec!["f".to_owned()], vec!["g".into(), "h".into()]]);
    Ok(())
}

#[tokio::test]
async fn queries_join_and_ask_along_the_key() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let posts =
        Post::query().join(Post::author).filter(Author::name.eq("bob")).order_by(Post::id).all(&session).await?;
    assert_eq!(titles(&posts), ["c", "d"]);
    let posts =
        Post::query().left_join(Post::reviewer).filter(Author::id.is_null()).order_by(Post::id).all(&session).await?;
    assert_eq!(titles(&posts), ["a", "b", "e", "f"]);
    let posts =
        Post::query().filter(Post::reviewer.has(Author::name.eq("cid"))).order_by(Post::id).all(&session).await?;
    assert_eq!(titles(&posts), ["g", "h"]);
    let sql = db.statements().pop().expect("a statement");
    assert!(
        sql.contains(r#""author"."tenant_id" = "post"."tenant_id" AND "author"."id" = "post"."reviewer_id""#),
        "{sql}"
    );
    let authors = Author::query().filter(Author::posts.any(Post::title.eq("h"))).all(&session).await?;
    assert_eq!(authors[0].name, "dee");
    let found =
        Tenant::query().join(Tenant::authors).join(Author::posts).filter(Post::title.eq("e")).one(&session).await?;
    assert_eq!(found.name, "south");
    Ok(())
}

#[tokio::test]
async fn rows_that_point_at_each_other_are_inserted_and_deleted() -> Result<()> {
    let db = TestDb::new().await;
    let session = db.session();
    let tenant = session.add(Tenant::build().name("north"));
    let ann = session.add(Author::build().name("ann").tenant(&tenant));
    tenant.set(Tenant::leader, &ann);
    session.commit().await?;
    assert_eq!(db.rows("SELECT tenant.id, leader_id, author.id, tenant_id FROM tenant, author"), ["1|1|1|1"]);
    let inserts = db.work();
    assert_eq!(inserts.len(), 3, "{inserts:?}");
    assert_eq!(tenant.leader.get()?.map(|leader| leader.name.clone()).as_deref(), Some("ann"));

    let session = db.session();
    let tenant = session.get_or_404::<Tenant>(1).await?;
    let stranger = session.add(Author::build().name("eve").tenant(Tenant::build().name("south")));
    tenant.set(Tenant::leader, &stranger);
    let error = session.flush().await.expect_err("an author of another tenant");
    assert!(error.to_string().contains("can only be linked to one that has its own `id`"), "{error}");
    session.rollback().await?;
    assert_eq!(tenant.load(Tenant::leader).await?.map(|leader| leader.id), Some(1));
    session.delete(&tenant);
    session.commit().await?;
    assert_eq!(db.rows("SELECT count(*) FROM tenant"), ["0"]);
    assert_eq!(db.rows("SELECT count(*) FROM author"), ["0"]);
    Ok(())
}

#[tokio::test]
async fn deleting_a_parent_deletes_its_children_and_lets_go_of_the_others() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    // Two reviews lose their reviewer, two posts go.
    let ann = session.get_or_404::<Author>(1).await?;
    session.delete(&ann);
    session.commit().await?;
    assert_eq!(
        db.rows("SELECT id, tenant_id, author_id, reviewer_id FROM post WHERE tenant_id = 1 ORDER BY id"),
        ["3|1|2|NULL", "4|1|2|NULL"]
    );
    // All of a tenant: its authors, and their posts, children first.
    let session = db.session();
    let south = session.get_or_404::<Tenant>(2).await?;
    session.delete(&south);
    session.commit().await?;
    assert_eq!(db.rows("SELECT id FROM author ORDER BY id"), ["2"]);
    assert_eq!(db.rows("SELECT count(*) FROM post"), ["2"]);
    Ok(())
}

#[tokio::test]
async fn a_deleted_row_leaves_the_collections_that_have_it() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let ann = Author::query().with(Author::reviews).filter(Author::id.eq(1)).one(&session).await?;
    let post = session.get_or_404::<Post>(3).await?;
    session.delete(&post);
    assert_eq!(ann.reviews.get()?.len(), 1);
    session.rollback().await?;
    assert_eq!(ann.reviews.get()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn what_the_database_has_changed_is_followed() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let post = Post::query().with(Post::reviewer).filter(Post::id.eq(3)).one(&session).await?;
    session.commit().await?;
    db.change("UPDATE post SET reviewer_id = 2 WHERE id = 3");
    session.refresh(&post).await?;
    assert_eq!(post.load(Post::reviewer).await?.map(|author| author.name.clone()).as_deref(), Some("bob"));
    // By hand, one column of the key at a time.
    post.set(Post::reviewer_id, 1);
    assert_eq!(post.load(Post::reviewer).await?.map(|author| author.name.clone()).as_deref(), Some("ann"));
    session.expire(&post)?;
    assert_eq!(post.load(Post::reviewer).await?.map(|author| author.name.clone()).as_deref(), Some("ann"));
    Ok(())
}

#[tokio::test]
async fn a_merged_row_brings_its_relationships() -> Result<()> {
    let db = filled().await;
    let other = db.session();
    let post = Post::query().with(Post::author).filter(Post::id.eq(1)).one(&other).await?;
    post.set(Post::author, &other.get_or_404::<Author>(2).await?);
    let session = db.session();
    let merged = session.merge(&post).await?;
    assert_eq!((merged.tenant_id, merged.author_id), (1, 2));
    assert_eq!(merged.author.get()?.name, "bob");
    session.commit().await?;
    assert_eq!(db.rows("SELECT author_id FROM post WHERE id = 1"), ["2"]);
    Ok(())
}

#[tokio::test]
async fn a_pending_parents_key_in_a_query_is_the_real_one() -> Result<()> {
    let db = filled().await;
    let session = db.session();
    let eve = session.add(Author::build().name("eve").tenant_id(1));
    eve.push(Author::posts, Post::build().title("z"));
    let found = Post::query().filter(Post::author_id.eq(eve.id)).filter(Post::tenant_id.eq(1)).all(&session).await?;
    assert_eq!(titles(&found), ["z"]);
    Ok(())
}
