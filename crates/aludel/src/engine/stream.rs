//! The bytes to and from a server.

#[cfg(unix)]
mod unix;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

#[cfg(unix)]
pub(super) use unix::UnixSocket;

/// What leads to a server.
pub(super) enum Stream {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl Stream {
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let polled = match self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            #[cfg(unix)]
            Self::Unix(socket) => return socket.poll_read(context, buffer.initialize_unfilled()),
        };
        polled.map_ok(|()| buffer.filled().len())
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.poll_write(context, bytes),
        }
    }

    /// Sends what was written: TLS keeps some of it back until then.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Reads what is there, without waiting; none where nothing is.
    pub(super) fn try_read(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        match self.poll_read(&mut Context::from_waker(Waker::noop()), buffer) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Writes as much as goes without waiting.
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> Option<io::Result<usize>> {
        let context = &mut Context::from_waker(Waker::noop());
        match self.poll_write(context, bytes) {
            Poll::Ready(Ok(written)) => match self.poll_flush(context) {
                Poll::Ready(Ok(())) => Some(Ok(written)),
                Poll::Ready(Err(error)) => Some(Err(error)),
                Poll::Pending => None,
            },
            Poll::Ready(Err(error)) => Some(Err(error)),
            Poll::Pending => None,
        }
    }
}
