//! The numbers of sequences.

use std::panic::Location;

use super::Session;
use super::shared::{Bind, DEFAULT};
use super::transaction::Unsettled;
use crate::engine::row::Row;
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Column;
use crate::sql::ddl;

/// What [`Session::next_value`] takes: a column with a sequence, or the name of a sequence in the default database.
pub trait SequenceRef {
    /// The database, the schema and the name.
    #[doc(hidden)]
    fn resolve(self, session: &Session) -> Result<Resolved>;
}

/// A sequence, as a statement names it.
#[doc(hidden)]
pub struct Resolved {
    bind: Bind,
    schema: Option<String>,
    name: String,
}

impl SequenceRef for &str {
    fn resolve(self, _session: &Session) -> Result<Resolved> {
        Ok(Resolved { bind: DEFAULT, schema: None, name: self.to_owned() })
    }
}

impl<M: Model, T> SequenceRef for Column<M, T> {
    fn resolve(self, session: &Session) -> Result<Resolved> {
        let Some(sequence) = &self.def().sequence else {
            let message = format!("the column {self:?} has no sequence: write `#[column(sequence = \"..\")]`");
            return Err(Error::new(ErrorKind::InvalidStatement, message));
        };
        let schema = match (M::def().schema, session.schemas()) {
            (Some(schema), Some(names)) => names.get(schema),
            (schema, _) => schema,
        };
        let schema = schema.map(str::to_owned);
        Ok(Resolved { bind: session.bind_of(M::def())?, schema, name: sequence.name.to_owned() })
    }
}

impl Session {
    /// The next number of a sequence: `session.next_value(Invoice::number)`, or by the sequence's name. It is taken in the
    /// session's transaction, which it opens, and a rollback does not give it back.
    ///
    /// # Errors
    /// `Unsupported` where there are no sequences (SQLite, MySQL); `InvalidStatement` for a column without one;
    /// `MissingTable` and others as the database reports them.
    #[track_caller]
    pub fn next_value(&self, sequence: impl SequenceRef) -> impl Future<Output = Result<i64>> + Send {
        let (at, session) = (Location::caller(), self.clone());
        let resolved = sequence.resolve(self);
        async move { session.take_next(resolved?, at).await }
    }

    async fn take_next(&self, sequence: Resolved, at: &'static Location<'static>) -> Result<i64> {
        let Resolved { bind, schema, name } = sequence;
        let dialect = self.db().engine(bind).dialect();
        if !dialect.capabilities().sequences {
            let message = format!("there is no sequence `{name}`: this database has no sequences");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let mut sql = String::from("SELECT ");
        ddl::next_value(dialect, schema.as_deref(), &name, &mut sql);
        self.check()?;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        let unsettled = Unsettled::new(self);
        let mut number = None;
        let mut sink = |row: &Row<'_>| {
            number = Some(row.integer(0)?);
            Ok(())
        };
        let result = self.returning_in(&mut turn, &sql, &[], at, &mut sink).await;
        unsettled.settle();
        result?;
        number.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("the sequence `{name}` gave no number")))
    }
}
