//! A connection: statements and their answers.

use std::sync::Arc;

use postgres_protocol::message::frontend;

use super::answer::Answer;
use super::bind;
use super::cancel::Canceller;
use super::cursor::Cursors;
use super::error::{self, Report};
use super::prepare::{Prepared, close};
use super::row::Field;
use super::settings::Settings;
use super::startup;
use super::wire::{Status, Wire};
use super::words::{is_commit, is_end, is_prepare, is_transaction_command};
use crate::engine::EngineOptions;
use crate::engine::connection::{Executed, Sink};
use crate::engine::driver::Fetched;
use crate::engine::statement_cache::StatementCache;
use crate::engine::url::ServerUrl;
use crate::error::{Error, Result};
use crate::sql::Value;

/// A connection to a PostgreSQL server.
pub(in crate::engine) struct Connection {
    pub(super) settings: Arc<Settings>,
    pub(super) wire: Wire,
    pub(super) canceller: Canceller,
    pub(super) cache: StatementCache<Prepared>,
    pub(super) cursors: Cursors,
    /// The number in the next name of a statement or portal.
    pub(super) next_name: u64,
    /// What is to be closed with the next request: portals (`P`), and statements (`S`) that went from the cache or whose
    /// preparation was not read to its end.
    pub(super) closing: Vec<(u8, String)>,
    /// Where the values of the current row are.
    pub(super) fields: Vec<Field>,
    /// A transaction is to begin with the next statement, in the same round trip.
    pub(super) beginning: bool,
    /// It is new or has come from the pool, and nothing was sent since.
    fresh: bool,
    /// `abandon` has sent the end of a transaction, whose answer was not read yet.
    leaving: bool,
    /// What is running must not be cut: it ends a transaction.
    ending: bool,
    /// What failed the transaction that is open.
    failure: Option<String>,
    /// BEGIN is in the request that is running, or whose future was dropped: the server has not said yet that the
    /// transaction is open.
    begun: bool,
}

impl Connection {
    /// Connects to the first of the URL's servers that answers and is the right one.
    ///
    /// # Errors
    /// `Config` for a parameter that is not known; `Connection` when no server lets this program in, naming each.
    pub(in crate::engine) async fn open(url: &ServerUrl, options: &EngineOptions) -> Result<Self> {
        Self::enter(Arc::new(Settings::new(url, options.statement_cache_size)?)).await
    }

    async fn enter(settings: Arc<Settings>) -> Result<Self> {
        let (wire, canceller) = startup::connect(&settings).await?;
        Ok(Self {
            wire,
            canceller,
            cache: StatementCache::new(settings.statements),
            settings,
            cursors: Cursors::default(),
            next_name: 0,
            closing: Vec::new(),
            fields: Vec::new(),
            beginning: false,
            fresh: true,
            leaving: false,
            ending: false,
            failure: None,
            begun: false,
        })
    }

    /// Whether a transaction is open, as the server has reported last; one that a cursor needs for itself is none.
    pub(in crate::engine) fn in_transaction(&self) -> bool {
        let open = self.wire.status() != Status::Idle && !self.leaving && !self.cursors.own_transaction;
        (self.beginning || open || self.begun && self.wire.in_flight()) && !self.wire.is_broken()
    }

    /// Begins a transaction: BEGIN goes with the next statement.
    pub(in crate::engine) fn begin(&mut self) {
        self.beginning = true;
    }

    /// Ends what its owner left open, without waiting; whether the connection is fit for the next one.
    pub(in crate::engine) fn abandon(&mut self) -> bool {
        (self.beginning, self.begun) = (false, false);
        if self.wire.is_broken() {
            return false;
        }
        self.fresh = true;
        if self.leaving {
            return true;
        }
        if self.wire.in_flight() {
            if !self.ending {
                self.canceller.clone().spawn();
            }
            return false;
        }
        self.cursors.clear();
        if self.wire.status() == Status::Idle {
            return true;
        }
        self.leaving = self.wire.query("ROLLBACK").is_ok();
        self.leaving && self.wire.send_now()
    }

    /// Runs a statement and hands each of its rows to `sink`.
    ///
    /// # Errors
    /// What the server reports, with its kind; what `sink` returns; `Connection` when it is gone.
    pub(in crate::engine) async fn fetch(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        sink: Sink<'_>,
    ) -> Result<Fetched> {
        let begins = self.beginning;
        match self.fetch_once(sql, params, sink).await {
            Err(_) if begins && self.wire.went_before_it_heard() => {
                self.begin_anew().await?;
                Box::pin(self.fetch_once(sql, params, sink)).await
            }
            outcome => outcome,
        }
    }

    /// Connects again, for a transaction whose BEGIN the server did not read any more: it had closed the connection while
    /// nobody used it, and nothing is lost.
    #[cold]
    pub(super) async fn begin_anew(&mut self) -> Result<()> {
        *self = Box::pin(Self::enter(Arc::clone(&self.settings))).await?;
        (self.fresh, self.beginning) = (false, true);
        Ok(())
    }

