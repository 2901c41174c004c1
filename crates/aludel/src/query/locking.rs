//! Reads that lock the rows they find.

use crate::error::Result;
use crate::sql::{Dialect, JoinKind, Lock, LockStrength, LockWait};

use super::Query;
use super::draft::Draft;
use super::scope::invalid;
use super::source::{JoinTarget, Joined};
use crate::entity::model::Model;

impl<M: Model, R> Query<M, R> {
    /// Locks the rows until the transaction ends, so that nobody else changes or locks them: `FOR UPDATE`. It opens the
    /// session's transaction.
    ///
    /// Entities that the session has already get the values that are locked, as with
    /// [`populate_existing`](Query::populate_existing). Relationships are loaded in statements of their own, which lock
    /// nothing. Where tables are outer-joined only the others' rows are locked.
    ///
    /// SQLite, which locks the whole database and no rows, refuses such a query with an error of the kind
    /// `Unsupported`: call [`Session::begin`](crate::Session::begin), which keeps other writers out.
    pub fn for_update(self) -> Self {
        self.locked(LockStrength::Update)
    }

    /// Locks the rows until the transaction ends, so that nobody else changes them: `FOR SHARE`. Otherwise as
    /// [`for_update`](Query::for_update).
    pub fn for_share(self) -> Self {
        self.locked(LockStrength::Share)
    }

    /// Of which table the rows are locked, where the query has several: `Post::TABLE`, or an alias. A second call adds
    /// another. Not on MariaDB, where such a query is an error of the kind `Unsupported`.
    pub fn of(mut self, table: impl JoinTarget) -> Self {
        let name = table.into_target().0.name;
        self.lock().of.push(name);
        self
    }

    /// Fails with an error of the kind `Busy` where others have locked a row, instead of waiting for them: `NOWAIT`.
    pub fn nowait(mut self) -> Self {
        self.lock().wait = LockWait::NoWait;
        self
    }

    /// Leaves out the rows that others have locked: `SKIP LOCKED`.
    pub fn skip_locked(mut self) -> Self {
        self.lock().wait = LockWait::SkipLocked;
        self
    }

    fn locked(mut self, strength: LockStrength) -> Self {
        self.lock().strength = strength;
        self
    }

    /// The lock; what is said of one makes it FOR UPDATE.
    fn lock(&mut self) -> &mut Lock {
        let rare = self.draft.edit().rare();
        rare.lock.get_or_insert(Lock { strength: LockStrength::Update, of: Vec::new(), wait: LockWait::Wait })
    }
}

impl Draft {
    /// # Errors
    /// `InvalidStatement` where there are no rows of tables to be locked.
    pub(super) fn check_lock(&self, lock: &Lock) -> Result<()> {
        let rare = self.rare.as_deref();
        let gathered = !self.group_by.is_empty() || !self.having.is_empty() || self.distinct;
        if gathered || rare.is_some_and(|rare| !rare.distinct_on.is_empty()) {
            return Err(invalid(
                "for_update(): rows that are gathered by group_by, having or distinct cannot be locked; lock them in a \
                 query of their own"
                    .to_owned(),
            ));
        }
        match lock.of.iter().find(|name| !self.has(name)) {
            Some(name) => Err(invalid(format!("of({name}): this query does not select from it"))),
            None => Ok(()),
        }
    }

    /// # Errors
    /// `InvalidStatement` when rows are to be locked by what does not read them.
    pub(super) fn refuse_lock(&self, word: &str) -> Result<()> {
        match self.rare.as_ref().is_some_and(|rare| rare.lock.is_some()) {
            true => Err(invalid(format!("for_update(): `{word}` locks no rows; use `all`, `first` or `one`"))),
            false => Ok(()),
        }
    }

    /// The lock as the statement has it: rows that an outer join may lack cannot be locked.
    pub(super) fn take_lock(&mut self, dialect: Option<Dialect>) -> Option<Lock> {
        let mut lock = self.rare.as_mut()?.lock.take()?;
        let outer = self.joins.iter().any(|joined| joined.kind() == JoinKind::Left);
        if outer && lock.of.is_empty() && matches!(dialect, Some(Dialect::Postgres | Dialect::MySql)) {
            let inner = self.joins.iter().filter(|joined| joined.kind() == JoinKind::Inner).flat_map(Joined::names);
            lock.of.extend(inner.map(|name| name.to_owned().into()));
            lock.of.insert(0, self.root_name());
        }
        Some(lock)
    }
}
