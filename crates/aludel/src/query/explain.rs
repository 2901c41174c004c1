//! How the database will run a query.

use std::panic::Location;

use crate::engine::row::Row;
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::sql::Dialect;

use super::Query;
use super::draft::Prepared;
use super::fetch::Fetch;

impl<M: Model, R: Fetch> Query<M, R> {
    /// How the database would run the query, in its own words: the lines of `EXPLAIN QUERY PLAN` on SQLite, of `EXPLAIN` on
    /// PostgreSQL, and the JSON of `EXPLAIN FORMAT=JSON` on MariaDB and MySQL. The query itself is not run.
    ///
    /// ```standalone_crate
    /// # use aludel::prelude::*;
    /// # #[derive(Model, Clone, Debug)]
    /// # struct User {
    /// #     #[column(primary_key)]
    /// #     id: i64,
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let plan = User::query().filter(User::id.eq(1)).explain(&session).await?;
    /// assert_eq!(plan, "SEARCH user USING INTEGER PRIMARY KEY (rowid=?)");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`all`](Query::all).
    #[track_caller]
    pub fn explain(self, session: &Session) -> impl Future<Output = Result<String>> + Send {
        let at = Location::caller();
        let dialect = session.dialect_of(M::def());
        let prefix = match dialect {
            Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
            Dialect::Postgres => "EXPLAIN ",
            Dialect::MariaDb | Dialect::MySql => "EXPLAIN FORMAT=JSON ",
        };
        let prepared = self.draft.prepare(session.rendering_of(M::def()));
        async move { explain::<M>(session, prefix, prepared?, at).await }
    }

    /// The same, with what was measured while the query ran: `EXPLAIN ANALYZE` on PostgreSQL and MySQL, `ANALYZE
    /// FORMAT=JSON` on MariaDB. The query is run, and its rows are thrown away.
    ///
    /// # Errors
    /// `Unsupported` on SQLite, which measures nothing; otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn explain_analyze(self, session: &Session) -> impl Future<Output = Result<String>> + Send {
        let at = Location::caller();
        let dialect = session.dialect_of(M::def());
        let prefix = match dialect {
            Dialect::Sqlite => Err(Error::new(
                ErrorKind::Unsupported,
                "explain_analyze: SQLite measures no queries; `explain` says how it would run one",
            )),
            Dialect::Postgres => Ok("EXPLAIN (ANALYZE, BUFFERS) "),
            Dialect::MariaDb => Ok("ANALYZE FORMAT=JSON "),
            Dialect::MySql => Ok("EXPLAIN ANALYZE "),
        };
        let prepared = self.draft.prepare(session.rendering_of(M::def()));
        async move { explain::<M>(session, prefix?, prepared?, at).await }
    }
}

async fn explain<M: Model>(
    session: &Session,
    prefix: &str,
    prepared: Prepared,
    at: &'static Location<'static>,
) -> Result<String> {
    let (def, sqlite) = (M::def(), session.dialect_of(M::def()) == Dialect::Sqlite);
    session.autoflush(at).await?;
    let bind = session.bind_of(def)?;
    if prepared.locks {
        session.begin_of(bind, at).await?;
    }
    let mut lines = Vec::new();
    // Of each step that SQLite names: its number, and how deep it is in others.
    let mut depths: Vec<(i64, usize)> = Vec::new();
    let mut sink = |row: &Row<'_>| {
        if sqlite {
            let (step, parent) = (row.integer(0)?, row.integer(1)?);
            let depth = depths.iter().find(|(other, _)| *other == parent).map_or(0, |(_, depth)| depth + 1);
            depths.push((step, depth));
            lines.push(format!("{:1$}{2}", "", 2 * depth, row.text(3)?));
        } else {
            lines.push(row.text(0)?.to_owned());
        }
        Ok(())
    };
    let sql = format!("{prefix}{}", prepared.sql);
    session.fetch(bind, &sql, &prepared.params, at, &mut sink).await?;
    Ok(lines.join("\n"))
}
