//! Diesel itself.

/// A contender on one backend.
macro_rules! contender {
    ($backend:ident, $connection:ident, $memory:expr) => {
        pub mod $backend {
            use ::diesel::connection::SimpleConnection as _;
            use ::diesel::prelude::*;

            use super::super::schema::{Comment, NewUser, Post, User, posts, users};
            use crate::backend::Database;
            use crate::contender::{Bench, Contender};
            use crate::grouping::Tree;
            use crate::workload::{ADDED, CHANGED, Case, Workload, changed_name};

            struct Diesel($connection);

            /// Connects to an empty database.
            pub fn open(database: &Database) -> Box<dyn Contender> {
                let memory: Option<&str> = $memory;
                let url = memory.map_or_else(|| url(&database.url()), String::from);
                Box::new(Diesel($connection::establish(&url).unwrap()))
            }

            /// libmysqlclient's name of a parameter that the other drivers call `socket`.
            fn url(url: &str) -> String {
                url.replace("?socket=", "?unix_socket=")
            }

            /// Runs one statement on a server.
            #[allow(dead_code, reason = "SQLite's databases are not created")]
            pub fn execute(server: &str, sql: &str) {
                $connection::establish(&url(server)).unwrap().batch_execute(sql).unwrap();
            }

            impl Contender for Diesel {
                fn execute(&mut self, sql: &str) {
                    self.0.batch_execute(sql).unwrap();
                }

                fn run(&mut self, case: Case, bench: &mut Bench) {
                    let connection = &mut self.0;
                    match (case.workload, case.size) {
                        (Workload::TrivialQuery, _) => bench.run(|| load_users(connection)),
                        (Workload::MediumComplexQuery, _) => bench.run(|| load_users_with_posts(connection)),
                        (Workload::LoadingAssociationsSequentially | Workload::ThreeLevels, _) => {
                            bench.run(|| load_tree(connection))
                        }
                        // Diesel caches the statement of an array, whose size is part of its type, but not of a `Vec`.
                        (Workload::Insert, 1) => bench.run(|| insert_users::<1>(connection)),
                        (Workload::Insert, 10) => bench.run(|| insert_users::<10>(connection)),
                        (Workload::Insert, 25) => bench.run(|| insert_users::<25>(connection)),
                        (Workload::Insert, 50) => bench.run(|| insert_users::<50>(connection)),
                        (Workload::Insert, 100) => bench.run(|| insert_users::<100>(connection)),
                        (Workload::InsertMany, size) => bench.run(|| insert_many(connection, size)),
                        (Workload::UnitOfWork, size) => bench.run(|| change_users(connection, size)),
                        (Workload::Insert, size) => unimplemented!("a batch of {size}"),
                    }
                }
            }

            super::super::operations!($connection);
        }
    };
}

contender!(sqlite, SqliteConnection, Some(":memory:"));
#[cfg(feature = "postgres")]
contender!(postgres, PgConnection, None);
#[cfg(feature = "mariadb")]
contender!(mariadb, MysqlConnection, None);
