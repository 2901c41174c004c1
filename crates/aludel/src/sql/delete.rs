//! DELETE.

use std::borrow::Cow;

use super::render::Renderer;
use super::{Dialect, Node, Statement};

/// A DELETE of the rows that a condition finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delete {
    /// The table.
    pub table: Cow<'static, str>,
    /// The conditions, of which all must hold.
    pub filter: Vec<Node>,
}

impl Delete {
    /// A DELETE from a table.
    pub fn from_table(table: impl Into<Cow<'static, str>>) -> Self {
        Self { table: table.into(), filter: Vec::new() }
    }

    /// Appends the statement and its values to a buffer.
    pub fn render(self, dialect: Dialect, out: &mut Statement) {
        let mut to = Renderer::new(dialect, out);
        to.push("DELETE FROM ");
        to.quote(&self.table);
        to.conditions(" WHERE ", self.filter);
    }
}
