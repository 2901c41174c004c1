//! diesel-async 0.9, on tokio-postgres and mysql_async.

/// A contender on one backend.
macro_rules! contender {
    ($backend:ident, $connection:ident) => {
        pub mod $backend {
            use ::diesel::prelude::{BelongingToDsl as _, ExpressionMethods as _, GroupedBy as _, QueryDsl as _};
            use diesel_async::{$connection, AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
            use tokio::runtime::Runtime;

            use super::super::schema::{Comment, NewUser, Post, User, posts, users};
            use crate::backend::Database;
            use crate::contender::{Bench, Contender};
            use crate::grouping::Tree;
            use crate::workload::{ADDED, CHANGED, Case, Workload, changed_name};

            struct Diesel {
                runtime: Runtime,
                connection: $connection,
            }

            /// Connects to an empty database.
            pub fn open(database: &Database) -> Box<dyn Contender> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let connection = runtime.block_on($connection::establish(&database.url())).unwrap();
                Box::new(Diesel { runtime, connection })
            }

            impl Contender for Diesel {
                fn execute(&mut self, sql: &str) {
                    self.runtime.block_on(self.connection.batch_execute(sql)).unwrap();
                }

                fn run(&mut self, case: Case, bench: &mut Bench) {
                    self.runtime.block_on(run(&mut self.connection, case, bench));
                }
            }

            async fn run(connection: &mut $connection, case: Case, bench: &mut Bench) {
                match (case.workload, case.size) {
                    (Workload::TrivialQuery, _) => bench.run_async(async || load_users(connection).await).await,
                    (Workload::MediumComplexQuery, _) => {
                        bench.run_async(async || load_users_with_posts(connection).await).await;
                    }
                    (Workload::LoadingAssociationsSequentially | Workload::ThreeLevels, _) => {
                        bench.run_async(async || load_tree(connection).await).await;
                    }
                    (Workload::Insert, 1) => bench.run_async(async || insert_users::<1>(connection).await).await,
                    (Workload::Insert, 10) => bench.run_async(async || insert_users::<10>(connection).await).await,
                    (Workload::Insert, 25) => bench.run_async(async || insert_users::<25>(connection).await).await,
                    (Workload::Insert, 50) => bench.run_async(async || insert_users::<50>(connection).await).await,
                    (Workload::Insert, 100) => bench.run_async(async || insert_users::<100>(connection).await).await,
                    (Workload::InsertMany, size) => {
                        bench.run_async(async || insert_many(connection, size).await).await;
                    }
                    (Workload::UnitOfWork, size) => bench.run_async(async || change_users(connection, size).await).await,
                    (Workload::Insert, size) => unimplemented!("a batch of {size}"),
                }
            }

            super::super::operations!($connection, async await);
        }
    };
}

#[cfg(feature = "mariadb")]
contender!(mariadb, AsyncMysqlConnection);
#[cfg(feature = "postgres")]
contender!(postgres, AsyncPgConnection);
