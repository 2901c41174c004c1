//! The quickstart's router alone, on a database in memory.

// `main` and what only it uses is not called here.
#[allow(dead_code)]
#[path = "../src/main.rs"]
mod quickstart;

use std::sync::{Arc, Mutex};

use aludel::prelude::*;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use quickstart::{Post, User, app};
use tower::ServiceExt;

/// Keeps the statements that are logged.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Statements {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "aludel::sql"
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

/// A database in memory with a user of so many posts.
async fn with_posts(posts: usize) -> Db {
    let config = Config::new("sqlite://").engine(EngineOptions::new().echo(true));
    let db = Db::connect(config).await.unwrap();
    db.create_all().await.unwrap();
    let session = db.session();
    let ann = session.add(User::build().username("ann").email("ann@example.com"));
    for number in 0..posts {
        session.add(Post::build().title(format!("post {number}")).content("text").author(&ann));
    }
    session.commit().await.unwrap();
    db
}

async fn send(db: &Db, method: &str, uri: &str, body: Body) -> (StatusCode, Vec<String>) {
    let statements = Statements::default();
    let guard = tracing::subscriber::set_default(statements.clone());
    let request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
    let response = app(db).oneshot(request.body(body).unwrap()).await.unwrap();
    drop(guard);
    let sent = statements.0.lock().unwrap().clone();
    (response.status(), sent)
}

#[tokio::test]
async fn a_user_is_shown_in_two_statements_however_many_posts_there_are() {
    for posts in [0, 1, 600] {
        let (status, sent) = send(&with_posts(posts).await, "GET", "/users/1", Body::empty()).await;
        assert_eq!((status, sent.len()), (StatusCode::OK, 2), "{sent:?}");
        assert!(sent.iter().all(|sql| sql.starts_with("SELECT")), "{sent:?}");
    }
}

#[tokio::test]
async fn only_the_column_that_was_set_is_updated() {
    let db = with_posts(1).await;
    let (status, sent) = send(&db, "PATCH", "/users/1", Body::from("\"new@example.com\"")).await;
    assert_eq!(status, StatusCode::OK);
    let update = sent.iter().find(|sql| sql.starts_with("UPDATE")).unwrap();
    assert_eq!(update, "UPDATE \"user\" SET \"email\" = ? WHERE \"id\" = ?");
    assert_eq!(sent.len(), 4, "SELECT, BEGIN, UPDATE, COMMIT: {sent:?}");
}

#[tokio::test]
async fn a_value_that_is_set_to_what_it_is_writes_nothing() {
    let db = with_posts(1).await;
    let (status, sent) = send(&db, "PATCH", "/users/1", Body::from("\"ann@example.com\"")).await;
    assert_eq!((status, sent.len()), (StatusCode::OK, 1), "{sent:?}");
}

#[tokio::test]
async fn a_request_that_does_not_reach_the_database_sends_nothing() {
    let db = with_posts(0).await;
    let (status, sent) = send(&db, "POST", "/users", Body::from("{")).await;
    assert_eq!((status, sent), (StatusCode::BAD_REQUEST, Vec::new()));
}
