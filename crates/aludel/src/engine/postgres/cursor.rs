//! Cursors: portals of the transaction that is open.

use std::collections::BTreeMap;

use super::bind;
use super::connection::Connection;
use super::error;
use super::types::Type;
use super::wire::Status;
use crate::engine::connection::{CursorId, Sink};
use crate::engine::driver::reads_only;
use crate::error::Result;
use crate::sql::Value;

/// The cursors of a connection.
#[derive(Default)]
pub(super) struct Cursors {
    open: BTreeMap<u64, Cursor>,
    /// The transaction that is open was begun for them alone.
    pub(super) own_transaction: bool,
    next: u64,
}

struct Cursor {
    portal: String,
    columns: Box<[Type]>,
    /// All its rows were read.
    done: bool,
}

impl Cursors {
    /// The transaction ends, and with it the portals.
    pub(super) fn clear(&mut self) {
        self.open.clear();
    }

    /// No transaction is open any more. Cursors that have been read to their end stay known as such.
    pub(super) fn forget_transaction(&mut self) {
        self.open.retain(|_, cursor| cursor.done);
        self.own_transaction = false;
    }

    /// Whether the transaction that was begun for the cursors alone ends before a statement; none for several ones.
    pub(super) fn own_transaction_ends_before(&self, sql: Option<&str>) -> bool {
        self.own_transaction && (self.open.values().all(|cursor| cursor.done) || !sql.is_some_and(reads_only))
    }
}

impl Connection {
    /// Opens a cursor, in a transaction of its own where none is open.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub(in crate::engine) async fn open_cursor(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        self.ready(Some(sql)).await?;
        if self.wire.status() == Status::Idle && !self.in_transaction() {
            let begin = if reads_only(sql) { "BEGIN READ ONLY" } else { "BEGIN" };
            self.wire.asks();
            if let Err(error) = self.command(begin).await {
                if !self.wire.went_before_it_heard() {
                    return Err(error);
                }
                self.begin_anew().await?;
                self.beginning = false;
                self.command(begin).await?;
            }
            self.cursors.own_transaction = true;
        }
        let opened = self.open_portal(sql, params).await;
        if opened.is_err() && self.cursors.own_transaction && !self.wire.is_broken() {
            self.end_own_transaction().await?;
        }
        opened
    }

    async fn open_portal(&mut self, sql: &str, params: &[Value<'_>]) -> Result<CursorId> {
        let prepared = self.prepare(sql).await?;
        let portal = self.name("c");
        self.request(|connection| {
            let output = &mut connection.wire.output;
            bind::write(output, &portal, &prepared.name, &prepared.parameters, &prepared.columns, params)
        })
        .await?;
        let answer = self.answer(&[], &mut |_| Ok(())).await?;
        if let Some(report) = answer.failure {
            if report.is_stale_statement() {
                self.cache.remove(sql);
            }
            return Err(self.reported(report));
        }
        self.cursors.next += 1;
        let cursor = Cursor { portal, columns: prepared.columns.clone(), done: false };
        self.cursors.open.insert(self.cursors.next, cursor);
        Ok(CursorId(self.cursors.next))
    }

    /// Hands at most `limit` rows of a cursor to `sink`; whether there are more.
    ///
    /// # Errors
    /// `InvalidStatement` when the cursor was ended by a commit or rollback; as [`fetch`](Self::fetch).
    pub(in crate::engine) async fn fetch_some(
        &mut self,
        cursor: CursorId,
        limit: usize,
        sink: Sink<'_>,
    ) -> Result<bool> {
        self.ready(Some("SELECT")).await?;
        let Some(open) = self.cursors.open.get(&cursor.0) else { return Err(error::cursor_ended()) };
        if open.done || limit == 0 {
            return Ok(!open.done);
        }
        let (portal, columns) = (open.portal.clone(), open.columns.clone());
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        self.request(|connection| connection.execute(&portal, limit)).await?;
        let mut answer = self.answer(&columns, sink).await?;
        if let Some(report) = answer.failure.take() {
            self.cursors.open.remove(&cursor.0);
            return Err(self.reported(report));
        }
        if let Some(open) = self.cursors.open.get_mut(&cursor.0) {
            open.done = !answer.suspended;
        }
        let more = answer.suspended;
        let handed_over = answer.into_sink_outcome();
        if !more && self.cursors.own_transaction_ends_before(Some("SELECT")) {
            self.end_own_transaction().await?;
        }
        handed_over.map(|()| more)
    }

    /// Closes a cursor; on the server with the next request.
    pub(in crate::engine) fn close_cursor(&mut self, cursor: CursorId) {
        if let Some(cursor) = self.cursors.open.remove(&cursor.0) {
            self.closing.push((b'P', cursor.portal));
        }
    }

    /// Forgets the cursors of a transaction that is about to end.
    pub(in crate::engine) fn close_cursors(&mut self) {
        self.cursors.clear();
    }

    /// Ends the transaction that was begun for cursors.
    pub(super) async fn end_own_transaction(&mut self) -> Result<()> {
        match self.wire.status() {
            Status::Idle => {}
            Status::Transaction => drop(self.command("COMMIT").await?),
            Status::Failed => drop(self.command("ROLLBACK").await?),
        }
        self.cursors.forget_transaction();
        Ok(())
    }
}
