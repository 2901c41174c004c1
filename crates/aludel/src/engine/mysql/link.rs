//! Commands to a server, and its answers.

use std::ops::Range;
use std::sync::Arc;

use mysql_common::constants::{CapabilityFlags, Command, MariadbCapabilities, StatusFlags};

use super::bind;
use super::column::{Column, Field, split_binary, split_text};
use super::report::ServerError;
use super::row::MysqlRow;
use super::wire::{ERROR, LONGEST, Wire, WireError};
use super::words::Words;
use crate::engine::connection::Sink;
use crate::engine::row::Row;
use crate::engine::statement_cache::StatementCache;
use crate::error::Result;
use crate::sql::Value;

/// A statement that the server has prepared.
pub(super) struct Prepared {
    id: u32,
    pub(super) parameters: u16,
    columns: Arc<[Column]>,
}

/// What the two sides have told each other at the beginning.
pub(super) struct Told {
    /// The number that the server knows the connection by.
    pub(super) id: u32,
    pub(super) capabilities: CapabilityFlags,
    pub(super) extensions: MariadbCapabilities,
}

/// A connection to a server that has let this program in.
pub(super) struct Link {
    pub(super) wire: Wire,
    /// The number that the server knows it by.
    pub(super) id: u32,
    capabilities: CapabilityFlags,
    /// Whether the server leaves out the columns of a prepared statement that it has sent before.
    leaves_columns_out: bool,
    cache: StatementCache<Prepared>,
    /// Statements that went from the cache, to be closed with the next command.
    closing: Vec<u32>,
    state: State,
    status: StatusFlags,
    affected_rows: u64,
    last_insert_id: u64,
    /// Where the values of the current row are.
    fields: Vec<Field>,
}

/// What is to come of the answer to a command.
enum State {
    /// Nothing.
    Idle,
    /// What a statement has come to, or the number of columns of its rows.
    Head(Origin),
    /// So many columns.
    Columns(u64, Vec<Column>, Origin),
    /// What stands between columns and rows, from servers that are old.
    Separator(Arc<[Column]>, Origin),
    /// Rows.
    Rows(Arc<[Column]>, Origin),
}

/// What the rows of a result are like.
pub(super) struct Columns {
    columns: Arc<[Column]>,
    is_text: bool,
}

impl Columns {
    /// Hands a row to `sink`; none where it is no such row.
    pub(super) fn hand_over(&self, body: &[u8], sink: Sink<'_>) -> Option<Result<()>> {
        let mut fields = Vec::with_capacity(self.columns.len());
        let split = if self.is_text { split_text } else { split_binary };
        split(body, &self.columns, &mut fields).then(|| sink(&Row::mysql(MysqlRow::new(body, &fields, &self.columns))))
    }
}

/// What a result comes from.
enum Origin {
    /// A statement that was sent as text: all values come as text.
    Text,
    Prepared(Arc<Prepared>),
    /// A procedure that a prepared statement calls, which gives more than one result.
    Procedure,
}

/// What a packet of an answer was.
pub(super) enum Step {
    /// Something before the rows.
    Before,
    Row(Range<usize>),
    /// The end of a result, with rows or without.
    End,
}

impl Link {
    pub(super) fn new(wire: Wire, told: &Told, statements: usize) -> Self {
        Self {
            wire,
            id: told.id,
            capabilities: told.capabilities,
            leaves_columns_out: told.extensions.contains(MariadbCapabilities::MARIADB_CLIENT_CACHE_METADATA),
            // Without one there would be nothing to execute.
            cache: StatementCache::new(statements.max(1)),
            closing: Vec::new(),
            state: State::Idle,
            status: StatusFlags::SERVER_STATUS_AUTOCOMMIT,
            affected_rows: 0,
            last_insert_id: 0,
            fields: Vec::new(),
        }
    }

    /// Whether a transaction is open, as the server has said last.
    pub(super) fn in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    pub(super) fn affected_rows(&self) -> u64 {
        self.affected_rows
    }

    pub(super) fn last_insert_id(&self) -> u64 {
        self.last_insert_id
    }

