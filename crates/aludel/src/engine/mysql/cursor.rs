//! Statements whose rows are asked for little by little.
//!
//! The protocol has one result under way at a time. While nothing else runs, a cursor's rows come straight from the
//! connection; when another statement is to run, what is left of them is first read into memory.

use std::collections::VecDeque;
use std::ops::Range;

use super::execution::next_row;
use super::link::{Columns, Link};
use super::wire::WireError;
use crate::engine::connection::{CursorId, Sink};
use crate::error::{Error, ErrorKind, Result};

/// What is still to come over the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Nothing,
    /// The rest of a cursor's rows.
    Rows(CursorId),
    /// Rows that nobody asks for any more.
    Abandoned,
}

/// The cursors of a connection.
pub(super) struct Cursors {
    open: Vec<(CursorId, Cursor)>,
    next: u64,
    wire: Wire,
}

/// One cursor: the rows that were read before they were asked for, and why there are no more.
#[derive(Default)]
struct Cursor {
    rows: VecDeque<Box<[u8]>>,
    /// What these rows are like.
    columns: Option<Columns>,
    failure: Option<WireError>,
}

impl Cursor {
    fn keep(&mut self, link: &Link, row: &Range<usize>, at_front: bool) {
        if self.columns.is_none() {
            self.columns = link.columns();
        }
        let row = link.wire.body(row).into();
        if at_front { self.rows.push_front(row) } else { self.rows.push_back(row) }
    }

    /// Hands a row that was kept to `sink`; whether there was one.
    fn hand_over(&mut self, sink: Sink<'_>) -> Result<bool, Failure> {
        let (Some(row), Some(columns)) = (self.rows.pop_front(), &self.columns) else { return Ok(false) };
        match columns.hand_over(&row, sink) {
            Some(outcome) => outcome.map(|()| true).map_err(Failure::Ours),
            None => Err(Failure::Server(WireError::Garbled)),
        }
    }
}

impl Cursors {
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), next: 0, wire: Wire::Nothing }
    }

    /// Takes over the result that has just begun.
    pub(super) fn open(&mut self) -> CursorId {
        let id = CursorId(self.next);
        self.next += 1;
        self.open.push((id, Cursor::default()));
        self.wire = Wire::Rows(id);
        id
    }

    /// Whether rows are still to come over the connection.
    pub(super) fn wait_on_wire(&self) -> bool {
        self.wire != Wire::Nothing
    }

    fn cursor(&mut self, id: CursorId) -> Option<&mut Cursor> {
        self.open.iter_mut().find(|(known, _)| *known == id).map(|(_, cursor)| cursor)
    }

    /// Hands the next row of a cursor to `sink`; whether there was one.
    ///
    /// May be dropped while it waits: no row is lost.
    pub(super) async fn next(&mut self, link: &mut Link, id: CursorId, sink: Sink<'_>) -> Result<bool, Failure> {
        let cursor = self.cursor(id).ok_or_else(|| Failure::Ours(closed()))?;
        if cursor.hand_over(sink)? {
            return Ok(true);
        }
        let Some(row) = self.live_row(link, id).await? else { return Ok(false) };
        match link.hand_over(&row, sink) {
            Ok(outcome) => outcome.map(|()| true).map_err(Failure::Ours),
            Err(failure) => Err(Failure::Server(failure)),
        }
    }

    /// Whether a cursor has another row, which is read where it has not been.
    pub(super) async fn has_more(&mut self, link: &mut Link, id: CursorId) -> Result<bool, Failure> {
        if !self.cursor(id).ok_or_else(|| Failure::Ours(closed()))?.rows.is_empty() {
            return Ok(true);
        }
        let Some(row) = self.live_row(link, id).await? else { return Ok(false) };
        if let Some(cursor) = self.cursor(id) {
            cursor.keep(link, &row, true);
        }
        Ok(true)
    }

    /// A cursor's next row that is still to come over the connection.
    async fn live_row(&mut self, link: &mut Link, id: CursorId) -> Result<Option<Range<usize>>, Failure> {
        if self.wire != Wire::Rows(id) {
            let failure = self.cursor(id).and_then(|cursor| cursor.failure.take());
            return failure.map_or(Ok(None), |failure| Err(Failure::Server(failure)));
        }
        self.receive(link).await.map_err(Failure::Server)
    }

    /// A row from the connection.
    async fn receive(&mut self, link: &mut Link) -> Result<Option<Range<usize>>, WireError> {
        let next = next_row(link).await;
        if !matches!(next, Ok(Some(_))) {
            // Further results are nobody's.
            self.wire = if link.is_owed() && next.is_ok() { Wire::Abandoned } else { Wire::Nothing };
        }
        next
    }

    /// Makes way for another statement. A failure of the rows that are read for it is the cursor's, and comes back for
    /// the connection to look at; whether there was one.
    pub(super) async fn make_way(&mut self, link: &mut Link) -> bool {
        let mut failed = false;
        while let Wire::Rows(id) = self.wire {
            let next = self.receive(link).await;
            let cursor = self.open.iter_mut().find(|(known, _)| *known == id).map(|(_, cursor)| cursor);
            match (next, cursor) {
                (Ok(Some(row)), Some(cursor)) => cursor.keep(link, &row, false),
                (Err(failure), cursor) => {
                    failed = true;
                    if let Some(cursor) = cursor {
                        cursor.failure = Some(failure);
                    }
                }
                (Ok(_), _) => {}
            }
        }
        if self.wire == Wire::Abandoned {
            failed |= link.drain().await.is_err();
            self.wire = Wire::Nothing;
        }
        failed
    }

    /// Ends a cursor, which stays open without rows.
    pub(super) fn end(&mut self, id: CursorId) {
        if let Some(cursor) = self.cursor(id) {
            *cursor = Cursor::default();
        }
        self.abandon(id);
    }

    /// Closes a cursor; one that is closed already stays so.
    pub(super) fn close(&mut self, id: CursorId) {
        self.open.retain(|(known, _)| *known != id);
        self.abandon(id);
    }

    /// Closes all cursors.
    pub(super) fn close_all(&mut self) {
        self.open.clear();
        if self.wire != Wire::Nothing {
            self.wire = Wire::Abandoned;
        }
    }

    fn abandon(&mut self, id: CursorId) {
        if self.wire == Wire::Rows(id) {
            self.wire = Wire::Abandoned;
        }
    }
}

/// Why a cursor gave no row.
pub(super) enum Failure {
    /// The server or the connection.
    Server(WireError),
    /// It cannot be asked.
    Ours(Error),
}

#[cold]
fn closed() -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        "the stream has been ended by a commit, a rollback or its own close; read it to its end first",
    )
}
