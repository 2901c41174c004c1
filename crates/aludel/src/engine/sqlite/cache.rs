//! Prepared statements by their SQL text.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::database::Database;
use super::execution::Execution;
use super::statement::Statement;
use crate::error::Result;

/// Prepared statements by their SQL text, at most so many, the least recently used going first.
///
/// A statement is lent out while it runs. Who asks for the same text meanwhile (a query inside the loop over a
/// stream) gets another one.
pub(super) struct StatementCache {
    table: HashTable<usize>,
    slots: Vec<Slot>,
    hasher: RandomState,
    capacity: usize,
    clock: u64,
    /// Where the last statement was found.
    last: usize,
}

struct Slot {
    sql: Box<str>,
    hash: u64,
    used: u64,
    /// Which text lives here: counts up whenever another moves in.
    tenant: u32,
    /// `None` while lent out. In a box, so that lending moves a pointer.
    execution: Option<Box<Execution>>,
}

/// Where a lent statement belongs.
#[derive(Clone, Copy)]
pub(super) struct Home {
    slot: usize,
    tenant: u32,
}

impl StatementCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            table: HashTable::new(),
            slots: Vec::new(),
            hasher: RandomState::default(),
            capacity: capacity.max(1),
            clock: 0,
            last: 0,
        }
    }

    /// Lends the statement for a text, compiling it where it is not there.
    #[inline]
    pub(super) fn take(&mut self, database: &Database, sql: &str) -> Result<Box<Execution>> {
        self.clock += 1;
        // A loop asks for the same text again and again.
        if let Some(slot) = self.slots.get_mut(self.last)
            && *slot.sql == *sql
            && let Some(execution) = slot.execution.take()
        {
            slot.used = self.clock;
            return Ok(execution);
        }
        let hash = self.hasher.hash_one(sql);
        if let Some(&index) = self.table.find(hash, |&index| &*self.slots[index].sql == sql) {
            self.last = index;
            let slot = &mut self.slots[index];
            slot.used = self.clock;
            let home = Home { slot: index, tenant: slot.tenant };
            return match slot.execution.take() {
                Some(execution) => Ok(execution),
                None => Ok(Box::new(Execution::new(Statement::prepare(database, sql)?, home))),
            };
        }
        self.insert(database, sql, hash)
    }

    #[cold]
    fn insert(&mut self, database: &Database, sql: &str, hash: u64) -> Result<Box<Execution>> {
        let statement = Statement::prepare(database, sql)?;
        let mut slot = Slot { sql: sql.into(), hash, used: self.clock, tenant: 0, execution: None };
        let index = if self.slots.len() < self.capacity {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let index = self.least_recently_used();
            if let Ok(entry) = self.table.find_entry(self.slots[index].hash, |&other| other == index) {
                entry.remove();
            }
            slot.tenant = self.slots[index].tenant.wrapping_add(1);
            self.slots[index] = slot;
            index
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, index, |&index| slots[index].hash);
        let home = Home { slot: index, tenant: self.slots[index].tenant };
        Ok(Box::new(Execution::new(statement, home)))
    }

    fn least_recently_used(&self) -> usize {
        let oldest = self.slots.iter().enumerate().min_by_key(|(_, slot)| slot.used);
        oldest.map_or(0, |(index, _)| index)
    }

    /// Takes a lent statement back. It is dropped where its place was given to another text, or to its twin.
    #[inline]
    pub(super) fn give_back(&mut self, execution: Box<Execution>) {
        let home = execution.home;
        let slot = &mut self.slots[home.slot];
        if slot.tenant == home.tenant && slot.execution.is_none() {
            slot.execution = Some(execution);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}
