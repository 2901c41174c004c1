//! A pool whose connections all have slow holders.

use std::sync::Arc;
use std::time::Instant;

use aludel::prelude::*;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::get;
use tokio::sync::{Semaphore, mpsc};

use super::{every_connection_works, figure, scale, send};
use crate::faults_support::{Author, Book};
use crate::support::TestDb;

/// How many connections there are.
const CONNECTIONS: usize = 4;

#[derive(Clone)]
struct Slow {
    holding: mpsc::UnboundedSender<()>,
    release: Arc<Semaphore>,
}

/// Keeps a connection until it is told to let go.
async fn hold(State(slow): State<Slow>, session: Session) -> Result<StatusCode> {
    let mut stream = Author::query().stream(&session);
    stream.next().await.transpose()?;
    slow.holding.send(()).unwrap();
    slow.release.acquire().await.unwrap().forget();
    while stream.next().await.transpose()?.is_some() {}
    Ok(StatusCode::OK)
}

async fn read(session: Session) -> Result<String> {
    Ok(Author::query().count(&session).await?.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_holders_of_all_connections_make_others_503_in_the_time_set() {
    let requests = scale(50, 1000);
    let limit = Duration::from_millis(250);
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let options = EngineOptions::new().pool_size(2).max_overflow(CONNECTIONS - 2).pool_timeout(limit);
    let pool = db.again(options).await;
    let seed = pool.session();
    seed.add_all((0..600).map(|number| Author::build().name(format!("{number}"))));
    seed.commit().await.unwrap();
    let (holding, mut held) = mpsc::unbounded_channel();
    let release = Arc::new(Semaphore::new(0));
    let app = Router::new()
        .route("/slow", get(hold))
        .route("/", get(read))
        .layer(pool.layer())
        .with_state(Slow { holding, release: Arc::clone(&release) });

    let slow: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(send(app.clone(), "GET", "/slow"))).collect();
    for _ in 0..CONNECTIONS {
        held.recv().await.unwrap();
    }
    assert_eq!(pool.pool_status().in_use, CONNECTIONS);
    let waiting: Vec<_> = (0..requests)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                let start = Instant::now();
                (send(app, "GET", "/").await, start.elapsed())
            })
        })
        .collect();
    let mut waits = Vec::new();
    for request in waiting {
        let ((status, headers), waited) = request.await.unwrap();
        assert_eq!((status, &headers[header::RETRY_AFTER]), (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap()));
        waits.push(waited);
    }
    let error = Author::query().count(&pool.session()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PoolTimeout);
    assert!(error.to_string().contains("pool.rs:"), "it names who has them: {error}");

    release.add_permits(CONNECTIONS);
    for request in slow {
        assert_eq!(request.await.unwrap().0, StatusCode::OK);
    }
    assert_eq!(send(app, "GET", "/").await.0, StatusCode::OK);
    every_connection_works(&pool).await;
    waits.sort_unstable();
    figure(
        "Pool exhausted by slow holders",
        &format!(
            "{CONNECTIONS} connections held, `pool_timeout` {limit:?}: {requests} of {requests} requests answered 503 with \
             Retry-After, after {:.0?} (median; least {:.0?}, most {:.0?}); afterwards all connections work",
            waits[waits.len() / 2],
            waits[0],
            waits[waits.len() - 1],
        ),
    );
}
