//! A connection: statements and their answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use postgres_protocol::message::{backend, frontend};

use super::bind;
use super::cache::{Prepared, StatementCache};
use super::cancel::Canceller;
use super::cursor::Cursors;
use super::error::{self, Report};
use super::row::{Field, PgRow, split};
use super::settings::Settings;
use super::startup;
use super::types::Type;
use super::wire::{Message, Status, Wire};
use crate::engine::EngineOptions;
use crate::engine::connection::{Executed, Sink};
use crate::engine::driver::Fetched;
use crate::engine::row::Row;
use crate::engine::url::ServerUrl;
use crate::error::{Error, Result};
use crate::sql::Value;

/// How many rows are read between two looks at the clock.
const BATCH: u32 = 64;

/// How long rows are read before the other tasks of the thread have their turn.
const SLICE: Duration = Duration::from_micros(250);

/// A connection to a PostgreSQL server.
pub(in crate::engine) struct Connection {
    pub(super) settings: Arc<Settings>,
    pub(super) wire: Wire,
    pub(super) canceller: Canceller,
    pub(super) cache: StatementCache,
    pub(super) cursors: Cursors,
    /// The number in the next name of a statement or portal.
    pub(super) next_name: u64,
    /// What is to be closed with the next request: portals (`P`), and statements (`S`) that went from the cache or whose
    /// preparation was not read to its end.
    pub(super) closing: Vec<(u8, String)>,
    /// Where the values of the current row are.
    fields: Vec<Field>,
    /// A transaction is to begin with the next statement, in the same round trip.
    beginning: bool,
    /// It has come from the pool, and nothing was sent yet.
    fresh: bool,
    /// `abandon` has sent the end of a transaction, whose answer was not read yet.
    leaving: bool,
    /// What is running must not be cut: it ends a transaction.
    ending: bool,
    /// What failed the transaction that is open.
    failure: Option<String>,
}

