//! UPDATE.

use std::borrow::Cow;

use super::render::Renderer;
use super::{Dialect, Node, Statement};

/// An UPDATE of the rows that a condition finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The table.
    pub table: Cow<'static, str>,
    /// The columns and their new values.
    pub set: Vec<(&'static str, Node)>,
    /// The conditions, of which all must hold.
    pub filter: Vec<Node>,
    /// The columns that come back of each row.
    pub returning: Vec<&'static str>,
}

impl Update {
    /// An UPDATE of a table.
    pub fn table(table: impl Into<Cow<'static, str>>) -> Self {
        Self { table: table.into(), ..Self::default() }
    }

    /// Appends the statement and its values to a buffer.
    pub fn render(self, dialect: Dialect, out: &mut Statement) {
        let mut to = Renderer::new(dialect, out);
        to.push("UPDATE ");
        to.quote(&self.table);
        for (at, (column, value)) in self.set.into_iter().enumerate() {
            to.push(if at == 0 { " SET " } else { ", " });
            to.quote(column);
            to.push(" = ");
            to.node(value);
        }
        to.conditions(" WHERE ", self.filter);
        for (at, column) in self.returning.iter().enumerate() {
            to.push(if at == 0 { " RETURNING " } else { ", " });
            to.quote(column);
        }
    }
}
