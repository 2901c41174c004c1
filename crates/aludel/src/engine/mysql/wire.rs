//! Packets to and from a server.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::task::Poll;

use super::report::ServerError;
use crate::engine::stream::Stream;

/// How much is read at once. A packet that is longer makes the buffer grow until it was read.
const BUFFER: usize = 64 * 1024;

/// The longest part that a packet has at once: one as long as this goes on in the next.
pub(super) const LONGEST: usize = 0xFF_FFFF;

/// How long the header of each part is: its length in three bytes, and its number.
const HEADER: usize = 4;

/// The first byte of a packet with an error.
pub(super) const ERROR: u8 = 0xFF;

/// Why the server did not do what it was asked for.
#[derive(Debug)]
pub(super) enum WireError {
    /// It reports an error, and goes on.
    Server(ServerError),
    /// The connection broke.
    Broken(io::Error),
    /// It sent what does not belong there.
    Garbled,
    /// It does not encrypt.
    Unencrypted,
    /// It cannot be spoken with for this reason.
    Refused(String),
}

impl WireError {
    /// Whether the connection is of no more use.
    pub(super) fn is_fatal(&self) -> bool {
        !matches!(self, Self::Server(_))
    }
}

/// A connection to a server as a row of packets.
pub(super) struct Wire {
    stream: Stream,
    /// What came: `start..end` has not been looked at yet.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// What goes, or went in part.
    output: Vec<u8>,
    /// The number of the next part, of the server's or ours; a command begins with 0.
    number: u8,
    broken: bool,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: vec![0; BUFFER],
            start: 0,
            end: 0,
            output: Vec::with_capacity(1024),
            number: 0,
            broken: false,
        }
    }

    /// What is below, for it to be encrypted: the next packet goes on with the numbers.
    ///
    /// # Errors
    /// `Garbled` when the server has already sent more, which then anybody may have.
    pub(super) fn into_stream(self) -> Result<(Stream, u8), WireError> {
        if self.start == self.end { Ok((self.stream, self.number)) } else { Err(WireError::Garbled) }
    }

    pub(super) fn go_on(mut self, number: u8) -> Self {
        self.number = number;
        self
    }

    /// Whether what is said goes to nobody else: it is encrypted, or does not leave the machine.
    pub(super) fn is_private(&self) -> bool {
        !matches!(self.stream, Stream::Tcp(_))
    }

    /// Whether the two sides can no longer understand each other.
    #[inline]
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    #[inline]
    pub(super) fn body(&self, packet: &Range<usize>) -> &[u8] {
        &self.input[packet.clone()]
    }

    /// Writes a command to the buffer. One that `write` cannot put together leaves nothing there.
    pub(super) fn command<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.number = 0;
        self.packet(write)
    }

    /// Writes a packet that goes on with what was begun.
    pub(super) fn packet<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.output.len();
        self.output.extend_from_slice(&[0; HEADER]);
        if let Err(error) = write(&mut self.output) {
            self.output.truncate(start);
            return Err(error);
        }
        let length = self.output.len() - start - HEADER;
        if length < LONGEST {
            let header = header(length, self.number);
            self.output[start..start + HEADER].copy_from_slice(&header);
            self.number = self.number.wrapping_add(1);
        } else {
            self.split(start);
        }
        Ok(())
    }

    /// Cuts what is too long for one packet; the last part is shorter than the others, and may be empty.
    #[cold]
    fn split(&mut self, start: usize) {
        let whole = self.output.split_off(start);
        let mut rest = &whole[HEADER..];
        loop {
            let (part, after) = rest.split_at(rest.len().min(LONGEST));
            self.output.extend_from_slice(&header(part.len(), self.number));
            self.output.extend_from_slice(part);
            self.number = self.number.wrapping_add(1);
            rest = after;
            if part.len() < LONGEST {
                return;
            }
        }
    }

    /// Sends what was written to the buffer. Not to be dropped meanwhile, unless the connection goes too.
    pub(super) async fn send(&mut self) -> Result<(), WireError> {
        let Self { stream, output, .. } = self;
        let mut sent = 0;
        let outcome = poll_fn(|context| {
            while sent < output.len() {
                match stream.poll_write(context, &output[sent..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(written)) => sent += written,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
            stream.poll_flush(context)
        })
        .await;
        match outcome {
            Ok(()) => {
                self.output.clear();
                if self.output.capacity() > 16 * BUFFER {
                    self.output = Vec::with_capacity(1024);
                }
                Ok(())
            }
            Err(error) => Err(match self.last_words() {
                Some(words) => words,
                None => self.broke(error),
            }),
        }
    }

    /// Sends what was written to the buffer, if that goes without waiting; else the connection is of no more use.
    pub(super) fn send_now(&mut self) {
        let sent = self.stream.try_write(&self.output);
        self.broken |= !matches!(sent, Some(Ok(length)) if length == self.output.len());
        self.output.clear();
    }

    /// The next packet, if all of it is here already.
    #[inline]
    pub(super) fn buffered(&mut self) -> Result<Option<Range<usize>>, WireError> {
        let here = &self.input[self.start..self.end];
        let Some((&[a, b, c, number], rest)) = here.split_first_chunk::<HEADER>() else { return Ok(None) };
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if rest.len() < length {
            return Ok(None);
        }
        // An error that the server reports unasked, before it goes, begins anew.
        if number != self.number && rest.first() != Some(&ERROR) {
            return Err(self.garbled());
        }
        if length == LONGEST {
            return Ok(self.joined());
        }
        self.number = number.wrapping_add(1);
        let start = self.start + HEADER;
        self.start = start + length;
        Ok(Some(start..self.start))
    }

    /// The same of a packet in parts, which are put together.
    #[cold]
    fn joined(&mut self) -> Option<Range<usize>> {
        let parts = Parts::new(&self.input[self.start..self.end]);
        if !parts.is_whole {
            return None;
        }
        let start = self.start + HEADER;
        let mut end = start;
        for part in &parts.bodies {
            let part = self.start + part.start..self.start + part.end;
            let length = part.len();
            self.input.copy_within(part, end);
            end += length;
        }
        self.number = self.number.wrapping_add(parts.bodies.len() as u8);
        self.start += parts.length;
        Some(start..end)
    }

    /// The next packet.
    pub(super) async fn next(&mut self) -> Result<Range<usize>, WireError> {
        loop {
            if let Some(packet) = self.buffered()? {
                return Ok(packet);
            }
            self.fill().await?;
        }
    }

    /// Waits for bytes; whether it had to wait. May be dropped meanwhile.
    pub(super) async fn fill(&mut self) -> Result<bool, WireError> {
        self.make_room();
        let mut waited = false;
        let Self { stream, input, end, .. } = self;
        let outcome = poll_fn(|context| {
            let polled = stream.poll_read(context, &mut input[*end..]);
            waited |= polled.is_pending();
            polled
        })
        .await;
        match outcome {
            Ok(0) => Err(self.broke(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => {
                self.end += read;
                Ok(waited)
            }
            Err(error) => Err(self.broke(error)),
        }
    }

    /// Room for more at the end of the buffer: for the rest of the packet that has begun, where its length is known.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.input.len() > 16 * BUFFER {
                self.input = vec![0; BUFFER];
            }
            return;
        }
        if self.input.len() - self.end > BUFFER / 2 {
            return;
        }
        if self.start > 0 {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let whole = Parts::new(&self.input[..self.end]).length;
        if whole > self.input.len() {
            // Not all at once: the length is only what the server says.
            self.input.resize(whole.min(self.input.len() * 2), 0);
        } else if self.input.len() == self.end {
            self.input.resize(self.end * 2, 0);
        }
    }

    /// Why the server closed the connection before it was written to.
    #[cold]
    fn last_words(&mut self) -> Option<WireError> {
        self.broken = true;
        loop {
            while let Ok(Some(packet)) = self.buffered() {
                if let Some(error) = ServerError::read(self.body(&packet)) {
                    return Some(WireError::Server(error));
                }
            }
            self.make_room();
            let read = self.stream.try_read(&mut self.input[self.end..])?.ok().filter(|&read| read > 0)?;
            self.end += read;
        }
    }

    /// A packet that does not belong here.
    #[cold]
    pub(super) fn garbled(&mut self) -> WireError {
        self.broken = true;
        WireError::Garbled
    }

    #[cold]
    fn broke(&mut self, error: io::Error) -> WireError {
        self.broken = true;
        WireError::Broken(error)
    }
}

fn header(length: usize, number: u8) -> [u8; HEADER] {
    let [a, b, c, ..] = length.to_le_bytes();
    [a, b, c, number]
}

/// The parts of the packet that some bytes begin with.
struct Parts {
    /// Where the bodies of those are that are known.
    bodies: Vec<Range<usize>>,
    /// How long they are with their headers.
    length: usize,
    is_whole: bool,
}

impl Parts {
    fn new(bytes: &[u8]) -> Self {
        let mut parts = Self { bodies: Vec::new(), length: 0, is_whole: false };
        while let Some(&[a, b, c, _]) = bytes.get(parts.length..).and_then(|rest| rest.first_chunk::<HEADER>()) {
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            let start = parts.length + HEADER;
            parts.bodies.push(start..start + length);
            parts.length = start + length;
            if length < LONGEST {
                parts.is_whole = parts.length <= bytes.len();
                break;
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), async {
            listener.accept().await.unwrap().0
        });
        (Wire::new(Stream::Tcp(client.unwrap())), server)
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|n| (n % 251) as u8).collect()
    }

    /// Of each of the packets that were sent, its length and number.
    fn headers(mut bytes: &[u8]) -> Vec<(usize, u8)> {
        let mut found = Vec::new();
        while let Some((&[a, b, c, number], rest)) = bytes.split_first_chunk::<4>() {
            let length = u32::from_le_bytes([a, b, c, 0]) as usize;
            found.push((length, number));
            bytes = &rest[length..];
        }
        found
    }

    #[tokio::test]
    async fn what_is_longer_than_a_packet_goes_and_comes_in_parts() {
        for length in [LONGEST - 1, LONGEST, LONGEST + 5, 2 * LONGEST] {
            let (mut wire, mut peer) = pair().await;
            let sent = pattern(length);
            wire.command(|out| {
                out.extend_from_slice(&sent);
                Ok::<_, ()>(())
            })
            .unwrap();
            let parts = length / LONGEST + 1;
            let expected = length + 4 * parts;
            let echo = tokio::spawn(async move {
                let mut all = vec![0; expected];
                peer.read_exact(&mut all).await.unwrap();
                peer.write_all(&all).await.unwrap();
                (all, peer)
            });
            wire.send().await.unwrap();
            // The echo has the numbers of the command.
            wire.number = 0;
            let packet = wire.next().await.unwrap();
            assert!(wire.body(&packet) == sent, "{length}");
            assert_eq!(wire.number, parts as u8);
            let headers = headers(&echo.await.unwrap().0);
            assert_eq!(headers.len(), parts);
            assert!(headers[..parts - 1].iter().all(|(length, _)| *length == LONGEST));
            assert_eq!(headers[parts - 1], (length % LONGEST, (parts - 1) as u8));
        }
    }

    #[tokio::test]
    async fn packets_out_of_their_order_are_not_taken() {
        let (mut wire, mut peer) = pair().await;
        peer.write_all(&[1, 0, 0, 0, 7, 1, 0, 0, 2, 7]).await.unwrap();
        let packet = wire.next().await.unwrap();
        assert_eq!(wire.body(&packet), [7]);
        assert!(matches!(wire.next().await, Err(WireError::Garbled)));
        assert!(wire.is_broken());
    }

    #[tokio::test]
    async fn what_cannot_be_put_together_is_not_sent() {
        let (mut wire, mut peer) = pair().await;
        let refused = wire.command(|out| {
            out.push(1);
            Err("no")
        });
        assert_eq!(refused, Err("no"));
        wire.command(|out| {
            out.push(9);
            Ok::<_, ()>(())
        })
        .unwrap();
        wire.send().await.unwrap();
        drop(wire);
        let mut all = Vec::new();
        peer.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, [1, 0, 0, 0, 9]);
    }
}
