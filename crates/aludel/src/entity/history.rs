//! What a column was and is.

use super::handle::Entity;
use super::model::Model;
use super::slot::State;
use crate::error::Result;
use crate::model::{Column, ColumnType};

/// What a column of an entity was in the database and is now: what [`Entity::history`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History<T> {
    /// What the database has, as far as the session knows: the value of the last flush or read. `None` for a new row.
    pub old: Option<T>,
    /// What the entity has.
    pub new: T,
    changed: bool,
}

impl<T> History<T> {
    /// Whether the two differ, so that the next flush writes the column.
    pub fn is_changed(&self) -> bool {
        self.changed
    }
}

impl<M: Model> Entity<M> {
    /// The value that a column had when the row was last read or flushed, and the one that it has now.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     email: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let user = session.add(User::build().email("old@example.com"));
    /// session.commit().await?;
    /// user.set(User::email, "new@example.com");
    /// let history = user.history(User::email)?;
    /// assert_eq!(history.old.as_deref(), Some("old@example.com"));
    /// assert_eq!(history.new, "new@example.com");
    /// assert!(history.is_changed());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Decode` when a value cannot be stored, and so not be copied either.
    pub fn history<T: ColumnType>(&self, column: Column<M, T>) -> Result<History<T>> {
        let (arena, slot) = (self.arena(), self.slot());
        let (flushed, head) = {
            let tracker = arena.tracker();
            (tracker.flushed(slot), slot.head())
        };
        let new = arena.value_in(slot, head, column.index());
        if slot.state() == State::Pending {
            return Ok(History { old: None, new: T::from_value(new)?, changed: true });
        }
        let old = arena.value_in(slot, flushed, column.index());
        let changed = old != new;
        Ok(History { old: Some(T::from_value(old)?), new: T::from_value(new)?, changed })
    }
}
