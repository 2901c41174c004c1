//! What a request does to rows: commit and rollback at its end, errors as answers, pages.
#![allow(clippy::type_complexity, reason = "what a handler leaves behind for its test")]

use std::sync::{Arc, Mutex};

use aludel::prelude::*;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::faults_support::{Author, Book, long_query, poll_once, until};
use crate::support::{TestDb, needs};

async fn add(session: Session, Path(name): Path<String>) -> StatusCode {
    session.add(Author::build().name(name));
    StatusCode::CREATED
}

async fn add_and_commit(session: Session, Path(name): Path<String>) -> Result<StatusCode> {
    session.add(Author::build().name(name));
    session.commit().await?;
    Ok(StatusCode::CREATED)
}

async fn add_and_refuse(session: Session, Path(name): Path<String>) -> Result<StatusCode> {
    session.add(Author::build().name(name));
    session.flush().await?;
    Ok(StatusCode::BAD_REQUEST)
}

async fn add_and_panic(session: Session, Path(name): Path<String>) -> StatusCode {
    session.add(Author::build().name(name));
    session.flush().await.unwrap();
    panic!("a fault of the handler");
}

async fn add_and_wait(session: Session, Path(name): Path<String>) -> StatusCode {
    session.add(Author::build().name(name));
    session.flush().await.unwrap();
    std::future::pending().await
}

async fn orphan(session: Session) -> Result<StatusCode> {
    session.add(Book::build().title("nobody's").author_id(99));
    session.commit().await?;
    Ok(StatusCode::CREATED)
}

async fn one(session: Session, Path(id): Path<i64>) -> Result<Json<Entity<Author>>> {
    Ok(Json(session.get_or_404(id).await?))
}

async fn described(session: Session, Path(id): Path<i64>) -> Result<Json<Entity<Author>>> {
    Ok(Json(session.get::<Author>(id).await?.or_404("no such author")?))
}

async fn list(session: Session, page: PageQuery) -> Result<Json<Page<Entity<Author>>>> {
    Ok(Json(Author::query().order_by(Author::name).paginate(&session, page).await?))
}

fn app(db: &Db) -> Router {
    Router::new()
        .route("/add/{name}", post(add))
        .route("/commit/{name}", post(add_and_commit))
        .route("/refuse/{name}", post(add_and_refuse))
        .route("/panic/{name}", post(add_and_panic))
        .route("/wait/{name}", post(add_and_wait))
        .route("/orphan", post(orphan))
        .route("/authors", get(list))
        .route("/authors/{id}", get(one))
        .route("/described/{id}", get(described))
        .layer(db.layer())
}

async fn db(teardown: Teardown) -> TestDb {
    TestDb::connect(Db::builder().models((Author::TABLE, Book::TABLE)).teardown(teardown)).await
}

async fn send(db: &Db, request: Request<Body>) -> (StatusCode, Value) {
    let response = app(db).oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn to(method: &str, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).body(Body::empty()).unwrap()
}

async fn names(db: &Db) -> Vec<String> {
    Author::query().order_by(Author::name).select(Author::name).all(&db.session()).await.unwrap()
}

#[tokio::test]
async fn rollback_is_the_default_and_a_commit_in_the_handler_stays() {
    let db = db(Teardown::default()).await;
    assert_eq!(send(&db, to("POST", "/add/ann")).await.0, StatusCode::CREATED);
    assert!(names(&db).await.is_empty());
    assert_eq!(send(&db, to("POST", "/commit/bob")).await.0, StatusCode::CREATED);
    assert_eq!(names(&db).await, ["bob"]);
}

