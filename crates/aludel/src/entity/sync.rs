//! The atomics of the arena: loom's under `--cfg aludel_loom`, std's otherwise.

#[cfg(not(aludel_loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

#[cfg(aludel_loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
