//! The handle on one row of a session.
#![allow(unsafe_code, reason = "reads rows of the arena that the handle keeps")]

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;

use serde::{Serialize, Serializer};

use super::arena::Arena;
use super::arena_ref::ArenaRef;
use super::def::Generated;
use super::model::Model;
use super::new::AnyEntity;
use super::placeholder::is_placeholder;
use super::slot::{SlotHeader, SlotPtr, State};
use super::sync::Ordering;
use super::tracker::{changed_columns, merge};
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Value;

/// A row of the database in a session: a handle that is cheap to clone, `Send + Sync`, and derefs to the model.
///
/// **What it derefs to is a snapshot.** `user.username` reads the newest value, without a lock and without waiting;
/// a `&User` taken from it stays as it was when it was taken, and stays valid, whatever is set afterwards. Pass
/// `&Entity<User>` to functions, not `&User`, where they should see later changes.
///
/// It is changed by [`set`](Entity::set) and [`edit`](Entity::edit); the session's next flush writes the columns that
/// differ. Each change keeps the version before it until the session's rows are freed, so that for several fields one
/// `edit` is cheaper than several `set`.
///
/// Equality and hash are identity: two handles are equal that lead to the same row of the same session. A handle that
/// is kept keeps all rows of its session in memory; [`detach`](Entity::detach) gives a plain value for caches.
pub struct Entity<T: Model> {
    arena: ArenaRef,
    slot: SlotPtr,
    model: PhantomData<fn() -> T>,
}

// Send and Sync follow from ArenaRef, SlotPtr and `PhantomData<fn() -> T>`: never from T's structure, which the
// bound `Model: Send + Sync` covers.

impl<T: Model> Entity<T> {
    #[inline]
    pub(crate) fn new(arena: ArenaRef, slot: SlotPtr) -> Self {
        debug_assert!(slot.def().is(T::def()));
        Self { arena, slot, model: PhantomData }
    }

    /// A strong handle on a row that is only known by its address.
    pub(crate) fn upgrade(slot: SlotPtr) -> Result<Self> {
        match slot.arena() {
            Some(arena) => Ok(Self::new(arena, slot)),
            None => Err(Error::new(ErrorKind::Detached, "the session's rows are being freed")),
        }
    }

    pub(crate) fn erase(&self) -> AnyEntity {
        AnyEntity { arena: self.arena.clone(), slot: self.slot }
    }

    pub(crate) fn arena(&self) -> &ArenaRef {
        &self.arena
    }

    pub(crate) fn slot(&self) -> SlotPtr {
        self.slot
    }

