//! Ending a statement that nobody waits for any more.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// How long to try.
const LIMIT: Duration = Duration::from_secs(5);

/// Where a connection's server listens.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    Tcp(SocketAddr),
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no such sockets"))]
    Unix(PathBuf),
}

/// What ends the statement that a connection runs.
#[derive(Clone)]
pub(super) struct Canceller {
    pub(super) peer: Peer,
    pub(super) process: i32,
    pub(super) key: i32,
}

impl Canceller {
    /// Asks the server, over a connection of its own, to end what the connection runs, and waits until it has passed
    /// that on. Where it cannot be reached the statement runs to its end.
    pub(super) async fn cancel(&self) {
        let ask = async {
            match &self.peer {
                Peer::Tcp(address) => self.ask(TcpStream::connect(address).await?).await,
                #[cfg(unix)]
                Peer::Unix(path) => self.ask(UnixStream::connect(path).await?).await,
                #[cfg(not(unix))]
                Peer::Unix(_) => Ok(()),
            }
        };
        if !matches!(tokio::time::timeout(LIMIT, ask).await, Ok(Ok(()))) {
            tracing::warn!(target: "aludel::engine", "a statement on the PostgreSQL server could not be cancelled");
        }
    }

    /// The same from where nothing can wait, if a runtime is there.
    pub(super) fn spawn(self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { self.cancel().await });
        }
    }

    async fn ask(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut message = BytesMut::new();
        frontend::cancel_request(self.process, self.key, &mut message);
        stream.write_all(&message).await?;
        // The server answers by closing the connection.
        stream.read(&mut [0; 1]).await.map(drop)
    }
}
