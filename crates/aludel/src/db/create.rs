//! Creating and dropping the tables.

use std::panic::Location;

use crate::engine::reflect::reflect;
use crate::engine::{BeginMode, PooledConnection};
use crate::error::Result;
use crate::schema::{MetaData, NamingConvention};
use crate::sql::{Dialect, ddl};

use super::Db;

impl Db {
    /// Creates the tables and indexes that are not there yet. A table that exists is left alone, and never altered: that
    /// is what migrations are for.
    ///
    /// All of them are created, or none; except on MariaDB and MySQL, which commit each table by itself: what was
    /// created before an error stays, and the next call goes on from there.
    ///
    /// # Errors
    /// `Config` when the models do not fit together; `Busy` when the database stayed locked; what else the database
    /// says.
    #[track_caller]
    pub fn create_all(&self) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            let dialect = self.shared.engine.dialect();
            let mut connection = self.shared.engine.acquire(at).await?;
            begin(&mut connection, dialect).await?;
            let existing = existing_tables(&mut connection, dialect).await?;
            run(&mut connection, ddl::create_all(dialect, self.metadata(), &existing)?).await?;
            commit(&mut connection).await
        }
    }

    /// Drops the tables of the models that are there, with all their rows; other tables are left alone. All of them are
    /// dropped, or none; on MariaDB and MySQL, which commit each by itself, an error leaves those that come after it.
    ///
    /// # Errors
    /// `ForeignKeyViolation` when a table that is no model's refers to one that is dropped; `Busy` when the database
    /// stayed locked; what else the database says.
    #[track_caller]
    pub fn drop_all(&self) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            let dialect = self.shared.engine.dialect();
            let mut connection = self.shared.engine.acquire(at).await?;
            begin(&mut connection, dialect).await?;
            run(&mut connection, ddl::drop_all(dialect, self.metadata())?).await?;
            commit(&mut connection).await
        }
    }
}

impl Db {
    /// What is in the database: its tables with columns, keys, constraints and indexes, under the names that they have
    /// there. Of a server it is what its current schema or database has. Views, and indexes over expressions or with a
    /// condition, are left out.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// use aludel::prelude::*;
    /// use aludel::schema::SqlType;
    ///
    /// let db = Db::connect("sqlite://").await?;
    /// let session = db.session();
    /// session.sql("CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)").execute().await?;
    /// session.commit().await?;
    /// let metadata = db.reflect().await?;
    /// let tag = metadata.table("tag").unwrap();
    /// assert!(tag.is_primary_key("id"));
    /// assert_eq!(tag.column("name").unwrap().ty, SqlType::String(Some(20)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Connection`, `PoolTimeout`; what else the database reports.
    #[track_caller]
    pub fn reflect(&self) -> impl Future<Output = Result<MetaData>> + Send {
        let at = Location::caller();
        async move {
            let mut connection = self.shared.engine.acquire(at).await?;
            let mut metadata = MetaData::new(NamingConvention::none());
            for table in reflect(&mut connection).await? {
                metadata.add_table(table)?;
            }
            Ok(metadata)
        }
    }
}

/// Begins a transaction where it can hold changes of the schema. MariaDB and MySQL commit each of them by itself.
async fn begin(connection: &mut PooledConnection, dialect: Dialect) -> Result<()> {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => connection.begin(BeginMode::Immediate).await,
        Dialect::MariaDb | Dialect::MySql => Ok(()),
    }
}

async fn commit(connection: &mut PooledConnection) -> Result<()> {
    if connection.in_transaction() { connection.commit().await } else { Ok(()) }
}

/// Runs statements in the connection's transaction. An error drops the connection, which rolls back.
async fn run(connection: &mut PooledConnection, statements: Vec<String>) -> Result<()> {
    for statement in statements {
        connection.execute_batch(&statement).await?;
    }
    Ok(())
}

async fn existing_tables(connection: &mut PooledConnection, dialect: Dialect) -> Result<Vec<String>> {
    let mut names = Vec::new();
    connection
        .fetch(ddl::existing_tables(dialect), &[], &mut |row| {
            names.push(row.text(0)?.to_owned());
            Ok(())
        })
        .await?;
    Ok(names)
}
