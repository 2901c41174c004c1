//! What errors mean over HTTP and on their way out of a handler, a scope or a transaction.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aludel::prelude::*;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::faults_support::{Author, Book, Shelf};
use crate::support::{TestDb, native, needs};

/// The tables of the authors and the books.
async fn database() -> TestDb {
    TestDb::of((Author::TABLE, Book::TABLE)).await
}

/// The names of the authors as they are committed.
fn names(db: &TestDb) -> Vec<String> {
    db.rows("SELECT name FROM author ORDER BY name")
}

/// The error type of an application that has errors of its own beside the database's.
#[derive(Debug)]
enum AppError {
    OutOfStock,
    Database(Error),
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::OutOfStock => (StatusCode::GONE, "sold out").into_response(),
            Self::Database(error) => error.into_response(),
        }
    }
}

async fn send(app: Router, method: &str, uri: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn a_handler_of_an_error_type_of_its_own_takes_ours_with_a_question_mark() {
    async fn handler(session: Session, Path(name): Path<String>) -> Result<StatusCode, AppError> {
        if name == "gone" {
            return Err(AppError::OutOfStock);
        }
        session.add(Author::build().name(name));
        session.commit().await?;
        Ok(StatusCode::CREATED)
    }
    let shelf = database().await;
    let app = || Router::new().route("/{name}", post(handler)).layer(shelf.db.layer());
    assert_eq!(send(app(), "POST", "/ann").await.0, StatusCode::CREATED);
    assert_eq!(send(app(), "POST", "/gone").await.2, "sold out");
    let (status, headers, body) = send(app(), "POST", "/ann").await;
    assert_eq!((status, &headers[header::CONTENT_TYPE]), (StatusCode::CONFLICT, &"application/json".parse().unwrap()));
    let expected = json!({ "error": "conflict", "message": "a row with the same value exists already" });
    assert_eq!(json_of(&body), expected);
    assert_eq!(names(&shelf), ["ann"]);
}

#[tokio::test]
async fn a_not_found_of_the_404_family_keeps_its_mark_through_a_scope_and_a_transaction() {
    async fn in_scope(session: Session, db: Db) -> Result<Json<Entity<Author>>> {
        drop(session);
        db.scope(async |session| Ok(Json(session.get_or_404::<Author>(7).await?))).await
    }
    async fn in_transaction(db: Db) -> Result<StatusCode> {
        db.transaction(async |session| {
            session.get::<Author>(7).await?.or_404("no such author")?;
            Ok(StatusCode::OK)
        })
        .await
    }
    async fn plain(db: Db) -> Result<StatusCode> {
        db.scope(async |session| session.get_one::<Author>(7).await.map(|_| StatusCode::OK)).await
    }
    let shelf = database().await;
    let (scoped, transacted, other) = (shelf.db.clone(), shelf.db.clone(), shelf.db.clone());
    let app = Router::new()
        .route("/scope", get(async move |session: Session| in_scope(session, scoped).await))
        .route("/transaction", get(async move || in_transaction(transacted).await))
        .route("/plain", get(async move || plain(other).await))
        .layer(shelf.db.layer());
    let (status, _, body) = send(app.clone(), "GET", "/scope").await;
    assert_eq!((status, &json_of(&body)["error"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let (status, _, body) = send(app.clone(), "GET", "/transaction").await;
    assert_eq!((status, &json_of(&body)["message"]), (StatusCode::NOT_FOUND, &json!("no such author")));
    // A row that the program took for granted is the program's fault.
    assert_eq!(send(app, "GET", "/plain").await.0, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn an_application_s_reason_comes_out_of_scope_and_transaction_with_nothing_written() {
    #[derive(Debug, PartialEq)]
    struct OutOfStock(u32);
    let shelf = database().await;
    let scoped: Result<()> = shelf
        .db
        .scope(async |session| {
            session.add(Author::build().name("ann"));
            session.flush().await?;
            Err(Error::abort(OutOfStock(1)))
        })
        .await;
    assert_eq!(scoped.unwrap_err().downcast::<OutOfStock>().unwrap(), OutOfStock(1));
    let transacted: Result<()> = shelf
        .db
        .transaction(async |session| {
            session.add(Author::build().name("bob"));
            session.flush().await?;
            Err(Error::abort(OutOfStock(2)))
        })
        .await;
    // asked for another type, it stays what it is
    let error = transacted.unwrap_err().downcast::<String>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert_eq!(error.to_string(), "the application ended the transaction");
    assert_eq!(error.downcast::<OutOfStock>().unwrap(), OutOfStock(2));
    assert_eq!(names(&shelf), Vec::<String>::new());
    shelf.change("UPDATE author SET name = name");
}

#[tokio::test]
async fn a_full_pool_and_a_locked_database_are_503_with_retry_after() {
    async fn read(session: Session) -> Result<String> {
        Ok(Author::query().count(&session).await?.to_string())
    }
    async fn write(session: Session) -> Result<StatusCode> {
        session.add(Author::build().name("bob"));
        session.commit().await?;
        Ok(StatusCode::CREATED)
    }
    let limit = Duration::from_millis(20);
    needs!(Sqlite, "one writer at a time");
    for (connections, method) in [(1, "GET"), (2, "POST")] {
        let options = EngineOptions::new().pool_size(connections).max_overflow(0);
        let shelf = Shelf::with(options.pool_timeout(limit).busy_timeout(limit)).await;
        let app = Router::new().route("/", get(read).post(write)).layer(shelf.db.layer());
        let holder = shelf.db.session();
        holder.begin().await.unwrap();
        let (status, headers, body) = send(app.clone(), method, "/").await;
        assert_eq!((status, &headers[header::RETRY_AFTER]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
        let expected = json!({ "error": "unavailable", "message": "the database is busy; try again shortly" });
        assert_eq!(json_of(&body), expected);
        holder.rollback().await.unwrap();
        assert!(send(app, method, "/").await.0.is_success());
    }
}

/// Keeps what is logged as an error.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Logged {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);
        impl tracing::field::Visit for Fields {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{}={value:?} ", field.name());
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn without_the_layer_the_extractor_is_500_and_the_log_names_the_cure() {
    async fn handler(_: Session) {}
    async fn current() -> Result<()> {
        Session::current().map(drop)
    }
    let logged = Logged::default();
    let guard = tracing::subscriber::set_default(logged.clone());
    let app = Router::new().route("/users/{id}", get(handler)).route("/current", get(current));
    for uri in ["/users/1", "/current"] {
        let (status, _, body) = send(app.clone(), "GET", uri).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        let expected =
            json!({ "error": "internal_server_error", "message": "the server could not answer the request" });
        assert_eq!(json_of(&body), expected);
    }
    drop(guard);
    let logged = logged.0.lock().unwrap();
    assert_eq!(logged.len(), 2);
    assert!(logged[0].contains("no session for GET /users/1: add `.layer(db.layer())` to the router"), "{logged:?}");
    assert!(logged[1].contains("no session here: add `.layer(db.layer())` to the router"), "{logged:?}");
}

#[tokio::test]
async fn a_server_s_fault_tells_the_log_all_and_the_client_nothing() {
    async fn handler(session: Session) -> Result<String> {
        let names =
            session.sql(&native("SELECT secret FROM author WHERE name = ?")).bind("hunter2").all::<String>().await?;
        Ok(names.concat())
    }
    let shelf = database().await;
    let logged = Logged::default();
    let guard = tracing::subscriber::set_default(logged.clone());
    let app = Router::new().route("/", get(handler)).layer(shelf.db.layer());
    let (status, _, body) = send(app, "GET", "/").await;
    drop(guard);
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    for word in ["secret", "author", "hunter2", "SELECT", "shelf"] {
        assert!(!body.contains(word), "{body}");
    }
    let logged = logged.0.lock().unwrap().concat();
    assert!(
        logged.contains("kind=MissingTable") && logged.contains(&native("SELECT secret FROM author WHERE name = ?")),
        "{logged}"
    );
    assert!(logged.contains("the column `secret` does not exist"), "{logged}");
    // values are never logged
    assert!(!logged.contains("hunter2"), "{logged}");
}

#[tokio::test]
async fn current_is_the_request_s_session_for_code_that_is_handed_none() {
    /// Deep in the program, where nobody handed a session down.
    async fn author_named(name: &str) -> Result<Entity<Author>> {
        let session = Session::current()?;
        let author = session.add(Author::build().name(name));
        session.flush().await?;
        Ok(author)
    }
    async fn handler(session: Session) -> Result<Json<Vec<bool>>> {
        let author = author_named("ann").await?;
        let spawned = tokio::spawn(async { Session::current().is_err() }).await.unwrap();
        session.commit().await?;
        let same = session.get::<Author>(author.id).await?.is_some_and(|found| found == author);
        Ok(Json(vec![Session::current()?.is_same(&session), same, spawned]))
    }
    /// Nobody asks for the session by argument: it is opened by `current`.
    async fn lazily() -> Result<StatusCode> {
        let _ = author_named("bob").await?;
        Session::current()?.commit().await?;
        Ok(StatusCode::CREATED)
    }
    let shelf = database().await;
    let app = Router::new().route("/", get(handler).post(lazily)).layer(shelf.db.layer());
    assert_eq!(send(app.clone(), "GET", "/").await.2, "[true,true,true]");
    assert_eq!(send(app, "POST", "/").await.0, StatusCode::CREATED);
    assert_eq!(names(&shelf), ["ann", "bob"]);
    assert_eq!(Session::current().unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn requests_at_the_same_time_do_not_see_each_other_s_session() {
    async fn handler(session: Session, Path(name): Path<String>) -> Result<String> {
        let author = session.add(Author::build().name(name));
        tokio::task::yield_now().await;
        session.flush().await?;
        tokio::task::yield_now().await;
        let same = Session::current()?.is_same(&session);
        session.commit().await?;
        Ok(format!("{}:{same}", author.name))
    }
    let shelf = database().await;
    let app = Router::new().route("/{name}", post(handler)).layer(shelf.db.layer());
    let requests: Vec<_> = (0..32)
        .map(|number| {
            let app = app.clone();
            tokio::spawn(async move { send(app, "POST", &format!("/n{number:02}")).await })
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        let (status, _, body) = request.await.unwrap();
        assert_eq!((status, body), (StatusCode::OK, format!("n{number:02}:true")));
    }
    assert_eq!(names(&shelf).len(), 32);
}

#[tokio::test]
async fn a_body_that_streams_after_the_session_has_closed_has_a_connection_of_its_own() {
    async fn handler(session: Session) -> Response {
        let rows = Author::query().order_by(Author::id).select(Author::name).stream(&session);
        Body::from_stream(Names(rows)).into_response()
    }
    let shelf = database().await;
    let session = shelf.db.session();
    Author::insert_all((0..2000).map(|number| Author::build().name(format!("{number:04}"))))
        .execute(&session)
        .await
        .unwrap();
    session.commit().await.unwrap();
    let app = Router::new().route("/", get(handler)).layer(shelf.db.layer());
    let (status, _, body) = send(app, "GET", "/").await;
    assert_eq!((status, body.len()), (StatusCode::OK, 2000 * 5));
    assert!(body.starts_with("0000\n0001\n") && body.ends_with("1999\n"));
}

/// The rows of a stream as chunks of a body.
struct Names(aludel::query::RowStream<String>);

impl futures_core::Stream for Names {
    type Item = Result<String>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let rows = std::pin::Pin::new(&mut self.0);
        rows.poll_next(context).map(|row| row.map(|row| row.map(|name| name + "\n")))
    }
}

#[tokio::test]
async fn a_foreign_key_violation_and_a_row_still_in_use_are_409() {
    async fn orphan(session: Session) -> Result<StatusCode> {
        session.add(Book::build().title("nobody's").author_id(99));
        session.commit().await?;
        Ok(StatusCode::CREATED)
    }
    async fn in_use(session: Session) -> Result<StatusCode> {
        let author = session.get_or_404::<Author>(1).await?;
        session.delete(&author);
        session.commit().await?;
        Ok(StatusCode::NO_CONTENT)
    }
    let shelf = database().await;
    let session = shelf.db.session();
    let ann = session.add(Author::build().name("ann"));
    session.add(Book::build().title("hers").author(&ann));
    session.commit().await.unwrap();
    let app = Router::new().route("/", post(orphan).delete(in_use)).layer(shelf.db.layer());
    for method in ["POST", "DELETE"] {
        let (status, _, body) = send(app.clone(), method, "/").await;
        assert_eq!(status, StatusCode::CONFLICT, "{method}");
        let message = "the row refers to one that does not exist, or others still refer to it";
        assert_eq!(json_of(&body), json!({ "error": "conflict", "message": message }));
    }
    assert_eq!(names(&shelf), ["ann"]);
}
