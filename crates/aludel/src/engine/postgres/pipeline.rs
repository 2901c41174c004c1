//! Several statements in one round trip.

use std::collections::HashSet;

use postgres_protocol::message::backend;

use super::answer::Answer;
use super::bind;
use super::connection::Connection;
use crate::engine::connection::{Executed, Several};
use crate::error::{Error, Result};
use crate::sql::Value;

/// How many statements go together: their answers, some 20 bytes each, fit into the socket's buffers, so that neither side
/// waits for the other to read.
const TOGETHER: usize = 512;

impl Connection {
    /// Runs statements that give no rows, in one round trip when the connection knows them all. The first that fails is
    /// the last.
    pub(in crate::engine) async fn execute_all(&mut self, statements: &[(&str, &[Value<'_>])]) -> Several {
        let mut several = Several { done: Vec::with_capacity(statements.len()), failed: None };
        for together in statements.chunks(TOGETHER) {
            let before = several.done.len();
            if let Err((at, error)) = self.pipeline(together, &mut several.done).await {
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
    ) -> Result<(), (Option<usize>, Error)> {
        let (first, _) = statements[0];
        self.ready(Some(first)).await.map_err(|error| (Some(0), error))?;
        // All of them have to stay prepared until they have run.
        let shapes = statements.iter().map(|(sql, _)| sql).collect::<HashSet<_>>().len();
        if shapes > self.cache.capacity() {
            return self.one_by_one(statements, done).await;
        }
        let mut prepared = Vec::with_capacity(statements.len());
        for (at, (sql, _)) in statements.iter().enumerate() {
            prepared.push(self.prepare(sql).await.map_err(|error| (Some(at), error))?);
        }
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
        self.outcomes(done).await.map_err(|error| (None, error))
    }

    async fn one_by_one(
        &mut self,
        statements: &[(&str, &[Value<'_>])],
        done: &mut Vec<Executed>,
    ) -> Result<(), (Option<usize>, Error)> {
        for (sql, params) in statements {
            let fetched = self.fetch(sql, params, &mut |_| Ok(())).await.map_err(|error| (None, error))?;
            done.push(fetched.executed);
        }
        Ok(())
    }

    /// Reads what each of the statements has come to, up to the end of the answer.
    async fn outcomes(&mut self, done: &mut Vec<Executed>) -> Result<()> {
        let mut failure = None;
        while self.wire.is_owed() {
            let Some(message) = self.wire.buffered()? else {
                self.wire.fill().await?;
                continue;
            };
            match message.tag {
                backend::COMMAND_COMPLETE_TAG => {
                    let mut answer = Answer::default();
                    let body = self.wire.body(&message);
                    if body == b"BEGIN\0" {
                        continue;
                    }
                    answer.complete(body);
                    done.push(Executed { rows_affected: answer.affected, last_insert_id: 0 });
                }
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    failure.get_or_insert(report);
                }
                _ => {}
            }
        }
        match failure {
            Some(report) => Err(self.reported(report)),
            None => Ok(()),
        }
    }
}
