//! The atomics and locks of the arena: loom's under `--cfg aludel_loom`, std's otherwise.
//!
//! The name is not `loom` alone, because tokio leaves out its network and its timers under that.

#[cfg(not(aludel_loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(aludel_loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering},
};
