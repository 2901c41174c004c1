//! The wire between the library and a PostgreSQL server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A way to the server that counts the requests of all connections: a client waits for the answer after each Sync, Flush
/// and simple query, see <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
pub(crate) struct Wire {
    pub(crate) uri: String,
    requests: Arc<AtomicU64>,
}

impl Wire {
    /// A way to the server of this URL.
    pub(crate) async fn to(uri: &str) -> Self {
        let (scheme, rest) = uri.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let (user, server) = authority.split_once('@').unwrap_or(("", authority));
        let server = if server.contains(':') { server.to_owned() } else { format!("{server}:5432") };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let uri = format!("{scheme}://{user}@{}/{path}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, to_server) = server.into_split();
                tokio::spawn(count(from_client, to_server, Arc::clone(&counter)));
                tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            }
        });
        Self { uri, requests }
    }

    /// The requests since this was last asked for.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

/// Passes a client's messages on, and counts those that ask for an answer.
async fn count(
    mut client: impl AsyncReadExt + Unpin,
    mut server: impl AsyncWriteExt + Unpin,
    requests: Arc<AtomicU64>,
) -> std::io::Result<()> {
    // The first message has no letter.
    let mut letter = Vec::new();
    loop {
        let mut head = vec![0; letter.len() + 4];
        client.read_exact(&mut head).await?;
        let length = u32::from_be_bytes(*head.last_chunk::<4>().unwrap());
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await?;
        if !letter.is_empty() && b"SHQ".contains(&head[0]) {
            requests.fetch_add(1, Ordering::SeqCst);
        }
        letter = vec![0];
        server.write_all(&[head, body].concat()).await?;
    }
}
