//! When a long result gives way to the other tasks of the thread.

use std::time::{Duration, Instant};

/// How many rows are handed over between two looks at the clock.
const BATCH: u32 = 64;

/// How long rows are handed over before the other tasks have their turn.
const SLICE: Duration = Duration::from_micros(250);

/// Counts the rows of a result that lie in the connection's buffer: reading them never waits.
#[derive(Default)]
pub(super) struct Pace {
    rows: u32,
    start: Option<Instant>,
}

impl Pace {
    /// After each row. Short results never read the clock.
    #[inline]
    pub(super) async fn row(&mut self) {
        self.rows += 1;
        if self.rows == BATCH {
            self.rows = 0;
            self.turn().await;
        }
    }

    /// They had it just now.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    #[cold]
    async fn turn(&mut self) {
        let now = Instant::now();
        if now - *self.start.get_or_insert(now) > SLICE {
            tokio::task::yield_now().await;
            self.start = Some(Instant::now());
        }
    }
}
