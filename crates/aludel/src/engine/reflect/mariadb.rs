//! The sequences of a MariaDB database, which its information schema tells nothing of: each is asked for itself.

use std::collections::HashMap;

use super::{PooledConnection, optional_text, query};
use crate::error::Result;
use crate::schema::{Column, Sequence};
use crate::sql::Dialect;

/// The sequences that columns take their numbers from, each asked for once.
#[derive(Default)]
pub(super) struct Sequences {
    own: Option<String>,
    known: HashMap<String, Sequence>,
}

impl Sequences {
    /// Makes a column's default of the next value of a sequence, of the table's own database, that sequence.
    pub(super) async fn take(
        &mut self,
        connection: &mut PooledConnection,
        database: Option<&str>,
        column: &mut Column,
    ) -> Result<()> {
        let Some((of, name)) = column.server_default.as_deref().and_then(next_value) else { return Ok(()) };
        if self.own.is_none() {
            self.own = match database {
                Some(name) => Some(name.to_owned()),
                None => query(connection, "SELECT database()", &[], |row| optional_text(row, 0)).await?.pop().flatten(),
            };
        }
        if of.is_some() && of != self.own {
            return Ok(());
        }
        if !self.known.contains_key(&name) {
            let sequence = self.ask(connection, &name).await?;
            self.known.insert(name.clone(), sequence);
        }
        column.sequence = self.known.get(&name).cloned();
        column.server_default = None;
        Ok(())
    }

    async fn ask(&self, connection: &mut PooledConnection, name: &str) -> Result<Sequence> {
        let mut sql = String::from("SELECT start_value, increment FROM ");
        if let Some(own) = &self.own {
            Dialect::MariaDb.quote(own, &mut sql);
            sql.push('.');
        }
        Dialect::MariaDb.quote(name, &mut sql);
        let options = query(connection, &sql, &[], |row| Ok((row.integer(0)?, row.integer(1)?))).await?;
        let mut sequence = Sequence::new(name.to_owned());
        if let Some(&(start, increment)) = options.first() {
            // An increment of 0 is that of the server.
            sequence.start = Some(start).filter(|start| *start != 1);
            sequence.increment = Some(increment).filter(|increment| !matches!(increment, 0 | 1));
        }
        Ok(sequence)
    }
}

/// The database and the name in ``nextval(`shop`.`numbers`)``, as the server writes it whoever wrote it.
fn next_value(default: &str) -> Option<(Option<String>, String)> {
    let inner = default.strip_prefix("nextval(")?.strip_suffix(')')?;
    let (first, rest) = quoted(inner)?;
    match rest.strip_prefix('.') {
        None if rest.is_empty() => Some((None, first)),
        None => None,
        Some(rest) => {
            let (second, rest) = quoted(rest)?;
            rest.is_empty().then_some((Some(first), second))
        }
    }
}

/// A name in backticks, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('`')?;
        name.push_str(part);
        match after.strip_prefix('`') {
            Some(after) => {
                name.push('`');
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_sequence_is_read_from_a_default() {
        let found = |default| next_value(default);
        assert_eq!(found("nextval(`shop`.`numbers`)"), Some((Some("shop".into()), "numbers".into())));
        assert_eq!(found("nextval(`odd``name`)"), Some((None, "odd`name".into())));
        for other in ["nextval(`a`.`b`) + 1", "nextval(", "lastval(`a`)", "'nextval'"] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
