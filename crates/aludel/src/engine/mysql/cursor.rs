//! Statements whose rows are asked for little by little.
//!
//! The protocol has one result under way at a time. While nothing else runs, a cursor's rows come straight from the
//! connection; when another statement is to run, what is left of them is first read into memory.

use std::collections::VecDeque;

use mysql_async::{BinaryProtocol, Conn, Error as WireError, QueryResult, Row};

use crate::engine::connection::CursorId;
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
    rows: VecDeque<Row>,
    failure: Option<WireError>,
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

    /// The next row of a cursor; none at its end.
    ///
    /// May be dropped while it waits: no row is lost.
    pub(super) async fn next(&mut self, conn: &mut Conn, id: CursorId) -> Result<Option<Row>, Failure> {
        let live = self.wire == Wire::Rows(id);
        let cursor = self.cursor(id).ok_or_else(|| Failure::Ours(closed()))?;
        if let Some(row) = cursor.rows.pop_front() {
            return Ok(Some(row));
        }
        if !live {
            return cursor.failure.take().map_or(Ok(None), |failure| Err(Failure::Server(failure)));
        }
        self.receive(conn).await.map_err(Failure::Server)
    }

    /// Whether a cursor has another row, which is read where it has not been.
    pub(super) async fn has_more(&mut self, conn: &mut Conn, id: CursorId) -> Result<bool, Failure> {
        match self.next(conn, id).await? {
            Some(row) => {
                self.cursor(id).ok_or_else(|| Failure::Ours(closed()))?.rows.push_front(row);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// A row from the connection.
    async fn receive(&mut self, conn: &mut Conn) -> mysql_async::Result<Option<Row>> {
        let next = QueryResult::<'_, 'static, BinaryProtocol>::new(conn).next().await;
        if !matches!(next, Ok(Some(_))) {
            self.wire = Wire::Nothing;
        }
        next
    }

    /// Makes way for another statement. A failure of the rows that are read for it is the cursor's, and comes back for
    /// the connection to look at; whether there was one.
    pub(super) async fn make_way(&mut self, conn: &mut Conn) -> bool {
        let mut failed = false;
        while self.wire != Wire::Nothing {
            let wire = self.wire;
            let next = self.receive(conn).await;
            let cursor = match wire {
                Wire::Rows(id) => self.cursor(id),
                Wire::Abandoned | Wire::Nothing => None,
            };
            match (next, cursor) {
                (Ok(Some(row)), Some(cursor)) => cursor.rows.push_back(row),
                (Err(failure), cursor) => {
                    failed = true;
                    if let Some(cursor) = cursor {
                        cursor.failure = Some(failure);
                    }
                }
                (Ok(_), _) => {}
            }
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
