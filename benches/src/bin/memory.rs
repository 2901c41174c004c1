//! How many bytes a session holds for the rows it has loaded, next to a plain `Vec` of the same values.
#![allow(unsafe_code, reason = "an allocator that counts")]

#[path = "../models.rs"]
mod models;

use std::alloc::{GlobalAlloc, Layout, System};
use std::mem::size_of;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use aludel::prelude::*;
use models::User;

const ROWS: usize = 10_000;
const LIMIT: f64 = 1.5;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static BLOCKS: AtomicUsize = AtomicUsize::new(0);

/// Counts what is allocated and not freed yet, as it was asked for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Relaxed);
        BLOCKS.fetch_add(1, Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        BLOCKS.fetch_sub(1, Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(start, layout) }
    }
}

/// What is held, in bytes and in blocks.
#[derive(Clone, Copy)]
struct Held {
    bytes: f64,
    blocks: f64,
}

/// What is allocated now.
fn held() -> Held {
    Held { bytes: BYTES.load(Relaxed) as f64, blocks: BLOCKS.load(Relaxed) as f64 }
}

/// What `make`'s result holds, and the result.
async fn measured<T>(make: impl Future<Output = T>) -> (Held, T) {
    let before = held();
    let made = make.await;
    let after = held();
    (Held { bytes: after.bytes - before.bytes, blocks: after.blocks - before.blocks }, made)
}

/// The columns alone, without a place for the relationship.
struct Columns {
    _id: i32,
    _name: String,
    _hair_color: Option<String>,
}

fn columns(user: &User) -> Columns {
    Columns { _id: user.id, _name: user.name.clone(), _hair_color: user.hair_color.clone() }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!(
        "{ROWS} users: bytes (blocks) a row; `User` has {} bytes, and an `Entity<User>` {}",
        size_of::<User>(),
        size_of::<Entity<User>>()
    );
    println!("\n| hair colour | session and entities | `Vec<User>` | ratio | `Vec` of the columns alone | ratio |");
    println!("|---|---:|---:|---:|---:|---:|");
    for hair_color in [None, Some("black")] {
        runtime.block_on(compare(hair_color))?;
    }
    println!("\nThe limit for the ratio to `Vec<User>` is {LIMIT}.");
    Ok(())
}

async fn compare(hair_color: Option<&str>) -> Result<()> {
    let db = Db::connect("sqlite://").await?;
    db.create_all().await?;
    let session = db.session();
    let users = (0..ROWS).map(|i| User::build().name(format!("User {i}")).hair_color(hair_color.map(str::to_owned)));
    User::insert_all(users).execute(&session).await?;
    session.commit().await?;
    drop(session);
    // The first load fills the cache of statements.
    drop(load(&db).await?);
    let (tracked, loaded) = measured(load(&db)).await;
    let (_session, entities) = loaded?;
    let (plain, _values) =
        measured(async { entities.iter().map(|user| (**user).clone()).collect::<Vec<User>>() }).await;
    let (bare, _values) = measured(async { entities.iter().map(|user| columns(user)).collect::<Vec<Columns>>() }).await;
    println!(
        "| {} | {} | {} | {:.2} | {} | {:.2} |",
        hair_color.unwrap_or("NULL"),
        a_row(tracked),
        a_row(plain),
        tracked.bytes / plain.bytes,
        a_row(bare),
        tracked.bytes / bare.bytes,
    );
    Ok(())
}

async fn load(db: &Db) -> Result<(Session, Vec<Entity<User>>)> {
    let session = db.session();
    let users = User::query().all(&session).await?;
    Ok((session, users))
}

fn a_row(held: Held) -> String {
    format!("{:.1} ({:.2})", held.bytes / ROWS as f64, held.blocks / ROWS as f64)
}
