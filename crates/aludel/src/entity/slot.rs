//! A slot: one row of the session, at an address that never changes.

use std::ptr::NonNull;

use super::sync::{AtomicPtr, AtomicU64, Ordering};

/// What stands before each row's value in its chunk.
#[repr(C)]
pub(crate) struct SlotHeader {
    /// The newest version of the value; null while that is the one in the chunk.
    pub(super) head: AtomicPtr<()>,
    /// State, flags, the way back to the chunk, and epoch.
    meta: AtomicU64,
}

/// A pointer to a slot, whatever its model.
///
/// It is only made by an arena, and only kept where that arena, or a strong handle on it, keeps it alive: in the
/// arena's own lists, in relationship fields, in handles, and on the stack of code that holds such a handle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SlotPtr(pub(super) NonNull<SlotHeader>);

#[allow(unsafe_code, reason = "the rows behind it are Send and Sync by the bound on `Model`")]
// SAFETY: a slot is reached through atomics and immutable values of types that are `Model: Send + Sync`.
unsafe impl Send for SlotPtr {}
#[allow(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for SlotPtr {}

/// Where an entity stands in its life. A transient one has no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Added, and not yet in the database.
    Pending = 0,
    /// A row of the database.
    Persistent = 1,
    /// Deleted by a flush of the transaction that is still open.
    Deleted = 2,
    /// No longer the session's: deleted for good, expunged, or its insert rolled back.
    Detached = 3,
}

// The bits of `meta`, from the lowest: state (2), flags (2), the distance from the chunk (28), epoch (32).
const STATE: u64 = 0b11;
/// The entity has changes that no flush has sent.
pub(crate) const DIRTY: u64 = 1 << 2;
/// The entity is to be deleted by the next flush.
pub(crate) const DOOMED: u64 = 1 << 3;
/// From the chunk to the slot, in units of the slot's alignment. It never changes.
const BACK_SHIFT: u32 = 4;
const BACK: u64 = 0x0fff_ffff;
const EPOCH_SHIFT: u32 = 32;
/// The largest distance of a slot from its chunk's beginning, in bytes.
pub(super) const FARTHEST: usize = BACK as usize * align_of::<SlotHeader>();

impl SlotHeader {
    /// The header of a slot so many bytes behind its chunk's beginning, a multiple of the slot's alignment and at most
    /// `FARTHEST`.
    pub(super) fn new(back: usize, state: State, epoch: u32) -> Self {
        debug_assert!(back.is_multiple_of(align_of::<Self>()) && back <= FARTHEST);
        let back = (back / align_of::<Self>()) as u64;
        Self {
            head: AtomicPtr::new(std::ptr::null_mut()),
            meta: AtomicU64::new(state as u64 | back << BACK_SHIFT | u64::from(epoch) << EPOCH_SHIFT),
        }
    }

    /// From the chunk's beginning to here, in bytes.
    pub(super) fn back(&self) -> usize {
        (self.meta.load(Ordering::Relaxed) >> BACK_SHIFT & BACK) as usize * align_of::<Self>()
    }

    pub(super) fn state(&self) -> State {
        match self.meta.load(Ordering::Acquire) & STATE {
            0 => State::Pending,
            1 => State::Persistent,
            2 => State::Deleted,
            _ => State::Detached,
        }
    }

    /// Only under the tracker's lock, as all changes of `meta`.
    pub(super) fn set_state(&self, state: State) {
        let meta = self.meta.load(Ordering::Relaxed);
        self.meta.store(meta & !STATE | state as u64, Ordering::Release);
    }

    pub(super) fn has(&self, flag: u64) -> bool {
        self.meta.load(Ordering::Acquire) & flag != 0
    }

    pub(super) fn set(&self, flag: u64, on: bool) {
        let meta = self.meta.load(Ordering::Relaxed);
        self.meta.store(if on { meta | flag } else { meta & !flag }, Ordering::Release);
    }

    pub(super) fn epoch(&self) -> u32 {
        (self.meta.load(Ordering::Acquire) >> EPOCH_SHIFT) as u32
    }

    pub(super) fn set_epoch(&self, epoch: u32) {
        let meta = self.meta.load(Ordering::Relaxed);
        self.meta.store(meta & u64::from(u32::MAX) | u64::from(epoch) << EPOCH_SHIFT, Ordering::Release);
    }
}

impl SlotPtr {
    /// The model's name and the row's key, for `Debug`: never deeper.
    pub(super) fn fmt_key(self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let def = self.def();
        write!(f, "<{}", def.name)?;
        for &column in def.primary_key {
            #[allow(unsafe_code, reason = "reads a column of the row")]
            // SAFETY: the head of this slot is a valid value of its model.
            let value = unsafe { (def.vtable.value)(self.head(), column) };
            write!(f, " {value}")?;
        }
        f.write_str(">")
    }
}
