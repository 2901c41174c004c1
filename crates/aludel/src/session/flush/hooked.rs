//! The flush of a session with hooks: what is called before its statements, and after them.

use std::collections::HashSet;
use std::panic::Location;

use super::Flush;
use super::updates::Version;
use crate::entity::hooks::{Change, HookRow, SyncHooks};
use crate::entity::new::{AnyEntity, ColumnSet};
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::entity::tracker::Tracker;
use crate::error::{Error, ErrorKind, Result};
use crate::session::events::Flushed;
use crate::session::hooks::inside::{self, InHook, Of};
use crate::session::lock::Turn;
use crate::session::transaction::Unsettled;
use crate::session::{NEEDS_ROLLBACK, Session, hooks};

/// How often hooks may find something new to do, before the flush and after it.
const MAX_ROUNDS: usize = 100;

/// What a hook has made of its row.
struct Edit {
    slot: SlotPtr,
    before: Version,
    after: Version,
    /// The columns that a new row had been given.
    given: Option<ColumnSet>,
}

/// The rows that the flush writes, in the order in which their hooks are called.
type Plan = Vec<(Change, HookRow)>;

impl Session {
    /// Whether the flush of what is tracked has somebody to call.
    #[inline]
    pub(super) fn has_hooks(&self, tracker: &Tracker) -> bool {
        // What a deletion cascades to may be of models that the session does not have yet.
        self.has_listeners() || tracker.has_hooks() || tracker.deletes() && hooks::are_declared()
    }

    /// The flush with its hooks, and another one for what these have done after the first.
    #[cold]
    pub(super) async fn flush_with_hooks(&self, turn: &mut Turn<'_>, at: &'static Location<'static>) -> Result<()> {
        for round in 0..MAX_ROUNDS {
            let Some(arena) = self.existing_arena() else { return Ok(()) };
            if !arena.tracker().needs_flush() {
                return Ok(());
            }
            let unsettled = Unsettled::new(self);
            turn.hooks_wrote = false;
            let mut flush = Flush::new(self, turn, arena, at);
            let new: HashSet<SlotPtr> = flush.arena.tracker().new.iter().copied().collect();
            let mut edits = Vec::new();
            let plan = match flush.before_hooks(&mut edits).await {
                Ok(plan) => plan,
                Err(error) => {
                    flush.undo(edits);
                    if round == 0 && flush.is_as_before(&new) {
                        unsettled.settle();
                    }
                    return Err(error);
                }
            };
            flush.run().await?;
            flush.after_hooks(plan).await?;
            unsettled.settle();
        }
        self.set(NEEDS_ROLLBACK);
        Err(without_end())
    }
}

impl Flush<'_, '_> {
    /// Gives rows back what they were before their hooks, unless they were changed since.
    fn undo(&self, edits: Vec<Edit>) {
        let mut tracker = self.arena.tracker();
        for Edit { slot, before, after, given } in edits.into_iter().rev() {
            if std::ptr::eq(slot.head(), after.0) {
                tracker.publish(slot, before.0);
                if let (Some(given), State::Pending) = (given, slot.state()) {
                    tracker.given.insert(slot, given);
                }
            }
        }
    }

    /// Whether the flush may be tried again: nothing was written, and hooks have added no rows, which they would add once
    /// more.
    fn is_as_before(&self, new: &HashSet<SlotPtr>) -> bool {
        let nothing_was_written = self.turn.is_here() && !self.turn.hooks_wrote && !self.session.has(NEEDS_ROLLBACK);
        nothing_was_written && self.arena.tracker().new.iter().all(|slot| new.contains(slot))
    }

    /// Calls what comes before the statements, for rows that hooks add or change too, and validates what is to be written.
    async fn before_hooks(&mut self, edits: &mut Vec<Edit>) -> Result<Plan> {
        for listener in self.session.listeners() {
            let told = InHook::new(self.session, Of::Flush, listener.before_flush(self.session));
            self.lend(told).await?;
        }
        let mut called: HashSet<(Change, SlotPtr)> = HashSet::new();
        for _ in 0..MAX_ROUNDS {
            if let Err(error) = self.follow_deletes().await {
                // No hook's own error, after which all is as it was.
                self.session.set(NEEDS_ROLLBACK);
                return Err(error);
            }
            let plan = self.plan();
            let due = plan.iter().filter(|(change, row)| has_hooks(row) && called.insert((*change, row.entity.slot)));
            let due: Plan = due.cloned().collect();
            if due.is_empty() {
                self.validate(&plan)?;
                return Ok(plan);
            }
            for (change, row) in due {
                // A hook before this one may have deleted it, say.
                if is_still(change, row.entity.slot) {
                    self.before(change, row, edits).await?;
                }
            }
        }
        Err(without_end())
    }

    /// What the rows to be deleted cascade to, and what was done wrong where no error could be returned.
    async fn follow_deletes(&mut self) -> Result<()> {
        self.cascade_deletes().await?;
        let mut tracker = self.arena.tracker();
        if tracker.errors.is_empty() { Ok(()) } else { Err(tracker.errors.remove(0)) }
    }

