//! PostgreSQL, and what speaks its protocol.

use super::EngineOptions;
use super::connection::{CursorId, Sink};
use super::driver::Fetched;
use super::url::ServerUrl;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// A connection to a PostgreSQL server.
pub(super) struct Connection;

impl Connection {
    pub(super) async fn open(_url: &ServerUrl, _options: &EngineOptions) -> Result<Self> {
        Err(Error::new(ErrorKind::Unsupported, "not yet"))
    }
    pub(super) fn in_transaction(&self) -> bool {
        false
    }
    pub(super) fn abandon(&mut self) -> bool {
        false
    }
    pub(super) async fn fetch(&mut self, _sql: &str, _params: &[Value<'_>], _sink: Sink<'_>) -> Result<Fetched> {
        Err(Error::new(ErrorKind::Unsupported, "not yet"))
    }
    pub(super) async fn execute_batch(&mut self, _sql: &str) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "not yet"))
    }
    pub(super) async fn open_cursor(&mut self, _sql: &str, _params: &[Value<'_>]) -> Result<CursorId> {
        Err(Error::new(ErrorKind::Unsupported, "not yet"))
    }
    pub(super) async fn fetch_some(&mut self, _cursor: CursorId, _limit: usize, _sink: Sink<'_>) -> Result<bool> {
        Err(Error::new(ErrorKind::Unsupported, "not yet"))
    }
    pub(super) fn close_cursor(&mut self, _cursor: CursorId) {}
    pub(super) fn close_cursors(&mut self) {}
}
