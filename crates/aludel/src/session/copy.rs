//! Many rows at once.

use std::panic::Location;

use super::transaction::Unsettled;
use super::{Bind, Session};
use crate::engine::{CopyIn, Executed};
use crate::error::Result;

impl Session {
    /// A write of many rows by COPY: opens the transaction. Nothing comes back, and nothing has happened, where the
    /// table or the values are for INSERT alone.
    pub(crate) async fn copy_in(
        &self,
        bind: Bind,
        copy: &CopyIn<'_>,
        table: &str,
        at: &'static Location<'static>,
    ) -> Result<Option<Executed>> {
        self.check()?;
        let mut turn = self.turn(at).await?;
        turn.switch(bind);
        let connection = self.transaction(&mut turn, at).await?;
        let unsettled = Unsettled::new(self);
        let result = connection.copy_in(copy).await;
        unsettled.settle();
        let executed = self.settle(&turn, result)?;
        if let Some(arena) = self.existing_arena()
            && executed.is_some()
        {
            arena.tracker().raise_epoch(Some(table));
        }
        Ok(executed)
    }
}
