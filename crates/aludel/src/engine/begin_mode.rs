//! How a transaction begins.

/// How a transaction begins, where the backend knows a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BeginMode {
    /// Takes its snapshot at its first read and the right to write at its first write. For reading.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "no session asks for a read-only transaction yet; the engine's tests do")
    )]
    Deferred,
    /// Takes the right to write at once, so that what it reads is still true when it writes.
    Immediate,
}
