//! What the types do not check is said before anything is sent, with the cure.

use aludel::prelude::*;
use aludel::sql::Dialect;

use crate::models::{Comment, Employee, Post, User, blog};

fn error<M: aludel::entity::model::Model, R: aludel::query::Fetch>(query: Query<M, R>) -> String {
    let error = query.to_sql(Dialect::Sqlite).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    error.to_string()
}

#[test]
fn a_column_of_a_table_that_is_not_selected_from() {
    insta::assert_snapshot!(error(User::query().order_by(Post::title)), @"order_by(post.title): this query selects from user; add .join(User::posts)");
    insta::assert_snapshot!(error(Post::query().filter(User::karma.gt(1) & Post::draft.eq(false))), @"filter(user.karma): this query selects from post; add .join(Post::author)");
    insta::assert_snapshot!(error(User::query().join(User::posts).group_by(Comment::id)), @"group_by(comment.id): this query selects from user, post; add .join(Post::comments)");
    insta::assert_snapshot!(error(User::query().having(count(Employee::id).gt(1))), @"having(employee.id): this query selects from user; no relationship leads from there to employee: join it with `.join_on(..)`");
    insta::assert_snapshot!(error(User::query().select((User::id, Post::title))), @"select(post.title): this query selects from user; add .join(User::posts)");
    insta::assert_snapshot!(error(User::query().select((User::entity, Post::entity))), @"select(Post::entity): this query selects from user; add .join(User::posts)");
    insta::assert_snapshot!(error(User::query().filter(User::posts.any(Comment::id.eq(1)))), @"filter(comment.id): this query selects from user; no relationship leads from there to comment: join it with `.join_on(..)`");
}

#[test]
fn a_value_of_an_outer_joined_table_that_is_not_optional() {
    let query = || User::query().left_join(User::posts);
    insta::assert_snapshot!(error(query().select((User::id, Post::title))), @"select(post.title): `post` is outer-joined, so that the value may be NULL: use `.optional()`");
    insta::assert_snapshot!(error(query().select((User::id, lower(Post::title)))), @"select(post.title): `post` is outer-joined, so that the value may be NULL: use `.optional()`");
    insta::assert_snapshot!(error(query().select((User::entity, Post::entity))), @"select(Post::entity): `post` is outer-joined, so that there may be no row: use `Post::entity.optional()`");
    assert!(query().select((User::id, count(Post::id))).to_sql(Dialect::Sqlite).is_ok());
    assert!(query().select((User::id, coalesce(Post::title, "-"))).to_sql(Dialect::Sqlite).is_ok());
    assert!(query().select((User::id, Post::content, max(Post::title))).to_sql(Dialect::Sqlite).is_ok());
}

#[test]
fn an_expression_of_a_nullable_column_that_is_not_optional() {
    insta::assert_snapshot!(error(User::query().select(length(User::email))), @"select(user.email): the column may be NULL, and the expression's type is not an `Option`: use `.optional()`");
    assert!(User::query().select(length(User::email).optional()).to_sql(Dialect::Sqlite).is_ok());
}

#[test]
fn a_join_that_does_not_begin_in_the_query_or_ends_in_it() {
    insta::assert_snapshot!(error(User::query().join(Post::comments)), @"join(Post::comments): this query selects from user; join `Post` first, or begin with `Post::query()`");
    insta::assert_snapshot!(error(Post::query().join(Post::author).left_join(Post::editor)), @"left_join(Post::editor): this query selects from user already, and a table can be in it once under one name; join it under another, `Post::editor.to(&alias)`, or filter by the related rows with `Post::editor.has(..)`");
    insta::assert_snapshot!(error(Employee::query().join(Employee::boss)), @"join(Employee::boss): this query selects from employee already, and a table can be in it once under one name; join it under another, `Employee::boss.to(&alias)`, or filter by the related rows with `Employee::boss.has(..)`");
}

#[test]
fn loads_are_for_entities_and_for_columns_of_what_they_load() {
    insta::assert_snapshot!(error(User::query().with(User::posts).select(User::id)), @"with(User::posts): this query selects something else than its entities, for which there is nothing to load; leave out `.select(..)` or `.with(..)`");
    insta::assert_snapshot!(error(User::query().with(User::posts.filter(User::karma.gt(1)))), @"with(User::posts): user.karma is no column of post, of which alone the load selects");
    insta::assert_snapshot!(error(User::query().with(User::posts.with(Post::comments.order_by(Post::id)))), @"with(Post::comments): post.id is no column of comment, of which alone the load selects");
}

#[test]
fn having_without_groups_of_entities() {
    insta::assert_snapshot!(error(User::query().having(count(User::id).gt(1))), @"having(..): this query selects entities of `User`, and has no groups; add `.group_by(User::id)`, or use `.filter(..)` for a condition on rows");
    insta::assert_snapshot!(error(User::query().join(User::posts).select((User::entity, count(Post::id))).having(count(Post::id).gt(1))), @"having(..): this query selects entities of `User`, and has no groups; add `.group_by(User::id)`, or use `.filter(..)` for a condition on rows");
    assert!(User::query().group_by(User::id).having(count(User::id).gt(1)).to_sql(Dialect::Sqlite).is_ok());
    assert!(User::query().select(count(User::id)).having(count(User::id).gt(1)).to_sql(Dialect::Sqlite).is_ok());
}

#[tokio::test]
async fn nothing_is_sent_and_the_session_stays_usable() -> Result<()> {
    let (_db, session) = blog().await?;
    crate::statements::forget();
    let error = User::query().order_by(Post::title).all(&session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidStatement);
    for error in [
        User::query().order_by(Post::title).count(&session).await.unwrap_err(),
        User::query().filter(Post::id.eq(1)).exists(&session).await.map(|_| ()).unwrap_err(),
        User::query().order_by(Post::title).paginate(&session, PageQuery::default()).await.map(|_| ()).unwrap_err(),
        User::query().order_by(Post::title).stream(&session).next().await.unwrap().map(|_| ()).unwrap_err(),
        User::query().filter(Post::id.eq(1)).delete().execute(&session).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidStatement, "{error}");
    }
    assert_eq!(crate::statements::sent(), Vec::<String>::new());
    assert_eq!(User::query().count(&session).await?, 3);
    Ok(())
}

#[tokio::test]
async fn too_many_values_are_an_error_that_says_so() -> Result<()> {
    let (_db, session) = blog().await?;
    let error = User::query().filter(User::id.in_(0..40_000)).all(&session).await.unwrap_err();
    insta::assert_snapshot!(error, @"the statement has 40000 values, and this database takes 32766 at most: ask for the rows of a long `in_` list in parts");
    assert_eq!(User::query().filter(User::id.in_(0..32_766)).count(&session).await?, 3);
    Ok(())
}

#[derive(Model, Clone, Debug)]
struct Team {
    #[column(primary_key)]
    id: i64,
    #[relationship]
    comments: Many<Comment>,
}

#[test]
fn a_relationship_without_a_foreign_key() {
    let error = Team::query().with(Team::comments.joined()).to_sql(Dialect::Sqlite).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = Team::query().filter(Team::comments.any(None)).to_sql(Dialect::Sqlite).unwrap_err();
    insta::assert_snapshot!(error, @"filter(..): the relationship `Team::comments` has no foreign key: declare `references = Team::..` on a column of `Comment`");
}
