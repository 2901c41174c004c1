//! The flush of a session with hooks: what is called before its statements, and after them.

use std::collections::HashSet;
use std::panic::Location;
use std::sync::Arc;

use super::{Flush, Keys};
use crate::entity::arena::Arena;
use crate::entity::hooks::{Change, HookRow};
use crate::entity::new::AnyEntity;
use crate::entity::slot::{DOOMED, SlotPtr, State};
use crate::error::{Error, ErrorKind, Result};
use crate::session::events::Flushed;
use crate::session::hooks::inside::{self, InHook, Of};
use crate::session::lock::Turn;
use crate::session::transaction::Unsettled;
use crate::session::{NEEDS_ROLLBACK, Session, hooks};

/// How often hooks may find something new to do, before the flush and after it.
const MAX_ROUNDS: usize = 100;

/// The rows that the flush writes, in the order in which their hooks are called.
type Plan = Vec<(Change, HookRow)>;

impl Session {
    /// Whether the flush of an arena has somebody to call.
    #[inline]
    pub(super) fn has_hooks(&self, arena: &Arena) -> bool {
        if self.has_listeners() {
            return true;
        }
        let tracker = arena.tracker();
        // What a deletion cascades to may be of models that the session does not have yet.
        tracker.has_hooks() || tracker.deletes() && hooks::are_declared()
    }

    /// The flush with its hooks, and another one for what these have done after the first.
    #[cold]
    pub(super) async fn flush_with_hooks(&self, turn: &mut Turn<'_>, at: &'static Location<'static>) -> Result<()> {
        for _ in 0..MAX_ROUNDS {
            let Some(arena) = self.existing_arena() else { return Ok(()) };
            if !arena.tracker().needs_flush() {
                return Ok(());
            }
            let unsettled = Unsettled::new(self);
            turn.hooks_wrote = false;
            let keys = Keys(Arc::clone(&arena));
            let mut flush =
                Flush { session: self, turn, arena, at, keys, sql: String::new(), placeholders: 0, cascaded: 0 };
            let plan = match flush.before_hooks().await {
                Ok(plan) => plan,
                Err(error) => {
                    if flush.nothing_was_sent() {
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
    /// Whether all is as it was before the flush, but for what hooks have changed in memory.
    fn nothing_was_sent(&self) -> bool {
        self.turn.is_here() && !self.turn.hooks_wrote && !self.session.has(NEEDS_ROLLBACK)
    }

    /// Calls what comes before the statements, for rows that hooks add or change too, and validates what is to be written.
    async fn before_hooks(&mut self) -> Result<Plan> {
        for listener in self.session.listeners() {
            let told = InHook::new(self.session, Of::Flush, listener.before_flush(self.session));
            self.lend(told).await?;
        }
        let mut called: HashSet<(Change, SlotPtr)> = HashSet::new();
        for _ in 0..MAX_ROUNDS {
            self.cascade_deletes().await?;
            self.refuse_what_was_done_wrong()?;
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
                    self.before(change, row).await?;
                }
            }
        }
        Err(without_end())
    }

    fn refuse_what_was_done_wrong(&self) -> Result<()> {
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

    async fn before(&mut self, change: Change, row: HookRow) -> Result<()> {
        let Some(table) = row.entity.slot.def().options.hooks else { return Ok(()) };
        if let Some(hooks) = table.sync {
            let _inside = inside::enter(self.session, Of::Flush);
            (hooks.before)(change, &row)?;
        }
        match table.asynchronous {
            Some(hooks) if is_still(change, row.entity.slot) => {
                self.lend(InHook::new(self.session, Of::Flush, (hooks.before)(change, row))).await
            }
            _ => Ok(()),
        }
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
        lent.take_back(self.session, self.at).await?;
        outcome?;
        // It may have closed the session, or have broken its connection.
        self.session.check()
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
