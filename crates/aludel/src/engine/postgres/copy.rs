//! COPY: many rows in one statement, in their binary form.

use bytes::{BufMut, BytesMut};
use postgres_protocol::message::{backend, frontend};

use super::answer::{Answer, Pace};
use super::bind;
use super::connection::Connection;
use super::error;
use super::prepare::{close, parameter_types};
use super::types::Type;
use crate::engine::connection::{CopyIn, Executed};
use crate::error::Result;
use crate::sql::Value;

/// Whether COPY does the same as INSERT for a table: it passes by rules and refuses row-level security, and views have no
/// rows of their own.
const TAKES_COPY: &str = "\
    SELECT c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT pg_catalog.row_security_active(c.oid) \
    FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass($1)";

/// The type of the placeholder there.
const TEXT: u32 = 25;

/// The beginning of all binary COPY data, without flags and without an extension, see
/// <https://www.postgresql.org/docs/current/sql-copy.html>.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The end of all binary COPY data.
const TRAILER: i16 = -1;

/// About how many bytes of rows go in one message.
const MESSAGE: usize = 32 * 1024;

impl Connection {
    /// Inserts rows by COPY, all or none. Nothing comes back, and nothing has happened, where the table or the values are
    /// for INSERT alone.
    ///
    /// The columns' types are asked for each time: what has named a table in an INSERT has locked it, so that nobody
    /// changes them before the transaction is over. Values of another type than the column's would be misread. The
    /// INSERT also refuses identity columns that only the database may write, which COPY would not.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch); where it is a value's, nothing was sent.
    pub(in crate::engine) async fn copy_in(&mut self, copy: &CopyIn<'_>) -> Result<Option<Executed>> {
        self.ready(Some(copy.sql)).await?;
        let Some(types) = self.types_for_copy(copy).await? else {
            self.wire.drain().await?;
            return Ok(None);
        };
        let written = self.write_copy(copy, &types).await;
        if !matches!(written, Ok(true)) {
            self.wire.output.clear();
            self.wire.drain().await?;
            return written.map(|_| None);
        }
        close(&mut self.closing, &mut self.wire.output)?;
        self.wire.sync();
        self.wire.send().await?;
        self.copied().await.map(Some)
    }

    /// The types of the columns, unless one of them, or the table, is for INSERT alone. The request has begun, and no
    /// Sync ends it yet.
    async fn types_for_copy(&mut self, copy: &CopyIn<'_>) -> Result<Option<Box<[Type]>>> {
        if copy.insert.contains('\0') {
            return Err(error::nul_in_sql());
        }
        self.write_begin()?;
        let output = &mut self.wire.output;
        frontend::parse("", copy.insert, [], output).map_err(|_| error::nul_in_sql())?;
        frontend::describe(b'S', "", output).map_err(|_| error::nul_in_sql())?;
        frontend::parse("", TAKES_COPY, [TEXT], output).map_err(|_| error::nul_in_sql())?;
        bind::write(output, "", "", &[Type::Text], &[Type::Bool], &[Value::Text(copy.table.into())])?;
        frontend::execute("", 0, output).map_err(|_| error::nul_in_sql())?;
        self.wire.flush_message();
        self.wire.send().await?;
        let (mut types, mut takes_copy) = (None, false);
        loop {
            let message = self.wire.message().await?;
            let body = self.wire.body(&message);
            match message.tag {
                backend::PARAMETER_DESCRIPTION_TAG => types = parameter_types(body),
                backend::DATA_ROW_TAG => takes_copy = body.last() == Some(&1),
                // Of the BEGIN before it.
                backend::COMMAND_COMPLETE_TAG if body == b"BEGIN\0" => {}
                backend::COMMAND_COMPLETE_TAG => break,
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    self.wire.drain().await?;
                    return Err(self.reported(report));
                }
                _ => {}
            }
        }
        let Some(types) = types.filter(|types| types.len() == copy.columns) else { return Err(self.wire.garbled()) };
        Ok(Some(types).filter(|types| takes_copy && types.iter().all(|kind| kind.is_binary())))
    }

    /// Writes the statement and all rows; whether all their values have a binary form.
    async fn write_copy(&mut self, copy: &CopyIn<'_>, types: &[Type]) -> Result<bool> {
        let output = &mut self.wire.output;
        frontend::parse("", copy.sql, [], output).map_err(|_| error::nul_in_sql())?;
        bind::write(output, "", "", &[], &[], &[])?;
        frontend::execute("", 0, output).map_err(|_| error::nul_in_sql())?;
        let mut start = begin_data(output);
        output.put_slice(HEADER);
        let mut pace = Pace::new();
        for row in 0..copy.rows {
            if output.len() - start > MESSAGE {
                end_data(output, start);
                start = begin_data(output);
            }
            if !bind::write_tuple(output, types, row * types.len(), |column| (copy.value)(row, column))? {
                return Ok(false);
            }
            pace.row().await;
        }
        output.put_i16(TRAILER);
        end_data(output, start);
        frontend::copy_done(output);
        Ok(true)
    }

    /// Reads what the COPY has come to.
    async fn copied(&mut self) -> Result<Executed> {
        let (mut answer, mut failure) = (Answer::default(), None);
        while self.wire.is_owed() {
            let message = self.wire.message().await?;
            match message.tag {
                backend::COMMAND_COMPLETE_TAG => answer.complete(self.wire.body(&message)),
                backend::ERROR_RESPONSE_TAG => {
                    let report = self.report(&message)?;
                    failure.get_or_insert(report);
                }
                _ => {}
            }
        }
        match failure {
            Some(report) => Err(self.reported(report)),
            None => Ok(Executed { rows_affected: answer.affected, last_insert_id: 0 }),
        }
    }
}

/// Begins a message of data; where its length stands.
fn begin_data(output: &mut BytesMut) -> usize {
    output.put_u8(b'd');
    let start = output.len();
    output.put_u32(0);
    start
}

/// Writes a message's length, now that it is known.
fn end_data(output: &mut BytesMut, start: usize) {
    let length = (output.len() - start) as u32;
    output[start..start + 4].copy_from_slice(&length.to_be_bytes());
}
