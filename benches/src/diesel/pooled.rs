//! Diesel with r2d2, as web applications use it: each operation takes its connection out of the pool and puts it back.

#![allow(dead_code, reason = "it only reads")]

use ::diesel::connection::SimpleConnection as _;
use ::diesel::prelude::*;
use ::diesel::r2d2::{ConnectionManager, Pool};

use super::schema::{Comment, NewUser, Post, User, posts, users};
use crate::backend::Database;
use crate::contender::{Bench, Contender};
use crate::grouping::Tree;
use crate::workload::{ADDED, CHANGED, Case, Workload, changed_name};

struct Pooled(Pool<ConnectionManager<SqliteConnection>>);

/// Opens a pool of one connection to an empty database in memory. It does not ask the connection whether it is alive
/// each time, as is r2d2's default: that would be a statement more.
pub fn open(_: &Database) -> Box<dyn Contender> {
    let manager = ConnectionManager::new(":memory:");
    Box::new(Pooled(Pool::builder().max_size(1).test_on_check_out(false).build(manager).unwrap()))
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
