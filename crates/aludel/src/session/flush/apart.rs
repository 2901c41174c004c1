//! New rows of models in several tables, inserted as a flush does it, of which the session keeps nothing.

use std::panic::Location;
use std::sync::Weak;

use super::queue::Queue;
use super::{Flush, order};
use crate::entity::arena::Arena;
use crate::entity::identity_map::IdentityKey;
use crate::entity::new::AnyNew;
use crate::error::Result;
use crate::session::Session;
use crate::session::add::add_row;
use crate::session::transaction::Unsettled;

impl Session {
    /// Inserts rows of one model, and gives their keys. Where one of the statements fails, the session needs a rollback.
    ///
    /// # Errors
    /// As [`flush`](Session::flush).
    pub(crate) async fn insert_apart(
        &self,
        rows: impl Iterator<Item = Box<dyn AnyNew>>,
        at: &'static Location<'static>,
    ) -> Result<Vec<IdentityKey>> {
        let arena = Arena::new(Weak::<()>::new());
        let slots: Vec<_> = rows.map(|row| add_row(&arena, row)).collect();
        if let Some(error) = arena.tracker().errors.pop() {
            return Err(error);
        }
        let Some(first) = slots.first() else { return Ok(Vec::new()) };
        let def = first.def();
        self.check()?;
        let mut turn = self.turn(at).await?;
        let ordered = order::for_insert(&arena, &slots)?;
        let unsettled = Unsettled::new(self);
        let mut flush = Flush::new(self, &mut turn, arena.clone(), at);
        let mut queue = Queue::default();
        flush.insert(&mut queue, &arena, &ordered).await?;
        flush.update(&mut queue, &arena, &[], &ordered.late).await?;
        flush.send(&mut queue).await?;
        unsettled.settle();
        if let Some(own) = self.existing_arena() {
            own.tracker().raise_epoch(Some(def.root().table));
        }
        Ok(slots.iter().map(|&slot| IdentityKey::of(def, |column| arena.value(slot, column))).collect())
    }
}