#[tokio::test]
async fn commit_on_success_commits_below_400_and_rolls_back_above() {
    let db = db(Teardown::CommitOnSuccess).await;
    assert_eq!(send(&db, to("POST", "/add/ann")).await.0, StatusCode::CREATED);
    assert_eq!(send(&db, to("POST", "/refuse/bob")).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(names(&db).await, ["ann"]);
}

#[tokio::test]
async fn a_commit_that_fails_at_the_end_becomes_the_answer() {
    let db = db(Teardown::CommitOnSuccess).await;
    send(&db, to("POST", "/add/ann")).await;
    let (status, body) = send(&db, to("POST", "/add/ann")).await;
    assert_eq!((status, &body["error"]), (StatusCode::CONFLICT, &json!("conflict")));
    assert_eq!(names(&db).await, ["ann"]);
}

#[tokio::test]
async fn a_handler_that_keeps_a_failed_flush_to_itself_does_not_end_well() {
    async fn handler(session: Session) -> StatusCode {
        session.add(Author::build().name("ann"));
        session.add(Author::build().name("ann"));
        let _ = session.flush().await;
        StatusCode::CREATED
    }
    let db = db(Teardown::CommitOnSuccess).await;
    let app = Router::new().route("/", post(handler)).layer(db.layer());
    let response = app.oneshot(to("POST", "/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(names(&db).await.is_empty());
}

#[tokio::test]
async fn the_layer_of_some_routes_may_end_them_otherwise() {
    let db = db(Teardown::Rollback).await;
    let app = Router::new().route("/add/{name}", post(add)).layer(db.layer().teardown(Teardown::CommitOnSuccess));
    app.oneshot(to("POST", "/add/ann")).await.unwrap();
    assert_eq!(names(&db).await, ["ann"]);
}

#[tokio::test]
async fn a_panic_rolls_back() {
    let db = db(Teardown::CommitOnSuccess).await;
    let request = tokio::spawn(app(&db).oneshot(to("POST", "/panic/ann")));
    assert!(request.await.unwrap_err().is_panic());
    assert!(names(&db).await.is_empty());
    // and the right to write is free again
    assert_eq!(send(&db, to("POST", "/add/bob")).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_dropped_request_rolls_back() {
    let db = db(Teardown::CommitOnSuccess).await;
    let request = app(&db).oneshot(to("POST", "/wait/ann"));
    let mut request = Box::pin(request);
    assert!(poll_once(request.as_mut()).is_pending());
    drop(request);
    assert!(names(&db).await.is_empty());
    assert_eq!(send(&db, to("POST", "/add/bob")).await.0, StatusCode::CREATED);
}

/// Begins a long query on a clone of the session, so that it is under way when the request is answered.
async fn add_beside_a_statement(session: Session, Path(name): Path<String>) -> StatusCode {
    let mut query = Box::pin(long_query(&session));
    assert!(poll_once(query.as_mut()).is_pending());
    tokio::spawn(query);
    session.add(Author::build().name(name));
    StatusCode::CREATED
}

#[tokio::test]
async fn commit_on_success_commits_though_a_statement_of_another_clone_is_under_way() {
    let db = db(Teardown::CommitOnSuccess).await;
    let app = Router::new().route("/{name}", post(add_beside_a_statement)).layer(db.layer());
    let response = app.oneshot(to("POST", "/ann")).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(names(&db).await, ["ann"]);
}

#[tokio::test]
async fn a_statement_under_way_that_only_reads_is_no_uncommitted_work() {
    let db = db(Teardown::Rollback).await;
    async fn read(session: Session) -> StatusCode {
        let mut query = Box::pin(long_query(&session));
        assert!(poll_once(query.as_mut()).is_pending());
        tokio::spawn(query);
        StatusCode::OK
    }
    let warnings = Warnings::default();
    let guard = tracing::subscriber::set_default(warnings.clone());
    let app = Router::new().route("/", get(read)).layer(db.layer());
    assert_eq!(app.oneshot(to("GET", "/")).await.unwrap().status(), StatusCode::OK);
    drop(guard);
    assert_eq!(*warnings.0.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_that_goes_away_while_the_session_is_being_closed_leaves_nothing_open() {
    needs!(Sqlite, "a handler that comes to its end in one poll");
    let db = db(Teardown::Rollback).await;
    let kept = Arc::new(Mutex::new(None));
    let keeper = Arc::clone(&kept);
    let handler = async move |session: Session| {
        session.add(Author::build().name("ann"));
        session.flush().await.unwrap();
        let mut query = Box::pin(long_query(&session));
        assert!(poll_once(query.as_mut()).is_pending());
        tokio::spawn(query);
        *keeper.lock().unwrap() = Some(session);
        StatusCode::NO_CONTENT
    };
    let mut request = Box::pin(Router::new().route("/", post(handler)).layer(db.layer()).oneshot(to("POST", "/")));
    // The request is answered and waits for the long query to end before it closes the session.
    assert!(poll_once(request.as_mut()).is_pending());
    drop(request);
    // A clone is still held: only the closing itself can have given the right to write back.
    assert!(kept.lock().unwrap().is_some());
    assert_eq!(send(&db, to("POST", "/commit/bob")).await.0, StatusCode::CREATED);
    assert_eq!(names(&db).await, ["bob"]);
    assert!(kept.lock().unwrap().as_ref().unwrap().is_closed());
}

#[tokio::test]
async fn a_task_that_keeps_the_session_is_told_that_it_is_closed() {
    let db = db(Teardown::Rollback).await;
    let kept = Arc::new(Mutex::new(None));
    let keeper = Arc::clone(&kept);
    let handler = async move |session: Session| {
        let author = session.add(Author::build().name("ann"));
        session.commit().await.unwrap();
        *keeper.lock().unwrap() = Some((session, author));
        StatusCode::NO_CONTENT
    };
    Router::new().route("/", post(handler)).layer(db.layer()).oneshot(to("POST", "/")).await.unwrap();
    let (session, author) = kept.lock().unwrap().take().unwrap();
    // what was loaded stays readable
    assert_eq!(author.name, "ann");
    for error in [
        Author::query().all(&session).await.unwrap_err(),
        session.commit().await.unwrap_err(),
        session.begin().await.unwrap_err(),
        author.load(Author::books).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Detached);
        let text = error.to_string();
        assert!(text.starts_with("the session is closed") && text.contains("db.session()"), "{text}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_cut_the_commit() {
    let db = db(Teardown::CommitOnSuccess).await;
    // One thread: the commit's task cannot have run when the request is first seen waiting for it.
    let mut request = Box::pin(app(&db).oneshot(to("POST", "/add/ann")));
    assert!(poll_once(request.as_mut()).is_pending());
    drop(request);
    until(async || names(&db).await == ["ann"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_requests_of_which_some_are_dropped_every_answered_one_is_committed() {
    let db = db(Teardown::CommitOnSuccess).await;
    let mut random: u32 = 2024;
    let mut requests = Vec::new();
    for number in 0..96 {
        let app = app(&db);
        requests.push(tokio::spawn(app.oneshot(to("POST", &format!("/add/n{number:02}")))));
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        for _ in 0..random >> 30 {
            tokio::task::yield_now().await;
        }
        if random & 1 << 20 == 0 {
            requests[(random >> 8) as usize % requests.len()].abort();
        }
    }
    let mut answered = Vec::new();
    for (number, request) in requests.into_iter().enumerate() {
        match request.await {
            Ok(response) => {
                assert_eq!(response.unwrap().status(), StatusCode::CREATED);
                answered.push(format!("n{number:02}"));
            }
            Err(dropped) => assert!(dropped.is_cancelled()),
        }
    }
    let written = names(&db).await;
    assert!(answered.iter().all(|name| written.contains(name)));
    assert!(!answered.is_empty());
    // nobody who was dropped keeps the right to write or a connection
    for number in 0..20 {
        assert_eq!(send(&db, to("POST", &format!("/commit/after{number}"))).await.0, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn violations_are_409_with_nothing_written_and_nothing_told() {
    let db = db(Teardown::Rollback).await;
    send(&db, to("POST", "/commit/ann")).await;
    for uri in ["/commit/ann", "/orphan"] {
        let (status, body) = send(&db, to("POST", uri)).await;
        assert_eq!((status, &body["error"]), (StatusCode::CONFLICT, &json!("conflict")), "{uri}");
        let text = body.to_string().to_lowercase();
        for secret in ["insert", "author", "ann", "99", "sqlite"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(names(&db).await, ["ann"]);
}

#[tokio::test]
async fn a_unique_violation_knows_its_constraint() {
    let db = db(Teardown::Rollback).await;
    let session = db.session();
    session.add(Author::build().name("ann"));
    session.add(Author::build().name("ann"));
    let error = session.commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UniqueViolation);
    assert_eq!((error.table(), error.constraint()), (Some("author"), Some("uq_author_name")));
}

#[tokio::test]
async fn what_is_not_there_is_404_with_its_description() {
    let db = db(Teardown::Rollback).await;
    let (status, body) = send(&db, to("GET", "/authors/7")).await;
    assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    assert_eq!(send(&db, to("GET", "/described/7")).await.1["message"], "no such author");
}

#[tokio::test]
async fn a_page_of_entities_is_flat_json_and_one_past_the_end_404() {
    let db = db(Teardown::Rollback).await;
    for name in ["b", "a", "c"] {
        send(&db, to("POST", &format!("/commit/{name}"))).await;
    }
    let (status, body) = send(&db, to("GET", "/authors?page=2&per_page=2")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["items"], json!([{ "id": 3, "name": "c" }]));
    assert_eq!((&body["total"], &body["pages"], &body["has_prev"]), (&json!(3), &json!(2), &json!(true)));
    for uri in ["/authors?page=3&per_page=2", "/authors?page=abc", "/authors?page=0"] {
        assert_eq!(send(&db, to("GET", uri)).await.0, StatusCode::NOT_FOUND, "{uri}");
    }
    let walked: Vec<u64> = {
        let session = db.session();
        let mut page =
            Author::query().order_by(Author::name).paginate(&session, PageQuery::new(1).per_page(2)).await.unwrap();
        let mut seen = vec![page.len() as u64];
        while page.has_next {
            page = Author::query().order_by(Author::name).paginate(&session, page.next_query()).await.unwrap();
            seen.push(page.len() as u64);
        }
        assert_eq!(page.total, Some(3));
        seen
    };
    assert_eq!(walked, [2, 1]);
}

#[tokio::test]
async fn a_scope_commits_by_itself_only_with_commit_on_success() {
    for (teardown, expected) in [(Teardown::Rollback, 0), (Teardown::CommitOnSuccess, 1)] {
        let db = db(teardown).await;
        db.scope(async |session| {
            session.add(Author::build().name("ann"));
            session.flush().await
        })
        .await
        .unwrap();
        assert_eq!(names(&db).await.len(), expected, "{teardown:?}");
    }
}

#[tokio::test]
async fn a_transaction_commits_at_the_end_and_rolls_back_on_an_error() {
    let db = db(Teardown::Rollback).await;
    db.transaction(async |session| {
        session.add(Author::build().name("ann"));
        Ok(())
    })
    .await
    .unwrap();
    let refused: Result<()> = db
        .transaction(async |session| {
            session.add(Author::build().name("bob"));
            session.flush().await?;
            Err(Error::abort("not today"))
        })
        .await;
    assert_eq!(refused.unwrap_err().downcast::<&str>().unwrap(), "not today");
    assert_eq!(names(&db).await, ["ann"]);
}

#[tokio::test]
async fn transactions_that_read_before_they_write_lose_no_update() {
    needs!(Sqlite, "one writer at a time; on servers READ COMMITTED is what was asked for");
    let db = db(Teardown::Rollback).await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                db.transaction(async |session| {
                    let count = Author::query().count(&session).await?;
                    session.add(Author::build().name(format!("{count:02}")));
                    Ok(())
                })
                .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(names(&db).await.len(), 20);
}

#[tokio::test]
async fn create_all_leaves_what_is_there_alone_and_drop_all_removes_it() {
    let db = db(Teardown::Rollback).await;
    send(&db, to("POST", "/commit/ann")).await;
    db.create_all().await.unwrap();
    assert_eq!(names(&db).await, ["ann"]);
    db.drop_all().await.unwrap();
    let error = Author::query().count(&db.session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTable);
    db.drop_all().await.unwrap();
    db.create_all().await.unwrap();
    assert!(names(&db).await.is_empty());
}

#[tokio::test]
async fn models_replaces_the_registered_ones() {
    needs!(Sqlite, "databases in memory");
    let db = Db::builder().models(Author::TABLE).test().await.unwrap();
    let tables: Vec<_> = db.metadata().tables().iter().map(|table| table.name.clone()).collect();
    assert_eq!(tables, ["author"]);
    let db = Db::test().await.unwrap();
    assert!(db.metadata().table("author").is_some() && db.metadata().table("book").is_some());
}

/// Keeps the messages of warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Message<'a>(&'a mut Vec<String>);
        impl tracing::field::Visit for Message<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0.push(format!("{value:?}"));
                }
            }
        }
        event.record(&mut Message(&mut self.0.lock().unwrap()));
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn changes_that_nobody_committed_are_warned_about_once_and_only_after_success() {
    let db = db(Teardown::Rollback).await;
    let warnings = Warnings::default();
    let guard = tracing::subscriber::set_default(warnings.clone());
    send(&db, to("POST", "/commit/ann")).await;
    send(&db, to("POST", "/refuse/bob")).await;
    send(&db, to("GET", "/authors")).await;
    assert!(warnings.0.lock().unwrap().is_empty());
    send(&db, to("POST", "/add/cid")).await;
    drop(guard);
    let warnings = warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("session.commit().await?"), "{warnings:?}");
}