    async fn fetch_once(&mut self, sql: &str, params: &[Value<'_>], sink: Sink<'_>) -> Result<Fetched> {
        self.ready(Some(sql)).await?;
        if params.is_empty() && is_transaction_command(sql) {
            return self.command(sql).await;
        }
        let mut retried = false;
        loop {
            let prepared = self.prepare(sql).await?;
            self.request(|connection| {
                bind::write(
                    &mut connection.wire.output,
                    "",
                    &prepared.name,
                    &prepared.parameters,
                    &prepared.columns,
                    params,
                )?;
                connection.execute("", 0)
            })
            .await?;
            let mut answer = self.answer(&prepared.columns, sink).await?;
            match answer.failure.take() {
                Some(report) if report.is_stale_statement() && self.cache.remove(sql).is_some() => {
                    self.closing.push((b'S', prepared.name.clone()));
                    if self.wire.status() != Status::Idle {
                        return Err(self.failed(error::changed_tables(report)));
                    }
                    if retried {
                        return Err(error::classify(report));
                    }
                    retried = true;
                }
                None if answer.empty => return Err(error::empty()),
                failure => return self.fetched(answer, failure),
            }
        }
    }

    /// Runs several statements without values.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch). Where no transaction is open the statements before the failing one are undone too.
    pub(in crate::engine) async fn execute_batch(&mut self, sql: &str) -> Result<()> {
        let begins = self.beginning;
        self.ready(None).await?;
        match self.command(sql).await {
            Err(_) if begins && self.wire.went_before_it_heard() => {
                self.begin_anew().await?;
                self.command(sql).await.map(drop)
            }
            outcome => outcome.map(drop),
        }
    }

    /// Runs statements without values, by a simple query.
    pub(super) async fn command(&mut self, sql: &str) -> Result<Fetched> {
        self.ending = is_end(sql);
        if std::mem::take(&mut self.beginning) {
            if self.ending && !is_prepare(sql) {
                // Nothing has been sent that would have to end.
                self.ending = false;
                return Ok(Fetched::default());
            }
            self.wire.asks();
            self.wire.query(&format!("BEGIN; {sql}"))?;
        } else {
            self.wire.query(sql)?;
        }
        self.wire.send().await?;
        let mut answer = self.answer(&[], &mut |_| Ok(())).await?;
        self.ending = false;
        let failure = answer.failure.take();
        if failure.is_none() && answer.rolled_back && (is_commit(sql) || is_prepare(sql)) {
            return Err(error::rolled_back(self.failure.take().as_deref()));
        }
        self.fetched(answer, failure)
    }

    fn fetched(&mut self, answer: Answer, failure: Option<Report>) -> Result<Fetched> {
        if let Some(report) = failure {
            return Err(self.reported(report));
        }
        if let Some(error) = answer.sink {
            return Err(error);
        }
        if answer.copies {
            return Err(error::unsupported_copy());
        }
        Ok(Fetched { rows: answer.rows, executed: Executed { rows_affected: answer.affected, last_insert_id: 0 } })
    }

    /// The error for a report, in a transaction with what failed it.
    pub(super) fn reported(&mut self, report: Report) -> Error {
        if report.code == "25P02" {
            return error::failed_transaction(self.failure.as_deref()).with_source(report);
        }
        let error = error::classify(report);
        self.failed(error)
    }

    /// Notes what failed the transaction.
    pub(super) fn failed(&mut self, error: Error) -> Error {
        if self.wire.status() == Status::Failed {
            self.failure.get_or_insert_with(|| error.to_string());
        }
        error
    }

    /// Makes the connection ready for a request: after the pool, and after a statement whose future was dropped.
    pub(super) async fn ready(&mut self, sql: Option<&str>) -> Result<()> {
        if self.fresh {
            let left = !self.leaving || self.wire.drain().await.is_ok() && self.wire.status() == Status::Idle;
            // The server may have gone or restarted meanwhile, and nothing of the next owner's is on the old one.
            if !left || self.wire.is_broken() || self.wire.is_closed() {
                let beginning = self.beginning;
                *self = Box::pin(Self::enter(Arc::clone(&self.settings))).await?;
                self.beginning = beginning;
            }
            (self.fresh, self.leaving) = (false, false);
            self.failure = None;
        }
        if self.wire.is_broken() {
            return Err(error::gone());
        }
        if self.wire.in_flight() {
            self.wire.send().await?;
            if !self.ending {
                self.canceller.cancel().await;
            }
            self.wire.drain().await?;
            self.ending = false;
        }
        self.begun = false;
        match self.wire.status() {
            Status::Idle => {
                self.failure = None;
                self.cursors.forget_transaction();
            }
            // A savepoint may have saved it.
            Status::Transaction => self.failure = None,
            Status::Failed => {
                self.failure.get_or_insert_with(|| "its future was dropped".to_owned());
            }
        }
        if self.cursors.own_transaction_ends_before(sql) {
            self.end_own_transaction().await?;
        }
        Ok(())
    }

    /// Sends a request that `write` puts together, with its Sync. Where it cannot be put together nothing is sent.
    pub(super) async fn request(&mut self, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let (before, beginning) = (self.wire.output.len(), self.beginning);
        let written = match self.write_begin() {
            Ok(()) => write(self),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.beginning = beginning;
            self.wire.output.truncate(before);
            if self.wire.is_unsynced() {
                self.wire.drain().await?;
            }
            return Err(error);
        }
        close(&mut self.closing, &mut self.wire.output)?;
        self.wire.sync();
        self.wire.send().await
    }

    /// Writes the BEGIN that is to go with what follows.
    pub(super) fn write_begin(&mut self) -> Result<()> {
        if std::mem::take(&mut self.beginning) {
            self.begun = true;
            self.wire.asks();
            let output = &mut self.wire.output;
            frontend::parse("", "BEGIN", [], output).map_err(|_| error::nul_in_sql())?;
            bind::write(output, "", "", &[], &[], &[])?;
            frontend::execute("", 0, output).map_err(|_| error::nul_in_sql())?;
        }
        Ok(())
    }

    pub(super) fn execute(&mut self, portal: &str, limit: i32) -> Result<()> {
        frontend::execute(portal, limit, &mut self.wire.output).map_err(|_| error::nul_in_sql())
    }

    /// A name that no statement or portal of this connection has.
    pub(super) fn name(&mut self, prefix: &str) -> String {
        self.next_name += 1;
        format!("{prefix}{}", self.next_name)
    }
}
