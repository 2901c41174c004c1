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
    /// What the backend does not have, where an expression needs it.
    pub(crate) unsupported: Option<Box<str>>,
}

impl Statement {
    /// A statement from its parts.
    pub fn new(sql: impl Into<String>, params: Vec<Value<'static>>) -> Self {
        Self { sql: sql.into(), params, unsupported: None }
    }

    /// Empties the statement and keeps its buffers.
    pub fn clear(&mut self) {
        self.sql.clear();
        self.params.clear();
        self.unsupported = None;
    }

    /// Whether the backend has all that the statement needs.
    ///
    /// # Errors
    /// `Unsupported`, naming what it has not.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.unsupported {
            None => Ok(()),
            Some(what) => Err(Error::new(ErrorKind::Unsupported, what.to_string())),
        }
    }

    pub(super) fn bind(&mut self, dialect: Dialect, value: Value<'static>) {
        self.params.push(value);
        dialect.placeholder(self.params.len(), &mut self.sql);
    }
}
