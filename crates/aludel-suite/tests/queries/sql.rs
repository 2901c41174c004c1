//! The SQL that queries are composed into, in each dialect; no server is asked.

use aludel::model::full_text;
use aludel::prelude::*;
use aludel::query::{all_, any_, values};
use aludel::sql::Dialect;

#[derive(Model, Clone, Debug)]
struct User {
    #[column(primary_key)]
    id: i64,
    name: String,
    age: Option<i64>,
    #[column(references = User::id)]
    boss_id: Option<i64>,
    #[relationship(back_populates = reports)]
    boss: One<Option<User>>,
    #[relationship(back_populates = boss)]
    reports: Many<User>,
}

#[derive(Projection)]
#[expect(dead_code, reason = "only its columns are named")]
struct Row {
    id: i64,
    name: String,
}

/// The statement as each dialect has it: SQLite, PostgreSQL, MariaDB, MySQL. What one has not begins with `error: `.
fn shows<R: aludel::query::Fetch>(query: Query<User, R>, expected: [&str; 4]) {
    let dialects = [Dialect::Sqlite, Dialect::Postgres, Dialect::MariaDb, Dialect::MySql];
    let sql = dialects.map(|dialect| match query.to_sql(dialect) {
        Ok(sql) => sql,
        Err(error) => format!("error: {:?}", error.kind()),
    });
    assert_eq!(sql, expected);
}

fn rows(query: Query<User>) -> Query<User, Row> {
    query.select(RowColumns { id: User::id, name: User::name })
}

#[test]
fn aliases() {
    let boss = User::alias("boss");
    shows(
        User::query().join_on(&boss, boss.col(User::id).eq(User::boss_id)).select(boss.col(User::name)),
        [
            r#"SELECT "boss"."name" FROM "user" JOIN "user" AS "boss" ON "boss"."id" = "user"."boss_id""#,
            r#"SELECT "boss"."name" FROM "user" JOIN "user" AS "boss" ON "boss"."id" = "user"."boss_id""#,
            r#"SELECT `boss`.`name` FROM `user` JOIN `user` AS `boss` ON `boss`.`id` = `user`.`boss_id`"#,
            r#"SELECT `boss`.`name` FROM `user` JOIN `user` AS `boss` ON `boss`.`id` = `user`.`boss_id`"#,
        ],
    );
    shows(
        User::query().left_join(User::boss.to(&boss)).select((User::id, boss.entity().optional())),
        [
            r#"SELECT "user"."id", "boss"."id", "boss"."name", "boss"."age", "boss"."boss_id" FROM "user" LEFT JOIN "user" AS "boss" ON "boss"."id" = "user"."boss_id""#,
            r#"SELECT "user"."id", "boss"."id", "boss"."name", "boss"."age", "boss"."boss_id" FROM "user" LEFT JOIN "user" AS "boss" ON "boss"."id" = "user"."boss_id""#,
            r#"SELECT `user`.`id`, `boss`.`id`, `boss`.`name`, `boss`.`age`, `boss`.`boss_id` FROM `user` LEFT JOIN `user` AS `boss` ON `boss`.`id` = `user`.`boss_id`"#,
            r#"SELECT `user`.`id`, `boss`.`id`, `boss`.`name`, `boss`.`age`, `boss`.`boss_id` FROM `user` LEFT JOIN `user` AS `boss` ON `boss`.`id` = `user`.`boss_id`"#,
        ],
    );
    shows(
        boss.query().filter(boss.col(User::age).gt(1)),
        [
            r#"SELECT "boss"."id", "boss"."name", "boss"."age", "boss"."boss_id" FROM "user" AS "boss" WHERE "boss"."age" > ?"#,
            r#"SELECT "boss"."id", "boss"."name", "boss"."age", "boss"."boss_id" FROM "user" AS "boss" WHERE "boss"."age" > $1"#,
            r#"SELECT `boss`.`id`, `boss`.`name`, `boss`.`age`, `boss`.`boss_id` FROM `user` AS `boss` WHERE `boss`.`age` > ?"#,
            r#"SELECT `boss`.`id`, `boss`.`name`, `boss`.`age`, `boss`.`boss_id` FROM `user` AS `boss` WHERE `boss`.`age` > ?"#,
        ],
    );
}

