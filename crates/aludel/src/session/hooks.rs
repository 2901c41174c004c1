//! What a model does when its rows are written and read.

pub(super) mod inside;

use std::future::Future;
use std::sync::OnceLock;

use super::Session;
use crate::entity::Entity;
use crate::entity::hooks::{
    AsyncHooks as AsyncTable, Change, HookFuture, HookRow, HookTable, SyncHooks, relation_states,
};
use crate::entity::model::Model;
use crate::entity::new::AnyEntity;
use crate::error::{Error, ErrorKind, Result};
use crate::model::metadata;

#[doc = include_str!("hooks/hooks.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares `#[model(hooks)]` and has no hooks",
    label = "`Hooks` is not implemented",
    note = "write `impl Hooks for {Self} {{ .. }}`, or leave `hooks` out of `#[model(..)]`"
)]
pub trait Hooks: Model + DeclaresHooks {
    /// Whether the row may be written, after all other hooks: [`Column::invalid`](crate::model::Column::invalid) makes
    /// the error. All new and changed rows are asked before the flush writes any.
    ///
    /// # Errors
    /// What keeps the row from being written; the flush returns it.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Before the INSERT of a new row, which sends what this changes. Keys that the database makes, and keys to other new
    /// rows, are placeholders.
    ///
    /// # Errors
    /// What stops the flush.
    fn before_insert(&mut self, session: &Session) -> Result<()> {
        let _ = session;
        Ok(())
    }

    /// Before the UPDATE of a row of which a column has changed, which sends what this changes. `stored` is the row as the
    /// database has it.
    ///
    /// # Errors
    /// What stops the flush.
    fn before_update(&mut self, stored: &Self, session: &Session) -> Result<()> {
        let _ = (stored, session);
        Ok(())
    }

    /// Before the DELETE of a row, also of one that a cascade deletes.
    ///
    /// # Errors
    /// What stops the flush.
    fn before_delete(&self, session: &Session) -> Result<()> {
        let _ = session;
        Ok(())
    }

    /// The row is in the database, with its keys, and not committed.
    ///
    /// # Errors
    /// What makes the flush fail, so that the session needs a rollback.
    fn after_insert(&self, session: &Session) -> Result<()> {
        let _ = session;
        Ok(())
    }

    /// The row is changed in the database, where it was `stored`, and not committed.
    ///
    /// # Errors
    /// As those of [`after_insert`](Self::after_insert).
    fn after_update(&self, stored: &Self, session: &Session) -> Result<()> {
        let _ = (stored, session);
        Ok(())
    }

    /// The row is gone from the database, and that is not committed.
    ///
    /// # Errors
    /// As those of [`after_insert`](Self::after_insert).
    fn after_delete(&self, session: &Session) -> Result<()> {
        let _ = session;
        Ok(())
    }

    /// The row has been read from the database, by a query or a refresh; what this changes counts as read, and is not
    /// written. It may be called more than once for one row, and for one that the session knows already.
    ///
    /// # Errors
    /// What makes the query fail.
    fn after_load(&mut self) -> Result<()> {
        Ok(())
    }
}

#[doc = include_str!("hooks/async_hooks.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares `#[model(async_hooks)]` and has no asynchronous hooks",
    label = "`AsyncHooks` is not implemented",
    note = "write `impl AsyncHooks for {Self} {{ .. }}`, or leave `async_hooks` out of `#[model(..)]`"
)]
pub trait AsyncHooks: Model + DeclaresAsyncHooks {
    /// Before the INSERT of a new row: see [`Hooks::before_insert`], which comes first.
    ///
    /// # Errors
    /// What stops the flush.
    fn before_insert(row: &Entity<Self>, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, session);
        async { Ok(()) }
    }

    /// Before the UPDATE of a changed row: see [`Hooks::before_update`], which comes first.
    ///
    /// # Errors
    /// What stops the flush.
    fn before_update(row: &Entity<Self>, stored: &Self, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, stored, session);
        async { Ok(()) }
    }

    /// Before the DELETE of a row: see [`Hooks::before_delete`], which comes first.
    ///
    /// # Errors
    /// What stops the flush.
    fn before_delete(row: &Entity<Self>, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, session);
        async { Ok(()) }
    }

    /// The row is in the database: see [`Hooks::after_insert`], which comes first.
    ///
    /// # Errors
    /// What makes the flush fail, so that the session needs a rollback.
    fn after_insert(row: &Entity<Self>, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, session);
        async { Ok(()) }
    }

    /// The row is changed in the database: see [`Hooks::after_update`], which comes first.
    ///
    /// # Errors
    /// As those of [`after_insert`](Self::after_insert).
    fn after_update(row: &Entity<Self>, stored: &Self, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, stored, session);
        async { Ok(()) }
    }

    /// The row is gone from the database: see [`Hooks::after_delete`], which comes first.
    ///
    /// # Errors
    /// As those of [`after_insert`](Self::after_insert).
    fn after_delete(row: &Entity<Self>, session: &Session) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, session);
        async { Ok(()) }
    }
}

