//! Statements of a flush that wait for each other: where the database takes several in one round trip, they are sent when
//! one of them needs a key that another makes, and at the end.

use super::inserts::{Inserted, Returned, value_of};
use super::updates::{Planned, stale};
use super::{Flush, inserts};
use crate::engine::row::Row;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::placeholder::may_be_placeholder;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, Result};
use crate::session::shared::Bind;
use crate::sql::Value;

/// How many rows may come back of one request: the server writes them while it is still being written to, so that they
/// have to fit into the buffers between the two.
const MAX_RETURNED: usize = 1000;

/// The statements that wait, in the order in which they are to run.
#[derive(Default)]
pub(super) struct Queue<'v> {
    statements: Vec<Queued<'v>>,
    /// How many rows they return.
    returned: usize,
}

/// A statement that is ready to be sent.
struct Queued<'v> {
    bind: Bind,
    sql: String,
    params: Vec<Value<'v>>,
    then: Then<'v>,
}

/// What a statement does, and so what is to be done when it has run.
pub(super) enum Then<'v> {
    Inserted(Inserted<'v>),
    Updated(Planned),
    Deleted {
        def: &'static ModelDef,
        rows: Vec<SlotPtr>,
        keys: Vec<IdentityKey>,
        /// Whether rows that were not there are an error.
        counted: bool,
    },
    /// A foreign key is NULL now, of a row that is about to be deleted.
    Opened,
}

impl Queue<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }
}

impl Flush<'_, '_> {
    /// Whether statements wait for others, to be sent with them.
    pub(super) fn waits(&self) -> bool {
        self.dialect().capabilities().several_at_once
    }

    /// Puts the statement in the buffer into the queue.
    pub(super) async fn enqueue<'v>(
        &mut self,
        queue: &mut Queue<'v>,
        params: Vec<Value<'v>>,
        then: Then<'v>,
    ) -> Result<()> {
        let bind = self.turn.bind;
        let returned = if let Then::Inserted(inserted) = &then { inserted.batch.slots.len() } else { 0 };
        if queue.returned + returned > MAX_RETURNED {
            self.send(queue).await?;
            self.turn.switch(bind);
        }
        queue.returned += returned;
        queue.statements.push(Queued { bind, sql: std::mem::take(&mut self.sql), params, then });
        Ok(())
    }

    /// Whether a row's foreign key is made by a statement that waits.
    pub(super) fn needs_a_key_of(&self, queue: &Queue<'_>, slot: SlotPtr, version: *const ()) -> bool {
        !queue.is_empty()
            && slot.def().columns.iter().enumerate().any(|(column, column_def)| {
                if column_def.references.is_none() && !slot.def().is_in_a_foreign_key(column) {
                    return false;
                }
                let value = self.arena.value_in(slot, version, column);
                may_be_placeholder(&column_def.ty, &value) && self.keys.resolve(slot.def(), column, &value).is_none()
            })
    }

    /// Sends what waits, those that follow each other on one database together.
    pub(super) async fn send(&mut self, queue: &mut Queue<'_>) -> Result<()> {
        let queued = std::mem::take(queue).statements;
        let mut queued = queued.into_iter().peekable();
        while let Some(first) = queued.next() {
            let bind = first.bind;
            let mut together = vec![first];
            while let Some(next) = queued.next_if(|next| next.bind == bind) {
                together.push(next);
            }
            self.turn.switch(bind);
            self.send_together(together).await?;
        }
        Ok(())
    }

    async fn send_together(&mut self, together: Vec<Queued<'_>>) -> Result<()> {
        let mut returned: Vec<Vec<Returned>> = together.iter().map(|_| Vec::new()).collect();
        let outcome = {
            let statements: Vec<(&str, &[Value<'_>])> =
                together.iter().map(|queued| (queued.sql.as_str(), queued.params.as_slice())).collect();
            let mut sink = |at: usize, row: &Row<'_>| {
                if let Then::Inserted(inserts::Inserted { batch, .. }) = &together[at].then {
                    let columns = batch.returned.iter().enumerate();
                    let values = columns.map(|(at, &column)| value_of(row, at, &batch.def.columns[column]));
                    returned[at].push(values.collect::<Result<_>>()?);
                }
                Ok(())
            };
            self.session.execute_all_in(self.turn, &statements, self.at, &mut sink).await
        };
        let failed = outcome.failed.map(|(at, error)| together[at].then.explain(error));
        for ((queued, executed), returned) in together.into_iter().zip(&outcome.done).zip(returned) {
            match queued.then {
                Then::Inserted(inserted) => self.settle_batch(&inserted, returned)?,
                Then::Updated(planned) => {
                    let computed = self.read_computed(&planned, executed.rows_affected).await?;
                    self.settle_update(&planned, executed.rows_affected, computed)?;
                }
                Then::Deleted { def, rows, keys, counted } => {
                    if counted && executed.rows_affected != rows.len() as u64 {
                        return Err(stale(def, &keys[0], "deleted"));
                    }
                    self.settle_delete(&rows, keys);
                }
                Then::Opened => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Then<'_> {
    /// What is known of why a statement failed.
    fn explain(&self, error: Error) -> Error {
        match self {
            Self::Inserted(Inserted { batch, .. }) => Flush::explain(batch.def, &batch.columns, error),
            Self::Updated(planned) => Flush::explain(planned.slot.def(), &planned.places, error),
            Self::Deleted { def, .. } => super::deletes::in_use(def, error),
            Self::Opened => error,
        }
    }
}
