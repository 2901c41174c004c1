//! Rows that are marked as deleted and stay in the database.

use super::Session;
use super::add::foreign;
use super::links::{leave_collections, note, write_column};
use super::tenant::{is_deleted, refused};
use crate::entity::Entity;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::model::Model;
use crate::entity::slot::{SlotPtr, State};
use crate::error::Result;
use crate::schema::SqlType;
use crate::sql::Value;

impl Session {
    /// Marks a row for deletion by the next flush, with what its relationships cascade to. A row that was added and
    /// not flushed is simply forgotten.
    ///
    /// A row whose model has a `#[column(soft_delete)]` stays in the database: the column is set to the time, or to true,
    /// and from then on no query, load or `get` finds the row unless it says [`with_deleted`](crate::query::Query::with_deleted). The
    /// rows that its relationships cascade `delete` to are softly deleted too; where their model has no such column the
    /// flush fails and says so. Other rows that point at it keep their keys, and links of many-to-many relationships stay,
    /// so that [`restore`](Session::restore) brings the row back as it was. The database deletes nothing by itself then,
    /// so that `passive_deletes` says nothing of a soft deletion.
    /// [`delete_hard`](Session::delete_hard) takes the row out of the database.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Post {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     title: String,
    ///     #[column(soft_delete)]
    ///     deleted_at: Option<Timestamp>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let post = session.add(Post::build().title("Hello"));
    /// session.commit().await?;
    ///
    /// session.delete(&post);
    /// session.commit().await?;
    /// assert!(post.deleted_at.is_some());
    /// assert_eq!(Post::query().count(&session).await?, 0);
    /// assert_eq!(Post::query().only_deleted().count(&session).await?, 1);
    ///
    /// session.restore(&post);
    /// assert_eq!(Post::query().count(&session).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Where a new row with the same primary key is added before the flush, the database's row is not deleted but
    /// updated: to what the new one says in all columns. A softly deleted row keeps its key.
    pub fn delete<M: Model>(&self, entity: &Entity<M>) {
        let (arena, slot) = (self.arena(), entity.slot());
        if !slot.is_in(&arena) {
            arena.tracker().errors.push(foreign(M::def()));
        } else if M::def().options.soft_delete().is_some() && slot.state() == State::Persistent {
            note(&arena, retire(&arena, slot, None));
        } else {
            leave_collections(&arena, slot);
            arena.tracker().delete(slot);
        }
    }

    /// Marks a row for deletion by the next flush, also where its model declares soft deletion: the row leaves the
    /// database. What its relationships cascade `delete` to goes with it, and nullable keys that point at it become NULL,
    /// also those of softly deleted rows.
    pub fn delete_hard<M: Model>(&self, entity: &Entity<M>) {
        let (arena, slot) = (self.arena(), entity.slot());
        if slot.is_in(&arena) {
            leave_collections(&arena, slot);
            arena.tracker().delete(slot);
        } else {
            arena.tracker().errors.push(foreign(M::def()));
        }
    }

    /// Takes the mark of a softly deleted row away: the next flush writes it, and queries find the row again. What was
    /// deleted with it stays deleted; it may be restored in the same way. Loaded collections have the row after the next
    /// `load` that follows the commit. A model without `#[column(soft_delete)]` makes the flush fail.
    pub fn restore<M: Model>(&self, entity: &Entity<M>) {
        let (arena, slot) = (self.arena(), entity.slot());
        if !slot.is_in(&arena) {
            return arena.tracker().errors.push(foreign(M::def()));
        }
        let Some(column) = M::def().options.soft_delete() else {
            let error = refused(format!(
                "restore: `{}` has no column that says whether a row is deleted; mark one `#[column(soft_delete)]`",
                M::def().name
            ));
            return arena.tracker().errors.push(error.with_table(M::def().table));
        };
        arena.tracker().retired.retain(|&retired| retired != slot);
        let value = if column.is_flag { Value::Bool(false) } else { Value::Null };
        note(&arena, write_column(&arena, slot, column.position, value));
    }
}

/// Marks a row as deleted, at a time if that is known; the flush follows its cascades. A row that is marked already keeps
/// its time.
pub(super) fn retire(arena: &ArenaRef, slot: SlotPtr, at: Option<Value<'static>>) -> Result<()> {
    let def = slot.def();
    let Some(column) = def.options.soft_delete() else { return Ok(()) };
    if slot.state() != State::Persistent {
        arena.tracker().delete(slot);
        return Ok(());
    }
    if is_deleted(arena, slot) {
        return Ok(());
    }
    leave_collections(arena, slot);
    let value = at.unwrap_or_else(|| now(&def.columns[column.position].ty));
    write_column(arena, slot, column.position, value)?;
    arena.tracker().retired.push(slot);
    Ok(())
}

/// What marks a row of a model as deleted.
pub(crate) fn mark(def: &'static ModelDef, position: usize) -> Value<'static> {
    now(&def.columns[position].ty)
}

/// The time as a column of this type has it, to the microsecond, which is what all databases keep.
fn now(ty: &SqlType) -> Value<'static> {
    let now = jiff::Timestamp::now();
    let now = jiff::Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    match ty {
        SqlType::Boolean => Value::Bool(true),
        SqlType::DateTime => Value::DateTime(jiff::tz::TimeZone::UTC.to_datetime(now)),
        _ => Value::Timestamp(now),
    }
}