#[test]
fn subqueries() {
    let (a, b) = (User::alias("a"), User::alias("b"));
    let eldest = a.query().select(max(a.col(User::age))).scalar();
    shows(
        User::query().filter(User::age.eq(eldest)).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" WHERE "user"."age" = (SELECT max("a"."age") FROM "user" AS "a")"#,
            r#"SELECT "user"."id" FROM "user" WHERE "user"."age" = (SELECT max("a"."age") FROM "user" AS "a")"#,
            r#"SELECT `user`.`id` FROM `user` WHERE `user`.`age` = (SELECT max(`a`.`age`) FROM `user` AS `a`)"#,
            r#"SELECT `user`.`id` FROM `user` WHERE `user`.`age` = (SELECT max(`a`.`age`) FROM `user` AS `a`)"#,
        ],
    );
    let report = a.query().filter(a.col(User::boss_id).eq(User::id));
    shows(
        User::query().filter(exists(report.clone()) & !exists(report)).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" WHERE EXISTS (SELECT 1 FROM "user" AS "a" WHERE "a"."boss_id" = "user"."id") AND NOT EXISTS (SELECT 1 FROM "user" AS "a" WHERE "a"."boss_id" = "user"."id")"#,
            r#"SELECT "user"."id" FROM "user" WHERE EXISTS (SELECT 1 FROM "user" AS "a" WHERE "a"."boss_id" = "user"."id") AND NOT EXISTS (SELECT 1 FROM "user" AS "a" WHERE "a"."boss_id" = "user"."id")"#,
            r#"SELECT `user`.`id` FROM `user` WHERE EXISTS (SELECT 1 FROM `user` AS `a` WHERE `a`.`boss_id` = `user`.`id`) AND NOT EXISTS (SELECT 1 FROM `user` AS `a` WHERE `a`.`boss_id` = `user`.`id`)"#,
            r#"SELECT `user`.`id` FROM `user` WHERE EXISTS (SELECT 1 FROM `user` AS `a` WHERE `a`.`boss_id` = `user`.`id`) AND NOT EXISTS (SELECT 1 FROM `user` AS `a` WHERE `a`.`boss_id` = `user`.`id`)"#,
        ],
    );
    let ages = || b.query().select(b.col(User::age));
    shows(
        User::query().filter(User::age.gt(any_(ages()))).select(User::id),
        [
            r#"error: Unsupported"#,
            r#"SELECT "user"."id" FROM "user" WHERE "user"."age" > ANY (SELECT "b"."age" FROM "user" AS "b")"#,
            r#"SELECT `user`.`id` FROM `user` WHERE `user`.`age` > ANY (SELECT `b`.`age` FROM `user` AS `b`)"#,
            r#"SELECT `user`.`id` FROM `user` WHERE `user`.`age` > ANY (SELECT `b`.`age` FROM `user` AS `b`)"#,
        ],
    );
    shows(
        User::query().filter(User::age.gt(all_(ages()))).select(User::id),
        [
            r#"error: Unsupported"#,
            r#"SELECT "user"."id" FROM "user" WHERE "user"."age" > ALL (SELECT "b"."age" FROM "user" AS "b")"#,
            r#"SELECT `user`.`id` FROM `user` WHERE `user`.`age` > ALL (SELECT `b`.`age` FROM `user` AS `b`)"#,
            r#"SELECT `user`.`id` FROM `user` WHERE `user`.`age` > ALL (SELECT `b`.`age` FROM `user` AS `b`)"#,
        ],
    );
    shows(
        User::query().filter(User::reports.any(User::boss.has(User::age.gt(1)))).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" WHERE EXISTS (SELECT 1 FROM "user" AS "user_2" WHERE "user_2"."boss_id" = "user"."id" AND EXISTS (SELECT 1 FROM "user" AS "user_1" WHERE "user_1"."id" = "user_2"."boss_id" AND "user_1"."age" > ?))"#,
            r#"SELECT "user"."id" FROM "user" WHERE EXISTS (SELECT 1 FROM "user" AS "user_2" WHERE "user_2"."boss_id" = "user"."id" AND EXISTS (SELECT 1 FROM "user" AS "user_1" WHERE "user_1"."id" = "user_2"."boss_id" AND "user_1"."age" > $1))"#,
            r#"SELECT `user`.`id` FROM `user` WHERE EXISTS (SELECT 1 FROM `user` AS `user_2` WHERE `user_2`.`boss_id` = `user`.`id` AND EXISTS (SELECT 1 FROM `user` AS `user_1` WHERE `user_1`.`id` = `user_2`.`boss_id` AND `user_1`.`age` > ?))"#,
            r#"SELECT `user`.`id` FROM `user` WHERE EXISTS (SELECT 1 FROM `user` AS `user_2` WHERE `user_2`.`boss_id` = `user`.`id` AND EXISTS (SELECT 1 FROM `user` AS `user_1` WHERE `user_1`.`id` = `user_2`.`boss_id` AND `user_1`.`age` > ?))"#,
        ],
    );
}

