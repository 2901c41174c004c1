//! The SQL of every expression in all dialects.

use std::fmt::Write;
use std::ops::Bound;

use jiff::civil::{Date, DateTime};

use super::*;
use crate::model::{Argument, Expression, RowExpression};
use crate::prelude::*;
use crate::sql::{Dialect, Statement};

#[derive(Model, Clone, Debug)]
#[model(table = "t")]
struct Snapshot {
    #[column(primary_key)]
    id: i64,
    a: String,
    b: Option<i64>,
    f: f64,
    flag: bool,
    d: Date,
    l: DateTime,
    s: Timestamp,
}

type T = Snapshot;

/// The SQL of an expression in each dialect, MySQL's where it is not MariaDB's.
fn sql(out: &mut String, expression: impl Expression) {
    let node = expression.into_node();
    let mut before = None;
    for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::MariaDb, Dialect::MySql] {
        let mut statement = Statement::default();
        node.clone().render(dialect, &mut statement);
        let invalid = node.find_invalid().map(|reason| format!("invalid: {reason}"));
        let refused = statement.check().err().map(|error| format!("unsupported: {error}"));
        let text = invalid.or(refused).unwrap_or(statement.sql);
        if before.as_ref() != Some(&text) {
            writeln!(out, "{:9} {text}", format!("{dialect:?}").to_lowercase()).unwrap();
        }
        before = Some(text);
    }
    out.push('\n');
}

macro_rules! sqls {
    ($($expression:expr;)*) => {{
        let mut out = String::new();
        $(sql(&mut out, $expression);)*
        out
    }};
}

