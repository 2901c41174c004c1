//! The atomics of the arena: loom's under `--cfg aludel_loom`, std's otherwise.
//!
//! The name is not `loom` alone, because tokio leaves out its network and its timers under that.

#[cfg(not(aludel_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};

#[cfg(aludel_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
