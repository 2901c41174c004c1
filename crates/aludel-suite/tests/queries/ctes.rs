//! Queries with a name: common table expressions, recursive ones, subqueries in FROM, lists of values.

use crate::support::TestDb;
use aludel::prelude::*;
use aludel::query::values;

#[derive(Model, Clone, Debug)]
struct Category {
    #[column(primary_key)]
    id: i64,
    name: String,
    #[column(references = Category::id)]
    parent_id: Option<i64>,
}

#[derive(Model, Clone, Debug)]
struct Sale {
    #[column(primary_key)]
    id: i64,
    amount: i64,
    #[column(references = Category::id)]
    category_id: i64,
}

#[derive(Projection, Debug, PartialEq)]
struct Sum {
    category_id: i64,
    amount: Option<i64>,
}

#[derive(Projection, Debug, PartialEq)]
struct Node {
    id: i64,
    name: String,
    level: i64,
}

#[derive(Projection, Debug, PartialEq)]
struct Wanted {
    id: i64,
    label: Option<String>,
}

/// 1 root -> 2 food -> 4 fruit, 1 -> 3 tools; 5 alone.
async fn filled() -> TestDb {
    let db = TestDb::of([Category::TABLE, Sale::TABLE]).await;
    db.change(
        "INSERT INTO category (id, name, parent_id) VALUES (1, 'root', NULL), (5, 'alone', NULL);
         INSERT INTO category (id, name, parent_id) VALUES (2, 'food', 1), (3, 'tools', 1);
         INSERT INTO category (id, name, parent_id) VALUES (4, 'fruit', 2);
         INSERT INTO sale (id, amount, category_id) VALUES (1, 10, 2), (2, 5, 2), (3, 7, 4), (4, 1, 5);",
    );
    db
}

fn sums() -> Query<Sale, Sum> {
    Sale::query()
        .group_by(Sale::category_id)
        .select(SumColumns { category_id: Sale::category_id, amount: sum(Sale::amount) })
}

#[tokio::test]
async fn a_common_table_expression_is_joined_and_selected_from() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let sums = sums().cte("sums");
    let rows: Vec<(String, Option<i64>)> = Category::query()
        .join_on(&sums, sums.columns().category_id.eq(Category::id))
        .filter(sums.columns().amount.gt(5))
        .order_by(sums.columns().amount.desc())
        .select((Category::name, sums.columns().amount))
        .all(session)
        .await?;
    assert_eq!(rows, [("food".to_owned(), Some(15)), ("fruit".to_owned(), Some(7))]);
    let large = sums.query().filter(sums.columns().amount.ge(7)).order_by(sums.columns().category_id);
    assert_eq!(
        large.clone().all(session).await?,
        [Sum { category_id: 2, amount: Some(15) }, Sum { category_id: 4, amount: Some(7) }]
    );
    assert_eq!(large.clone().count(session).await?, 2);
    assert!(large.clone().exists(session).await?);
    let page = large.paginate(session, PageQuery::new(2).per_page(1)).await?;
    assert_eq!((page.total, page.items), (Some(2), vec![Sum { category_id: 4, amount: Some(7) }]));
    Ok(())
}

#[tokio::test]
async fn a_common_table_expression_stands_once_and_under_two_names() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let sums = sums().cte("sums");
    let more = sums.alias("more");
    let rows: Vec<(i64, i64)> = sums
        .query()
        .join_on(&more, more.columns().amount.gt(sums.columns().amount))
        .order_by((sums.columns().category_id, more.columns().category_id))
        .select((sums.columns().category_id, more.columns().category_id))
        .all(session)
        .await?;
    assert_eq!(rows, [(4, 2), (5, 2), (5, 4)]);
    let sql = db.statements().remove(0);
    assert_eq!(sql.matches("AS (SELECT").count(), 1, "{sql}");
    let in_it = Category::query().filter(Category::id.in_(sums.query().select(sums.columns().category_id)));
    assert_eq!(in_it.count(session).await?, 3);
    let other = Sale::query().select(SumColumns { category_id: Sale::id, amount: Sale::amount.optional() }).cte("sums");
    let error = sums.query().join_on(&other.alias("x"), None::<Expr<bool>>).all(session).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cte(\"sums\"): two different queries have this name in one statement; give one of them another"
    );
    Ok(())
}

#[tokio::test]
async fn a_recursive_one_walks_a_tree() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let tree = Category::query()
        .filter(Category::name.eq("root"))
        .select(NodeColumns { id: Category::id, name: Category::name, level: Category::id - Category::id })
        .recursive_cte("tree", |tree| {
            Category::query().join_on(tree, tree.columns().id.eq(Category::parent_id)).select(NodeColumns {
                id: Category::id,
                name: Category::name,
                level: tree.columns().level + 1,
            })
        });
    let rows = tree.query().order_by((tree.columns().level, tree.columns().id)).all(session).await?;
    let rows: Vec<_> = rows.iter().map(|node| (node.id, node.name.as_str(), node.level)).collect();
    assert_eq!(rows, [(1, "root", 0), (2, "food", 1), (3, "tools", 1), (4, "fruit", 2)]);
    // the entities of the tree, and what is sold below it
    let entities = Category::query().join_on(&tree, tree.columns().id.eq(Category::id)).order_by(Category::id);
    assert_eq!(entities.all(session).await?.len(), 4);
    let sold = Sale::query().filter(Sale::category_id.in_(tree.query().select(tree.columns().id)));
    assert_eq!(sold.select(sum(Sale::amount)).one(session).await?, Some(22));
    Ok(())
}

