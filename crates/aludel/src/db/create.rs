//! Creating and dropping the tables.

use std::borrow::Cow;
use std::panic::Location;

use crate::engine::reflect::reflect;
use crate::engine::{BeginMode, PooledConnection};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{MetaData, NamingConvention};
use crate::session::shared::{DEFAULT, Database};
use crate::sql::{Dialect, SchemaTranslation, ddl};

use super::Db;

impl Db {
    /// Creates the tables and indexes that are not there yet, of all binds. A table that exists is left alone, and never
    /// altered: that is what migrations are for. In each database all of them are created, or none; but MariaDB and MySQL
    /// commit each change of the schema by itself.
    ///
    /// # Errors
    /// `Config` when the models do not fit together, or one names a bind that is not set; `Busy` when the database
    /// stayed locked; what else the database says.
    #[track_caller]
    pub fn create_all(&self) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            self.shared.check_binds()?;
            for database in self.shared.databases() {
                create(database, self.shared.schemas.as_ref(), at).await?;
            }
            Ok(())
        }
    }

    /// [`create_all`](Db::create_all) of one bind.
    ///
    /// # Errors
    /// `Config` when the bind is not set; otherwise as [`create_all`](Db::create_all).
    #[track_caller]
    pub fn create_all_of(&self, bind: &str) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            let database = self.shared.database(self.shared.bind_named(bind)?);
            create(database, self.shared.schemas.as_ref(), at).await
        }
    }

    /// Drops the tables of the models that are there, of all binds, with all their rows; other tables are left alone. In
    /// each database all of them are dropped, or none; but MariaDB and MySQL commit each change of the schema by itself.
    ///
    /// # Errors
    /// `ForeignKeyViolation` when a table that is no model's refers to one that is dropped; `Config` when a model names
    /// a bind that is not set; `Busy` when the database stayed locked; what else the database says.
    #[track_caller]
    pub fn drop_all(&self) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            self.shared.check_binds()?;
            for database in self.shared.databases() {
                drop_tables(database, self.shared.schemas.as_ref(), at).await?;
            }
            Ok(())
        }
    }

    /// [`drop_all`](Db::drop_all) of one bind.
    ///
    /// # Errors
    /// `Config` when the bind is not set; otherwise as [`drop_all`](Db::drop_all).
    #[track_caller]
    pub fn drop_all_of(&self, bind: &str) -> impl Future<Output = Result<()>> + Send {
        let at = Location::caller();
        async move {
            let database = self.shared.database(self.shared.bind_named(bind)?);
            drop_tables(database, self.shared.schemas.as_ref(), at).await
        }
    }

    /// What is in the default database: its tables with columns, keys, constraints and indexes, under the names that they
    /// have there. Of a server it is what its current schema or database has. Views, and indexes over expressions or with
    /// a condition, are left out.
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
        async move { tables_of(self.shared.database(DEFAULT), None, at).await }
    }

    /// What is in the database of a bind: see [`reflect`](Db::reflect).
    ///
    /// # Errors
    /// `Config` when the bind is not set; otherwise as [`reflect`](Db::reflect).
    #[track_caller]
    pub fn reflect_of(&self, bind: &str) -> impl Future<Output = Result<MetaData>> + Send {
        let at = Location::caller();
        async move { tables_of(self.shared.database(self.shared.bind_named(bind)?), None, at).await }
    }

    /// What is in another schema of the default database's server, or in another database of MariaDB's: its tables have
    /// `schema` set, and so have the targets of their foreign keys, unless those are in the connection's own schema. A
    /// schema that does not exist has no tables.
    ///
    /// # Errors
    /// `Unsupported` on SQLite, whose databases are read as binds; otherwise as [`reflect`](Db::reflect).
    #[track_caller]
    pub fn reflect_schema(&self, schema: &str) -> impl Future<Output = Result<MetaData>> + Send {
        let at = Location::caller();
        async move { tables_of(self.shared.database(DEFAULT), Some(schema), at).await }
    }

    /// The same on the server of a bind.
    ///
    /// # Errors
    /// `Config` when the bind is not set; otherwise as [`reflect_schema`](Db::reflect_schema).
    #[track_caller]
    pub fn reflect_schema_of(&self, bind: &str, schema: &str) -> impl Future<Output = Result<MetaData>> + Send {
        let at = Location::caller();
        async move { tables_of(self.shared.database(self.shared.bind_named(bind)?), Some(schema), at).await }
    }
}

