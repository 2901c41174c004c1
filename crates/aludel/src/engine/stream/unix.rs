//! A Unix socket.
#![allow(unsafe_code, reason = "tokio's promise that a descriptor stays open")]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A Unix socket that is told of what comes, and only when it is full of room for what goes.
///
/// tokio's own listens for both, always; so each request wakes its task twice: when the server has taken it, and when
/// the answer is there.
pub(in crate::engine) struct UnixSocket {
    reading: AsyncFd<UnixStream>,
    /// The same socket once more, from the first time on that it was full.
    writing: Option<AsyncFd<UnixStream>>,
}

impl UnixSocket {
    pub(in crate::engine) async fn connect(path: &Path) -> io::Result<Self> {
        let stream = tokio::net::UnixStream::connect(path).await?.into_std()?;
        Ok(Self { reading: register(stream, Interest::READABLE)?, writing: None })
    }

    pub(super) fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.reading.poll_read_ready(context))?;
            let Ok(outcome) = ready.try_io(|socket| socket.get_ref().read(buffer)) else { continue };
            // What does not fill the buffer was all: to ask again would only say so.
            if outcome.as_ref().is_ok_and(|&read| 0 < read && read < buffer.len()) {
                ready.clear_ready();
            }
            return Poll::Ready(outcome);
        }
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let socket = self.reading.get_ref();
        match (&mut &*socket).write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return Poll::Ready(outcome),
        }
        let writing = match &mut self.writing {
            Some(writing) => writing,
            none => none.insert(register(socket.try_clone()?, Interest::WRITABLE)?),
        };
        loop {
            let mut ready = ready!(writing.poll_write_ready(context))?;
            if let Ok(outcome) = ready.try_io(|socket| socket.get_ref().write(bytes)) {
                return Poll::Ready(outcome);
            }
        }
    }
}

/// Has the runtime watch a socket.
fn register(socket: UnixStream, interest: Interest) -> io::Result<AsyncFd<UnixStream>> {
    // SAFETY: a `UnixStream` owns its descriptor, which is the same and open until it is dropped; what it is wrapped in
    // has it until then, and nobody gets it mutably.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn more_than_the_socket_holds_goes_and_comes_back_whole() {
        let path = std::env::temp_dir().join(format!("aludel-{}.sock", uuid::Uuid::new_v4().simple()));
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let mut socket = UnixSocket::connect(&path).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let sent: Vec<u8> = (0..4_000_000_u32).map(|n| n as u8).collect();
        let length = sent.len();
        let echo = tokio::spawn(async move {
            let mut all = vec![0; length];
            peer.read_exact(&mut all).await.unwrap();
            peer.write_all(&all).await.unwrap();
        });
        let mut gone = 0;
        while gone < length {
            gone += poll_fn(|context| socket.poll_write(context, &sent[gone..])).await.unwrap();
        }
        assert!(socket.writing.is_some(), "it was full once");
        let (mut came, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            match poll_fn(|context| socket.poll_read(context, &mut buffer)).await.unwrap() {
                0 => break,
                read => came.extend_from_slice(&buffer[..read]),
            }
        }
        echo.await.unwrap();
        assert!(came == sent);
    }
}
