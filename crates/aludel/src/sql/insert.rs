//! INSERT.

use super::{Dialect, Rendering, Statement, TableRef, Value};

/// An INSERT of one or more rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insert {
    /// The table.
    pub table: TableRef,
    /// The columns that are given; none makes a row of defaults.
    pub columns: Vec<&'static str>,
    /// The values, row after row, each in the order of `columns`.
    pub values: Vec<Value<'static>>,
    /// A column that gets the same value in each row, as SQL.
    pub stamp: Option<(&'static str, String)>,
    /// The columns that come back of each row, in no certain order of rows.
    pub returning: Vec<&'static str>,
}

impl Insert {
    /// An INSERT into a table.
    pub fn into_table(table: impl Into<TableRef>) -> Self {
        Self { table: table.into(), ..Self::default() }
    }

    /// Appends the statement and its values to a buffer.
    pub fn render<'a>(self, to: impl Into<Rendering<'a>>, out: &mut Statement) {
        let rows = self.values.len().checked_div(self.columns.len()).unwrap_or(1);
        self.render_head(to, rows, out);
        out.params.extend(self.values);
    }

    /// Appends the statement for so many rows to a buffer, without the values: they are bound by whoever holds them.
    pub fn render_head<'a>(&self, to: impl Into<Rendering<'a>>, rows: usize, out: &mut Statement) {
        let to: Rendering<'_> = to.into();
        let dialect = to.dialect;
        // One piece of memory for most statements.
        let names: usize = self.columns.iter().chain(&self.returning).map(|column| column.len() + 4).sum();
        out.sql.reserve(40 + self.table.name.len() + names + rows * (4 + 3 * self.columns.len()));
        out.sql.push_str("INSERT INTO ");
        to.quote_table(self.table.schema.as_deref(), &self.table.name, &mut out.sql);
        if self.columns.is_empty() && self.stamp.is_none() {
            out.sql.push_str(dialect.default_values());
        } else {
            self.render_values(dialect, rows, out);
        }
        for (at, column) in self.returning.iter().enumerate() {
            out.sql.push_str(if at == 0 { " RETURNING " } else { ", " });
            dialect.quote(column, &mut out.sql);
        }
    }

    /// Appends the COPY that takes the same columns of rows in their binary form.
    pub fn render_copy(&self, to: Rendering<'_>, out: &mut String) {
        out.push_str("COPY ");
        to.quote_table(self.table.schema.as_deref(), &self.table.name, out);
        for (at, column) in self.columns.iter().enumerate() {
            out.push_str(if at == 0 { " (" } else { ", " });
            to.dialect.quote(column, out);
        }
        out.push_str(") FROM STDIN (FORMAT binary)");
    }

    fn render_values(&self, dialect: Dialect, rows: usize, out: &mut Statement) {
        let stamp = self.stamp.as_ref().map(|(column, _)| column);
        for (at, column) in self.columns.iter().chain(stamp).enumerate() {
            out.sql.push_str(if at == 0 { " (" } else { ", " });
            dialect.quote(column, &mut out.sql);
        }
        out.sql.push_str(") VALUES ");
        let mut number = out.params.len();
        let first = out.sql.len();
        for row in 0..rows {
            if row > 0 && !dialect.capabilities().numbered_placeholders {
                // Placeholders without numbers: every row is the first one again.
                let one = out.sql[first..].to_owned();
                out.sql.reserve((one.len() + 2) * (rows - 1));
                for _ in 1..rows {
                    out.sql.push_str(", ");
                    out.sql.push_str(&one);
                }
                return;
            }
            out.sql.push_str(if row == 0 { "(" } else { ", (" });
            for at in 0..self.columns.len() {
                if at > 0 {
                    out.sql.push_str(", ");
                }
                number += 1;
                dialect.placeholder(number, &mut out.sql);
            }
            if let Some((_, value)) = &self.stamp {
                out.sql.push_str(if self.columns.is_empty() { "" } else { ", " });
                out.sql.push_str(value);
            }
            out.sql.push(')');
        }
    }
}
