//! Waiting for a lock without holding a thread.

use std::time::Duration;

use tokio::time::Instant;

/// The pauses between the attempts, in milliseconds; the last one repeats. SQLite's own busy handler has nearly these.
const PAUSES: [u64; 9] = [1, 2, 3, 5, 10, 15, 20, 25, 50];

/// Attempts with pauses between them, up to a limit. The clock is not read before the first attempt has failed.
pub(super) struct Retry {
    limit: Duration,
    deadline: Option<Instant>,
    attempt: usize,
}

impl Retry {
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, deadline: None, attempt: 0 }
    }

    /// The time limit as it was given.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// When the attempts end; counted from the first time somebody asks.
    pub(super) fn deadline(&mut self) -> Instant {
        *self.deadline.get_or_insert_with(|| {
            let now = Instant::now();
            // A limit that no clock can express is as good as a year.
            now.checked_add(self.limit).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600))
        })
    }

    /// Pauses before the next attempt; false when the time is over.
    pub(super) async fn pause(&mut self) -> bool {
        let deadline = self.deadline();
        let now = Instant::now();
        if now >= deadline {
            return false;
        }
        let pause = Duration::from_millis(PAUSES[self.attempt.min(PAUSES.len() - 1)]);
        self.attempt += 1;
        tokio::time::sleep(pause.min(deadline - now)).await;
        true
    }
}
