//! Pages over HTTP: what `?page=&per_page=` gives, row by row of Flask-SQLAlchemy's pagination.

use aludel::prelude::*;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::faults_support::{Author, Book};
use crate::support::TestDb;

async fn found(session: &Session, page: PageQuery) -> Result<Json<Page<Entity<Author>>>> {
    Ok(Json(Author::query().order_by(Author::id).paginate(session, page).await?))
}

async fn strict(session: Session, page: PageQuery) -> Result<Json<Page<Entity<Author>>>> {
    found(&session, page).await
}

async fn lenient(session: Session, request: axum::extract::RawQuery) -> Result<Json<Page<Entity<Author>>>> {
    found(&session, PageQuery::from_query_lenient(&request.0.unwrap_or_default())).await
}

/// The handler says the page: the query string is not even read.
async fn explicit(session: Session) -> Result<Json<Page<Entity<Author>>>> {
    found(&session, PageQuery::new(3)).await
}

async fn uncounted(session: Session, page: PageQuery) -> Result<Json<Page<Entity<Author>>>> {
    found(&session, page.count(false)).await
}

async fn wide(session: Session, page: PageQuery) -> Result<Json<Page<Entity<Author>>>> {
    found(&session, page.max_per_page(250)).await
}

async fn nothing(session: Session, page: PageQuery) -> Result<Json<Page<Entity<Author>>>> {
    found(&session, page.max_per_page(0)).await
}

async fn numbers(session: Session, page: PageQuery) -> Result<Json<Vec<Option<u64>>>> {
    let page = Author::query().order_by(Author::id).paginate(&session, page.error_out(false)).await?;
    Ok(Json(page.iter_pages(IterPages::default()).collect()))
}

/// A router, and the database behind it.
struct Site {
    app: Router,
    _db: TestDb,
}

impl std::ops::Deref for Site {
    type Target = Router;

    fn deref(&self) -> &Router {
        &self.app
    }
}

/// A router over so many authors.
async fn with_rows(rows: usize) -> Site {
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let session = db.session();
    let authors = (1..=rows).map(|number| Author::build().name(format!("a{number:04}")));
    Author::insert_all(authors).execute(&session).await.unwrap();
    session.commit().await.unwrap();
    let app = Router::new()
        .route("/strict", get(strict))
        .route("/lenient", get(lenient))
        .route("/explicit", get(explicit))
        .route("/uncounted", get(uncounted))
        .route("/wide", get(wide))
        .route("/nothing", get(nothing))
        .route("/numbers", get(numbers))
        .layer(db.layer());
    Site { app, _db: db }
}

async fn ask(app: &Router, uri: &str) -> (StatusCode, Value) {
    let request = Request::get(uri).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// A page that must be there.
async fn page(app: &Router, uri: &str) -> Value {
    let (status, body) = ask(app, uri).await;
    assert_eq!(status, StatusCode::OK, "{uri}: {body}");
    body
}

/// The page's numbers: page, per_page, how many items.
fn shape(body: &Value) -> (u64, u64, usize) {
    let number = |key: &str| body[key].as_u64().unwrap();
    (number("page"), number("per_page"), body["items"].as_array().unwrap().len())
}

#[tokio::test]
async fn without_a_query_string_it_is_page_1_with_20_items() {
    let app = with_rows(250).await;
    let body = page(&app, "/strict").await;
    assert_eq!(shape(&body), (1, 20, 20));
    assert_eq!((&body["total"], &body["pages"]), (&json!(250), &json!(13)));
    assert_eq!(body["items"][0], json!({ "id": 1, "name": "a0001" }));
}

#[tokio::test]
async fn the_query_string_says_the_page_unless_the_handler_does() {
    let app = with_rows(250).await;
    let body = page(&app, "/strict?page=2&per_page=10").await;
    assert_eq!((shape(&body), &body["items"][0]["id"]), ((2, 10, 10), &json!(11)));
    assert_eq!(shape(&page(&app, "/explicit?page=abc").await), (3, 20, 20));
}

#[tokio::test]
async fn of_a_repeated_key_the_first_counts_and_white_space_is_accepted() {
    let app = with_rows(60).await;
    for uri in [
        "/strict?page=2&page=3",
        "/strict?page=%202%20",
        "/strict?page=+2+",
        "/strict?p%61ge=2",
        "/strict?other=&page=2",
        "/strict?page=02",
    ] {
        assert_eq!(page(&app, uri).await["page"], 2, "{uri}");
    }
}

#[tokio::test]
async fn what_is_no_whole_number_from_1_on_is_404() {
    let app = with_rows(30).await;
    for value in ["abc", "0", "-1", "", "2.0", "1e1", "%00", "%FF", "0x10", "%EF%BC%91", "NaN", "1%2C0", "1;2", "%"] {
        for key in ["page", "per_page"] {
            let uri = format!("/strict?{key}={value}");
            let (status, body) = ask(&app, &uri).await;
            assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("not_found")), "{uri}");
            assert_eq!(body["message"], format!("`{key}` must be a whole number from 1 on"), "{uri}");
        }
    }
}

