//! What is in JSON documents, asked by queries.

mod support;

use aludel::prelude::*;
use aludel::{ErrorKind, Json};
use serde_json::{Value, json};
use support::{Backend, TestDb, needs};

#[derive(Model, Clone, Debug)]
struct Item {
    #[column(primary_key)]
    id: i64,
    data: Value,
    tags: Option<Json<Vec<String>>>,
}

/// A database with the documents in it, whose keys count from 1.
async fn items(documents: impl IntoIterator<Item = Value>) -> TestDb {
    let test = TestDb::of(Item::TABLE).await;
    let session = test.session();
    for data in documents {
        session.add(Item::build().data(data));
        session.flush().await.unwrap();
    }
    session.commit().await.unwrap();
    test
}

async fn found(test: &TestDb, condition: Expr<bool>) -> Vec<i64> {
    let query = Item::query().filter(condition).order_by(Item::id).select(Item::id);
    query.all(&test.session()).await.unwrap()
}

#[tokio::test]
async fn values_are_read_as_what_they_are() {
    let document = json!({
        "text": "it's \"quoted\"", "int": -7, "float": 1.5, "yes": true, "no": false, "null": null,
        "deep": {"list": [10, {"x": "y"}]}, "a.b": "dotted", "7": "key",
    });
    let test = items([document]).await;
    let session = test.session();
    let text = async |path: aludel::model::JsonPath| Item::query().select(path.as_text()).one(&session).await.unwrap();
    assert_eq!(text(Item::data.get("text")).await.as_deref(), Some("it's \"quoted\""));
    assert_eq!(text(Item::data.get("int")).await.as_deref(), Some("-7"));
    assert_eq!(text(Item::data.get("float")).await.as_deref(), Some("1.5"));
    assert_eq!(text(Item::data.get("yes")).await.as_deref(), Some("true"));
    assert_eq!(text(Item::data.get("no")).await.as_deref(), Some("false"));
    assert_eq!(text(Item::data.get("null")).await, None);
    assert_eq!(text(Item::data.get("missing")).await, None);
    assert_eq!(text(Item::data.get("text").get("further")).await, None);
    assert_eq!(text(Item::data.path(["deep", "list"]).get(1).get("x")).await.as_deref(), Some("y"));
    assert_eq!(text(Item::data.get("a.b")).await.as_deref(), Some("dotted"));
    assert_eq!(text(Item::data.get("7")).await.as_deref(), Some("key"));
    assert_eq!(text(Item::data.path(["deep", "list"]).get(9)).await, None);

    let integer = Item::query().select((Item::data.get("int").as_integer(), Item::data.get("null").as_integer()));
    assert_eq!(integer.one(&session).await.unwrap(), (Some(-7), None));
    let float = Item::query().select((Item::data.get("float").as_float(), Item::data.get("int").as_float()));
    assert_eq!(float.one(&session).await.unwrap(), (Some(1.5), Some(-7.0)));
    let truth = ["yes", "no", "null", "missing", "text"].map(|key| Item::data.get(key).as_bool());
    let [yes, no, null, missing, other] = truth;
    let truth = Item::query().select((yes, no, null, missing, other)).one(&session).await.unwrap();
    assert_eq!(truth, (Some(true), Some(false), None, None, None));
    let list = Item::query().select(Item::data.path(["deep", "list"]).as_json::<Value>()).one(&session).await.unwrap();
    assert_eq!(list.unwrap().0, json!([10, {"x": "y"}]));
    let null = Item::query().select(Item::data.get("null").as_json::<Value>()).one(&session).await.unwrap();
    assert_eq!(null.unwrap().0, Value::Null);
}