/// A model with `#[model(hooks)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare its hooks, so that nobody would call them",
    label = "no `#[model(hooks)]`",
    note = "add `#[model(hooks)]` to the struct"
)]
pub trait DeclaresHooks {}

/// A model with `#[model(async_hooks)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare its asynchronous hooks, so that nobody would call them",
    label = "no `#[model(async_hooks)]`",
    note = "add `#[model(async_hooks)]` to the struct"
)]
pub trait DeclaresAsyncHooks {}

impl HookTable {
    /// No hooks.
    pub const NONE: Self = Self { sync: None, asynchronous: None };

    /// With those of `Hooks`.
    #[must_use]
    pub const fn with_hooks<M: Hooks>(self) -> Self {
        Self { sync: Some(SyncHooks { validate: validate::<M>, before: before::<M>, after: after::<M> }), ..self }
    }

    /// With those of `AsyncHooks`.
    #[must_use]
    pub const fn with_async_hooks<M: AsyncHooks>(self) -> Self {
        Self { asynchronous: Some(AsyncTable { before: before_async::<M>, after: after_async::<M> }), ..self }
    }
}

fn entity<M: Model>(row: &HookRow) -> Entity<M> {
    let AnyEntity { arena, slot } = &row.entity;
    Entity::new(arena.clone(), *slot)
}

fn validate<M: Hooks>(row: &HookRow) -> Result<()> {
    entity::<M>(row).validate().map_err(|error| match (error.kind(), error.table()) {
        (ErrorKind::Validation, None) => error.with_table(M::def().table),
        _ => error,
    })
}

fn before<M: Hooks>(change: Change, row: &HookRow) -> Result<()> {
    let entity = entity::<M>(row);
    let session = Session::of(&row.entity.arena)?;
    match change {
        Change::Insert => edit(&entity, |copy| copy.before_insert(&session)),
        Change::Update => edit(&entity, |copy| copy.before_update(row.stored(), &session)),
        Change::Delete => entity.before_delete(&session),
    }
}

fn after<M: Hooks>(change: Change, row: &HookRow) -> Result<()> {
    let entity = entity::<M>(row);
    let session = Session::of(&row.entity.arena)?;
    match change {
        Change::Insert => entity.after_insert(&session),
        Change::Update => entity.after_update(row.stored(), &session),
        Change::Delete => entity.after_delete(&session),
    }
}

fn before_async<M: AsyncHooks>(change: Change, row: HookRow) -> HookFuture {
    Box::pin(async move {
        let entity = entity::<M>(&row);
        let session = Session::of(&row.entity.arena)?;
        match change {
            Change::Insert => M::before_insert(&entity, &session).await,
            Change::Update => M::before_update(&entity, row.stored(), &session).await,
            Change::Delete => M::before_delete(&entity, &session).await,
        }
    })
}

fn after_async<M: AsyncHooks>(change: Change, row: HookRow) -> HookFuture {
    Box::pin(async move {
        let entity = entity::<M>(&row);
        let session = Session::of(&row.entity.arena)?;
        match change {
            Change::Insert => M::after_insert(&entity, &session).await,
            Change::Update => M::after_update(&entity, row.stored(), &session).await,
            Change::Delete => M::after_delete(&entity, &session).await,
        }
    })
}

/// Runs a hook on a copy of the row, and gives the row what the hook has changed. Where it fails nothing is changed.
fn edit<M: Model>(entity: &Entity<M>, hook: impl FnOnce(&mut M) -> Result<()>) -> Result<()> {
    let read: &M = entity;
    let mut copy = read.clone();
    let relations = relation_states(&copy);
    hook(&mut copy)?;
    if let Some(index) = relation_states(&copy).iter().zip(&relations).position(|(now, before)| now != before) {
        return Err(relationship_was_assigned::<M>(index));
    }
    let changed: Vec<usize> =
        (0..M::def().columns.len()).filter(|&column| copy.value(column) != read.value(column)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    entity.edit(|row| changed.iter().try_for_each(|&column| row.put(column, copy.value(column))))
}

#[cold]
fn relationship_was_assigned<M: Model>(index: usize) -> Error {
    let (model, name) = (M::def().name, M::def().relationships[index].name);
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "a hook of `{model}` assigned the relationship `{name}` of the row: set its key, or use `set`, `push` or \
             `remove` of an `Entity` in a hook of `AsyncHooks` or `SessionEvents`"
        ),
    )
}

/// What the derive calls for a row that was decoded.
///
/// # Errors
/// What the hook returns.
#[doc(hidden)]
pub fn loaded<M: Hooks>(mut row: M) -> Result<M> {
    row.after_load()?;
    Ok(row)
}

/// Whether any model of the program has hooks: what a cascade finds may be of any model.
pub(super) fn are_declared() -> bool {
    static DECLARED: OnceLock<bool> = OnceLock::new();
    *DECLARED.get_or_init(|| metadata::registered().iter().any(|def| def.options.hooks.is_some()))
}