#[test]
fn queries_with_names() {
    let cte = rows(User::query().filter(User::age.gt(1))).cte("grown");
    shows(
        User::query().join_on(&cte, cte.columns().id.eq(User::boss_id)).select(cte.columns().name),
        [
            r#"WITH "grown" ("id", "name") AS (SELECT "user"."id", "user"."name" FROM "user" WHERE "user"."age" > ?) SELECT "grown"."name" FROM "user" JOIN "grown" ON "grown"."id" = "user"."boss_id""#,
            r#"WITH "grown" ("id", "name") AS (SELECT "user"."id", "user"."name" FROM "user" WHERE "user"."age" > $1) SELECT "grown"."name" FROM "user" JOIN "grown" ON "grown"."id" = "user"."boss_id""#,
            r#"WITH `grown` (`id`, `name`) AS (SELECT `user`.`id`, `user`.`name` FROM `user` WHERE `user`.`age` > ?) SELECT `grown`.`name` FROM `user` JOIN `grown` ON `grown`.`id` = `user`.`boss_id`"#,
            r#"WITH `grown` (`id`, `name`) AS (SELECT `user`.`id`, `user`.`name` FROM `user` WHERE `user`.`age` > ?) SELECT `grown`.`name` FROM `user` JOIN `grown` ON `grown`.`id` = `user`.`boss_id`"#,
        ],
    );
    shows(
        cte.query().order_by(cte.columns().name).limit(3),
        [
            r#"WITH "grown" ("id", "name") AS (SELECT "user"."id", "user"."name" FROM "user" WHERE "user"."age" > ?) SELECT "grown"."id", "grown"."name" FROM "grown" ORDER BY "grown"."name" LIMIT ?"#,
            r#"WITH "grown" ("id", "name") AS (SELECT "user"."id", "user"."name" FROM "user" WHERE "user"."age" > $1) SELECT "grown"."id", "grown"."name" FROM "grown" ORDER BY "grown"."name" LIMIT $2"#,
            r#"WITH `grown` (`id`, `name`) AS (SELECT `user`.`id`, `user`.`name` FROM `user` WHERE `user`.`age` > ?) SELECT `grown`.`id`, `grown`.`name` FROM `grown` ORDER BY `grown`.`name` LIMIT ?"#,
            r#"WITH `grown` (`id`, `name`) AS (SELECT `user`.`id`, `user`.`name` FROM `user` WHERE `user`.`age` > ?) SELECT `grown`.`id`, `grown`.`name` FROM `grown` ORDER BY `grown`.`name` LIMIT ?"#,
        ],
    );
    let tree = rows(User::query().filter(User::boss_id.is_null()))
        .recursive_cte("tree", |tree| rows(User::query().join_on(tree, tree.columns().id.eq(User::boss_id))));
    shows(
        tree.query(),
        [
            r#"WITH RECURSIVE "tree" ("id", "name") AS (SELECT "user"."id", "user"."name" FROM "user" WHERE "user"."boss_id" IS NULL UNION ALL SELECT "user"."id", "user"."name" FROM "user" JOIN "tree" ON "tree"."id" = "user"."boss_id") SELECT "tree"."id", "tree"."name" FROM "tree""#,
            r#"WITH RECURSIVE "tree" ("id", "name") AS (SELECT "user"."id", "user"."name" FROM "user" WHERE "user"."boss_id" IS NULL UNION ALL SELECT "user"."id", "user"."name" FROM "user" JOIN "tree" ON "tree"."id" = "user"."boss_id") SELECT "tree"."id", "tree"."name" FROM "tree""#,
            r#"WITH RECURSIVE `tree` (`id`, `name`) AS (SELECT `user`.`id`, `user`.`name` FROM `user` WHERE `user`.`boss_id` IS NULL UNION ALL SELECT `user`.`id`, `user`.`name` FROM `user` JOIN `tree` ON `tree`.`id` = `user`.`boss_id`) SELECT `tree`.`id`, `tree`.`name` FROM `tree`"#,
            r#"WITH RECURSIVE `tree` (`id`, `name`) AS (SELECT `user`.`id`, `user`.`name` FROM `user` WHERE `user`.`boss_id` IS NULL UNION ALL SELECT `user`.`id`, `user`.`name` FROM `user` JOIN `tree` ON `tree`.`id` = `user`.`boss_id`) SELECT `tree`.`id`, `tree`.`name` FROM `tree`"#,
        ],
    );
    let derived = rows(User::query().limit(5)).subquery("few");
    shows(
        User::query().left_join_on(&derived, derived.columns().id.eq(User::id)).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" LEFT JOIN (SELECT "user"."id" AS "id", "user"."name" AS "name" FROM "user" LIMIT ?) AS "few" ON "few"."id" = "user"."id""#,
            r#"SELECT "user"."id" FROM "user" LEFT JOIN (SELECT "user"."id" AS "id", "user"."name" AS "name" FROM "user" LIMIT $1) AS "few" ON "few"."id" = "user"."id""#,
            r#"SELECT `user`.`id` FROM `user` LEFT JOIN (SELECT `user`.`id` AS `id`, `user`.`name` AS `name` FROM `user` LIMIT ?) AS `few` ON `few`.`id` = `user`.`id`"#,
            r#"SELECT `user`.`id` FROM `user` LEFT JOIN (SELECT `user`.`id` AS `id`, `user`.`name` AS `name` FROM `user` LIMIT ?) AS `few` ON `few`.`id` = `user`.`id`"#,
        ],
    );
    let below = User::alias("below");
    let lateral = below
        .query()
        .filter(below.col(User::boss_id).eq(User::id))
        .limit(1)
        .select(RowColumns { id: below.col(User::id), name: below.col(User::name) })
        .lateral("one");
    shows(
        User::query().join_on(&lateral, None::<Expr<bool>>).select((User::id, lateral.columns().name)),
        [
            r#"error: Unsupported"#,
            r#"SELECT "user"."id", "one"."name" FROM "user" JOIN LATERAL (SELECT "below"."id" AS "id", "below"."name" AS "name" FROM "user" AS "below" WHERE "below"."boss_id" = "user"."id" LIMIT $1) AS "one" ON 1 = 1"#,
            r#"error: Unsupported"#,
            r#"SELECT `user`.`id`, `one`.`name` FROM `user` JOIN LATERAL (SELECT `below`.`id` AS `id`, `below`.`name` AS `name` FROM `user` AS `below` WHERE `below`.`boss_id` = `user`.`id` LIMIT ?) AS `one` ON 1 = 1"#,
        ],
    );
    let list = values("list", [RowColumns { id: 1, name: "x" }, RowColumns { id: 2, name: "y" }]);
    shows(
        User::query().join_on(&list, list.columns().id.eq(User::id)).select(list.columns().name),
        [
            r#"WITH "list" ("id", "name") AS (VALUES (?, ?), (?, ?)) SELECT "list"."name" FROM "user" JOIN "list" ON "list"."id" = "user"."id""#,
            r#"WITH "list" ("id", "name") AS (VALUES (CAST($1 AS BIGINT), CAST($2 AS VARCHAR)), ($3, $4)) SELECT "list"."name" FROM "user" JOIN "list" ON "list"."id" = "user"."id""#,
            r#"WITH `list` (`id`, `name`) AS (SELECT ?, ? UNION ALL SELECT ?, ?) SELECT `list`.`name` FROM `user` JOIN `list` ON `list`.`id` = `user`.`id`"#,
            r#"WITH `list` (`id`, `name`) AS (VALUES ROW(?, ?), ROW(?, ?)) SELECT `list`.`name` FROM `user` JOIN `list` ON `list`.`id` = `user`.`id`"#,
        ],
    );
}