#[tokio::test]
async fn a_circle_ends_where_rows_are_followed_once() -> Result<()> {
    let db = filled().await;
    db.change("UPDATE category SET parent_id = 4 WHERE id = 1");
    let session = &db.session();
    #[derive(Projection)]
    struct Id {
        id: i64,
    }
    let above = Category::query()
        .filter(Category::id.eq(2))
        .select(IdColumns { id: Category::id })
        .recursive_cte_distinct("above", |above| {
            let child = Category::alias("child");
            Category::query()
                .join_on(&child, child.col(Category::parent_id).eq(Category::id))
                .join_on(above, above.columns().id.eq(child.col(Category::id)))
                .select(IdColumns { id: Category::id })
        });
    let mut ids: Vec<i64> = above.query().all(session).await?.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [1, 2, 4]);
    Ok(())
}

#[tokio::test]
async fn a_subquery_stands_in_from() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let sums = sums().having(sum(Sale::amount).gt(5)).subquery("sums");
    let rows: Vec<(String, Option<i64>)> = Category::query()
        .left_join_on(&sums, sums.columns().category_id.eq(Category::id))
        .order_by(Category::id)
        .select((Category::name, sums.columns().amount))
        .all(session)
        .await?;
    let rows: Vec<_> = rows.iter().map(|(name, amount)| (name.as_str(), *amount)).collect();
    assert_eq!(rows, [("root", None), ("food", Some(15)), ("tools", None), ("fruit", Some(7)), ("alone", None)]);
    let all = sums.query().order_by(sums.columns().amount).all(session).await?;
    assert_eq!(all.iter().map(|row| row.category_id).collect::<Vec<_>>(), [4, 2]);
    Ok(())
}

#[tokio::test]
async fn a_lateral_join_names_the_tables_before_it() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let largest = Sale::query()
        .filter(Sale::category_id.eq(Category::id))
        .order_by(Sale::amount.desc())
        .limit(1)
        .select(SumColumns { category_id: Sale::category_id, amount: Sale::amount.optional() })
        .lateral("largest");
    let query = Category::query()
        .join_on(&largest, None::<Expr<bool>>)
        .order_by(Category::id)
        .select((Category::name, largest.columns().amount));
    if crate::support::Backend::current() != crate::support::Backend::Postgres {
        let error = query.all(session).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().starts_with("lateral: this database has no LATERAL joins"), "{error}");
        return Ok(());
    }
    let rows = query.all(session).await?;
    let rows: Vec<_> = rows.iter().map(|(name, amount)| (name.as_str(), *amount)).collect();
    assert_eq!(rows, [("food", Some(10)), ("fruit", Some(7)), ("alone", Some(1))]);
    let early = Sale::query().join_on(&largest, None::<Expr<bool>>).all(session).await.unwrap_err();
    assert!(early.to_string().starts_with("lateral(category.id): this query selects from sale;"), "{early}");
    Ok(())
}

#[tokio::test]
async fn a_list_of_values_is_a_table() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let row = |id: i64, label: Option<&str>| WantedColumns { id, label: label.map(str::to_owned) };
    let wanted = values("wanted", [row(2, Some("eat")), row(3, None), row(9, Some("gone"))]);
    let rows: Vec<(String, Option<String>)> = Category::query()
        .join_on(&wanted, wanted.columns().id.eq(Category::id))
        .order_by(Category::id)
        .select((Category::name, wanted.columns().label))
        .all(session)
        .await?;
    assert_eq!(rows, [("food".to_owned(), Some("eat".to_owned())), ("tools".to_owned(), None)]);
    let empty = values("wanted", [row(1, None)].into_iter().take(0));
    let error = Category::query().join_on(&empty, None::<Expr<bool>>).all(session).await.unwrap_err();
    assert_eq!(error.to_string(), "values(\"wanted\", ..): there is no row in it, and SQL has no empty list");
    Ok(())
}

#[tokio::test]
async fn distinct_on_takes_the_first_of_each() -> Result<()> {
    let db = filled().await;
    let session = &db.session();
    let query = Sale::query().distinct_on(Sale::category_id).order_by((Sale::category_id, Sale::amount.desc()));
    if crate::support::Backend::current() == crate::support::Backend::Postgres {
        let amounts = query.clone().select(Sale::amount).all(session).await?;
        assert_eq!(amounts, [10, 7, 1]);
        assert_eq!(query.clone().count(session).await?, 3);
        assert_eq!(query.all(session).await?.len(), 3);
    } else {
        let error = query.all(session).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_named_query_cannot_be_is_an_error() {
    let db = filled().await;
    let session = &db.session();
    #[derive(Projection)]
    struct Whole {
        category: Entity<Category>,
    }
    let whole = Category::query().select(WholeColumns { category: Category::entity }).cte("whole");
    let entity = whole.query().all(session).await.err().expect("an error");
    let stranger = sums().filter(Category::name.eq("food")).cte("sums");
    let column = stranger.query().all(session).await.unwrap_err();
    let twice = sums().cte("category");
    let name = Category::query().join_on(&twice, None::<Expr<bool>>).all(session).await.unwrap_err();
    for (error, expected) in [
        (
            entity,
            "`whole`: each field of a projection has to be a single column here; select columns instead of entities",
        ),
        (
            column,
            "`sums`: category.name is a column of none of its tables; add a join, or use `.lateral(..)` for a subquery that names columns of the query around it",
        ),
        (
            name,
            "join of `category`: this query selects from a table of this name already; give one of them another alias",
        ),
    ] {
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::InvalidStatement, expected));
    }
    drop(whole.query().all(session).await.map(|rows| rows.into_iter().map(|row| row.category).collect::<Vec<_>>()));
}
