//! How a connection ends whose statement nobody waits for any more.

use std::sync::Arc;
use std::time::Duration;

use super::link::Link;
use super::startup::{Door, enter};
use super::wire::WireError;

/// How long the connection that kills may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The number of the error for a connection that is not there.
const NO_SUCH_CONNECTION: u16 = 1094;

/// While a statement runs: if its future is dropped meanwhile, the server is told to end it, so that its locks are free
/// at once. Dropping the connection alone would not do: a server that is busy with a statement does not look whether its
/// client is still there.
pub(super) struct InFlight {
    killer: Option<Killer>,
}

impl InFlight {
    pub(super) fn new(door: &Arc<Door>, link: &Link) -> Self {
        Self { killer: Some(Killer::new(door, link)) }
    }

    /// The statement has ended.
    pub(super) fn land(mut self) {
        self.killer = None;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(killer) = self.killer.take() {
            killer.spawn();
        }
    }
}

/// What ends a connection from outside.
pub(super) struct Killer {
    door: Arc<Door>,
    id: u32,
}

impl Killer {
    pub(super) fn new(door: &Arc<Door>, link: &Link) -> Self {
        Self { door: Arc::clone(door), id: link.id }
    }

    /// Ends the connection over another one, if there is a runtime to do so. Without one the server notices when it next
    /// writes.
    pub(super) fn spawn(self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let id = self.id;
            match tokio::time::timeout(LIMIT, self.kill()).await {
                Ok(Ok(())) => {}
                // It has ended by itself.
                Ok(Err(WireError::Server(error))) if error.code == NO_SUCH_CONNECTION => {}
                Ok(Err(error)) => tracing::warn!(
                    target: "aludel::engine",
                    connection = id,
                    error = %super::error::classify(error),
                    "a statement that nobody waits for could not be ended on the server"
                ),
                Err(_) => tracing::warn!(
                    target: "aludel::engine",
                    connection = id,
                    "the server did not answer when a statement that nobody waits for was to be ended"
                ),
            }
        });
    }

    async fn kill(self) -> Result<(), WireError> {
        let mut link = enter(&self.door).await?;
        link.query(&format!("KILL {}", self.id)).await?;
        link.drain().await?;
        link.quit();
        Ok(())
    }
}