#[tokio::test]
async fn a_number_beyond_64_bits_is_the_largest_there_is() {
    let app = with_rows(30).await;
    assert_eq!(shape(&page(&app, "/strict?per_page=99999999999999999999999").await), (1, 100, 30));
    assert_eq!(ask(&app, "/strict?page=99999999999999999999999").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_past_the_end_is_404_and_an_empty_first_page_is_not() {
    let app = with_rows(30).await;
    for uri in ["/strict?page=3", "/strict?page=9223372036854775807", "/strict?page=18446744073709551615"] {
        assert_eq!(ask(&app, uri).await.0, StatusCode::NOT_FOUND, "{uri}");
    }
    let empty = with_rows(0).await;
    let body = page(&empty, "/strict").await;
    assert_eq!(shape(&body), (1, 20, 0));
    assert_eq!(
        [&body["total"], &body["pages"], &body["first"], &body["last"], &body["has_next"], &body["has_prev"]],
        [&json!(0), &json!(0), &json!(0), &json!(0), &json!(false), &json!(false)]
    );
    assert_eq!((&body["next_num"], &body["prev_num"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_page_is_never_larger_than_its_limit() {
    let app = with_rows(250).await;
    for size in ["101", "100000", "18446744073709551615"] {
        let body = page(&app, &format!("/strict?per_page={size}")).await;
        assert_eq!(shape(&body), (1, 100, 100), "{size}");
    }
    assert_eq!(shape(&page(&app, "/wide?per_page=200").await), (1, 200, 200));
    assert_eq!(shape(&page(&app, "/wide?per_page=100000").await), (1, 250, 250));
    // first the limit, then the check of the range
    assert_eq!(ask(&app, "/nothing").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_first_and_the_last_page_know_their_neighbours_and_their_items() {
    let app = with_rows(145).await;
    let first = page(&app, "/strict?per_page=10").await;
    assert_eq!(
        [&first["pages"], &first["has_prev"], &first["prev_num"], &first["next_num"], &first["first"], &first["last"]],
        [&json!(15), &json!(false), &Value::Null, &json!(2), &json!(1), &json!(10)]
    );
    let last = page(&app, "/strict?per_page=10&page=15").await;
    assert_eq!(
        [&last["has_next"], &last["next_num"], &last["prev_num"], &last["first"], &last["last"]],
        [&json!(false), &Value::Null, &json!(14), &json!(141), &json!(145)]
    );
    assert_eq!(shape(&last), (15, 10, 5));
}

#[tokio::test]
async fn a_lenient_handler_gives_the_nearest_sensible_page() {
    let app = with_rows(250).await;
    for uri in
        ["/lenient?page=abc", "/lenient?page=0", "/lenient?page=-3&per_page=x", "/lenient?per_page=0", "/lenient"]
    {
        assert_eq!(shape(&page(&app, uri).await), (1, 20, 20), "{uri}");
    }
    let past = page(&app, "/lenient?page=99").await;
    assert_eq!(shape(&past), (99, 20, 0));
    assert_eq!(
        [&past["total"], &past["has_next"], &past["has_prev"], &past["first"], &past["last"]],
        [&json!(250), &json!(false), &json!(true), &json!(0), &json!(0)]
    );
    assert_eq!(shape(&page(&app, "/lenient?page=18446744073709551615").await), (u64::MAX, 20, 0));
}

#[tokio::test]
async fn an_uncounted_page_knows_no_total_and_no_next_page() {
    let app = with_rows(50).await;
    let body = page(&app, "/uncounted?page=2").await;
    assert_eq!(shape(&body), (2, 20, 20));
    assert_eq!(
        [&body["total"], &body["pages"], &body["has_next"], &body["next_num"]],
        [&Value::Null, &json!(0), &json!(false), &Value::Null]
    );
}

#[tokio::test]
async fn the_numbers_for_the_links_leave_gaps() {
    let app = with_rows(150).await;
    let gap: Option<u64> = None;
    let body = page(&app, "/numbers?per_page=10&page=6").await;
    assert_eq!(body, json!([1, 2, gap, 4, 5, 6, 7, 8, 9, 10, gap, 14, 15]));
    assert_eq!(page(&app, "/numbers?per_page=40").await, json!([1, 2, 3, 4]));
    assert_eq!(page(&*with_rows(0).await, "/numbers").await, json!([]));
}

#[tokio::test]
async fn walking_with_next_and_prev_keeps_size_and_limit() {
    let db = Db::builder().models((Author::TABLE, Book::TABLE)).test().await.unwrap();
    let session = db.session();
    let authors = (1..=250).map(|number| Author::build().name(format!("a{number:04}")));
    Author::insert_all(authors).execute(&session).await.unwrap();
    let get = async |asked| Author::query().order_by(Author::id).paginate(&session, asked).await.unwrap();
    let first = get(PageQuery::new(1).per_page(110).max_per_page(250)).await;
    let second = get(first.next_query()).await;
    assert_eq!((second.page, second.per_page, second.len(), second.total), (2, 110, 110, Some(250)));
    let back = get(second.prev_query()).await;
    assert_eq!((back.page, back.per_page, back.len(), back.max_per_page), (1, 110, 110, Some(250)));
    // before the first comes the first, after the last an empty one
    assert_eq!(get(back.prev_query()).await.page, 1);
    let last = get(second.next_query()).await;
    assert_eq!((last.len(), last.has_next), (30, false));
    assert!(get(last.next_query()).await.is_empty());
}
