//! Where a session's entities lie: an arena, and another one after each `clear`.
#![allow(unsafe_code, reason = "a statement uses the arena without counting a handle on it")]

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use super::lock::Turn;
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::lock::Lock;

/// A session's arena, which a `clear` exchanges for another.
pub(super) struct Entities {
    /// Owns a handle on it.
    current: AtomicPtr<Arena>,
    /// Held by who exchanges it, and by who counts a handle on it.
    exchange: Lock<()>,
}

impl Entities {
    pub(super) fn new(first: ArenaRef) -> Self {
        Self { current: AtomicPtr::new(first.into_raw().cast_mut()), exchange: Lock::new(()) }
    }

    /// A handle on the arena.
    pub(super) fn handle(&self) -> ArenaRef {
        let _held = self.exchange.lock();
        // SAFETY: a handle's address; that handle is not taken out meanwhile.
        unsafe { ArenaRef::count_one(self.current.load(Ordering::Relaxed)) }
    }

    /// Begins another arena. Who has the session's turn may go on to use the one before: see [`Turns::retire`].
    ///
    /// [`Turns::retire`]: super::lock::Turns::retire
    pub(super) fn exchange(&self, new: ArenaRef) -> ArenaRef {
        let _held = self.exchange.lock();
        let old = self.current.load(Ordering::Relaxed);
        self.current.store(new.into_raw().cast_mut(), Ordering::Release);
        // SAFETY: the handle that was here.
        unsafe { ArenaRef::from_raw(old) }
    }

    /// Whether nobody else has a handle on the arena, asked in the session's turn.
    pub(super) fn is_only(&self, turn: &Turn<'_>) -> bool {
        self.in_turn(turn).is_only()
    }

    /// The arena, as long as the turn lasts: until then none is dropped that was here when it began.
    fn in_turn(&self, _turn: &Turn<'_>) -> ManuallyDrop<ArenaRef> {
        // SAFETY: the address of a handle that is dropped after the turn has ended; this one is not dropped.
        ManuallyDrop::new(unsafe { ArenaRef::from_raw(self.current.load(Ordering::Acquire)) })
    }

    /// The arena, which nobody else can reach.
    pub(super) fn get_mut(&mut self) -> Option<&mut Arena> {
        let current: *mut *mut Arena = self.current.get_mut();
        // SAFETY: the same pointer, as the handle that it is: a handle is one pointer.
        unsafe { &mut *current.cast::<ArenaRef>() }.get_mut()
    }
}

impl Drop for Entities {
    fn drop(&mut self) {
        // SAFETY: the handle that is here, taken out once.
        drop(unsafe { ArenaRef::from_raw(*self.current.get_mut()) });
    }
}

/// The session's turn, and its arena: what a statement needs. Where the turn was free no handle on the arena is counted,
/// before it ends.
pub(crate) struct Statement<'s> {
    // Fields drop in this order: the arena is not used after the turn.
    arena: StatementArena,
    turn: Option<Turn<'s>>,
    /// Whether there may have been entities before.
    used: bool,
}

/// The arena of a statement.
struct StatementArena {
    arena: ManuallyDrop<ArenaRef>,
    counted: AtomicBool,
}

impl<'s> Statement<'s> {
    pub(super) fn new(entities: &Entities, turn: Option<Turn<'s>>, used: bool) -> Self {
        let (arena, counted) = match &turn {
            Some(turn) => (entities.in_turn(turn), false),
            None => (ManuallyDrop::new(entities.handle()), true),
        };
        Self { arena: StatementArena { arena, counted: AtomicBool::new(counted) }, turn, used }
    }

    /// Whether anything waits for a flush.
    #[inline]
    pub(crate) fn has_changes(&self) -> bool {
        self.used && self.arena.arena.tracker().needs_flush()
    }

    /// The arena, and apart from it the turn.
    pub(crate) fn parts(&mut self) -> (&ArenaRef, StatementTurn<'_, 's>) {
        (&self.arena.arena, StatementTurn { turn: &mut self.turn, arena: &self.arena })
    }
}

impl Drop for StatementArena {
    #[inline]
    fn drop(&mut self) {
        if *self.counted.get_mut() {
            // SAFETY: a handle of its own, dropped once.
            unsafe { ManuallyDrop::drop(&mut self.arena) };
        }
    }
}

/// The turn of a statement, where it has it.
pub(crate) struct StatementTurn<'a, 's> {
    turn: &'a mut Option<Turn<'s>>,
    arena: &'a StatementArena,
}

impl<'s> StatementTurn<'_, 's> {
    pub(crate) fn get(&mut self) -> Option<&mut Turn<'s>> {
        self.turn.as_mut()
    }

    /// Ends the turn, if there is one. The arena stays.
    pub(crate) fn end(&mut self) {
        if let Some(turn) = self.turn.take() {
            let another = ArenaRef::clone(&self.arena.arena);
            // From here on it is the statement's own.
            std::mem::forget(another);
            self.arena.counted.store(true, Ordering::Relaxed);
            drop(turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::super::lock::Turns;
    use super::*;

    fn at() -> &'static std::panic::Location<'static> {
        std::panic::Location::caller()
    }

    fn arena() -> ArenaRef {
        Arena::new(Weak::<()>::new())
    }

    /// What `Session::clear` does.
    fn clear(entities: &Entities, turns: &Turns) {
        let turn = turns.try_take(at());
        let old = entities.exchange(arena());
        if turn.is_none() {
            turns.retire(old);
        }
    }

    #[test]
    fn an_arena_that_is_cleared_stays_as_long_as_the_statement_that_uses_it() {
        let (turns, entities) = (Turns::new(), Entities::new(arena()));
        let watch = entities.handle();
        let mut statement = Statement::new(&entities, turns.try_take(at()), false);
        assert!(statement.parts().0.is(&watch));
        clear(&entities, &turns);
        assert!(!watch.is_only(), "kept for the statement");
        assert!(!entities.handle().is(&watch), "the next one has another");
        drop(statement);
        assert!(watch.is_only(), "freed with its turn");
    }

    #[test]
    fn a_statement_that_gives_up_its_turn_keeps_the_arena_by_itself() {
        let (turns, entities) = (Turns::new(), Entities::new(arena()));
        let watch = entities.handle();
        let mut statement = Statement::new(&entities, turns.try_take(at()), false);
        let (arena, mut turn) = statement.parts();
        turn.end();
        clear(&entities, &turns);
        assert!(turns.try_take(at()).is_some());
        assert!(arena.is(&watch) && !watch.is_only());
        drop(statement);
        assert!(watch.is_only());
    }

    #[test]
    fn a_statement_without_the_turn_counts_a_handle() {
        let (turns, entities) = (Turns::new(), Entities::new(arena()));
        let turn = turns.try_take(at());
        let statement = Statement::new(&entities, turns.try_take(at()), false);
        let watch = entities.handle();
        drop(turn);
        clear(&entities, &turns);
        assert!(!watch.is_only());
        drop(statement);
        assert!(watch.is_only());
    }

    #[test]
    fn nothing_is_kept_of_an_arena_that_is_cleared_between_statements() {
        let (turns, entities) = (Turns::new(), Entities::new(arena()));
        let watch = entities.handle();
        drop(Statement::new(&entities, turns.try_take(at()), false));
        clear(&entities, &turns);
        assert!(watch.is_only());
    }
}
