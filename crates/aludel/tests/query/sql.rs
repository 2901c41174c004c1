//! The SQL of queries.

use aludel::prelude::*;
use aludel::sql::Dialect;

use crate::models::{Comment, Employee, Post, User};

fn sql<M: aludel::entity::model::Model, R: aludel::query::Fetch>(query: Query<M, R>) -> String {
    query.to_sql(Dialect::Sqlite).unwrap()
}

/// The statement from its FROM on: the list is the same everywhere.
fn tail<M: aludel::entity::model::Model, R: aludel::query::Fetch>(query: Query<M, R>) -> String {
    let sql = sql(query);
    sql[sql.find(" FROM ").unwrap() + 1..].to_owned()
}

#[test]
fn a_query_lists_the_columns_of_its_model() {
    insta::assert_snapshot!(sql(User::query()), @r#"SELECT "user"."id", "user"."username", "user"."email", "user"."karma" FROM "user""#);
    insta::assert_snapshot!(sql(User::query().filter(User::username.eq("ann"))), @r#"SELECT "user"."id", "user"."username", "user"."email", "user"."karma" FROM "user" WHERE "user"."username" = ?"#);
}

#[test]
fn filters_compose() {
    let query = Post::query()
        .filter((Post::title.contains("Flask") | Post::title.starts_with("Rust")) & !Post::content.is_null())
        .filter(Post::id.in_([1, 2, 3]))
        .filter(Post::user_id.between(1, 100))
        .order_by((Post::title.asc(), Post::id.desc()))
        .limit(20)
        .offset(40);
    insta::assert_snapshot!(tail(query), @r#"FROM "post" WHERE ("post"."title" LIKE ? ESCAPE '/' OR "post"."title" LIKE ? ESCAPE '/') AND "post"."content" IS NOT NULL AND "post"."id" IN (?, ?, ?, ?) AND "post"."user_id" BETWEEN ? AND ? ORDER BY "post"."title", "post"."id" DESC LIMIT ? OFFSET ?"#);
}

#[test]
fn an_absent_condition_asks_nothing() {
    let name: Option<&str> = None;
    let query = User::query().filter(name.map(|name| User::username.contains(name)));
    insta::assert_snapshot!(tail(query), @r#"FROM "user""#);
}

#[test]
fn none_is_null() {
    let email: Option<String> = None;
    insta::assert_snapshot!(tail(User::query().filter(User::email.eq(email.clone()))), @r#"FROM "user" WHERE "user"."email" IS NULL"#);
    insta::assert_snapshot!(tail(User::query().filter(User::email.ne(email))), @r#"FROM "user" WHERE "user"."email" IS NOT NULL"#);
    insta::assert_snapshot!(tail(User::query().filter(User::email.eq(Some("x")))), @r#"FROM "user" WHERE "user"."email" = ?"#);
    insta::assert_snapshot!(tail(User::query().filter(User::email.ne("x"))), @r#"FROM "user" WHERE "user"."email" <> ?"#);
}

#[test]
fn columns_are_compared_with_columns_and_calculations() {
    insta::assert_snapshot!(tail(Post::query().filter(Post::editor_id.eq(Post::user_id))), @r#"FROM "post" WHERE "post"."editor_id" = "post"."user_id""#);
    insta::assert_snapshot!(tail(Post::query().filter(((Post::views + 1) * 2 - Post::id).gt(10))), @r#"FROM "post" WHERE ("post"."views" + ?) * ? - "post"."id" > ?"#);
}

#[test]
fn a_column_may_be_chosen_by_name() -> Result<()> {
    insta::assert_snapshot!(tail(User::query().order_by(User::column("username")?.desc())), @r#"FROM "user" ORDER BY "user"."username" DESC"#);
    insta::assert_snapshot!(tail(User::query().order_by((User::column("karma")?, User::email.asc().nulls_last()))), @r#"FROM "user" ORDER BY "user"."karma", "user"."email" NULLS LAST"#);
    let error = User::column("password; DROP TABLE user").unwrap_err();
    insta::assert_snapshot!(error, @"`User` has no column `password; DROP TABLE user`; it has id, username, email, karma");
    Ok(())
}

#[test]
fn joins_follow_relationships() {
    insta::assert_snapshot!(tail(Post::query().join(Post::author)), @r#"FROM "post" JOIN "user" ON "user"."id" = "post"."user_id""#);
    insta::assert_snapshot!(tail(Post::query().left_join(Post::editor)), @r#"FROM "post" LEFT JOIN "user" ON "user"."id" = "post"."editor_id""#);
    insta::assert_snapshot!(tail(User::query().join(User::posts).left_join(Post::comments)), @r#"FROM "user" JOIN "post" ON "post"."user_id" = "user"."id" LEFT JOIN "comment" ON "comment"."post_id" = "post"."id""#);
    insta::assert_snapshot!(tail(Comment::query().join(Comment::post).join(Post::author).filter(User::karma.gt(1))), @r#"FROM "comment" JOIN "post" ON "post"."id" = "comment"."post_id" JOIN "user" ON "user"."id" = "post"."user_id" WHERE "user"."karma" > ?"#);
}

#[test]
fn any_and_has_are_exists() {
    insta::assert_snapshot!(tail(User::query().filter(User::posts.any(Post::title.contains("Flask")))), @r#"FROM "user" WHERE EXISTS (SELECT 1 FROM "post" WHERE "post"."user_id" = "user"."id" AND "post"."title" LIKE ? ESCAPE '/')"#);
    insta::assert_snapshot!(tail(Post::query().filter(!Post::editor.has(None))), @r#"FROM "post" WHERE NOT EXISTS (SELECT 1 FROM "user" WHERE "user"."id" = "post"."editor_id")"#);
    insta::assert_snapshot!(tail(Employee::query().filter(Employee::reports.any(Employee::name.eq("ann")))), @r#"FROM "employee" WHERE EXISTS (SELECT 1 FROM "employee" AS "employee_1" WHERE "employee_1"."boss_id" = "employee"."id" AND "employee_1"."name" = ?)"#);
    let twice = Employee::reports.any(Employee::reports.any(Employee::name.eq("ann")));
    insta::assert_snapshot!(tail(Employee::query().filter(twice)), @r#"FROM "employee" WHERE EXISTS (SELECT 1 FROM "employee" AS "employee_2" WHERE "employee_2"."boss_id" = "employee"."id" AND EXISTS (SELECT 1 FROM "employee" AS "employee_1" WHERE "employee_1"."boss_id" = "employee_2"."id" AND "employee_1"."name" = ?))"#);
    let nested = User::posts.any(Post::comments.any(Comment::body.eq("x")));
    insta::assert_snapshot!(tail(User::query().filter(nested)), @r#"FROM "user" WHERE EXISTS (SELECT 1 FROM "post" WHERE "post"."user_id" = "user"."id" AND EXISTS (SELECT 1 FROM "comment" WHERE "comment"."post_id" = "post"."id" AND "comment"."body" = ?))"#);
}

#[test]
fn a_query_of_one_column_is_a_list_to_look_in() {
    let authors = Post::query().filter(Post::draft.eq(true)).select(Post::user_id);
    insta::assert_snapshot!(tail(User::query().filter(User::id.in_(authors.clone()))), @r#"FROM "user" WHERE "user"."id" IN (SELECT "post"."user_id" FROM "post" WHERE "post"."draft" = ?)"#);
    insta::assert_snapshot!(tail(User::query().filter(User::id.not_in(authors))), @r#"FROM "user" WHERE "user"."id" NOT IN (SELECT "post"."user_id" FROM "post" WHERE "post"."draft" = ?)"#);
}

#[test]
fn selections_replace_the_entities() {
    insta::assert_snapshot!(sql(Post::query().select((Post::id, Post::title))), @r#"SELECT "post"."id", "post"."title" FROM "post""#);
    let pairs = User::query().left_join(User::posts).select((User::username, Post::title.optional()));
    insta::assert_snapshot!(sql(pairs), @r#"SELECT "user"."username", "post"."title" FROM "user" LEFT JOIN "post" ON "post"."user_id" = "user"."id""#);
    let busy = Post::query()
        .join(Post::author)
        .group_by(User::id)
        .having(count(Post::id).gt(3))
        .select((User::username, count(Post::id), max(Post::views), coalesce(Post::content, "-")))
        .distinct();
    insta::assert_snapshot!(sql(busy), @r#"SELECT DISTINCT "user"."username", count("post"."id"), max("post"."views"), coalesce("post"."content", ?) FROM "post" JOIN "user" ON "user"."id" = "post"."user_id" GROUP BY "user"."id" HAVING count("post"."id") > ?"#);
}

#[test]
fn functions_of_text_and_numbers() {
    let query = User::query().select((
        lower(User::username),
        upper(User::email),
        length(User::username),
        sum(User::karma),
        avg(User::karma),
        min(User::username),
        User::username.concat("!"),
    ));
    insta::assert_snapshot!(sql(query), @r#"SELECT lower("user"."username"), upper("user"."email"), length("user"."username"), sum("user"."karma"), avg("user"."karma"), min("user"."username"), "user"."username" || ? FROM "user""#);
}

#[test]
fn one_row_is_joined_along_and_many_are_not() {
    insta::assert_snapshot!(tail(Comment::query().with(Comment::post)), @r#"FROM "comment" LEFT JOIN "post" AS "post_1" ON "post_1"."id" = "comment"."post_id""#);
    insta::assert_snapshot!(tail(Post::query().with(Post::author).with(Post::editor)), @r#"FROM "post" LEFT JOIN "user" AS "user_1" ON "user_1"."id" = "post"."user_id" LEFT JOIN "user" AS "user_2" ON "user_2"."id" = "post"."editor_id""#);
    insta::assert_snapshot!(tail(Comment::query().with(Comment::post.with(Post::editor))), @r#"FROM "comment" LEFT JOIN "post" AS "post_1" ON "post_1"."id" = "comment"."post_id" LEFT JOIN "user" AS "user_2" ON "user_2"."id" = "post_1"."editor_id""#);
    insta::assert_snapshot!(tail(User::query().with(User::posts)), @r#"FROM "user""#);
    insta::assert_snapshot!(tail(Employee::query().with(Employee::boss)), @r#"FROM "employee" LEFT JOIN "employee" AS "employee_1" ON "employee_1"."id" = "employee"."boss_id""#);
    insta::assert_snapshot!(tail(Post::query().with(Post::author.selectin())), @r#"FROM "post""#);
}

#[test]
fn a_joined_collection_has_its_conditions_and_order_inside() {
    let posts = User::posts.filter(Post::title.ne("x")).order_by(Post::id.desc()).joined();
    insta::assert_snapshot!(tail(User::query().with(posts).order_by(User::id)), @r#"FROM "user" LEFT JOIN "post" AS "post_1" ON "post_1"."user_id" = "user"."id" AND "post_1"."title" <> ? ORDER BY "user"."id", "post_1"."id" DESC"#);
    insta::assert_snapshot!(tail(Post::query().with(Post::comments.joined())), @r#"FROM "post" LEFT JOIN "comment" AS "comment_1" ON "comment_1"."post_id" = "post"."id" ORDER BY "comment_1"."id""#);
}

#[test]
fn a_collection_is_not_joined_where_the_query_cuts_its_rows() {
    insta::assert_snapshot!(tail(User::query().with(User::posts.joined()).limit(2)), @r#"FROM "user" LIMIT ?"#);
    insta::assert_snapshot!(tail(User::query().with(User::posts.joined()).distinct()), @r#"FROM "user""#);
    insta::assert_snapshot!(tail(User::query().with(User::posts.limit(5).joined())), @r#"FROM "user""#);
}
