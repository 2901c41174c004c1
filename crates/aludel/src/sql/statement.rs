//! A statement ready to be sent.

use super::{Dialect, Value};

/// A statement ready to be sent: its SQL, with placeholders, and the values bound to them in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// The values.
    pub params: Vec<Value<'static>>,
}

impl Statement {
    /// A statement from its parts.
    pub fn new(sql: impl Into<String>, params: Vec<Value<'static>>) -> Self {
        Self { sql: sql.into(), params }
    }

    /// Empties the statement and keeps its buffers.
    pub fn clear(&mut self) {
        self.sql.clear();
        self.params.clear();
    }

    pub(super) fn bind(&mut self, dialect: Dialect, value: Value<'static>) {
        self.params.push(value);
        dialect.placeholder(self.params.len(), &mut self.sql);
    }
}