#[test]
fn comparisons() {
    insta::assert_snapshot!(sqls! {
        T::b.is_distinct_from(1);
        T::b.is_not_distinct_from(1);
        T::b.is_distinct_from(None::<i64>);
        T::b.is_distinct_from(1) & !T::b.is_distinct_from(T::id + 1);
        (T::id, T::a).in_([(1, "x"), (2, "y"), (3, "z")]);
        !(T::id, T::a).in_([(1, "x")]);
        (T::id, T::a).in_(Vec::<(i64, String)>::new());
        (T::id, T::b).lt((1, 2));
        T::a.op::<bool>("GLOB", "a*") & T::flag.eq(true);
        T::a.op::<bool>("; DROP", "a*");
        T::id.between(1, 2);
    }, @r#"
    sqlite    "t"."b" IS NOT ?
    postgres  "t"."b" IS DISTINCT FROM $1
    mariadb   NOT (`t`.`b` <=> ?)

    sqlite    "t"."b" IS ?
    postgres  "t"."b" IS NOT DISTINCT FROM $1
    mariadb   `t`.`b` <=> ?

    sqlite    "t"."b" IS NOT NULL
    mariadb   `t`.`b` IS NOT NULL

    sqlite    "t"."b" IS NOT ? AND "t"."b" IS "t"."id" + ?
    postgres  "t"."b" IS DISTINCT FROM $1 AND "t"."b" IS NOT DISTINCT FROM "t"."id" + $2
    mariadb   NOT (`t`.`b` <=> ?) AND `t`.`b` <=> `t`.`id` + ?

    sqlite    ("t"."id", "t"."a") IN (VALUES (?, ?), (?, ?), (?, ?), (?, ?))
    postgres  ("t"."id", "t"."a") IN (($1, $2), ($3, $4), ($5, $6), ($7, $8))
    mariadb   (`t`.`id`, `t`.`a`) IN ((?, ?), (?, ?), (?, ?), (?, ?))

    sqlite    ("t"."id", "t"."a") NOT IN (VALUES (?, ?))
    postgres  ("t"."id", "t"."a") NOT IN (($1, $2))
    mariadb   (`t`.`id`, `t`.`a`) NOT IN ((?, ?))

    sqlite    0 = 1

    sqlite    ("t"."id", "t"."b") < (?, ?)
    postgres  ("t"."id", "t"."b") < ($1, $2)
    mariadb   (`t`.`id`, `t`.`b`) < (?, ?)

    sqlite    ("t"."a" GLOB ?) AND "t"."flag" = ?
    postgres  ("t"."a" GLOB CAST($1 AS VARCHAR)) AND "t"."flag" = $2
    mariadb   (`t`.`a` GLOB ?) AND `t`.`flag` = ?

    sqlite    invalid: `; DROP` is no operator: signs such as `<->`, or words such as `REGEXP`

    sqlite    "t"."id" BETWEEN ? AND ?
    postgres  "t"."id" BETWEEN $1 AND $2
    mariadb   `t`.`id` BETWEEN ? AND ?
    "#);
}

#[test]
fn matching_of_texts() {
    insta::assert_snapshot!(sqls! {
        T::a.contains("5%_/");
        T::a.starts_with("x");
        T::a.ends_with("x");
        T::a.like("x%");
        T::a.not_like("x%");
        T::a.like_escape("x!%", '!');
        !T::a.like_escape("x'%", '\'');
        T::a.like_escape("x\\%", '\\');
        T::a.ilike("x%");
    }, @r#"
    sqlite    "t"."a" LIKE ? ESCAPE '/'
    postgres  "t"."a" LIKE $1 ESCAPE '/'
    mariadb   `t`.`a` LIKE ? ESCAPE '/'

    sqlite    "t"."a" LIKE ? ESCAPE '/'
    postgres  "t"."a" LIKE $1 ESCAPE '/'
    mariadb   `t`.`a` LIKE ? ESCAPE '/'

    sqlite    "t"."a" LIKE ? ESCAPE '/'
    postgres  "t"."a" LIKE $1 ESCAPE '/'
    mariadb   `t`.`a` LIKE ? ESCAPE '/'

    sqlite    "t"."a" LIKE ?
    postgres  "t"."a" LIKE $1
    mariadb   `t`.`a` LIKE ?

    sqlite    "t"."a" NOT LIKE ?
    postgres  "t"."a" NOT LIKE $1
    mariadb   `t`.`a` NOT LIKE ?

    sqlite    "t"."a" LIKE ? ESCAPE '!'
    postgres  "t"."a" LIKE $1 ESCAPE '!'
    mariadb   `t`.`a` LIKE ? ESCAPE '!'

    sqlite    "t"."a" NOT LIKE ? ESCAPE ''''
    postgres  "t"."a" NOT LIKE $1 ESCAPE ''''
    mariadb   `t`.`a` NOT LIKE ? ESCAPE ''''

    sqlite    "t"."a" LIKE ? ESCAPE '\'
    postgres  "t"."a" LIKE $1 ESCAPE '\'
    mariadb   `t`.`a` LIKE ? ESCAPE char(92)

    sqlite    unsupported: ILIKE is PostgreSQL's alone; compare in lower case: `lower(..).like(..)`
    postgres  "t"."a" ILIKE $1
    mariadb   unsupported: ILIKE is PostgreSQL's alone; compare in lower case: `lower(..).like(..)`
    "#);
}

#[test]
fn texts() {
    insta::assert_snapshot!(sqls! {
        T::a.concat("x").concat(T::a);
        lower(T::a);
        upper(T::a);
        trim(T::a);
        ltrim(T::a);
        rtrim(T::a);
        length(T::a);
        substr(T::a, 2, T::id);
        replace(T::a, "x", "y");
        position(T::a, "x");
    }, @r#"
    sqlite    "t"."a" || ? || "t"."a"
    postgres  "t"."a" || $1 || "t"."a"
    mariadb   concat(concat(`t`.`a`, ?), `t`.`a`)

    sqlite    lower("t"."a")
    mariadb   lower(`t`.`a`)

    sqlite    upper("t"."a")
    mariadb   upper(`t`.`a`)

    sqlite    trim("t"."a")
    mariadb   trim(`t`.`a`)

    sqlite    ltrim("t"."a")
    mariadb   ltrim(`t`.`a`)

    sqlite    rtrim("t"."a")
    mariadb   rtrim(`t`.`a`)

    sqlite    length("t"."a")
    mariadb   char_length(`t`.`a`)

    sqlite    substr("t"."a", ?, "t"."id")
    postgres  substr("t"."a", CAST($1 AS INTEGER), CAST("t"."id" AS INTEGER))
    mariadb   substr(`t`.`a`, ?, `t`.`id`)

    sqlite    replace("t"."a", ?, ?)
    postgres  replace("t"."a", $1, $2)
    mariadb   replace(`t`.`a`, ?, ?)

    sqlite    instr("t"."a", ?)
    postgres  strpos("t"."a", $1)
    mariadb   locate(?, `t`.`a`)
    "#);
}

#[test]
fn numbers() {
    insta::assert_snapshot!(sqls! {
        (T::id + 1) * 2 - T::b;
        -(T::id + 1);
        T::id / 2;
        T::id % 2;
        T::f / 2.0;
        T::f % 2.0;
        abs(T::id);
        round(T::f);
        round_to(T::f, 2);
        floor(T::f);
        ceil(T::f + 1.0);
    }, @r#"
    sqlite    ("t"."id" + ?) * ? - "t"."b"
    postgres  ("t"."id" + $1) * $2 - "t"."b"
    mariadb   (`t`.`id` + ?) * ? - `t`.`b`

    sqlite    -("t"."id" + ?)
    postgres  -("t"."id" + $1)
    mariadb   -(`t`.`id` + ?)

    sqlite    "t"."id" / ?
    postgres  "t"."id" / $1
    mariadb   `t`.`id` DIV ?

    sqlite    "t"."id" % ?
    postgres  "t"."id" % $1
    mariadb   `t`.`id` % ?

    sqlite    "t"."f" / ?
    postgres  "t"."f" / $1
    mariadb   `t`.`f` / ?

    sqlite    unsupported: `%` of numbers with digits after the point: SQLite cuts them off before
    postgres  unsupported: `%` of floats: PostgreSQL has it for integers and decimals alone
    mariadb   (`t`.`f` % ?)

    sqlite    abs("t"."id")
    mariadb   abs(`t`.`id`)

    sqlite    round("t"."f")
    mariadb   round(`t`.`f`)

    sqlite    round("t"."f", 2)
    postgres  CAST(round(CAST("t"."f" AS NUMERIC), 2) AS DOUBLE PRECISION)
    mariadb   round(`t`.`f`, 2)

    sqlite    (round("t"."f") - (round("t"."f") > "t"."f"))
    postgres  floor("t"."f")
    mariadb   floor(`t`.`f`)

    sqlite    (round("t"."f" + ?) + (round("t"."f" + ?) < ("t"."f" + ?)))
    postgres  ceil("t"."f" + $1)
    mariadb   ceil(`t`.`f` + ?)
    "#);
}

#[cfg(feature = "decimal")]
#[test]
fn decimals() {
    let two = rust_decimal::Decimal::TWO;
    insta::assert_snapshot!(sqls! {
        T::id.cast::<rust_decimal::Decimal>() + two;
        T::id.cast::<rust_decimal::Decimal>() % two;
        round_to(T::id.cast::<rust_decimal::Decimal>(), 1);
    }, @r#"
    sqlite    CAST("t"."id" AS NUMERIC) + ?
    postgres  CAST("t"."id" AS NUMERIC) + CAST($1 AS NUMERIC)
    mariadb   CAST(`t`.`id` AS DECIMAL(65, 30)) + CAST(? AS DECIMAL(65, 30))

    sqlite    unsupported: `%` of numbers with digits after the point: SQLite cuts them off before
    postgres  (CAST("t"."id" AS NUMERIC) % CAST($1 AS NUMERIC))
    mariadb   (CAST(`t`.`id` AS DECIMAL(65, 30)) % CAST(? AS DECIMAL(65, 30)))

    sqlite    round(CAST("t"."id" AS NUMERIC), 1)
    mariadb   round(CAST(`t`.`id` AS DECIMAL(65, 30)), 1)
    "#);
}

#[test]
fn choices_and_types() {
    insta::assert_snapshot!(sqls! {
        case().when(T::id.gt(1), "x").when(T::id.lt(0), T::a).else_("y");
        case().when(T::flag.eq(true), 1).end();
        case().when(T::id.gt(1), 1).else_(None::<i32>);
        coalesce(T::b, 0);
        nullif(T::b, 0);
        greatest(T::id, 1);
        least(T::id, T::b);
        literal(1.5);
        T::id.cast::<String>();
        T::id.cast::<i16>();
        T::a.cast::<u64>();
        T::id.cast::<f64>();
        T::flag.cast::<i32>();
        T::flag.cast::<i64>();
        T::d.cast::<String>();
        T::d.cast::<DateTime>();
        T::d.cast::<Timestamp>();
        T::l.cast::<jiff::civil::Time>();
        T::l.cast::<Timestamp>();
        T::s.cast::<Date>();
        T::s.cast::<DateTime>();
        T::s.cast::<Timestamp>();
    }, @r#"
    sqlite    CASE WHEN "t"."id" > ? THEN ? WHEN "t"."id" < ? THEN "t"."a" ELSE ? END
    postgres  CASE WHEN "t"."id" > $1 THEN CAST($2 AS VARCHAR) WHEN "t"."id" < $3 THEN "t"."a" ELSE CAST($4 AS VARCHAR) END
    mariadb   CASE WHEN `t`.`id` > ? THEN ? WHEN `t`.`id` < ? THEN `t`.`a` ELSE ? END

    sqlite    CASE WHEN "t"."flag" = ? THEN ? END
    postgres  CASE WHEN "t"."flag" = $1 THEN CAST($2 AS INTEGER) END
    mariadb   CASE WHEN `t`.`flag` = ? THEN ? END

    sqlite    invalid: a value of a CASE is None, and the type of its first value is no Option: make that `Some(..)`, or leave out `else_` and call `end()`

    sqlite    coalesce("t"."b", ?)
    postgres  coalesce("t"."b", $1)
    mariadb   coalesce(`t`.`b`, ?)

    sqlite    nullif("t"."b", ?)
    postgres  nullif("t"."b", $1)
    mariadb   nullif(`t`.`b`, ?)

    sqlite    max("t"."id", ?)
    postgres  greatest("t"."id", CAST($1 AS BIGINT))
    mariadb   greatest(`t`.`id`, ?)

    sqlite    min("t"."id", "t"."b")
    postgres  least("t"."id", "t"."b")
    mariadb   least(`t`.`id`, `t`.`b`)

    sqlite    ?
    postgres  CAST($1 AS DOUBLE PRECISION)
    mariadb   ?

    sqlite    CAST("t"."id" AS TEXT)
    postgres  CAST("t"."id" AS VARCHAR)
    mariadb   CAST(`t`.`id` AS CHAR)

    sqlite    CAST("t"."id" AS INTEGER)
    postgres  CAST("t"."id" AS SMALLINT)
    mariadb   CAST(`t`.`id` AS SIGNED)

    sqlite    CAST("t"."a" AS INTEGER)
    postgres  CAST("t"."a" AS NUMERIC(20))
    mariadb   CAST(`t`.`a` AS UNSIGNED)

    sqlite    CAST("t"."id" AS REAL)
    postgres  CAST("t"."id" AS DOUBLE PRECISION)
    mariadb   CAST(`t`.`id` AS DOUBLE)

    sqlite    CAST("t"."flag" AS INTEGER)
    mariadb   CAST(`t`.`flag` AS SIGNED)

    sqlite    CAST("t"."flag" AS INTEGER)
    postgres  CAST(CAST("t"."flag" AS INTEGER) AS BIGINT)
    mariadb   CAST(`t`.`flag` AS SIGNED)

    sqlite    CAST("t"."d" AS TEXT)
    postgres  CAST("t"."d" AS VARCHAR)
    mariadb   CAST(`t`.`d` AS CHAR)

    sqlite    ("t"."d" || ' 00:00:00.000000')
    postgres  CAST("t"."d" AS TIMESTAMP)
    mariadb   CAST(`t`.`d` AS DATETIME(6))

    sqlite    ("t"."d" || ' 00:00:00.000000')
    postgres  (CAST("t"."d" AS TIMESTAMP) AT TIME ZONE 'UTC')
    mariadb   CAST(`t`.`d` AS DATETIME(6))

    sqlite    substr("t"."l", 12)
    postgres  CAST("t"."l" AS TIME)
    mariadb   CAST(`t`.`l` AS TIME(6))

    sqlite    "t"."l"
    postgres  (CAST("t"."l" AS TIMESTAMP) AT TIME ZONE 'UTC')
    mariadb   CAST(`t`.`l` AS DATETIME(6))

    sqlite    substr("t"."s", 1, 10)
    postgres  CAST("t"."s" AT TIME ZONE 'UTC' AS DATE)
    mariadb   CAST(`t`.`s` AS DATE)

    sqlite    "t"."s"
    postgres  CAST("t"."s" AT TIME ZONE 'UTC' AS TIMESTAMP)
    mariadb   CAST(`t`.`s` AS DATETIME(6))

    sqlite    "t"."s"
    postgres  CAST("t"."s" AS TIMESTAMPTZ)
    mariadb   CAST(`t`.`s` AS DATETIME(6))
    "#);
}

#[test]
fn dates_and_times() {
    insta::assert_snapshot!(sqls! {
        year(T::d);
        month(T::s);
        day(T::l);
        hour(T::s);
        minute(T::l);
        second(T::s);
        day_of_week(T::d);
        day_of_year(T::s);
        now();
        current_date();
        days_between(T::s, T::s);
        days_between(T::d, jiff::civil::date(2026, 1, 1));
        seconds_between(T::l, T::s.cast::<DateTime>());
    }, @r#"
    sqlite    CAST(strftime('%Y', "t"."d") AS INTEGER)
    postgres  CAST(extract(year FROM "t"."d") AS BIGINT)
    mariadb   year(`t`.`d`)

    sqlite    CAST(strftime('%m', "t"."s") AS INTEGER)
    postgres  CAST(extract(month FROM "t"."s" AT TIME ZONE 'UTC') AS BIGINT)
    mariadb   month(`t`.`s`)

    sqlite    CAST(strftime('%d', "t"."l") AS INTEGER)
    postgres  CAST(extract(day FROM "t"."l") AS BIGINT)
    mariadb   dayofmonth(`t`.`l`)

    sqlite    CAST(strftime('%H', "t"."s") AS INTEGER)
    postgres  CAST(extract(hour FROM "t"."s" AT TIME ZONE 'UTC') AS BIGINT)
    mariadb   hour(`t`.`s`)

    sqlite    CAST(strftime('%M', "t"."l") AS INTEGER)
    postgres  CAST(extract(minute FROM "t"."l") AS BIGINT)
    mariadb   minute(`t`.`l`)

    sqlite    CAST(strftime('%S', "t"."s") AS INTEGER)
    postgres  CAST(floor(extract(second FROM "t"."s" AT TIME ZONE 'UTC')) AS BIGINT)
    mariadb   second(`t`.`s`)

    sqlite    CAST(strftime('%w', "t"."d") AS INTEGER)
    postgres  CAST(extract(dow FROM "t"."d") AS BIGINT)
    mariadb   (dayofweek(`t`.`d`) - 1)

    sqlite    CAST(strftime('%j', "t"."s") AS INTEGER)
    postgres  CAST(extract(doy FROM "t"."s" AT TIME ZONE 'UTC') AS BIGINT)
    mariadb   dayofyear(`t`.`s`)

    sqlite    CURRENT_TIMESTAMP
    mariadb   utc_timestamp(6)

    sqlite    CURRENT_DATE
    postgres  CAST(CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS DATE)
    mariadb   utc_date()

    sqlite    CAST(julianday(substr("t"."s", 1, 10)) - julianday(substr("t"."s", 1, 10)) AS INTEGER)
    postgres  (CAST("t"."s" AT TIME ZONE 'UTC' AS DATE) - CAST("t"."s" AT TIME ZONE 'UTC' AS DATE))
    mariadb   datediff(`t`.`s`, `t`.`s`)

    sqlite    CAST(julianday(substr(?, 1, 10)) - julianday(substr("t"."d", 1, 10)) AS INTEGER)
    postgres  (CAST(CAST($1 AS DATE) AS DATE) - CAST("t"."d" AS DATE))
    mariadb   datediff(?, `t`.`d`)

    sqlite    (strftime('%s', substr("t"."s", 1, 19)) - strftime('%s', substr("t"."l", 1, 19)) + (CAST('0' || substr("t"."s", 20) AS REAL) - CAST('0' || substr("t"."l", 20) AS REAL)))
    postgres  CAST(extract(epoch FROM CAST("t"."s" AT TIME ZONE 'UTC' AS TIMESTAMP) - "t"."l") AS DOUBLE PRECISION)
    mariadb   (timestampdiff(MICROSECOND, `t`.`l`, CAST(`t`.`s` AS DATETIME(6))) / 1000000e0)
    "#);
}

#[test]
fn intervals() {
    insta::assert_snapshot!(sqls! {
        T::d + days(3);
        T::d - (years(1) + months(2));
        T::l + hours(1) + days(T::id);
        T::l + (hours(1) + seconds(5));
        T::s - minutes(30);
        T::s - hours(T::b);
        T::d + hours(1);
        T::s + Duration::from_millis(5);
    }, @r#"
    sqlite    date("t"."d", ?)
    postgres  CAST("t"."d" + make_interval(days => CAST($1 AS INTEGER)) AS DATE)
    mariadb   date_add(`t`.`d`, INTERVAL ? DAY)

    sqlite    date("t"."d", ?, 'floor')
    postgres  CAST("t"."d" + make_interval(months => CAST($1 AS INTEGER)) AS DATE)
    mariadb   date_add(`t`.`d`, INTERVAL ? MONTH)

    sqlite    (strftime('%Y-%m-%d %H:%M:%S', substr((strftime('%Y-%m-%d %H:%M:%S', substr("t"."l", 1, 19), ?) || substr("t"."l", 20)), 1, 19), "t"."id" || ' days') || substr((strftime('%Y-%m-%d %H:%M:%S', substr("t"."l", 1, 19), ?) || substr("t"."l", 20)), 20))
    postgres  (("t"."l" + make_interval(secs => CAST($1 AS DOUBLE PRECISION))) + make_interval(days => CAST("t"."id" AS INTEGER)))
    mariadb   date_add(date_add(`t`.`l`, INTERVAL ? SECOND), INTERVAL `t`.`id` DAY)

    sqlite    (strftime('%Y-%m-%d %H:%M:%S', substr("t"."l", 1, 19), ?) || substr("t"."l", 20))
    postgres  ("t"."l" + make_interval(secs => CAST($1 AS DOUBLE PRECISION)))
    mariadb   date_add(`t`.`l`, INTERVAL ? SECOND)

    sqlite    (strftime('%Y-%m-%d %H:%M:%S', substr("t"."s", 1, 19), ?) || substr("t"."s", 20))
    postgres  (("t"."s" AT TIME ZONE 'UTC' + make_interval(secs => CAST($1 AS DOUBLE PRECISION))) AT TIME ZONE 'UTC')
    mariadb   date_add(`t`.`s`, INTERVAL ? SECOND)

    sqlite    (strftime('%Y-%m-%d %H:%M:%S', substr("t"."s", 1, 19), (-("t"."b" * (3600))) || ' seconds') || substr("t"."s", 20))
    postgres  (("t"."s" AT TIME ZONE 'UTC' + make_interval(secs => CAST(-("t"."b" * (3600)) AS DOUBLE PRECISION))) AT TIME ZONE 'UTC')
    mariadb   date_add(`t`.`s`, INTERVAL (-(`t`.`b` * (3600))) SECOND)

    sqlite    invalid: hours, minutes and seconds are added to a date, which has none: cast it to a `DateTime`

    sqlite    invalid: an interval has whole seconds, and this one has a fraction
    "#);
}

#[test]
fn aggregates() {
    insta::assert_snapshot!(sqls! {
        count(T::b);
        count_all();
        count_distinct(T::b);
        count(T::b).filter(T::flag.eq(true));
        count_all().filter(T::id.gt(1)).filter(T::id.lt(9));
        sum(T::b).distinct().filter(T::id.gt(1));
        avg(T::b);
        min(T::a);
        max(T::f).filter(T::id.gt(1));
        string_agg(T::a, ", ").order_by(T::id.desc());
        group_concat(T::a).distinct();
        string_agg(T::a, "-").distinct();
        string_agg(T::a, "it's \\");
        count_all().distinct();
    }, @r#"
    sqlite    count("t"."b")
    mariadb   count(`t`.`b`)

    sqlite    count(*)

    sqlite    count(DISTINCT "t"."b")
    mariadb   count(DISTINCT `t`.`b`)

    sqlite    count("t"."b") FILTER (WHERE "t"."flag" = ?)
    postgres  count("t"."b") FILTER (WHERE "t"."flag" = $1)
    mariadb   count(CASE WHEN `t`.`flag` = ? THEN `t`.`b` END)

    sqlite    count(*) FILTER (WHERE "t"."id" > ? AND "t"."id" < ?)
    postgres  count(*) FILTER (WHERE "t"."id" > $1 AND "t"."id" < $2)
    mariadb   count(CASE WHEN `t`.`id` > ? AND `t`.`id` < ? THEN 1 END)

    sqlite    sum(DISTINCT "t"."b") FILTER (WHERE "t"."id" > ?)
    postgres  CAST(sum(DISTINCT "t"."b") FILTER (WHERE "t"."id" > $1) AS BIGINT)
    mariadb   CAST(sum(DISTINCT CASE WHEN `t`.`id` > ? THEN `t`.`b` END) AS SIGNED)

    sqlite    avg("t"."b")
    postgres  avg(CAST("t"."b" AS DOUBLE PRECISION))
    mariadb   avg(CAST(`t`.`b` AS DOUBLE))

    sqlite    min("t"."a")
    mariadb   min(`t`.`a`)

    sqlite    max("t"."f") FILTER (WHERE "t"."id" > ?)
    postgres  max("t"."f") FILTER (WHERE "t"."id" > $1)
    mariadb   max(CASE WHEN `t`.`id` > ? THEN `t`.`f` END)

    sqlite    group_concat("t"."a", ', ' ORDER BY "t"."id" DESC)
    postgres  string_agg("t"."a", ', ' ORDER BY "t"."id" DESC)
    mariadb   group_concat(`t`.`a` ORDER BY `t`.`id` DESC SEPARATOR ', ')

    sqlite    group_concat(DISTINCT "t"."a")
    postgres  string_agg(DISTINCT "t"."a", ',')
    mariadb   group_concat(DISTINCT `t`.`a` SEPARATOR ',')

    sqlite    unsupported: string_agg of distinct values: on SQLite the separator can only be `,`
    postgres  string_agg(DISTINCT "t"."a", '-')
    mariadb   group_concat(DISTINCT `t`.`a` SEPARATOR '-')

    sqlite    group_concat("t"."a", 'it''s \')
    postgres  string_agg("t"."a", 'it''s \')
    mariadb   group_concat(`t`.`a` SEPARATOR x'69742773205c')

    sqlite    invalid: count_all() counts rows, of which none are equal: `distinct` is for `count(column)`
    "#);
}

#[test]
fn windows() {
    let by_id = || window().order_by(T::id);
    insta::assert_snapshot!(sqls! {
        row_number().over(window());
        rank().over(window().partition_by((T::flag, T::a)).order_by((T::id.desc(), T::a)));
        dense_rank().over(by_id());
        percent_rank().over(by_id());
        cume_dist().over(by_id());
        ntile(4).over(by_id());
        lag(T::a, 1).over(by_id());
        lead(T::a, 2).over(by_id());
        lag_or(T::id, 1, 0).over(by_id());
        lead_or(T::a, 1, "x").over(by_id());
        first_value(T::a).over(by_id().rows(..));
        last_value(T::a).over(by_id().rows(-1..=1));
        nth_value(T::a, 2).over(by_id().rows(..=0));
        sum(T::b).over(window().partition_by(T::a).rows(1..=2));
        avg(T::f).over(by_id().range(-2..0));
        count_all().filter(T::flag.eq(true)).over(by_id().groups(0..));
        string_agg(T::a, ",").over(by_id());
        sum(T::b).over(by_id().rows((Bound::Included(1), Bound::Included(-1))));
        nth_value(T::a, 0).over(by_id());
    }, @r#"
    sqlite    row_number() OVER ()

    sqlite    rank() OVER (PARTITION BY "t"."flag", "t"."a" ORDER BY "t"."id" DESC, "t"."a")
    mariadb   rank() OVER (PARTITION BY `t`.`flag`, `t`.`a` ORDER BY `t`.`id` DESC, `t`.`a`)

    sqlite    dense_rank() OVER (ORDER BY "t"."id")
    mariadb   dense_rank() OVER (ORDER BY `t`.`id`)

    sqlite    percent_rank() OVER (ORDER BY "t"."id")
    mariadb   percent_rank() OVER (ORDER BY `t`.`id`)

    sqlite    cume_dist() OVER (ORDER BY "t"."id")
    mariadb   cume_dist() OVER (ORDER BY `t`.`id`)

    sqlite    ntile(4) OVER (ORDER BY "t"."id")
    mariadb   ntile(4) OVER (ORDER BY `t`.`id`)

    sqlite    lag("t"."a", 1) OVER (ORDER BY "t"."id")
    mariadb   lag(`t`.`a`, 1) OVER (ORDER BY `t`.`id`)

    sqlite    lead("t"."a", 2) OVER (ORDER BY "t"."id")
    mariadb   lead(`t`.`a`, 2) OVER (ORDER BY `t`.`id`)

    sqlite    lag("t"."id", 1, ?) OVER (ORDER BY "t"."id")
    postgres  lag("t"."id", 1, CAST($1 AS BIGINT)) OVER (ORDER BY "t"."id")
    mariadb   unsupported: lag with a default: MariaDB's has none; use `lag` or `lead`, and `coalesce` where the value is never NULL
    mysql     lag(`t`.`id`, 1, ?) OVER (ORDER BY `t`.`id`)

    sqlite    lead("t"."a", 1, ?) OVER (ORDER BY "t"."id")
    postgres  lead("t"."a", 1, CAST($1 AS VARCHAR)) OVER (ORDER BY "t"."id")
    mariadb   unsupported: lead with a default: MariaDB's has none; use `lag` or `lead`, and `coalesce` where the value is never NULL
    mysql     lead(`t`.`a`, 1, ?) OVER (ORDER BY `t`.`id`)

    sqlite    first_value("t"."a") OVER (ORDER BY "t"."id" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    mariadb   first_value(`t`.`a`) OVER (ORDER BY `t`.`id` ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)

    sqlite    last_value("t"."a") OVER (ORDER BY "t"."id" ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
    mariadb   last_value(`t`.`a`) OVER (ORDER BY `t`.`id` ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)

    sqlite    nth_value("t"."a", 2) OVER (ORDER BY "t"."id" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    mariadb   nth_value(`t`.`a`, 2) OVER (ORDER BY `t`.`id` ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)

    sqlite    sum("t"."b") OVER (PARTITION BY "t"."a" ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING)
    postgres  CAST(sum("t"."b") OVER (PARTITION BY "t"."a" ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS BIGINT)
    mariadb   CAST(sum(`t`.`b`) OVER (PARTITION BY `t`.`a` ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS SIGNED)

    sqlite    avg("t"."f") OVER (ORDER BY "t"."id" RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING)
    mariadb   avg(`t`.`f`) OVER (ORDER BY `t`.`id` RANGE BETWEEN 2 PRECEDING AND 1 PRECEDING)

    sqlite    count(*) FILTER (WHERE "t"."flag" = ?) OVER (ORDER BY "t"."id" GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
    postgres  count(*) FILTER (WHERE "t"."flag" = $1) OVER (ORDER BY "t"."id" GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)
    mariadb   unsupported: a window's frame of groups: MariaDB and MySQL count rows and ranges alone

    sqlite    group_concat("t"."a", ',') OVER (ORDER BY "t"."id")
    postgres  string_agg("t"."a", ',') OVER (ORDER BY "t"."id")
    mariadb   unsupported: string_agg over a window: MariaDB and MySQL gather texts in groups alone

    sqlite    invalid: the frame of a window ends before it begins: write `-1..=1`, the lesser number first

    sqlite    invalid: ntile and nth_value count from 1, and 0 was given
    "#);
}

crate::sql_function! {
    fn soundex(text: String) -> String;
    fn padded(text: Option<String>, width: i32) -> String = "lpad";
    fn no_name(text: String) -> String = "a b";
}

crate::sql_operator! {
    fn distance(left: f64, right: f64) -> f64 = "<->";
}

#[test]
fn what_the_application_names() {
    insta::assert_snapshot!(sqls! {
        soundex(T::a);
        padded("x", 5);
        no_name("x");
        distance(T::f, 1.5).gt(2.0);
        function::<f64>("pi", ());
        function::<String>("app.lpad", (T::a, 5, "x"));
        sql_expr::<i64>("length(?) + ?").bind(T::a).bind(2_i64).gt(3);
        sql_expr::<bool>("? @?? '?'").bind(T::a);
        sql_expr::<i64>("? + ?").bind(2_i64);
    }, @r#"
    sqlite    soundex("t"."a")
    mariadb   soundex(`t`.`a`)

    sqlite    lpad(?, ?)
    postgres  lpad(CAST($1 AS VARCHAR), CAST($2 AS INTEGER))
    mariadb   lpad(?, ?)

    sqlite    invalid: `a b` is no name of a function: letters, digits, `_`, and `.` after a schema

    sqlite    ("t"."f" <-> ?) > ?
    postgres  ("t"."f" <-> CAST($1 AS DOUBLE PRECISION)) > $2
    mariadb   (`t`.`f` <-> ?) > ?

    sqlite    pi()

    sqlite    app.lpad("t"."a", ?, ?)
    postgres  app.lpad("t"."a", CAST($1 AS INTEGER), CAST($2 AS VARCHAR))
    mariadb   app.lpad(`t`.`a`, ?, ?)

    sqlite    (length("t"."a") + ?) > ?
    postgres  (length("t"."a") + CAST($1 AS BIGINT)) > $2
    mariadb   (length(`t`.`a`) + ?) > ?

    sqlite    "t"."a" @? '?'
    mariadb   `t`.`a` @? '?'

    sqlite    invalid: the SQL `? + ?` has 2 placeholders, and 1 values are bound
    "#);
}

#[test]
fn null_comes_from_what_an_expression_is_made_of() {
    let nullable = |node: Node| node.find_null(&|column| column.nullable).is_some();
    fn node(value: impl Argument) -> Node {
        value.into_argument()
    }
    assert!(nullable(node(case().when(T::flag.eq(true), 1_i64).else_(T::b))));
    assert!(!nullable(node(case().when(T::b.gt(1), 1_i64).else_(2))));
    assert!(nullable(node(T::b + 1)));
    assert!(!nullable(node(T::b.is_distinct_from(1))));
    assert!(!nullable(node(row_number().over(window().order_by(T::b)))));
    assert!(!nullable(node(count_all().filter(T::b.gt(1)))));
    assert!(nullable(node(lag_or(T::b, 1, 0).over(window()))));
    assert!(!nullable(node(lag_or(T::id, 1, 0).over(window().order_by(T::b)))));
    assert!(nullable(node(function::<i64>("f", (T::id, T::b)))));
    assert!(!nullable(node(sql_expr::<i64>("?").bind(T::b))));
    assert!(nullable(node(T::b.cast::<String>())));
}
