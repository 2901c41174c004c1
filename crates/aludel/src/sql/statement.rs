//! A statement ready to be sent.

use super::{Dialect, Value};
use crate::error::{Error, ErrorKind, Result};

/// A statement ready to be sent: its SQL, with placeholders, and the values bound to them in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// The values.
    pub params: Vec<Value<'static>>,
    /// Why it cannot be sent: the backend does not have what an expression needs, or nobody may see the rows.
    pub(crate) refused: Option<Box<(ErrorKind, String)>>,
}

impl Statement {
    /// A statement from its parts.
    pub fn new(sql: impl Into<String>, params: Vec<Value<'static>>) -> Self {
        Self { sql: sql.into(), params, refused: None }
    }

    /// Empties the statement and keeps its buffers.
    pub fn clear(&mut self) {
        self.sql.clear();
        self.params.clear();
        self.refused = None;
    }

    /// Whether the statement may be sent.
    ///
    /// # Errors
    /// `Unsupported`, naming what the backend has not; `InvalidStatement` where a table has tenants and the session none.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.refused {
            None => Ok(()),
            Some(refusal) => Err(Error::new(refusal.0, refusal.1.clone())),
        }
    }

    pub(super) fn bind(&mut self, dialect: Dialect, value: Value<'static>) {
        self.params.push(value);
        dialect.placeholder(self.params.len(), &mut self.sql);
    }
}