    /// Whether the answer to a command has not been read to its end.
    #[inline]
    pub(super) fn is_owed(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Sends statements as text; their answers are to be read.
    pub(super) async fn query(&mut self, sql: &str) -> Result<(), WireError> {
        self.close_statements();
        self.command(Command::COM_QUERY, sql.as_bytes());
        self.state = State::Head(Origin::Text);
        self.wire.send().await
    }

    /// Asks whether the server is there; it tells whether a transaction is open.
    pub(super) async fn ping(&mut self) -> Result<(), WireError> {
        self.command(Command::COM_PING, &[]);
        self.state = State::Head(Origin::Text);
        self.wire.send().await?;
        self.drain().await
    }

    /// Says good-bye.
    pub(super) fn quit(&mut self) {
        self.command(Command::COM_QUIT, &[]);
        self.wire.send_now();
    }

    /// The prepared statement for a text.
    pub(super) async fn prepare(&mut self, sql: &str) -> Result<Arc<Prepared>, WireError> {
        if let Some(prepared) = self.cache.get(sql) {
            return Ok(prepared);
        }
        if let Some(evicted) = self.cache.make_room() {
            self.closing.push(evicted.id);
        }
        self.close_statements();
        self.command(Command::COM_STMT_PREPARE, sql.as_bytes());
        self.wire.send().await?;
        let packet = self.wire.next().await?;
        let body = self.wire.body(&packet);
        if let Some(error) = ServerError::read(body) {
            return Err(WireError::Server(error));
        }
        let mut words = Words(body);
        let head = words.u8().zip(words.u32()).zip(words.u16().zip(words.u16()));
        let Some(((0, id), (columns, parameters))) = head else { return Err(self.wire.garbled()) };
        self.definitions(parameters).await?;
        let columns = self.definitions(columns).await?.into();
        let prepared = Arc::new(Prepared { id, parameters, columns });
        self.cache.insert(sql, Arc::clone(&prepared));
        Ok(prepared)
    }

    /// So many columns, or parameters.
    async fn definitions(&mut self, count: u16) -> Result<Vec<Column>, WireError> {
        let mut columns = Vec::with_capacity(count.into());
        for _ in 0..count {
            let packet = self.wire.next().await?;
            let Some(column) = Column::read(self.wire.body(&packet)) else { return Err(self.wire.garbled()) };
            columns.push(column);
        }
        if count > 0 && self.separates() {
            self.wire.next().await?;
        }
        Ok(columns)
    }

    /// Writes a prepared statement with its values into the buffer; nothing where the values are too long or none that
    /// the server can hold.
    pub(super) fn write_execution(
        &mut self,
        prepared: &Arc<Prepared>,
        params: &[Value<'_>],
        limit: impl FnOnce(usize) -> Result<()>,
    ) -> Result<()> {
        self.close_statements();
        self.wire.command(|out| {
            let start = out.len();
            out.push(Command::COM_STMT_EXECUTE as u8);
            out.extend_from_slice(&prepared.id.to_le_bytes());
            // No cursor of the server's, and one execution.
            out.extend_from_slice(&[0, 1, 0, 0, 0]);
            if !params.is_empty() {
                bind::write(params, out)?;
            }
            limit(out.len() - start)
        })?;
        self.state = State::Head(Origin::Prepared(Arc::clone(prepared)));
        Ok(())
    }

    fn command(&mut self, command: Command, body: &[u8]) {
        let written = self.wire.command(|out| {
            out.push(command as u8);
            out.extend_from_slice(body);
            Ok::<_, std::convert::Infallible>(())
        });
        written.unwrap_or_else(|never| match never {});
    }

    /// The server answers nothing to that.
    fn close_statements(&mut self) {
        for id in std::mem::take(&mut self.closing) {
            self.command(Command::COM_STMT_CLOSE, &id.to_le_bytes());
        }
    }

    /// Takes the next packet of an answer.
    ///
    /// # Errors
    /// The server's own, which ends the answer; `Garbled` when it does not belong there.
    #[inline]
    pub(super) fn take(&mut self, packet: Range<usize>) -> Result<Step, WireError> {
        let first = self.wire.body(&packet).first();
        match (&self.state, first) {
            (_, Some(&ERROR)) | (_, None) => Err(self.failed(&packet)),
            // A row may begin like the end, and is longer then.
            (State::Rows(..), Some(0xFE)) if packet.len() < LONGEST => self.end_of_rows(&packet),
            (State::Rows(..), _) => Ok(Step::Row(packet)),
            _ => self.take_head(&packet),
        }
    }

    #[cold]
    fn failed(&mut self, packet: &Range<usize>) -> WireError {
        match ServerError::read(self.wire.body(packet)) {
            Some(error) => {
                self.state = State::Idle;
                WireError::Server(error)
            }
            None => self.wire.garbled(),
        }
    }

    fn take_head(&mut self, packet: &Range<usize>) -> Result<Step, WireError> {
        let body = self.wire.body(packet);
        let next = match std::mem::replace(&mut self.state, State::Idle) {
            State::Head(origin) if body[0] == 0 => {
                let mut words = Words(&body[1..]);
                let (Some(affected_rows), Some(last_insert_id), Some(status)) =
                    (words.length(), words.length(), words.u16())
                else {
                    return Err(self.wire.garbled());
                };
                (self.affected_rows, self.last_insert_id) = (affected_rows, last_insert_id);
                self.ended(status, &origin);
                return Ok(Step::End);
            }
            State::Head(origin) => {
                let mut words = Words(body);
                match (words.length(), words.u8(), origin) {
                    // They are as they were before.
                    (Some(count), Some(0), Origin::Prepared(prepared)) if count == prepared.columns.len() as u64 => {
                        Some(self.described(Arc::clone(&prepared.columns), Origin::Prepared(prepared)))
                    }
                    (Some(left @ 1..), None | Some(1), origin) => Some(State::Columns(left, Vec::new(), origin)),
                    _ => None,
                }
            }
            State::Columns(left, mut columns, origin) => Column::read(body).map(|column| {
                columns.push(if matches!(origin, Origin::Text) { column.as_text() } else { column });
                if left > 1 {
                    return State::Columns(left - 1, columns, origin);
                }
                let columns: Arc<[Column]> = columns.into();
                self.remember(&columns, &origin);
                self.described(columns, origin)
            }),
            State::Separator(columns, origin) => Some(State::Rows(columns, origin)),
            State::Rows(..) | State::Idle => None,
        };
        match next {
            Some(next) => {
                self.state = next;
                Ok(Step::Before)
            }
            None => Err(self.wire.garbled()),
        }
    }

    /// The next time the server may leave these columns out.
    fn remember(&mut self, columns: &Arc<[Column]>, origin: &Origin) {
        if let Origin::Prepared(old) = origin
            && self.leaves_columns_out
        {
            let new = Prepared { id: old.id, parameters: old.parameters, columns: Arc::clone(columns) };
            self.cache.replace(|prepared| prepared.id == old.id, &Arc::new(new));
        }
    }

    /// All columns of a result are known.
    fn described(&self, columns: Arc<[Column]>, origin: Origin) -> State {
        if self.separates() { State::Separator(columns, origin) } else { State::Rows(columns, origin) }
    }

    /// Whether the server is so old that it ends columns and rows with a packet of their own.
    fn separates(&self) -> bool {
        !self.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    }

    fn end_of_rows(&mut self, packet: &Range<usize>) -> Result<Step, WireError> {
        let mut words = Words(&self.wire.body(packet)[1..]);
        let told = if self.separates() {
            // The number of warnings, and then the status.
            words.u16().zip(words.u16()).map(|(_, status)| (0, 0, status))
        } else {
            words.length().zip(words.length()).zip(words.u16()).map(|((rows, id), status)| (rows, id, status))
        };
        let (Some((affected_rows, last_insert_id, status)), State::Rows(_, origin)) =
            (told, std::mem::replace(&mut self.state, State::Idle))
        else {
            return Err(self.wire.garbled());
        };
        (self.affected_rows, self.last_insert_id) = (affected_rows, last_insert_id);
        self.ended(status, &origin);
        Ok(Step::End)
    }

    /// A result has ended; there may be another.
    fn ended(&mut self, status: u16, origin: &Origin) {
        self.status = StatusFlags::from_bits_retain(status);
        if self.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS) {
            self.state = State::Head(match origin {
                Origin::Text => Origin::Text,
                Origin::Prepared(_) | Origin::Procedure => Origin::Procedure,
            });
        }
    }

    /// What the rows are like that come now.
    pub(super) fn columns(&self) -> Option<Columns> {
        match &self.state {
            State::Rows(columns, origin) => {
                Some(Columns { columns: Arc::clone(columns), is_text: matches!(origin, Origin::Text) })
            }
            _ => None,
        }
    }

    /// Hands a row to `sink`.
    #[inline]
    pub(super) fn hand_over(&mut self, row: &Range<usize>, sink: Sink<'_>) -> Result<Result<()>, WireError> {
        if let State::Rows(columns, origin) = &self.state {
            let body = self.wire.body(row);
            let is_row = match origin {
                Origin::Text => split_text(body, columns, &mut self.fields),
                Origin::Prepared(_) | Origin::Procedure => split_binary(body, columns, &mut self.fields),
            };
            if is_row {
                return Ok(sink(&Row::mysql(MysqlRow::new(body, &self.fields, columns))));
            }
        }
        Err(self.wire.garbled())
    }

    /// Reads what is left of an answer. May be dropped meanwhile.
    pub(super) async fn drain(&mut self) -> Result<(), WireError> {
        while self.is_owed() {
            match self.wire.buffered()? {
                Some(packet) => {
                    self.take(packet)?;
                }
                None => {
                    self.wire.fill().await?;
                }
            }
        }
        Ok(())
    }
}