    /// Changes the row: the closure gets a private copy, and what it returns is returned.
    ///
    /// The closure runs under no lock, so that it may read or change other entities, and even this one: a change that
    /// was made meanwhile is kept, column by column, except where this one changed the same column. Relationships are
    /// not assigned here but with `set`, `push` and `remove`; the next flush says so if they were.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     username: String,
    ///     email: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// let user = session.add(User::build().username("Ann").email("ann@example.com"));
    /// let before = user.edit(|user| {
    ///     user.username.make_ascii_lowercase();
    ///     std::mem::take(&mut user.email)
    /// });
    /// assert_eq!((user.username.as_str(), user.email.as_str()), ("ann", ""));
    /// assert_eq!(before, "ann@example.com");
    /// session.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit<O>(&self, change: impl FnOnce(&mut T) -> O) -> O {
        let mut base: *const () = self.slot.head();
        let mut draft = self.arena.copy_of(self.slot, base);
        let relations = draft.relation_states();
        // SAFETY: a draft of this model, borrowed exclusively for the closure.
        let out = change(unsafe { &mut *draft.as_mut_ptr().cast::<T>() });
        let assigned: Vec<_> = relations
            .iter()
            .zip(draft.relation_states())
            .zip(T::def().relationships)
            .filter(|((before, after), _)| !std::ptr::eq(**before, *after))
            .map(|(_, relationship)| relationship.name)
            .collect();
        loop {
            // The relationship fields of the private copy are handles of their own until it is kept.
            let seen = base;
            let mut tracker = self.arena.tracker();
            if std::ptr::eq(self.slot.head(), seen) {
                drop(tracker);
                let kept = self.arena.keep(self.slot, draft);
                // Only the insert of a new row asks which columns were given.
                let given =
                    if self.is_pending() { changed_columns(&self.arena, self.slot, seen, kept) } else { Vec::new() };
                tracker = self.arena.tracker();
                if std::ptr::eq(self.slot.head(), seen) {
                    tracker.publish(self.slot, kept);
                    if let Some(columns) = tracker.given.get_mut(&self.slot) {
                        given.into_iter().for_each(|column| columns.insert(column));
                    }
                    break;
                }
                // Somebody published in between: what was kept is merged like any other copy.
                drop(tracker);
                draft = self.arena.copy_of(self.slot, kept);
            } else {
                drop(tracker);
            }
            let now: *const () = self.slot.head();
            let mut onto = self.arena.copy_of(self.slot, now);
            if let Err(error) = merge(&self.arena, self.slot, base, &draft, &mut onto) {
                self.arena.tracker().errors.push(error);
            }
            (draft, base) = (onto, now);
        }
        for name in assigned {
            let model = T::def().name;
            self.arena.tracker().errors.push(Error::new(
                ErrorKind::InvalidStatement,
                format!("`edit` assigned the relationship `{model}::{name}`; use `set`, `push` or `remove` for it"),
            ));
        }
        out
    }

    /// Whether the row was added and is not in the database yet. A generated integer key is a placeholder until then.
    pub fn is_pending(&self) -> bool {
        self.slot.state() == State::Pending
    }

    /// Whether the row is in the database, as far as the session knows.
    pub fn is_persistent(&self) -> bool {
        self.slot.state() == State::Persistent
    }

    /// Whether the row was deleted in the transaction that is still open.
    pub fn is_deleted(&self) -> bool {
        self.slot.state() == State::Deleted
    }

    /// A plain copy of the value, with no relationship loaded and nothing of the session kept: for caches.
    ///
    /// A key that is a placeholder, because the row is in no database, is left as it is in a new struct: the copy can
    /// be added again.
    pub fn detach(&self) -> T {
        let mut value = (**self).clone();
        for index in 0..T::def().relationships.len() {
            value.relation_mut(index).clear();
        }
        if matches!(self.slot.state(), State::Pending | State::Detached) {
            self.forget_placeholder(&mut value);
        }
        value
    }

    #[cold]
    fn forget_placeholder(&self, value: &mut T) {
        let made = self.arena.tracker().store(T::def().root()).placeholders;
        for (position, column) in T::def().columns.iter().enumerate() {
            if column.generated == Generated::Autoincrement
                && is_placeholder(&column.ty, made, &value.value(position))
                && let Err(error) = value.put(position, Value::Int(0))
            {
                self.arena.tracker().errors.push(error);
            }
        }
    }

    /// Whether two entities, of one session or of two, stand for the same row of the database.
    pub fn same_row(&self, other: &Self) -> bool {
        T::def().primary_key.iter().all(|&column| self.value(column) == other.value(column))
    }
}

#[inline]
pub(super) fn head_of<'a, T: Model>(slot: SlotPtr) -> &'a T {
    const fn offset<T>() -> usize {
        size_of::<SlotHeader>().next_multiple_of(align_of::<T>())
    }
    // SAFETY: a slot of this model, alive as the callers keep its arena for `'a`; the offset is the chunk's.
    unsafe {
        let head = slot.0.as_ref().head.load(Ordering::Acquire);
        if head.is_null() { slot.0.byte_add(offset::<T>()).cast::<T>().as_ref() } else { &*head.cast::<T>() }
    }
}

impl<T: Model> Deref for Entity<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        head_of(self.slot)
    }
}

impl<T: Model> Clone for Entity<T> {
    fn clone(&self) -> Self {
        Self::new(self.arena.clone(), self.slot)
    }
}

impl<T: Model> PartialEq for Entity<T> {
    fn eq(&self, other: &Self) -> bool {
        self.slot == other.slot
    }
}

impl<T: Model> Eq for Entity<T> {}

impl<T: Model> Hash for Entity<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.slot.hash(state);
    }
}

impl<T: Model + fmt::Debug> fmt::Debug for Entity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Model + Serialize> Serialize for Entity<T> {
    /// The value's own serialization; relationships that are not loaded are left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::serialize::row::<T, S>(self.slot, serializer)
    }
}

/// A copy of a row that a flush or a refresh is changing.
pub(crate) fn publish_columns(
    arena: &Arena,
    slot: SlotPtr,
    sent: *const (),
    columns: &[(usize, crate::sql::Value<'_>)],
) -> Result<()> {
    loop {
        let head: *const () = slot.head();
        let newest = arena.keep(slot, arena.copy_with(slot, head, columns)?);
        // A change made while the statement was under way stays on top; what the database has is kept beside it.
        let flushed =
            if std::ptr::eq(head, sent) { newest } else { arena.keep(slot, arena.copy_with(slot, sent, columns)?) };
        let mut tracker = arena.tracker();
        if std::ptr::eq(slot.head(), head) {
            tracker.publish_flushed(slot, newest, flushed);
            return Ok(());
        }
    }
}
