//! What the database made of rows, where its statements that write do not return it.

use smallvec::SmallVec;

use super::Flush;
use super::inherit::Part;
use super::inserts::{Batch, Returned, Sent, value_of};
use crate::engine::row::Row;
use crate::entity::def::{Generated, ModelDef};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

impl Flush<'_, '_> {
    /// What RETURNING would have given for the rows of an INSERT; `last` is the key that was counted up for the only
    /// row.
    ///
    /// # Errors
    /// `Unsupported` when the database made a key that it does not tell.
    pub(super) async fn read_inserted(&mut self, batch: &Batch, sent: &Sent, last: i64) -> Result<Vec<Returned>> {
        let def = batch.def;
        let others: Vec<usize> = batch.returned[def.primary_key.len()..].to_vec();
        let mut returned = Vec::with_capacity(batch.slots.len());
        for (row, &slot) in batch.slots.iter().enumerate() {
            let mut key: Returned = SmallVec::new();
            for &column in def.primary_key {
                key.push(if !batch.returning.contains(&column) {
                    let value = self.arena.value_in(slot, sent.0[row], column);
                    self.value_to_send(slot, value, column).into_owned()
                } else if def.columns[column].generated == Generated::Autoincrement {
                    // Counted above i64::MAX it is the same bits.
                    let unsigned = last.cast_unsigned();
                    i64::try_from(unsigned).map_or(Value::UInt(unsigned), Value::Int)
                } else {
                    return Err(unknown_key(def, column));
                });
            }
            if !others.is_empty() {
                let values = self.read_part(def, batch.part, &others, &key).await?;
                key.extend(values.into_iter().map(|(_, value)| value));
            }
            returned.push(key);
        }
        Ok(returned)
    }

    /// Columns of the row with a key.
    ///
    /// # Errors
    /// `StaleData` when it is not there.
    pub(super) async fn read_back(
        &mut self,
        def: &'static ModelDef,
        columns: &[usize],
        key: &[Value<'_>],
    ) -> Result<Vec<(usize, Value<'static>)>> {
        self.read_part(def, None, columns, key).await
    }

    /// The same of one of its tables, where the others do not have the row yet.
    async fn read_part(
        &mut self,
        def: &'static ModelDef,
        part: Option<Part>,
        columns: &[usize],
        key: &[Value<'_>],
    ) -> Result<Vec<(usize, Value<'static>)>> {
        let mut values = Vec::with_capacity(columns.len());
        if columns.is_empty() {
            return Ok(values);
        }
        self.turn_to(def)?;
        self.begin_sql("SELECT ");
        for (position, &column) in columns.iter().enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.quote(part.map_or(def.columns[column].name, |part| part.name(column)));
        }
        self.sql.push_str(" FROM ");
        match part {
            None => self.quote_rows(def),
            Some(part) => self.quote_table(part.table()),
        }
        self.sql.push_str(" WHERE ");
        self.key_condition(part.map_or(def, Part::table));
        let mut sink = |row: &Row<'_>| {
            for (at, &column) in columns.iter().enumerate() {
                values.push((column, value_of(row, at, &def.columns[column])?));
            }
            Ok(())
        };
        let sql = std::mem::take(&mut self.sql);
        self.session.fetch_in(self.turn, &sql, key, self.at, &mut sink).await?;
        self.sql = sql;
        if values.len() == columns.len() {
            return Ok(values);
        }
        Err(Error::new(
            ErrorKind::StaleData,
            format!("a row of `{}` that was just written is not there: a trigger took it away", def.table),
        )
        .with_table(def.table))
    }
}

#[cold]
fn unknown_key(def: &ModelDef, column: usize) -> Error {
    let column = &def.columns[column];
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "{}.{} is made by the database, which does not return it; give `{}` on the new `{}`",
            def.table, column.name, column.field, def.name
        ),
    )
    .with_table(def.table)
    .with_columns(vec![column.name.to_owned()])
}
