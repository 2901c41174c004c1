//! Several reads in one round trip.

use std::panic::Location;

use super::Session;
use super::lock::Turn;
use super::shared::Bind;
use crate::engine::row::Row;
use crate::engine::{Engine, Several, SinkOfSeveral};
use crate::error::{ErrorKind, Result};
use crate::sql::Value;

/// A statement's text and values.
type Read<'a> = (&'a str, &'a [Value<'a>]);

impl Session {
    /// Reads that do not need each other's rows, in one round trip where the database takes several at once. The rows are
    /// handed to `sink` with the place of their statement, statement by statement.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch), of the first that fails.
    pub(super) async fn fetch_all(
        &self,
        bind: Bind,
        statements: &[Read<'_>],
        at: &'static Location<'static>,
        sink: SinkOfSeveral<'_>,
    ) -> Result<()> {
        tokio::task::coop::consume_budget().await;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        self.check()?;
        // In the session's turn: a flush that was under way has made its keys.
        let params = statements.iter().map(|(_, params)| self.with_keys(params)).collect::<Result<Vec<_>>>()?;
        let statements: Vec<Read<'_>> =
            statements.iter().zip(&params).map(|((sql, _), params)| (*sql, params.as_ref())).collect();
        if let Some(connection) = &mut turn.connection {
            self.check_open(connection)?;
            let result = outcome(connection.execute_all(&statements, sink).await);
            return self.settle(&turn, result);
        }
        if self.reads_from_replicas(bind) {
            return self.fetch_one_by_one(&mut turn, &statements, at, sink).await;
        }
        let result = Self::fetch_all_on(self.inner.db().engine(bind), &statements, at, sink).await;
        self.settle(&turn, result)
    }

    /// Each on the replica whose turn it is.
    async fn fetch_one_by_one(
        &self,
        turn: &mut Turn<'_>,
        statements: &[Read<'_>],
        at: &'static Location<'static>,
        sink: SinkOfSeveral<'_>,
    ) -> Result<()> {
        for (place, (sql, params)) in statements.iter().enumerate() {
            self.fetch_in(turn, sql, params, at, &mut |row| sink(place, row)).await?;
        }
        Ok(())
    }

    /// Reads on a connection borrowed for them. Where the server has cut that off and no row has come, they are read again
    /// on a new one: outside a transaction nothing is lost by it.
    async fn fetch_all_on(
        engine: &Engine,
        statements: &[Read<'_>],
        at: &'static Location<'static>,
        sink: SinkOfSeveral<'_>,
    ) -> Result<()> {
        let mut handed = false;
        let mut noting = |place: usize, row: &Row<'_>| {
            handed = true;
            sink(place, row)
        };
        let result = outcome(engine.acquire(at).await?.execute_all(statements, &mut noting).await);
        match result {
            Err(error) if error.kind() == ErrorKind::Connection && engine.is_server() && !handed => {
                engine.connection_lost();
                outcome(engine.acquire(at).await?.execute_all(statements, sink).await)
            }
            result => result,
        }
    }
}

fn outcome(several: Several) -> Result<()> {
    several.failed.map_or(Ok(()), |(_, error)| Err(error))
}
