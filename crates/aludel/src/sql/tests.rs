use super::*;

fn column(table: &'static str, name: &'static str) -> Node {
    Node::Column(ColumnRef::new(table, name))
}

fn int(value: i64) -> Node {
    Node::Value(Value::Int(value))
}

fn text(value: &'static str) -> Node {
    Node::Value(Value::Text(value.into()))
}

fn binary(left: Node, op: BinaryOp, right: Node) -> Node {
    Node::binary(left, op, right)
}

fn a() -> Node {
    binary(column("t", "a"), BinaryOp::Eq, int(1))
}

fn b() -> Node {
    binary(column("t", "b"), BinaryOp::Lt, int(2))
}

fn c() -> Node {
    binary(column("t", "c"), BinaryOp::Ge, int(3))
}

fn node_sql(node: Node) -> String {
    let mut out = Statement::default();
    node.render(Dialect::Sqlite, &mut out);
    out.sql
}

fn select_sql(select: Select) -> String {
    let mut out = Statement::default();
    select.render(Dialect::Sqlite, &mut out);
    out.sql
}

#[test]
fn conditions_have_the_parentheses_that_they_need_and_no_more() {
    let sql = |node| node_sql(node);
    insta::assert_snapshot!(sql(a().and(b()).and(c())), @r#""t"."a" = ? AND "t"."b" < ? AND "t"."c" >= ?"#);
    insta::assert_snapshot!(sql(a().or(b()).or(c())), @r#""t"."a" = ? OR "t"."b" < ? OR "t"."c" >= ?"#);
    insta::assert_snapshot!(sql(a().or(b()).and(c())), @r#"("t"."a" = ? OR "t"."b" < ?) AND "t"."c" >= ?"#);
    insta::assert_snapshot!(sql(a().and(b()).or(c())), @r#""t"."a" = ? AND "t"."b" < ? OR "t"."c" >= ?"#);
    insta::assert_snapshot!(sql(a().and(b()).negate()), @r#"NOT ("t"."a" = ? AND "t"."b" < ?)"#);
    insta::assert_snapshot!(sql(a().negate().and(b())), @r#"NOT ("t"."a" = ?) AND "t"."b" < ?"#);
    insta::assert_snapshot!(sql(binary(a(), BinaryOp::Eq, b())), @r#"("t"."a" = ?) = ("t"."b" < ?)"#);
}

#[test]
fn arithmetic_keeps_its_order() {
    let (x, y, z) = (column("t", "x"), column("t", "y"), column("t", "z"));
    let sum = binary(x.clone(), BinaryOp::Add, y.clone());
    let difference = binary(y.clone(), BinaryOp::Sub, z.clone());
    insta::assert_snapshot!(node_sql(binary(sum.clone(), BinaryOp::Mul, z.clone())), @r#"("t"."x" + "t"."y") * "t"."z""#);
    insta::assert_snapshot!(node_sql(binary(sum.clone(), BinaryOp::Sub, z.clone())), @r#""t"."x" + "t"."y" - "t"."z""#);
    insta::assert_snapshot!(node_sql(binary(x, BinaryOp::Sub, difference)), @r#""t"."x" - ("t"."y" - "t"."z")"#);
    insta::assert_snapshot!(node_sql(Node::Negative(Box::new(sum))), @r#"-("t"."x" + "t"."y")"#);
    insta::assert_snapshot!(node_sql(Node::Negative(Box::new(Node::Negative(Box::new(z))))), @r#"-(-"t"."z")"#);
}

#[test]
fn a_comparison_with_null_is_is_null() {
    insta::assert_snapshot!(node_sql(binary(column("t", "a"), BinaryOp::Eq, Node::NULL)), @r#""t"."a" IS NULL"#);
    insta::assert_snapshot!(node_sql(binary(column("t", "a"), BinaryOp::Ne, Node::NULL)), @r#""t"."a" IS NOT NULL"#);
}

#[test]
fn the_opposite_of_a_predicate_is_its_own_negative_form() {
    let value = || Box::new(column("t", "a"));
    let between = Node::Between { value: value(), low: Box::new(int(1)), high: Box::new(int(2)), negated: false };
    insta::assert_snapshot!(node_sql(between.negate()), @r#""t"."a" NOT BETWEEN ? AND ?"#);
    insta::assert_snapshot!(node_sql(Node::IsNull { value: value(), negated: false }.negate()), @r#""t"."a" IS NOT NULL"#);
    insta::assert_snapshot!(node_sql(Node::in_list(*value(), vec![int(1)]).negate()), @r#""t"."a" NOT IN (?)"#);
    insta::assert_snapshot!(node_sql(a().negate().negate()), @r#""t"."a" = ?"#);
}

#[test]
fn lists_are_padded_to_a_power_of_two_with_their_last_value() {
    let mut out = Statement::default();
    Node::in_list(column("t", "a"), vec![int(1), int(2), int(3)]).render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#""t"."a" IN (?, ?, ?, ?)"#);
    assert_eq!(out.params, [Value::Int(1), Value::Int(2), Value::Int(3), Value::Int(3)]);
}

#[test]
fn keys_go_to_postgresql_as_one_array() {
    let render = |node: Node| {
        let mut out = Statement::default();
        node.render(Dialect::Postgres, &mut out);
        (out.sql, out.params)
    };
    let keys = Node::in_list(column("t", "a"), vec![int(1), int(-2), int(3)]);
    let array = vec![Value::Text("{1,-2,3}".into())];
    assert_eq!(render(keys.clone()), (r#""t"."a" = ANY ($1)"#.to_owned(), array.clone()));
    assert_eq!(render(keys.negate()), (r#""t"."a" <> ALL ($1)"#.to_owned(), array));
    // Of an expression the server would not know the type, and a text would have to be quoted.
    let (sql, _) = render(Node::in_list(Node::binary(column("t", "a"), BinaryOp::Add, int(1)), vec![int(1)]));
    assert_eq!(sql, r#""t"."a" + $1 IN ($2)"#);
    let (sql, _) = render(Node::in_list(column("t", "a"), vec![Node::Value(Value::Text("x".into()))]));
    assert_eq!(sql, r#""t"."a" IN ($1)"#);
}

#[test]
fn an_empty_list_is_false_and_its_opposite_true() {
    let list = Node::in_list(column("t", "a"), vec![]);
    insta::assert_snapshot!(node_sql(list.clone()), @"0 = 1");
    insta::assert_snapshot!(node_sql(list.clone().negate()), @"1 = 1");
    insta::assert_snapshot!(node_sql(Node::Not(Box::new(list))), @"NOT (0 = 1)");
    insta::assert_snapshot!(node_sql(Node::And(vec![])), @"1 = 1");
    insta::assert_snapshot!(node_sql(Node::Or(vec![])), @"0 = 1");
}

#[test]
fn null_in_a_list_is_found_with_is_null() {
    let list = Node::in_list(column("t", "a"), vec![int(1), Node::NULL]);
    insta::assert_snapshot!(node_sql(list.clone()), @r#""t"."a" IN (?) OR "t"."a" IS NULL"#);
    insta::assert_snapshot!(node_sql(list.negate()), @r#"NOT ("t"."a" IN (?) OR "t"."a" IS NULL)"#);
    insta::assert_snapshot!(node_sql(Node::in_list(column("t", "a"), vec![Node::NULL])), @r#""t"."a" IS NULL"#);
}

#[test]
fn wildcards_in_a_literal_pattern_stand_for_themselves() {
    let mut out = Statement::default();
    Node::like_literal(column("t", "a"), "%", "50%_/x", "%").render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#""t"."a" LIKE ? ESCAPE '/'"#);
    assert_eq!(out.params, [Value::Text("%50/%/_//x%".into())]);
}

#[test]
fn a_select_has_its_clauses_in_order() {
    let select = Select {
        columns: vec![
            column("user", "id").into(),
            SelectColumn { node: super::node::count_rows(), alias: Some("n".into()) },
        ],
        distinct: true,
        joins: vec![Join {
            kind: JoinKind::Left,
            table: TableRef::aliased("post", "post_1"),
            on: binary(column("post_1", "user_id"), BinaryOp::Eq, column("user", "id")),
        }],
        filter: vec![binary(column("user", "name"), BinaryOp::Eq, text("x")), a().or(b())],
        group_by: vec![column("user", "id")],
        having: vec![binary(super::node::count_rows(), BinaryOp::Gt, int(3))],
        order_by: vec![
            OrderBy::desc(column("user", "id")),
            OrderBy { nulls: Some(NullsOrder::Last), ..OrderBy::asc(column("user", "name")) },
        ],
        limit: Some(10),
        offset: Some(20),
        ..Select::from_table("user")
    };
    let mut out = Statement::default();
    select.render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#"SELECT DISTINCT "user"."id", count(*) AS "n" FROM "user" LEFT JOIN "post" AS "post_1" ON "post_1"."user_id" = "user"."id" WHERE "user"."name" = ? AND ("t"."a" = ? OR "t"."b" < ?) GROUP BY "user"."id" HAVING count(*) > ? ORDER BY "user"."id" DESC, "user"."name" NULLS LAST LIMIT ? OFFSET ?"#);
    let int = Value::Int;
    assert_eq!(out.params, [Value::Text("x".into()), int(1), int(2), int(3), int(10), int(20)]);
}

#[test]
fn an_offset_alone_has_the_limit_that_sqlite_asks_for() {
    let select = Select { list: "1", offset: Some(5), ..Select::from_table("user") };
    insta::assert_snapshot!(select_sql(select), @r#"SELECT 1 FROM "user" LIMIT -1 OFFSET ?"#);
}

#[test]
fn rows_are_counted_from_outside_only_where_the_select_gathers_or_cuts_them() {
    let select = || Select {
        list: r#""user"."id""#,
        filter: vec![a()],
        order_by: vec![OrderBy::asc(column("user", "id"))],
        ..Select::from_table("user")
    };
    insta::assert_snapshot!(select_sql(select().into_count()), @r#"SELECT count(*) FROM "user" WHERE "t"."a" = ?"#);
    let cut = Select { limit: Some(3), ..select() };
    insta::assert_snapshot!(select_sql(cut.into_count()), @r#"SELECT count(*) FROM (SELECT 1 FROM "user" WHERE "t"."a" = ? LIMIT ?) AS "counted""#);
    let distinct = Select { distinct: true, ..select() };
    insta::assert_snapshot!(select_sql(distinct.into_count()), @r#"SELECT count(*) FROM (SELECT DISTINCT "user"."id" FROM "user" WHERE "t"."a" = ?) AS "counted""#);
}

#[test]
fn exists_does_not_care_for_columns_and_order() {
    let select = Select {
        list: r#""user"."id""#,
        order_by: vec![OrderBy::asc(column("user", "id"))],
        ..Select::from_table("user")
    };
    insta::assert_snapshot!(select_sql(select.into_exists()), @r#"SELECT EXISTS (SELECT 1 FROM "user")"#);
}

#[test]
fn rows_are_inserted_together() {
    let insert = Insert {
        columns: vec!["a", "b"],
        values: (1..=4).map(Value::Int).collect(),
        returning: vec!["id"],
        ..Insert::into_table("t")
    };
    let mut out = Statement::default();
    insert.render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#"INSERT INTO "t" ("a", "b") VALUES (?, ?), (?, ?) RETURNING "id""#);
    assert_eq!(out.params.len(), 4);
}

#[test]
fn a_row_of_defaults_names_no_column() {
    let mut out = Statement::default();
    Insert::into_table("t").render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#"INSERT INTO "t" DEFAULT VALUES"#);
}

#[test]
fn a_row_of_defaults_is_an_empty_list_on_mysql() {
    for dialect in [Dialect::MariaDb, Dialect::MySql] {
        let mut out = Statement::default();
        Insert::into_table("t").render(dialect, &mut out);
        assert_eq!(out.sql, "INSERT INTO `t` () VALUES ()");
    }
}

#[test]
fn rows_count_their_placeholders_on_where_those_have_numbers() {
    let insert =
        Insert { columns: vec!["a", "b"], values: (1..=4).map(Value::Int).collect(), ..Insert::into_table("t") };
    let mut out = Statement::default();
    insert.render(Dialect::Postgres, &mut out);
    insta::assert_snapshot!(out.sql, @r#"INSERT INTO "t" ("a", "b") VALUES ($1, $2), ($3, $4)"#);
}

#[test]
fn updates_and_deletes_bind_their_values() {
    let views = binary(column("post", "views"), BinaryOp::Add, int(1));
    let update =
        Update { set: vec![("title", text("x")), ("views", views)], filter: vec![a()], ..Update::table("post") };
    let mut out = Statement::default();
    update.render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#"UPDATE "post" SET "title" = ?, "views" = "post"."views" + ? WHERE "t"."a" = ?"#);
    out.clear();
    Delete { filter: vec![a(), b()], ..Delete::from_table("post") }.render(Dialect::Sqlite, &mut out);
    insta::assert_snapshot!(out.sql, @r#"DELETE FROM "post" WHERE "t"."a" = ? AND "t"."b" < ?"#);
}

#[test]
fn rows_are_numbered_in_their_group() {
    let number = Node::RowNumber {
        partition_by: vec![column("post", "user_id")],
        order_by: vec![OrderBy::desc(column("post", "id"))],
    };
    insta::assert_snapshot!(node_sql(number), @r#"row_number() OVER (PARTITION BY "post"."user_id" ORDER BY "post"."id" DESC)"#);
}

#[test]
fn the_columns_of_a_subquery_are_its_own_matter() {
    let inner = Select {
        list: "1",
        filter: vec![binary(column("post", "user_id"), BinaryOp::Eq, column("user", "id"))],
        ..Select::from_table("post")
    };
    let exists = Node::Exists { select: Box::new(inner), negated: false };
    let mut tables = Vec::new();
    let none: Option<()> = exists.find_column(&mut |column| {
        tables.push(column.table.to_string());
        None
    });
    assert_eq!((none, tables), (None, vec!["user".to_owned()]));

    let mut renamed = exists;
    renamed.rename_table("user", "user_1");
    renamed.rename_table("post", "post_1");
    insta::assert_snapshot!(node_sql(renamed), @r#"EXISTS (SELECT 1 FROM "post" WHERE "post"."user_id" = "user_1"."id")"#);
}

#[test]
fn null_comes_through_arithmetic_but_not_through_count_and_coalesce() {
    let nullable = |column: &ColumnRef| column.table == "post";
    let title = || column("post", "title");
    let function = |name, nulls, args| Node::Function { name, distinct: false, args, nulls };
    assert!(binary(title(), BinaryOp::Add, int(1)).find_null(&nullable).is_some());
    assert!(function("lower", Nulls::Propagate, vec![title()]).find_null(&nullable).is_some());
    assert!(function("count", Nulls::Never, vec![title()]).find_null(&nullable).is_none());
    assert!(function("coalesce", Nulls::Coalesce, vec![title(), text("x")]).find_null(&nullable).is_none());
    assert!(function("coalesce", Nulls::Coalesce, vec![title(), title()]).find_null(&nullable).is_some());
    assert!(Node::IsNull { value: Box::new(title()), negated: false }.find_null(&nullable).is_none());
}