    /// What the flush would write now.
    fn plan(&self) -> Plan {
        let (mut new, dirty, doomed) = {
            let tracker = self.arena.tracker();
            let mut new = tracker.new.clone();
            new.retain(|slot| slot.state() == State::Pending);
            let doomed = tracker.doomed.iter().copied().filter(|&slot| is_still(Change::Delete, slot));
            (new, tracker.dirty_rows(), doomed.collect::<Vec<_>>())
        };
        let row = |change| move |slot| (change, HookRow::new(&self.arena, slot));
        let mut plan: Plan = new.iter().copied().map(row(Change::Insert)).collect();
        plan.extend(dirty.into_iter().map(row(Change::Update)).filter(|(_, row)| row.is_changed()));
        // A row whose place a new one takes is not deleted.
        let replaced = self.replaced(&mut new, &doomed);
        plan.extend(doomed.into_iter().filter(|slot| !replaced.contains(slot)).map(row(Change::Delete)));
        plan
    }

    fn validate(&self, plan: &Plan) -> Result<()> {
        let _inside = inside::enter(self.session, Of::Flush);
        plan.iter().filter(|(change, _)| *change != Change::Delete).try_for_each(|(_, row)| {
            match row.entity.slot.def().options.hooks.and_then(|table| table.sync) {
                Some(hooks) => (hooks.validate)(row),
                None => Ok(()),
            }
        })
    }

    async fn before(&mut self, change: Change, row: HookRow, edits: &mut Vec<Edit>) -> Result<()> {
        let Some(table) = row.entity.slot.def().options.hooks else { return Ok(()) };
        if let Some(hooks) = table.sync {
            edits.extend(self.before_now(change, &row, hooks)?);
        }
        match table.asynchronous {
            Some(hooks) if is_still(change, row.entity.slot) => {
                self.lend(InHook::new(self.session, Of::Flush, (hooks.before)(change, row))).await
            }
            _ => Ok(()),
        }
    }

    fn before_now(&self, change: Change, row: &HookRow, hooks: SyncHooks) -> Result<Option<Edit>> {
        let slot = row.entity.slot;
        let (before, given) = (Version(slot.head()), self.arena.tracker().given.get(&slot).cloned());
        {
            let _inside = inside::enter(self.session, Of::Flush);
            (hooks.before)(change, row)?;
        }
        let after = Version(slot.head());
        Ok((!std::ptr::eq(before.0, after.0)).then_some(Edit { slot, before, after, given }))
    }

    /// Calls what comes after the statements.
    async fn after_hooks(&mut self, plan: Plan) -> Result<()> {
        let plan: Plan = plan.into_iter().filter(|(change, row)| is_done(*change, row.entity.slot)).collect();
        for (change, row) in plan.iter().filter(|(_, row)| has_hooks(row)) {
            self.after(*change, row.clone()).await?;
        }
        let listeners = self.session.listeners();
        if listeners.is_empty() {
            return Ok(());
        }
        let mut flushed = Flushed::default();
        for (change, row) in plan {
            let rows: &mut Vec<AnyEntity> = match change {
                Change::Insert => &mut flushed.inserted,
                Change::Update => &mut flushed.updated,
                Change::Delete => &mut flushed.deleted,
            };
            rows.push(row.entity);
        }
        for listener in listeners {
            let told = InHook::new(self.session, Of::Flush, listener.after_flush(self.session, &flushed));
            self.lend(told).await?;
        }
        Ok(())
    }

    async fn after(&mut self, change: Change, row: HookRow) -> Result<()> {
        let Some(table) = row.entity.slot.def().options.hooks else { return Ok(()) };
        if let Some(hooks) = table.sync {
            let _inside = inside::enter(self.session, Of::Flush);
            (hooks.after)(change, &row)?;
        }
        match table.asynchronous {
            Some(hooks) => self.lend(InHook::new(self.session, Of::Flush, (hooks.after)(change, row))).await,
            None => Ok(()),
        }
    }

    /// Runs a hook that may send statements of its own.
    async fn lend<F: Future<Output = Result<()>>>(&mut self, hook: InHook<'_, F>) -> Result<()> {
        let lent = self.turn.lend();
        let outcome = hook.await;
        let session = self.session;
        lent.take_back(session.turn_limit(), self.at).await.map_err(|_| session.stuck())?;
        outcome?;
        // It may have closed the session, or have broken its connection.
        session.check()
    }
}

fn has_hooks(row: &HookRow) -> bool {
    row.entity.slot.def().options.hooks.is_some()
}

/// Whether a change of a row is still to be written.
fn is_still(change: Change, slot: SlotPtr) -> bool {
    match change {
        Change::Insert => slot.state() == State::Pending,
        Change::Update => slot.state() == State::Persistent && !slot.has(DOOMED),
        Change::Delete => slot.state() == State::Persistent && slot.has(DOOMED),
    }
}

/// Whether a change of a row has been written.
fn is_done(change: Change, slot: SlotPtr) -> bool {
    match change {
        Change::Insert | Change::Update => slot.state() == State::Persistent,
        Change::Delete => slot.state() == State::Deleted,
    }
}

#[cold]
fn without_end() -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "the hooks of this session found something to write {MAX_ROUNDS} times over: one of them changes or adds rows \
             whenever it is called"
        ),
    )
}