type Schemas<'a> = Option<&'a SchemaTranslation>;

async fn create(database: &Database, schemas: Schemas<'_>, at: &'static Location<'static>) -> Result<()> {
    let dialect = database.engine.dialect();
    let metadata = translated(database, schemas)?;
    let mut connection = database.engine.acquire(at).await?;
    begin(&mut connection, dialect).await?;
    let mut existing = names(&mut connection, ddl::existing_tables(dialect)).await?;
    let known = match metadata.schemas()[..] {
        [] => Vec::new(),
        _ => names(&mut connection, ddl::existing_schemas(dialect)).await?,
    };
    for schema in metadata.schemas() {
        if dialect == Dialect::Sqlite && !known.iter().any(|name| name.eq_ignore_ascii_case(schema)) {
            return Err(not_attached(&metadata, schema));
        }
        if known.iter().any(|name| name == schema) {
            let tables = names(&mut connection, &ddl::existing_tables_in(dialect, schema)).await?;
            existing.extend(tables.into_iter().map(|table| format!("{schema}.{table}")));
        }
    }
    let mut statements = ddl::create_all(dialect, &metadata, &existing)?;
    // To create a schema that is there takes a right that the program may not have.
    let there: Vec<_> = known.iter().filter_map(|schema| ddl::create_schema(dialect, schema)).collect();
    statements.retain(|statement| !there.contains(statement));
    run(&mut connection, statements).await?;
    commit(&mut connection).await
}

async fn drop_tables(database: &Database, schemas: Schemas<'_>, at: &'static Location<'static>) -> Result<()> {
    let dialect = database.engine.dialect();
    let metadata = translated(database, schemas)?;
    let mut connection = database.engine.acquire(at).await?;
    begin(&mut connection, dialect).await?;
    run(&mut connection, ddl::drop_all(dialect, &metadata)?).await?;
    commit(&mut connection).await
}

/// The tables of a database, in the schemas of its names.
fn translated<'a>(database: &'a Database, schemas: Schemas<'_>) -> Result<Cow<'a, MetaData>> {
    match schemas {
        None => Ok(Cow::Borrowed(&database.metadata)),
        Some(schemas) => Ok(Cow::Owned(database.metadata.translated(schemas)?)),
    }
}

#[cold]
fn not_attached(metadata: &MetaData, schema: &str) -> Error {
    let table = metadata.tables().iter().find(|table| table.schema.as_deref() == Some(schema));
    let table = table.map_or("a table".to_owned(), |table| format!("table `{}`", table.key()));
    let message = format!(
        "{table} is in the schema `{schema}`, and SQLite has no schemas but attached databases, of which none has this name: \
         take it out of the schema with `db.translate_schemas([(\"{schema}\", None)])`, or give the models a bind"
    );
    Error::new(ErrorKind::Unsupported, message)
}

async fn tables_of(database: &Database, schema: Option<&str>, at: &'static Location<'static>) -> Result<MetaData> {
    let mut connection = database.engine.acquire(at).await?;
    let mut metadata = MetaData::new(NamingConvention::none());
    let reflected = reflect(&mut connection, schema).await?;
    for table in reflected.tables {
        metadata.add_table(table)?;
    }
    for view in reflected.views {
        metadata.add_view(view)?;
    }
    Ok(metadata)
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

async fn names(connection: &mut PooledConnection, sql: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    connection
        .fetch(sql, &[], &mut |row| {
            names.push(row.text(0)?.to_owned());
            Ok(())
        })
        .await?;
    Ok(names)
}
