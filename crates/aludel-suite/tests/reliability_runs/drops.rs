//! Requests whose clients go away at any moment.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Instant;

use aludel::prelude::*;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::{Random, every_connection_works, figure, no_transaction_is_open, scale, send};
use crate::faults_support::{Author, Book, until};
use crate::support::{Backend, TestDb};

/// What was committed, as the handlers know it.
type Committed = Arc<Mutex<Vec<String>>>;

/// Writes in three steps, reads what it wrote, and commits.
async fn write(State(committed): State<Committed>, session: Session, Path(number): Path<u64>) -> Result<StatusCode> {
    let author = session.add(Author::build().name(format!("{number:06}")));
    session.flush().await?;
    session.add_all((0..2).map(|_| Book::build().title("hers").author(&author)));
    let found = Author::query().filter(Author::id.eq(author.id)).with(Author::books).one(&session).await?;
    assert_eq!(found.books.get()?.len(), 2);
    author.set(Author::name, format!("{number:06} twice"));
    session.commit().await?;
    committed.lock().unwrap().push(author.name.clone());
    Ok(StatusCode::CREATED)
}

/// The same in `db.transaction`, in a savepoint of which half is undone.
async fn transact(State(committed): State<Committed>, session: Session, Path(number): Path<u64>) -> Result<StatusCode> {
    let outer = session.add(Author::build().name(format!("{number:06} outer")));
    let savepoint = session.begin_nested().await?;
    session.add_all((0..2).map(|_| Book::build().title("undone").author(&outer)));
    session.flush().await?;
    savepoint.rollback().await?;
    session.add_all((0..2).map(|_| Book::build().title("kept").author(&outer)));
    session.commit().await?;
    committed.lock().unwrap().push(outer.name.clone());
    Ok(StatusCode::CREATED)
}

/// Reads by a query, and then by a stream. Not in it: requests that have one connection and wait for a second can take all
/// of a pool from each other.
async fn read(session: Session) -> Result<StatusCode> {
    Author::query().order_by(Author::id.desc()).limit(20).with(Author::books).all(&session).await?;
    let mut stream = Author::query().order_by(Author::id.desc()).limit(300).stream(&session);
    while stream.next().await.transpose()?.is_some() {}
    Ok(StatusCode::OK)
}

/// Drops a future when it has been polled so many times.
async fn polled_at_most<F: Future>(future: F, polls: u64) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match left.checked_sub(1) {
        None => Poll::Ready(None),
        Some(rest) => {
            left = rest;
            match future.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        }
    })
    .await
}

/// Gives a request some time, and drops it: while it waits at some point, or at whatever instruction it is when its time
/// is over. Its response, if it came before.
async fn cut_off(app: Router, number: u64, random: &mut Random) -> Option<StatusCode> {
    let (method, uri) = match number % 4 {
        0 => ("GET", "/".to_owned()),
        1 => ("POST", format!("/transact/{number}")),
        _ => ("POST", format!("/{number}")),
    };
    // Of those to a server an answer takes longer, and more waits.
    let (most_polls, most_micros) = Backend::current().pick((8, 1500), (40, 25_000), (40, 25_000));
    if random.below(2) == 0 {
        let polls = 1 + random.below(most_polls);
        return polled_at_most(send(app, method, &uri), polls).await.map(|(status, _)| status);
    }
    let request = tokio::spawn(async move { send(app, method, &uri).await.0 });
    let (start, patience) = (Instant::now(), Duration::from_micros(random.below(most_micros)));
    while start.elapsed() < patience && !request.is_finished() {
        tokio::task::yield_now().await;
    }
    request.abort();
    request.await.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_dropped_at_random_moments_leave_nothing_open_and_lose_nothing() {
    let wanted = scale(300, 10_000);
    let db = TestDb::of((Author::TABLE, Book::TABLE)).await;
    let committed = Committed::default();
    let app = Router::new()
        .route("/", get(read))
        .route("/{number}", post(write))
        .route("/transact/{number}", post(transact))
        .layer(db.layer())
        .with_state(Arc::clone(&committed));
    let next = Arc::new(AtomicU64::new(0));
    let (answered, dropped) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..16)
        .map(|client| {
            let (app, next) = (app.clone(), Arc::clone(&next));
            let (answered, dropped) = (Arc::clone(&answered), Arc::clone(&dropped));
            tokio::spawn(async move {
                let mut random = Random::new(client + 1);
                while dropped.load(Ordering::Relaxed) < wanted {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(status) = cut_off(app.clone(), number, &mut random).await else {
                        dropped.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    assert!(status.is_success(), "request {number} was answered with {status}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }

    // What a dropped request has begun on another thread, or has to be cancelled, ends there.
    until(async || db.pool_status().in_use == 0).await;
    no_transaction_is_open(&db).await;
    every_connection_works(&db).await;
    let written = db.rows("SELECT name FROM author ORDER BY name");
    let committed = committed.lock().unwrap().clone();
    let there: std::collections::HashSet<&String> = written.iter().collect();
    let lost = committed.iter().filter(|name| !there.contains(name)).count();
    assert_eq!(lost, 0, "of {} commits", committed.len());
    assert_eq!(db.rows("SELECT count(*) FROM book WHERE title = 'undone'"), ["0"]);
    let wanting = "SELECT count(*) FROM author LEFT JOIN (SELECT author_id, count(*) AS books FROM book GROUP BY author_id) AS b \
                   ON b.author_id = author.id WHERE coalesce(books, 0) <> 2";
    assert_eq!(db.rows(wanting), ["0"], "a part of a transaction is there");
    let (answered, dropped) = (answered.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed));
    assert!(answered > 0, "all requests were dropped");
    assert!(!committed.is_empty());
    let status = db.pool_status();
    figure(
        "Requests dropped at random moments",
        &format!(
            "{dropped} requests dropped before their answer, and {answered} answered; {} commits returned, {} transactions are there, none \
             in part, none lost; 0 transactions open, {} of {} connections in use, all of them work",
            committed.len(),
            written.len(),
            status.in_use,
            status.capacity,
        ),
    );
}