#[tokio::test]
async fn documents_are_filtered_and_ordered_by_what_is_in_them() {
    let test =
        items([json!({"n": 10, "on": true}), json!({"n": 9}), json!({"on": false, "n": null}), json!([1])]).await;
    assert_eq!(found(&test, Item::data.get("n").as_integer().gt(9)).await, [1]);
    assert_eq!(found(&test, Item::data.get("n").as_integer().between(9, 10)).await, [1, 2]);
    assert_eq!(found(&test, Item::data.get("on").as_bool().eq(true)).await, [1]);
    assert_eq!(found(&test, !Item::data.get("on").as_bool().eq(true)).await, [3]);
    assert_eq!(found(&test, Item::data.get("n").as_text().is_null()).await, [3, 4]);
    assert_eq!(found(&test, Item::data.get("n").exists()).await, [1, 2, 3]);
    assert_eq!(found(&test, Item::data.get(0).as_integer().eq(1)).await, [4]);
    assert_eq!(found(&test, Item::data.get("n").as_text().starts_with("1")).await, [1]);
    let ordered = Item::query().filter(Item::data.get("n").as_integer().is_not_null());
    let ordered = ordered.order_by(Item::data.get("n").as_integer().asc()).select(Item::id);
    assert_eq!(ordered.all(&test.session()).await.unwrap(), [2, 1]);
}

#[tokio::test]
async fn keys_are_looked_for() {
    let test = items([json!({"a": 1, "b": null}), json!({"b": {"a": 1}}), json!(["a"]), json!("a")]).await;
    assert_eq!(found(&test, Item::data.has_key("a")).await, [1]);
    assert_eq!(found(&test, Item::data.has_key("b")).await, [1, 2]);
    assert_eq!(found(&test, !Item::data.has_key("a")).await, [2, 3, 4]);
    assert_eq!(found(&test, Item::data.has_any(["a", "b"])).await, [1, 2]);
    assert_eq!(found(&test, Item::data.has_all(["a", "b"])).await, [1]);
    assert_eq!(found(&test, Item::data.path(["b", "a"]).exists()).await, [2]);
    // As of any condition: nothing is one of none, and all of none are there.
    assert!(found(&test, Item::data.has_any(Vec::<String>::new())).await.is_empty());
    assert_eq!(found(&test, Item::data.has_all(Vec::<String>::new())).await.len(), 4);
}

#[tokio::test]
async fn keys_come_from_users_without_harm() {
    let key = "x') OR 1=1 --";
    let test = items([json!({key: 1}), json!({"y": 1})]).await;
    assert_eq!(found(&test, Item::data.has_key(key)).await, [1]);
    let quoted = Item::query().filter(Item::data.has_key("a\"b")).count(&test.session()).await;
    match Backend::current() {
        Backend::Postgres => assert_eq!(quoted.unwrap(), 0),
        _ => assert_eq!(quoted.unwrap_err().kind(), ErrorKind::Unsupported),
    }
}

#[tokio::test]
async fn a_document_contains_another() {
    needs!(Postgres | MariaDb, "SQLite has no operator for it");
    let test = items([json!({"a": {"x": 1, "y": [1, 2, 3]}}), json!({"a": {"x": 2}}), json!([1, 2])]).await;
    assert_eq!(found(&test, Item::data.contains(json!({"a": {"x": 1}}))).await, [1]);
    assert_eq!(found(&test, Item::data.contains(json!({"a": {"y": [3, 1]}}))).await, [1]);
    assert_eq!(found(&test, Item::data.contains([2])).await, [3]);
    assert_eq!(found(&test, !Item::data.contains(json!({"a": {}}))).await, [3]);
    let session = test.session();
    session.add(Item::build().data(json!(null)).tags(Json(vec!["red".to_owned(), "green".to_owned()])));
    session.commit().await.unwrap();
    assert_eq!(found(&test, Item::tags.contains(["red"])).await, [4]);
}

#[tokio::test]
async fn on_sqlite_contains_is_refused_with_the_cure() {
    needs!(Sqlite, "servers have an operator for it");
    let test = items([]).await;
    test.statements();
    let error = Item::query().filter(Item::data.contains(json!({}))).all(&test.session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("`.get(..).as_text().eq(..)`"), "{error}");
    assert!(test.statements().is_empty(), "nothing is sent");
}
