//! UPDATE.

use super::render::Renderer;
use super::{Node, Rendering, Statement, TableRef};

/// An UPDATE of the rows that a condition finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// The table.
    pub table: TableRef,
    /// The columns and their new values.
    pub set: Vec<(&'static str, Node)>,
    /// Another table, whose rows the conditions join.
    pub from: Option<TableRef>,
    /// The conditions, of which all must hold.
    pub filter: Vec<Node>,
    /// The columns that come back of each row.
    pub returning: Vec<&'static str>,
    /// Whether softly deleted rows are changed too.
    pub with_deleted: bool,
}

impl Update {
    /// An UPDATE of a table.
    pub fn table(table: impl Into<TableRef>) -> Self {
        Self { table: table.into(), ..Self::default() }
    }

    /// Appends the statement and its values to a buffer.
    pub fn render<'a>(self, to: impl Into<Rendering<'a>>, out: &'a mut Statement) {
        let to = to.into();
        let is_mysql = to.dialect.is_mysql();
        let mut to = Renderer::new(to, out);
        to.with_deleted = self.with_deleted;
        to.push("UPDATE ");
        let mut filter = self.filter;
        let confined = to.named_table(&self.table);
        // MariaDB and MySQL name the other table first, and whose the columns are.
        let joined = self.from.as_ref().filter(|_| is_mysql);
        if let Some(from) = joined {
            to.push(", ");
            filter.extend(to.table(from.clone()));
        }
        for (at, (column, value)) in self.set.into_iter().enumerate() {
            to.push(if at == 0 { " SET " } else { ", " });
            if joined.is_some() {
                to.quote(self.table.qualifier());
                to.push(".");
            }
            to.quote(column);
            to.push(" = ");
            to.node(value);
        }
        if let Some(from) = self.from.as_ref().filter(|_| joined.is_none()) {
            to.push(" FROM ");
            filter.extend(to.table(from.clone()));
        }
        filter.extend(confined);
        to.conditions(" WHERE ", filter);
        for (at, column) in self.returning.iter().enumerate() {
            to.push(if at == 0 { " RETURNING " } else { ", " });
            to.quote(column);
        }
    }
}
