//! DELETE.

use super::render::Renderer;
use super::{Node, Rendering, Statement, TableRef};

/// A DELETE of the rows that a condition finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delete {
    /// The table.
    pub table: TableRef,
    /// The conditions, of which all must hold.
    pub filter: Vec<Node>,
    /// Whether softly deleted rows are deleted too.
    pub with_deleted: bool,
}

impl Delete {
    /// A DELETE from a table.
    pub fn from_table(table: impl Into<TableRef>) -> Self {
        Self { table: table.into(), ..Self::default() }
    }

    /// Appends the statement and its values to a buffer.
    pub fn render<'a>(self, to: impl Into<Rendering<'a>>, out: &'a mut Statement) {
        let target = to.into();
        let mut to = Renderer::new(target, out);
        to.with_deleted = self.with_deleted;
        to.push("DELETE ");
        if let Some(alias) = self.table.alias.as_deref().filter(|_| target.dialect.is_mysql()) {
            // MariaDB knows an alias only in the form for several tables.
            to.quote(alias);
            to.push(" ");
        }
        to.push("FROM ");
        let confined = to.named_table(&self.table);
        let mut filter = self.filter;
        filter.extend(confined);
        to.conditions(" WHERE ", filter);
    }
}
