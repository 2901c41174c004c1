//! What servers have prepared, by its SQL text.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// What a server has prepared, by its SQL text: at most so many statements, the least recently used going first.
pub(super) struct StatementCache<P> {
    statements: HashMap<Box<str>, Slot<P>, RandomState>,
    capacity: usize,
    clock: u64,
}

struct Slot<P> {
    prepared: Arc<P>,
    used: u64,
}

impl<P> StatementCache<P> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { statements: HashMap::default(), capacity, clock: 0 }
    }

    /// Whether statements are kept at all.
    #[cfg(feature = "postgres")]
    pub(super) fn is_on(&self) -> bool {
        self.capacity > 0
    }

    /// How many statements are kept.
    #[cfg(feature = "postgres")]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline]
    pub(super) fn get(&mut self, sql: &str) -> Option<Arc<P>> {
        self.clock += 1;
        let slot = self.statements.get_mut(sql)?;
        slot.used = self.clock;
        Some(Arc::clone(&slot.prepared))
    }

    /// Makes room for one more; what had to go for it is the caller's to close.
    pub(super) fn make_room(&mut self) -> Option<Arc<P>> {
        if self.statements.len() < self.capacity {
            return None;
        }
        let (oldest, _) = self.statements.iter().min_by_key(|(_, slot)| slot.used)?;
        let oldest = oldest.clone();
        self.remove(&oldest)
    }

    pub(super) fn insert(&mut self, sql: &str, prepared: Arc<P>) {
        self.statements.insert(sql.into(), Slot { prepared, used: self.clock });
    }

    /// Puts another in the place of those that `is_old` tells.
    #[cfg(feature = "mysql")]
    pub(super) fn replace(&mut self, is_old: impl Fn(&P) -> bool, new: &Arc<P>) {
        for slot in self.statements.values_mut().filter(|slot| is_old(&slot.prepared)) {
            slot.prepared = Arc::clone(new);
        }
    }

    pub(super) fn remove(&mut self, sql: &str) -> Option<Arc<P>> {
        self.statements.remove(sql).map(|slot| slot.prepared)
    }
}