#[test]
fn set_operations() {
    let ids = |age: i64| User::query().filter(User::age.eq(age)).select(User::id);
    shows(
        ids(1).union(ids(2)).union_all(ids(3)).order_by(User::id.desc()).limit(9).offset(3),
        [
            r#"SELECT "user"."id" AS "c1" FROM "user" WHERE "user"."age" = ? UNION SELECT "user"."id" FROM "user" WHERE "user"."age" = ? UNION ALL SELECT "user"."id" FROM "user" WHERE "user"."age" = ? ORDER BY 1 DESC LIMIT ? OFFSET ?"#,
            r#"SELECT "user"."id" AS "c1" FROM "user" WHERE "user"."age" = $1 UNION SELECT "user"."id" FROM "user" WHERE "user"."age" = $2 UNION ALL SELECT "user"."id" FROM "user" WHERE "user"."age" = $3 ORDER BY 1 DESC LIMIT $4 OFFSET $5"#,
            r#"SELECT `user`.`id` AS `c1` FROM `user` WHERE `user`.`age` = ? UNION SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ? UNION ALL SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ? ORDER BY 1 DESC LIMIT ? OFFSET ?"#,
            r#"SELECT `user`.`id` AS `c1` FROM `user` WHERE `user`.`age` = ? UNION SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ? UNION ALL SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ? ORDER BY 1 DESC LIMIT ? OFFSET ?"#,
        ],
    );
    shows(
        ids(1).union(ids(2)).intersect(ids(3)).except(ids(4)),
        [
            r#"SELECT "part_1"."c1" AS "c1" FROM (SELECT "part_1"."c1" AS "c1" FROM (SELECT "user"."id" AS "c1" FROM "user" WHERE "user"."age" = ? UNION SELECT "user"."id" FROM "user" WHERE "user"."age" = ?) AS "part_1" INTERSECT SELECT "user"."id" FROM "user" WHERE "user"."age" = ?) AS "part_1" EXCEPT SELECT "user"."id" FROM "user" WHERE "user"."age" = ?"#,
            r#"SELECT "part_1"."c1" AS "c1" FROM (SELECT "part_1"."c1" AS "c1" FROM (SELECT "user"."id" AS "c1" FROM "user" WHERE "user"."age" = $1 UNION SELECT "user"."id" FROM "user" WHERE "user"."age" = $2) AS "part_1" INTERSECT SELECT "user"."id" FROM "user" WHERE "user"."age" = $3) AS "part_1" EXCEPT SELECT "user"."id" FROM "user" WHERE "user"."age" = $4"#,
            r#"SELECT `part_1`.`c1` AS `c1` FROM (SELECT `part_1`.`c1` AS `c1` FROM (SELECT `user`.`id` AS `c1` FROM `user` WHERE `user`.`age` = ? UNION SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?) AS `part_1` INTERSECT SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?) AS `part_1` EXCEPT SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?"#,
            r#"SELECT `part_1`.`c1` AS `c1` FROM (SELECT `part_1`.`c1` AS `c1` FROM (SELECT `user`.`id` AS `c1` FROM `user` WHERE `user`.`age` = ? UNION SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?) AS `part_1` INTERSECT SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?) AS `part_1` EXCEPT SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?"#,
        ],
    );
    shows(
        ids(1).order_by(User::name).limit(1).union(ids(2)),
        [
            r#"SELECT "part_1"."c1" AS "c1" FROM (SELECT "user"."id" AS "c1" FROM "user" WHERE "user"."age" = ? ORDER BY "user"."name" LIMIT ?) AS "part_1" UNION SELECT "user"."id" FROM "user" WHERE "user"."age" = ?"#,
            r#"SELECT "part_1"."c1" AS "c1" FROM (SELECT "user"."id" AS "c1" FROM "user" WHERE "user"."age" = $1 ORDER BY "user"."name" LIMIT $2) AS "part_1" UNION SELECT "user"."id" FROM "user" WHERE "user"."age" = $3"#,
            r#"SELECT `part_1`.`c1` AS `c1` FROM (SELECT `user`.`id` AS `c1` FROM `user` WHERE `user`.`age` = ? ORDER BY `user`.`name` LIMIT ?) AS `part_1` UNION SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?"#,
            r#"SELECT `part_1`.`c1` AS `c1` FROM (SELECT `user`.`id` AS `c1` FROM `user` WHERE `user`.`age` = ? ORDER BY `user`.`name` LIMIT ?) AS `part_1` UNION SELECT `user`.`id` FROM `user` WHERE `user`.`age` = ?"#,
        ],
    );
}

