//! How late a timer fires while other tasks of the same runtime load many rows.

#[path = "../models.rs"]
mod models;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use aludel::prelude::*;
use models::User;

const WORKERS: usize = 2;
const TASKS: usize = 4;
const ASKED: Duration = Duration::from_millis(1);
const LIMIT: Duration = Duration::from_millis(5);

fn main() -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().expect("a runtime");
    println!("{WORKERS} workers; a task sleeps {ASKED:?} again and again, {TASKS} others load; lateness in ms\n");
    println!("| each load | loads/s | p50 | p99 | max |");
    println!("|---|---:|---:|---:|---:|");
    let worst = runtime.block_on(async {
        let db = Db::test().await?;
        row("nothing", None, 0, Duration::from_secs(2)).await;
        fill(&db, 1).await?;
        row("1 row", Some(&db), TASKS, Duration::from_secs(2)).await;
        fill(&db, 9_999).await?;
        Ok::<_, Error>(row("10 000 rows", Some(&db), TASKS, Duration::from_secs(5)).await)
    })?;
    println!("\nThe goal is a p99 below {LIMIT:?}: {}.", if worst < LIMIT { "met" } else { "missed" });
    Ok(())
}

async fn fill(db: &Db, rows: usize) -> Result<()> {
    let session = db.session();
    User::insert_all((0..rows).map(|i| User::build().name(format!("User {i}")))).execute(&session).await?;
    session.commit().await
}

/// Measures and prints one row of the table; its p99.
async fn row(name: &str, db: Option<&Db>, tasks: usize, time: Duration) -> Duration {
    let end = Instant::now() + time;
    let loads = Arc::new(AtomicUsize::new(0));
    let loaders: Vec<_> = db
        .into_iter()
        .flat_map(|db| std::iter::repeat_n(db, tasks))
        .map(|db| tokio::spawn(load_until(end, db.clone(), loads.clone())))
        .collect();
    // A task of its own, so that a worker runs it as any other: `block_on` has a thread for itself.
    let mut lateness = tokio::spawn(sleep_until(end, Instant::now())).await.expect("the sleeper");
    for loader in loaders {
        loader.await.expect("a loader");
    }
    lateness.sort();
    let at = |part: f64| lateness[((lateness.len() - 1) as f64 * part) as usize];
    let ms = |part| at(part).as_secs_f64() * 1e3;
    let loads = loads.load(Relaxed) as f64 / time.as_secs_f64();
    println!("| {name} | {loads:.0} | {:.2} | {:.2} | {:.2} |", ms(0.5), ms(0.99), ms(1.0));
    at(0.99)
}

async fn load_until(end: Instant, db: Db, loads: Arc<AtomicUsize>) {
    while Instant::now() < end {
        let users = User::query().all(&db.session()).await.expect("users");
        assert!(!users.is_empty());
        loads.fetch_add(1, Relaxed);
    }
}

/// How late each sleep ended. The first counts from `start`: the task itself may be kept waiting.
async fn sleep_until(end: Instant, mut start: Instant) -> Vec<Duration> {
    let mut lateness = Vec::new();
    loop {
        tokio::time::sleep(ASKED).await;
        let now = Instant::now();
        lateness.push((now - start).saturating_sub(ASKED));
        if now >= end {
            return lateness;
        }
        start = now;
    }
}
