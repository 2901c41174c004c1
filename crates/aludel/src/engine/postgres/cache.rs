//! Prepared statements by their SQL text.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::types::Type;

/// A statement that the server has prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Its name there; empty for the one that the next takes the place of.
    pub(super) name: String,
    pub(super) parameters: Box<[Type]>,
    pub(super) columns: Box<[Type]>,
}

/// Prepared statements by their SQL text, at most so many, the least recently used going first.
pub(super) struct StatementCache {
    statements: HashMap<Box<str>, Slot, RandomState>,
    capacity: usize,
    clock: u64,
}

struct Slot {
    prepared: Arc<Prepared>,
    used: u64,
}

impl StatementCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self { statements: HashMap::default(), capacity, clock: 0 }
    }

    /// Whether statements are kept at all.
    pub(super) fn is_on(&self) -> bool {
        self.capacity > 0
    }

    /// How many statements are kept.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline]
    pub(super) fn get(&mut self, sql: &str) -> Option<Arc<Prepared>> {
        self.clock += 1;
        let slot = self.statements.get_mut(sql)?;
        slot.used = self.clock;
        Some(Arc::clone(&slot.prepared))
    }

    /// Makes room for one more; what had to go for it is the caller's to close.
    pub(super) fn make_room(&mut self) -> Option<Arc<Prepared>> {
        if self.statements.len() < self.capacity {
            return None;
        }
        let (oldest, _) = self.statements.iter().min_by_key(|(_, slot)| slot.used)?;
        let oldest = oldest.clone();
        self.remove(&oldest)
    }

    pub(super) fn insert(&mut self, sql: &str, prepared: Arc<Prepared>) {
        self.statements.insert(sql.into(), Slot { prepared, used: self.clock });
    }

    pub(super) fn remove(&mut self, sql: &str) -> Option<Arc<Prepared>> {
        self.statements.remove(sql).map(|slot| slot.prepared)
    }
}