#[test]
fn distinct_on_and_locks() {
    shows(
        User::query().distinct_on(User::age).order_by((User::age, User::id)).select(User::id),
        [
            r#"error: Unsupported"#,
            r#"SELECT DISTINCT ON ("user"."age") "user"."id" FROM "user" ORDER BY "user"."age", "user"."id""#,
            r#"error: Unsupported"#,
            r#"error: Unsupported"#,
        ],
    );
    let ids = || User::query().select(User::id);
    shows(
        ids().for_update(),
        [
            r#"error: Unsupported"#,
            r#"SELECT "user"."id" FROM "user" FOR UPDATE"#,
            r#"SELECT `user`.`id` FROM `user` FOR UPDATE"#,
            r#"SELECT `user`.`id` FROM `user` FOR UPDATE"#,
        ],
    );
    shows(
        ids().for_share().nowait(),
        [
            r#"error: Unsupported"#,
            r#"SELECT "user"."id" FROM "user" FOR SHARE NOWAIT"#,
            r#"SELECT `user`.`id` FROM `user` LOCK IN SHARE MODE NOWAIT"#,
            r#"SELECT `user`.`id` FROM `user` FOR SHARE NOWAIT"#,
        ],
    );
    shows(
        ids().for_update().of(User::TABLE).skip_locked(),
        [
            r#"error: Unsupported"#,
            r#"SELECT "user"."id" FROM "user" FOR UPDATE OF "user" SKIP LOCKED"#,
            r#"error: Unsupported"#,
            r#"SELECT `user`.`id` FROM `user` FOR UPDATE OF `user` SKIP LOCKED"#,
        ],
    );
}