/// What a request has come to.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) rows: u64,
    pub(super) affected: u64,
    /// PostgreSQL rolled a transaction back.
    rolled_back: bool,
    /// A portal has more rows.
    pub(super) suspended: bool,
    copies: bool,
    pub(super) failure: Option<Report>,
    /// What the sink returned.
    sink: Option<Error>,
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
            fresh: false,
            leaving: false,
            ending: false,
            failure: None,
        })
    }

    /// Whether a transaction is open, as the server has reported last; one that a cursor needs for itself is none.
    pub(in crate::engine) fn in_transaction(&self) -> bool {
        let open = self.beginning || self.wire.status() != Status::Idle && !self.cursors.own_transaction;
        open && !self.leaving && !self.wire.is_broken()
    }

    /// Begins a transaction: BEGIN goes with the next statement.
    pub(in crate::engine) fn begin(&mut self) {
        self.beginning = true;
    }

    /// Ends what its owner left open, without waiting; whether the connection is fit for the next one.
    pub(in crate::engine) fn abandon(&mut self) -> bool {
        self.beginning = false;
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
                failure => return self.fetched(answer, failure),
            }
        }
    }

    /// Runs several statements without values.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch). Where no transaction is open the statements before the failing one are undone too.
    pub(in crate::engine) async fn execute_batch(&mut self, sql: &str) -> Result<()> {
        self.ready(None).await?;
        self.command(sql).await.map(drop)
    }

    /// Runs statements without values, by a simple query.
    pub(super) async fn command(&mut self, sql: &str) -> Result<Fetched> {
        self.ending = is_end(sql);
        if std::mem::take(&mut self.beginning) {
            if self.ending {
                // Nothing has been sent that would have to end.
                self.ending = false;
                return Ok(Fetched::default());
            }
            self.wire.query(&format!("BEGIN; {sql}"))?;
        } else {
            self.wire.query(sql)?;
        }
        self.wire.send().await?;
        let mut answer = self.answer(&[], &mut |_| Ok(())).await?;
        self.ending = false;
        let failure = answer.failure.take();
        if failure.is_none() && answer.rolled_back && is_commit(sql) {
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
    fn failed(&mut self, error: Error) -> Error {
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
                *self = Box::pin(Self::enter(Arc::clone(&self.settings))).await?;
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
        if self.wire.status() == Status::Idle {
            self.failure = None;
            self.cursors.forget_transaction();
        } else if self.wire.status() == Status::Failed && self.failure.is_none() {
            self.failure = Some("its future was dropped".to_owned());
        }
        if self.cursors.own_transaction_ends_before(sql) {
            self.end_own_transaction().await?;
        }
        Ok(())
    }

    /// The prepared statement for a text. Where it was not there the request has begun, and no Sync ends it yet.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<Arc<Prepared>> {
        if let Some(prepared) = self.cache.get(sql) {
            return Ok(prepared);
        }
        if sql.contains('\0') {
            return Err(error::nul_in_sql());
        }
        let name = if self.cache.is_on() { self.name("s") } else { String::new() };
        if let Some(evicted) = self.cache.make_room() {
            self.closing.push((b'S', evicted.name.clone()));
        }
        self.write_begin()?;
        let output = &mut self.wire.output;
        close(&mut self.closing, output)?;
        frontend::parse(&name, sql, [], output).map_err(|_| error::nul_in_sql())?;
        frontend::describe(b'S', &name, output).map_err(|_| error::nul_in_sql())?;
        self.wire.flush_message();
        if !name.is_empty() {
            // Until it is in the cache.
            self.closing.push((b'S', name.clone()));
        }
        self.wire.send().await?;
        let mut parameters: Box<[Type]> = Box::default();
        let columns = loop {
            let message = self.wire.message().await?;
            match message.tag {
                backend::PARSE_COMPLETE_TAG | backend::CLOSE_COMPLETE_TAG => {}
                // Of the BEGIN before it.
                backend::BIND_COMPLETE_TAG | backend::COMMAND_COMPLETE_TAG => {}
                backend::PARAMETER_DESCRIPTION_TAG => match parameter_types(self.wire.body(&message)) {
                    Some(types) => parameters = types,
                    None => return Err(self.wire.garbled()),
                },
                backend::NO_DATA_TAG => break Box::default(),
                backend::ROW_DESCRIPTION_TAG => match column_types(self.wire.body(&message)) {
                    Some(types) => break types,
                    None => return Err(self.wire.garbled()),
                },
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    self.closing.pop();
                    self.wire.drain().await?;
                    return Err(self.reported(report));
                }
                _ => return Err(self.wire.garbled()),
            }
        };
        self.closing.pop();
        let prepared = Arc::new(Prepared { name, parameters, columns });
        if self.cache.is_on() {
            self.cache.insert(sql, Arc::clone(&prepared));
        }
        Ok(prepared)
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
    fn write_begin(&mut self) -> Result<()> {
        if std::mem::take(&mut self.beginning) {
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

    /// A report of the server's.
    ///
    /// # Errors
    /// The report itself when it is the last one, after which the connection is closed.
    pub(super) fn report(&mut self, message: &Message) -> Result<Report> {
        let report = Report::parse(self.wire.body(message));
        if report.is_fatal() {
            self.wire.goodbye();
            return Err(error::classify(report));
        }
        Ok(report)
    }

    /// Reads the answer to a request up to its end, and hands the rows to `sink`.
    pub(super) async fn answer(&mut self, columns: &[Type], sink: Sink<'_>) -> Result<Answer> {
        let mut answer = Answer::default();
        let mut pace = Pace::new();
        while self.wire.is_owed() {
            let Some(message) = self.wire.buffered()? else {
                if self.wire.fill().await? {
                    pace.restart();
                }
                continue;
            };
            if message.tag == backend::DATA_ROW_TAG {
                // An error of the sink's is not the end: the rest of the answer has still to be read.
                if answer.sink.is_none() && answer.failure.is_none() && !columns.is_empty() {
                    let body = self.wire.body(&message);
                    if !split(body, columns.len(), &mut self.fields) {
                        return Err(self.wire.garbled());
                    }
                    let row = Row::postgres(PgRow::new(body, &self.fields, columns));
                    answer.sink = sink(&row).err();
                }
                answer.rows += 1;
                pace.row().await;
                continue;
            }
            match message.tag {
                backend::COMMAND_COMPLETE_TAG => answer.complete(self.wire.body(&message)),
                backend::PORTAL_SUSPENDED_TAG => answer.suspended = true,
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    answer.failure.get_or_insert(report);
                }
                backend::COPY_IN_RESPONSE_TAG => {
                    answer.copies = true;
                    self.wire.refuse_copy(&message).await?;
                }
                backend::COPY_OUT_RESPONSE_TAG => answer.copies = true,
                _ => {}
            }
        }
        if answer.copies {
            answer.failure = None;
        }
        Ok(answer)
    }
}

impl Answer {
    /// What the sink said.
    pub(super) fn into_sink_outcome(self) -> Result<()> {
        self.sink.map_or(Ok(()), Err)
    }

    /// `INSERT 0 2`, `UPDATE 3`, `SELECT 4`, `ROLLBACK`.
    pub(super) fn complete(&mut self, body: &[u8]) {
        let tag = std::str::from_utf8(body).unwrap_or_default().trim_end_matches('\0');
        let (command, count) = tag.rsplit_once(' ').unwrap_or((tag, ""));
        let command = command.split(' ').next().unwrap_or_default();
        self.rolled_back = command == "ROLLBACK" || tag == "ROLLBACK";
        if matches!(command, "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY") {
            self.affected = count.parse().unwrap_or_default();
        }
    }
}

/// When the other tasks of the thread have their turn.
struct Pace {
    rows: u32,
    start: Option<Instant>,
}

impl Pace {
    fn new() -> Self {
        Self { rows: 0, start: None }
    }

    /// They had it just now.
    fn restart(&mut self) {
        *self = Self::new();
    }

    #[inline]
    async fn row(&mut self) {
        self.rows += 1;
        if self.rows >= BATCH {
            self.rows = 0;
            let now = Instant::now();
            if now - *self.start.get_or_insert(now) > SLICE {
                tokio::task::yield_now().await;
                self.restart();
            }
        }
    }
}

/// Closes statements and portals; what is not there any more is none the worse for it.
fn close(closing: &mut Vec<(u8, String)>, output: &mut bytes::BytesMut) -> Result<()> {
    for (variant, name) in closing.drain(..) {
        frontend::close(variant, &name, output).map_err(|_| error::nul_in_sql())?;
    }
    Ok(())
}

fn parameter_types(body: &[u8]) -> Option<Box<[Type]>> {
    let (_, oids) = body.split_first_chunk::<2>()?;
    Some(oids.chunks_exact(4).map(|oid| Type::of(u32::from_be_bytes([oid[0], oid[1], oid[2], oid[3]]))).collect())
}

/// Of each column its name up to a NUL, 6 bytes of where it is from, its type, and 8 bytes more.
fn column_types(body: &[u8]) -> Option<Box<[Type]>> {
    let (_, mut rest) = body.split_first_chunk::<2>()?;
    let mut types = Vec::new();
    while !rest.is_empty() {
        let name = rest.iter().position(|&byte| byte == 0)?;
        let (column, after) = rest.get(name + 1..)?.split_first_chunk::<18>()?;
        types.push(Type::of(u32::from_be_bytes([column[6], column[7], column[8], column[9]])));
        rest = after;
    }
    Some(types.into())
}

fn first_word(sql: &str) -> &str {
    let sql = sql.trim_start();
    sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// Whether a statement begins, ends or marks a transaction: these have neither values nor rows, and are not worth
/// preparing.
fn is_transaction_command(sql: &str) -> bool {
    ["begin", "start", "savepoint", "release"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
        || is_end(sql)
}

fn is_end(sql: &str) -> bool {
    is_commit(sql) || ["rollback", "abort"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
}

fn is_commit(sql: &str) -> bool {
    ["commit", "end"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
}
