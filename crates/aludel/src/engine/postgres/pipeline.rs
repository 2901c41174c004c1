//! Several statements in one round trip.

use std::collections::HashSet;
use std::sync::Arc;

use postgres_protocol::message::backend;

use super::answer::Answer;
use super::bind;
use super::connection::Connection;
use super::prepare::Prepared;
use super::row::{PgRow, split};
use crate::engine::connection::{Executed, Several, SinkOfSeveral};
use crate::engine::row::Row;
use crate::error::{Error, Result};
use crate::sql::Value;

/// How many statements go together: their answers, some 20 bytes each, fit into the socket's buffers, so that neither side
/// waits for the other to read.
const TOGETHER: usize = 512;

impl Connection {
    /// Runs statements in one round trip when the connection knows them all, and hands their rows to `sink`. The first that
    /// fails is the last.
    pub(in crate::engine) async fn execute_all(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
        sink: SinkOfSeveral<'_>,
    ) -> Several {
        let mut several = Several { done: Vec::with_capacity(statements.len()), failed: None };
        for together in statements.chunks(TOGETHER) {
            let (before, begins) = (several.done.len(), self.beginning);
            let mut sink = |at: usize, row: &Row<'_>| sink(before + at, row);
            let mut outcome = self.pipeline(together, &mut several.done, &mut sink).await;
            if outcome.is_err() && begins && self.wire.went_before_it_heard() {
                outcome = match self.begin_anew().await {
                    Ok(()) => Box::pin(self.pipeline(together, &mut several.done, &mut sink)).await,
                    Err(error) => Err((Some(0), error)),
                };
            }
            if let Err((at, error)) = outcome {
                let at = at.unwrap_or(several.done.len() - before);
                let sql = together.get(at).map_or("", |(sql, _)| sql);
                several.failed = Some((before + at, error.with_statement(sql)));
                break;
            }
        }
        several
    }

    /// Adds what was done to `done`; the error comes with the statement's place, where that is not the next one's.
    async fn pipeline(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
        done: &mut Vec<Executed>,
        sink: SinkOfSeveral<'_>,
    ) -> Result<(), (Option<usize>, Error)> {
        let (first, _) = statements[0];
        self.ready(Some(first)).await.map_err(|error| (Some(0), error))?;
        // All of them have to stay prepared until they have run.
        let shapes = statements.iter().map(|(sql, _)| sql).collect::<HashSet<_>>().len();
        if shapes > self.cache.capacity() {
            return self.one_by_one(statements, done, sink).await;
        }
        let prepared = self.prepare_all(statements).await.map_err(|(at, error)| (Some(at), error))?;
        let mut at = 0;
        self.request(|connection| {
            for ((_, params), prepared) in statements.iter().zip(&prepared) {
                let output = &mut connection.wire.output;
                bind::write(output, "", &prepared.name, &prepared.parameters, &prepared.columns, params)?;
                connection.execute("", 0)?;
                at += 1;
            }
            Ok(())
        })
        .await
        .map_err(|error| (Some(at.min(statements.len() - 1)), error))?;
        self.outcomes(&prepared, done, sink).await.map_err(|error| (None, error))
    }

    async fn one_by_one(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
        done: &mut Vec<Executed>,
        sink: SinkOfSeveral<'_>,
    ) -> Result<(), (Option<usize>, Error)> {
        for (at, (sql, params)) in statements.iter().enumerate() {
            let fetched = self.fetch(sql, params, &mut |row| sink(at, row)).await.map_err(|error| (None, error))?;
            done.push(fetched.executed);
        }
        Ok(())
    }

    /// Reads what each of the statements has come to, up to the end of the answer.
    async fn outcomes(
        &mut self,
        prepared: &[Arc<Prepared>],
        done: &mut Vec<Executed>,
        sink: SinkOfSeveral<'_>,
    ) -> Result<()> {
        let (before, mut failure, mut refused) = (done.len(), None, None);
        while self.wire.is_owed() {
            let Some(message) = self.wire.buffered()? else {
                self.wire.fill().await?;
                continue;
            };
            match message.tag {
                backend::DATA_ROW_TAG if refused.is_none() => {
                    let at = done.len() - before;
                    let (columns, body) = (&prepared[at].columns, self.wire.body(&message));
                    if !split(body, columns.len(), &mut self.fields) {
                        return Err(self.wire.garbled());
                    }
                    refused = sink(at, &Row::postgres(PgRow::new(body, &self.fields, columns))).err();
                }
                backend::COMMAND_COMPLETE_TAG => {
                    let mut answer = Answer::default();
                    let body = self.wire.body(&message);
                    if body == b"BEGIN\0" {
                        continue;
                    }
                    answer.complete(body);
                    // What came after a row that could not be taken does not count.
                    if refused.is_none() {
                        done.push(Executed { rows_affected: answer.affected, last_insert_id: 0 });
                    }
                }
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    failure.get_or_insert(report);
                }
                _ => {}
            }
        }
        match (refused, failure) {
            (Some(error), _) => Err(error),
            (None, Some(report)) => Err(self.reported(report)),
            (None, None) => Ok(()),
        }
    }
}
