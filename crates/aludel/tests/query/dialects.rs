//! The SQL of queries on each backend, without a server.

use aludel::prelude::*;
use aludel::sql::Dialect;

use crate::models::{Post, User};

const DIALECTS: [Dialect; 4] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MariaDb, Dialect::MySql];

/// The statement of each backend, each in a line; MySQL's where it is not MariaDB's.
fn sql<M: aludel::entity::model::Model, R: aludel::query::Fetch>(query: Query<M, R>) -> String {
    let mut lines: Vec<String> = DIALECTS.iter().map(|&dialect| query.to_sql(dialect).unwrap()).collect();
    lines.dedup();
    lines.join("\n")
}

/// The same from WHERE on.
fn filter(condition: Expr<bool>) -> String {
    let statements = sql(User::query().filter(condition));
    statements.lines().map(|sql| &sql[sql.find(" WHERE ").unwrap() + 1..]).collect::<Vec<_>>().join("\n")
}

#[test]
fn names_are_quoted_and_values_have_their_placeholders() {
    insta::assert_snapshot!(sql(User::query().filter(User::username.eq("ann") & User::karma.in_([1, 2, 3]))), @r#"
    SELECT "user"."id", "user"."username", "user"."email", "user"."karma" FROM "user" WHERE "user"."username" = ? AND "user"."karma" IN (?, ?, ?, ?)
    SELECT "user"."id", "user"."username", "user"."email", "user"."karma" FROM "user" WHERE "user"."username" = $1 AND "user"."karma" = ANY ($2)
    SELECT `user`.`id`, `user`.`username`, `user`.`email`, `user`.`karma` FROM `user` WHERE `user`.`username` = ? AND `user`.`karma` IN (?, ?, ?, ?)
    "#);
}

#[test]
fn a_page_has_its_limit_and_an_offset_alone_what_it_needs() {
    insta::assert_snapshot!(sql(User::query().select(User::id).limit(10).offset(20)), @r#"
    SELECT "user"."id" FROM "user" LIMIT ? OFFSET ?
    SELECT "user"."id" FROM "user" LIMIT $1 OFFSET $2
    SELECT `user`.`id` FROM `user` LIMIT ? OFFSET ?
    "#);
    insta::assert_snapshot!(sql(User::query().select(User::id).offset(20)), @r#"
    SELECT "user"."id" FROM "user" LIMIT -1 OFFSET ?
    SELECT "user"."id" FROM "user" OFFSET $1
    SELECT `user`.`id` FROM `user` LIMIT 18446744073709551615 OFFSET ?
    "#);
}

#[test]
fn nulls_come_where_they_are_asked_for() {
    let by = |order: aludel::sql::OrderBy| sql(User::query().select(User::id).order_by(order));
    insta::assert_snapshot!(by(User::email.asc().nulls_first()), @r#"
    SELECT "user"."id" FROM "user" ORDER BY "user"."email" NULLS FIRST
    SELECT `user`.`id` FROM `user` ORDER BY `user`.`email`
    "#);
    insta::assert_snapshot!(by(User::email.asc().nulls_last()), @r#"
    SELECT "user"."id" FROM "user" ORDER BY "user"."email" NULLS LAST
    SELECT `user`.`id` FROM `user` ORDER BY `user`.`email` IS NULL, `user`.`email`
    "#);
    insta::assert_snapshot!(by(User::email.desc().nulls_first()), @r#"
    SELECT "user"."id" FROM "user" ORDER BY "user"."email" DESC NULLS FIRST
    SELECT `user`.`id` FROM `user` ORDER BY `user`.`email` IS NOT NULL, `user`.`email` DESC
    "#);
    insta::assert_snapshot!(by(User::email.desc().nulls_last()), @r#"
    SELECT "user"."id" FROM "user" ORDER BY "user"."email" DESC NULLS LAST
    SELECT `user`.`id` FROM `user` ORDER BY `user`.`email` DESC
    "#);
}

#[test]
fn texts_are_put_together_and_measured_in_characters() {
    insta::assert_snapshot!(filter(User::username.concat("@").concat(User::username).eq("x@x")), @r#"
    WHERE "user"."username" || ? || "user"."username" = ?
    WHERE "user"."username" || $1 || "user"."username" = $2
    WHERE concat(concat(`user`.`username`, ?), `user`.`username`) = ?
    "#);
    insta::assert_snapshot!(filter(length(User::username).gt(3)), @r#"
    WHERE length("user"."username") > ?
    WHERE length("user"."username") > $1
    WHERE char_length(`user`.`username`) > ?
    "#);
    insta::assert_snapshot!(filter(lower(User::username).eq("ann") | upper(User::username).eq("BOB")), @r#"
    WHERE lower("user"."username") = ? OR upper("user"."username") = ?
    WHERE lower("user"."username") = $1 OR upper("user"."username") = $2
    WHERE lower(`user`.`username`) = ? OR upper(`user`.`username`) = ?
    "#);
    insta::assert_snapshot!(filter(User::username.contains("50%")), @r#"
    WHERE "user"."username" LIKE ? ESCAPE '/'
    WHERE "user"."username" LIKE $1 ESCAPE '/'
    WHERE `user`.`username` LIKE ? ESCAPE '/'
    "#);
}

#[test]
fn integers_are_divided_without_a_rest() {
    insta::assert_snapshot!(filter((User::karma / 2 * 3 % 5).eq(1)), @r#"
    WHERE "user"."karma" / ? * ? % ? = ?
    WHERE "user"."karma" / $1 * $2 % $3 = $4
    WHERE `user`.`karma` DIV ? * ? % ? = ?
    "#);
    insta::assert_snapshot!(filter((-(User::karma + 1) - 2).lt(0)), @r#"
    WHERE -("user"."karma" + ?) - ? < ?
    WHERE -("user"."karma" + $1) - $2 < $3
    WHERE -(`user`.`karma` + ?) - ? < ?
    "#);
}

#[test]
fn sums_and_averages_have_the_type_that_they_are_read_as() {
    insta::assert_snapshot!(sql(User::query().select((sum(User::karma), avg(User::karma), max(User::karma), count_all()))), @r#"
    SELECT sum("user"."karma"), avg("user"."karma"), max("user"."karma"), count(*) FROM "user"
    SELECT CAST(sum("user"."karma") AS BIGINT), avg(CAST("user"."karma" AS DOUBLE PRECISION)), max("user"."karma"), count(*) FROM "user"
    SELECT CAST(sum(`user`.`karma`) AS SIGNED), avg(CAST(`user`.`karma` AS DOUBLE)), max(`user`.`karma`), count(*) FROM `user`
    "#);
    insta::assert_snapshot!(sql(User::query().select(count_distinct(User::email)).having(coalesce(min(User::karma), 0).gt(1))), @r#"
    SELECT count(DISTINCT "user"."email") FROM "user" HAVING coalesce(min("user"."karma"), ?) > ?
    SELECT count(DISTINCT "user"."email") FROM "user" HAVING coalesce(min("user"."karma"), $1) > $2
    SELECT count(DISTINCT `user`.`email`) FROM `user` HAVING coalesce(min(`user`.`karma`), ?) > ?
    "#);
}

#[test]
fn a_group_is_the_expression_of_the_list() {
    let query = User::query()
        .filter(User::karma.gt(10))
        .select((User::karma / 10, count_all()))
        .group_by(User::karma / 10)
        .having(count_all().gt(1))
        .order_by((User::karma / 10).desc());
    insta::assert_snapshot!(sql(query), @r#"
    SELECT "user"."karma" / ?, count(*) FROM "user" WHERE "user"."karma" > ? GROUP BY "user"."karma" / ? HAVING count(*) > ? ORDER BY "user"."karma" / ? DESC
    SELECT "user"."karma" / $1, count(*) FROM "user" WHERE "user"."karma" > $2 GROUP BY "user"."karma" / $1 HAVING count(*) > $3 ORDER BY "user"."karma" / $1 DESC
    SELECT `user`.`karma` DIV ?, count(*) FROM `user` WHERE `user`.`karma` > ? GROUP BY `user`.`karma` DIV ? HAVING count(*) > ? ORDER BY `user`.`karma` DIV ? DESC
    "#);
}

#[test]
fn conditions_and_null_are_the_same_everywhere() {
    let none: [i32; 0] = [];
    insta::assert_snapshot!(filter(User::karma.in_(none) | User::email.eq(None::<String>) | !User::karma.between(1, 2)), @r#"
    WHERE 0 = 1 OR "user"."email" IS NULL OR "user"."karma" NOT BETWEEN ? AND ?
    WHERE 0 = 1 OR "user"."email" IS NULL OR "user"."karma" NOT BETWEEN $1 AND $2
    WHERE 0 = 1 OR `user`.`email` IS NULL OR `user`.`karma` NOT BETWEEN ? AND ?
    "#);
    insta::assert_snapshot!(filter(User::posts.any(Post::draft.eq(true))), @r#"
    WHERE EXISTS (SELECT 1 FROM "post" WHERE "post"."user_id" = "user"."id" AND "post"."draft" = ?)
    WHERE EXISTS (SELECT 1 FROM "post" WHERE "post"."user_id" = "user"."id" AND "post"."draft" = $1)
    WHERE EXISTS (SELECT 1 FROM `post` WHERE `post`.`user_id` = `user`.`id` AND `post`.`draft` = ?)
    "#);
}

#[test]
fn joins_and_subqueries_share_one_count_of_placeholders() {
    let authors = Post::query().filter(Post::views.gt(5)).select(Post::user_id);
    let query = User::query()
        .join(User::posts)
        .filter(User::karma.gt(1) & User::id.in_(authors) & Post::views.lt(9))
        .select(User::id)
        .distinct()
        .limit(2);
    insta::assert_snapshot!(sql(query), @r#"
    SELECT DISTINCT "user"."id" FROM "user" JOIN "post" ON "post"."user_id" = "user"."id" WHERE "user"."karma" > ? AND "user"."id" IN (SELECT "post"."user_id" FROM "post" WHERE "post"."views" > ?) AND "post"."views" < ? LIMIT ?
    SELECT DISTINCT "user"."id" FROM "user" JOIN "post" ON "post"."user_id" = "user"."id" WHERE "user"."karma" > $1 AND "user"."id" IN (SELECT "post"."user_id" FROM "post" WHERE "post"."views" > $2) AND "post"."views" < $3 LIMIT $4
    SELECT DISTINCT `user`.`id` FROM `user` JOIN `post` ON `post`.`user_id` = `user`.`id` WHERE `user`.`karma` > ? AND `user`.`id` IN (SELECT `post`.`user_id` FROM `post` WHERE `post`.`views` > ?) AND `post`.`views` < ? LIMIT ?
    "#);
}
