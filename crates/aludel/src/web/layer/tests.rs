//! The life of a request's session; what it does to rows is tested from outside, with models.

use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use tower::{ServiceExt, service_fn};

use crate::{Db, Session};

use super::*;

async fn db() -> Db {
    Db::builder().uri("sqlite://").models([]).connect().await.unwrap()
}

fn request() -> Request<Body> {
    Request::get("/").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_request_has_one_session_however_it_is_asked_for() {
    async fn handler(one: Session, other: Session) -> Result<String> {
        Ok(format!("{}", one.is_same(&other) && one.is_same(&Session::current()?)))
    }
    let app = Router::new().route("/", get(handler)).layer(db().await.layer());
    let response = app.oneshot(request()).await.unwrap();
    assert_eq!(axum::body::to_bytes(response.into_body(), 100).await.unwrap(), "true");
}

#[tokio::test]
async fn each_request_has_a_session_of_its_own_which_ends_with_it() {
    static KEPT: Mutex<Vec<Session>> = Mutex::new(Vec::new());
    async fn handler(session: Session) -> &'static str {
        assert!(!session.is_closed());
        KEPT.lock().unwrap().push(session);
        "kept"
    }
    let app = Router::new().route("/", get(handler)).layer(db().await.layer());
    for _ in 0..2 {
        assert_eq!(app.clone().oneshot(request()).await.unwrap().status(), StatusCode::OK);
    }
    let kept = KEPT.lock().unwrap();
    assert!(kept.iter().all(Session::is_closed));
    assert!(!kept[0].is_same(&kept[1]));
}

#[tokio::test]
async fn without_the_layer_the_answer_is_500_and_tells_nothing() {
    async fn handler(_: Session) {}
    let app: Router = Router::new().route("/", get(handler));
    let response = app.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("layer"));
}

#[tokio::test]
async fn a_request_that_is_dropped_or_panics_ends_its_session() {
    let (db, kept) = (db().await, Arc::new(Mutex::new(Vec::new())));
    let service = |end: fn()| {
        let kept = Arc::clone(&kept);
        db.layer().layer(service_fn(move |_: Request<()>| {
            let kept = Arc::clone(&kept);
            async move {
                kept.lock().unwrap().push(Session::current().unwrap());
                end();
                std::future::pending::<Result<Response<String>, Infallible>>().await
            }
        }))
    };
    let waiting = service(|| {}).oneshot(Request::new(()));
    assert!(tokio::time::timeout(Duration::from_millis(1), waiting).await.is_err());
    let panicking = tokio::spawn(service(|| panic!("a fault of the handler")).oneshot(Request::new(())));
    assert!(panicking.await.unwrap_err().is_panic());

    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(Session::is_closed));
}

#[tokio::test]
async fn whoever_asks_after_the_end_is_told_that_the_request_has_ended() {
    let kept = Arc::new(Mutex::new(None));
    let keeper = Arc::clone(&kept);
    let service = db().await.layer().layer(service_fn(move |request: Request<()>| {
        *keeper.lock().unwrap() = request.extensions().get::<Scope>().cloned();
        async { Ok::<_, Infallible>(Response::new(String::new())) }
    }));
    service.oneshot(Request::new(())).await.unwrap();
    let error = kept.lock().unwrap().take().unwrap().session().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Detached);
}

#[tokio::test]
async fn an_error_of_the_service_below_passes() {
    let service = db().await.layer().layer(service_fn(|_: Request<()>| async {
        Session::current().unwrap();
        Err::<Response<String>, _>("broken below")
    }));
    assert_eq!(service.oneshot(Request::new(())).await.unwrap_err(), "broken below");
}