#[test]
fn searches() {
    let search = full_text((User::name, User::name));
    shows(
        User::query().filter(full_text(User::name).config("english").matches("big fish")).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" WHERE "user"."user" MATCH ?"#,
            r#"SELECT "user"."id" FROM "user" WHERE to_tsvector('english', "user"."name") @@ plainto_tsquery('english', $1)"#,
            r#"SELECT `user`.`id` FROM `user` WHERE MATCH (`user`.`name`) AGAINST (? IN BOOLEAN MODE)"#,
            r#"SELECT `user`.`id` FROM `user` WHERE MATCH (`user`.`name`) AGAINST (? IN BOOLEAN MODE)"#,
        ],
    );
    shows(
        User::query().order_by(search.rank("fish").desc()).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" ORDER BY -bm25("user") DESC"#,
            r#"SELECT "user"."id" FROM "user" ORDER BY CAST(ts_rank(to_tsvector('simple', coalesce("user"."name", '') || ' ' || coalesce("user"."name", '')), plainto_tsquery('simple', $1)) AS DOUBLE PRECISION) DESC"#,
            r#"SELECT `user`.`id` FROM `user` ORDER BY MATCH (`user`.`name`, `user`.`name`) AGAINST (? IN NATURAL LANGUAGE MODE) DESC"#,
            r#"SELECT `user`.`id` FROM `user` ORDER BY MATCH (`user`.`name`, `user`.`name`) AGAINST (? IN NATURAL LANGUAGE MODE) DESC"#,
        ],
    );
    shows(
        User::query().filter(search.matches(" - ")).select(User::id),
        [
            r#"SELECT "user"."id" FROM "user" WHERE 0 = 1"#,
            r#"SELECT "user"."id" FROM "user" WHERE 0 = 1"#,
            r#"SELECT `user`.`id` FROM `user` WHERE 0 = 1"#,
            r#"SELECT `user`.`id` FROM `user` WHERE 0 = 1"#,
        ],
    );
}
