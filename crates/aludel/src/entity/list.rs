//! The rows of a loaded collection.
#![allow(unsafe_code, reason = "lists lie in the arena and are read without a lock")]

use std::ptr::NonNull;

use super::slot::{SlotHeader, SlotPtr};
use super::sync::{AtomicPtr, AtomicUsize, Ordering};

/// The rows of one loaded collection: appended to in place while there is room, replaced by a longer or shorter copy
/// otherwise. A reader takes the length first and sees that many rows; it is never kept waiting.
pub(crate) struct List {
    len: AtomicUsize,
    capacity: usize,
    slots: NonNull<AtomicPtr<SlotHeader>>,
}

#[allow(unsafe_code, reason = "see SlotPtr")]
// SAFETY: the slots are behind atomics, and the memory behind `slots` is the arena's as the list itself.
unsafe impl Send for List {}
// SAFETY: as above.
unsafe impl Sync for List {}

impl List {
    /// A list over a part of the arena's memory for links.
    ///
    /// # Safety
    /// `links` stays in place as long as the list, and belongs to this list alone.
    pub(super) unsafe fn new(links: &[AtomicPtr<SlotHeader>], len: usize) -> Self {
        debug_assert!(len <= links.len());
        Self { len: AtomicUsize::new(len), capacity: links.len(), slots: NonNull::from(links).cast() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// The row at a position below a length that this list has had.
    pub(crate) fn at(&self, index: usize) -> SlotPtr {
        assert!(index < self.capacity, "position {index} of a list of {}", self.len());
        // SAFETY: below the capacity; every position below a published length holds a slot.
        let slot = unsafe { self.slots.add(index).as_ref() }.load(Ordering::Acquire);
        match NonNull::new(slot) {
            Some(slot) => SlotPtr(slot),
            None => panic!("position {index} of a list was read before it was written"),
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = SlotPtr> + '_ {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Appends in place; `false` when there is no room. Only under the tracker's lock.
    pub(super) fn push(&self, slot: SlotPtr) -> bool {
        let len = self.len.load(Ordering::Relaxed);
        if len == self.capacity {
            return false;
        }
        // SAFETY: below the capacity.
        unsafe { self.slots.add(len).as_ref() }.store(slot.0.as_ptr(), Ordering::Release);
        self.len.store(len + 1, Ordering::Release);
        true
    }

    /// Shortens the list to a length that it had before. Only under the tracker's lock.
    pub(super) fn truncate(&self, len: usize) {
        self.len.store(len, Ordering::Release);
    }
}
