//! Diesel with r2d2, as web applications use it: each operation takes its connection out of the pool and puts it back,
//! where it is asked or, as asynchronous applications have to, on a thread that may block.

#![allow(dead_code, reason = "it only reads")]

use ::diesel::connection::SimpleConnection as _;
use ::diesel::prelude::*;
use ::diesel::r2d2::{ConnectionManager, Pool};
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;

use super::schema::{Comment, NewUser, Post, User, posts, users};
use crate::backend::Database;
use crate::contender::{Bench, Contender};
use crate::grouping::Tree;
use crate::workload::{ADDED, CHANGED, Case, Workload, changed_name};

type Connections = Pool<ConnectionManager<SqliteConnection>>;

struct Pooled(Connections);

/// Opens a pool of one connection to an empty database in memory.
pub fn open(_: &Database) -> Box<dyn Contender> {
    Box::new(Pooled(pool()))
}

/// A pool that does not ask the connection whether it is alive each time, as is r2d2's default: that would be a statement
/// more.
fn pool() -> Connections {
    let manager = ConnectionManager::new(":memory:");
    Pool::builder().max_size(1).test_on_check_out(false).build(manager).unwrap()
}

struct Blocking {
    runtime: Runtime,
    pool: Connections,
}

/// Opens a pool of one connection to an empty database in memory, which is used by `spawn_blocking`.
pub fn open_blocking(_: &Database) -> Box<dyn Contender> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Box::new(Blocking { runtime, pool: pool() })
}

impl Blocking {
    async fn on_thread<T: Send + 'static>(pool: &Connections, load: fn(&mut SqliteConnection) -> T) -> T {
        let pool = pool.clone();
        spawn_blocking(move || load(&mut pool.get().unwrap())).await.unwrap()
    }
}

impl Contender for Blocking {
    fn execute(&mut self, sql: &str) {
        self.pool.get().unwrap().batch_execute(sql).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let Self { runtime, pool } = self;
        runtime.block_on(async {
            match case.workload {
                Workload::TrivialQuery => bench.run_async(async || Self::on_thread(pool, load_users).await).await,
                Workload::MediumComplexQuery => {
                    bench.run_async(async || Self::on_thread(pool, load_users_with_posts).await).await;
                }
                Workload::LoadingAssociationsSequentially => {
                    bench.run_async(async || Self::on_thread(pool, load_tree).await).await;
                }
                other => unreachable!("{}: it only reads", other.name()),
            }
        });
    }
}

impl Contender for Pooled {
    fn execute(&mut self, sql: &str) {
        self.0.get().unwrap().batch_execute(sql).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let pool = &self.0;
        match case.workload {
            Workload::TrivialQuery => bench.run(|| load_users(&mut pool.get().unwrap())),
            Workload::MediumComplexQuery => bench.run(|| load_users_with_posts(&mut pool.get().unwrap())),
            Workload::LoadingAssociationsSequentially => bench.run(|| load_tree(&mut pool.get().unwrap())),
            other => unreachable!("{}: it only reads", other.name()),
        }
    }
}

super::operations!(SqliteConnection);
