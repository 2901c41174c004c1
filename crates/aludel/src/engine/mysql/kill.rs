//! How a connection ends whose statement nobody waits for any more.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

/// How long the connection that kills may take.
const LIMIT: Duration = Duration::from_secs(10);

/// While a statement runs: if its future is dropped meanwhile, the server is told to end it, so that its locks are free
/// at once. Dropping the connection alone would not do: a server that is busy with a statement does not look whether its
/// client is still there.
pub(super) struct InFlight {
    killer: Option<Killer>,
}

impl InFlight {
    pub(super) fn new(opts: &Opts, conn: &Conn) -> Self {
        Self { killer: Some(Killer { opts: opts.clone(), id: conn.id() }) }
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
    opts: Opts,
    id: u32,
}

impl Killer {
    pub(super) fn new(opts: &Opts, conn: &Conn) -> Self {
        Self { opts: opts.clone(), id: conn.id() }
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
                Ok(Err(mysql_async::Error::Server(error))) if error.code == 1094 => {}
                Ok(Err(error)) => tracing::warn!(
                    target: "aludel::engine",
                    connection = id,
                    %error,
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

    async fn kill(self) -> mysql_async::Result<()> {
        let mut conn = Conn::new(self.opts).await?;
        conn.query_drop(format!("KILL {}", self.id)).await?;
        conn.disconnect().await
    }
}

/// Closes a connection with an answer still under way. Dropping it would first read that answer to its end.
pub(super) fn sever(mut conn: Conn) {
    {
        // A command that is begun and given up: the crate takes such a connection for broken, and only closes it.
        let ping = pin!(conn.ping());
        let _ = ping.poll(&mut Context::from_waker(Waker::noop()));
    }
    drop(conn);
}
