//! Messages to and from a server.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use postgres_protocol::message::{backend, frontend};

use super::error::{self, Report};
use crate::engine::stream::Stream;
use crate::error::Result;

/// How much is read at once. A message that is longer makes the buffer grow until it was read.
const BUFFER: usize = 64 * 1024;

/// How long messages are before the server has let anybody in.
const STRANGERS: usize = 30_000;

/// The transaction's state, as the server reports it with each ReadyForQuery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Idle,
    Transaction,
    /// A transaction whose statements are refused until it is rolled back.
    Failed,
}

/// A message of the server's. Its body lies in the buffer until more is read.
pub(super) struct Message {
    pub(super) tag: u8,
    body: Range<usize>,
}

/// A connection to a server as a row of messages, and how far the two sides are in it.
pub(super) struct Wire {
    /// How many requests were sent, each a round trip.
    #[cfg(test)]
    pub(super) requests: u64,
    stream: Stream,
    /// What came: `start..end` has not been looked at yet.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// How many bytes have come.
    received: u64,
    /// How many of them had been read when the request was marked.
    asked: u64,
    /// How many the last report had, after which the server closed the connection.
    goodbye: u64,
    /// What goes, or went in part.
    pub(super) output: BytesMut,
    /// How many ReadyForQuery the server owes.
    pending: u32,
    /// Messages went out that no Sync follows yet.
    unsynced: bool,
    /// The last request was a simple query.
    simple: bool,
    status: Status,
    broken: bool,
    /// The server has not let anybody in yet, and may be something else.
    stranger: bool,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            #[cfg(test)]
            requests: 0,
            stream,
            input: vec![0; BUFFER],
            start: 0,
            end: 0,
            received: 0,
            asked: 0,
            goodbye: 0,
            output: BytesMut::with_capacity(1024),
            // The answer to the startup message ends with one.
            pending: 1,
            unsynced: false,
            simple: true,
            status: Status::Idle,
            broken: false,
            stranger: true,
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status
    }

    /// The server has let us in.
    pub(super) fn entered(&mut self) {
        self.stranger = false;
    }

    /// Whether the two sides can no longer understand each other.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether an answer has not been read to its end, or a request not been written to its end.
    pub(super) fn in_flight(&self) -> bool {
        self.pending > 0 || self.unsynced || !self.output.is_empty()
    }

    /// Whether the server owes the end of an answer.
    #[inline]
    pub(super) fn is_owed(&self) -> bool {
        self.pending > 0
    }

    pub(super) fn is_unsynced(&self) -> bool {
        self.unsynced
    }

    /// A Sync ends the request.
    pub(super) fn sync(&mut self) {
        frontend::sync(&mut self.output);
        self.unsynced = false;
        self.simple = false;
        self.pending += 1;
    }

    /// A Flush ends the first part of a request.
    pub(super) fn flush_message(&mut self) {
        frontend::flush(&mut self.output);
        self.unsynced = true;
    }

    /// A simple query, which needs no Sync.
    pub(super) fn query(&mut self, sql: &str) -> Result<()> {
        if sql.contains('\0') {
            return Err(error::nul_in_sql());
        }
        frontend::query(sql, &mut self.output).map_err(|_| error::nul_in_sql())?;
        self.simple = true;
        self.pending += 1;
        Ok(())
    }

    #[inline]
    pub(super) fn body(&self, message: &Message) -> &[u8] {
        &self.input[message.body.clone()]
    }

    /// The next message that is here already. What the server sends unasked is passed over.
    #[inline]
    pub(super) fn buffered(&mut self) -> Result<Option<Message>> {
        loop {
            let here = &self.input[self.start..self.end];
            let Some((&[tag, a, b, c, d], _)) = here.split_first_chunk::<5>() else { return Ok(None) };
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            if length < 4 || length > if self.stranger { STRANGERS } else { i32::MAX as usize } {
                return Err(self.garbled());
            }
            if here.len() <= length {
                return Ok(None);
            }
            let body = self.start + 5..self.start + 1 + length;
            self.start = body.end;
            match tag {
                backend::READY_FOR_QUERY_TAG => {
                    self.status = match &self.input[body.clone()] {
                        b"I" => Status::Idle,
                        b"T" => Status::Transaction,
                        b"E" => Status::Failed,
                        _ => return Err(self.garbled()),
                    };
                    self.pending = self.pending.saturating_sub(1);
                }
                backend::NOTICE_RESPONSE_TAG | backend::PARAMETER_STATUS_TAG | backend::NOTIFICATION_RESPONSE_TAG => {
                    continue;
                }
                _ => {}
            }
            return Ok(Some(Message { tag, body }));
        }
    }

    /// The next message.
    pub(super) async fn message(&mut self) -> Result<Message> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    /// Waits for bytes; whether it had to wait.
    pub(super) async fn fill(&mut self) -> Result<bool> {
        self.make_room();
        let mut waited = false;
        let Self { stream, input, end, .. } = self;
        let outcome = poll_fn(|context| {
            let polled = stream.poll_read(context, &mut input[*end..]);
            waited |= polled.is_pending();
            polled
        })
        .await;
        self.arrived(outcome)?;
        Ok(waited)
    }

    fn arrived(&mut self, outcome: io::Result<usize>) -> Result<()> {
        match outcome {
            Ok(0) => Err(self.broke(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => {
                self.end += read;
                self.received += read as u64;
                Ok(())
            }
            Err(error) => Err(self.broke(error)),
        }
    }

    /// Room for more at the end of the buffer: for the rest of the message that has begun, where its length is known.
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
        if let Some(&[_, a, b, c, d]) = self.input[..self.end].first_chunk::<5>() {
            let whole = u32::from_be_bytes([a, b, c, d]) as usize + 1;
            if whole > self.input.len() {
                // Not all at once: the length is only what the server says.
                self.input.resize(whole.min(self.input.len() * 2), 0);
            }
        }
    }

    /// Sends what was written to the buffer.
    pub(super) async fn send(&mut self) -> Result<()> {
        #[cfg(test)]
        {
            self.requests += u64::from(!self.output.is_empty());
        }
        let outcome = poll_fn(|context| {
            while !self.output.is_empty() {
                match self.stream.poll_write(context, &self.output) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(written)) => self.output.advance(written),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    // The server may be waiting in turn until its words are read: notices of what many rows set off.
                    Poll::Pending => ready!(self.poll_hear(context))?,
                }
            }
            self.stream.poll_flush(context)
        })
        .await;
        match outcome {
            Ok(()) => {
                // Writing moves the buffer's start; an empty one takes its room back.
                self.output.clear();
                if self.output.capacity() > 16 * BUFFER {
                    self.output = BytesMut::new();
                }
                Ok(())
            }
            Err(error) => Err(self.last_words().unwrap_or_else(|| self.broke(error))),
        }
    }

    /// Reads what comes while something is to be sent.
    fn poll_hear(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.make_room();
        if self.end == self.input.len() {
            self.input.resize(self.end * 2, 0);
        }
        match ready!(self.stream.poll_read(context, &mut self.input[self.end..])) {
            Ok(0) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => {
                self.end += read;
                Poll::Ready(Ok(()))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Sends what was written to the buffer, if that goes without waiting.
    pub(super) fn send_now(&mut self) -> bool {
        while !self.output.is_empty() {
            match self.stream.try_write(&self.output) {
                Some(Ok(written)) if written > 0 => self.output.advance(written),
                Some(_) => {
                    self.broken = true;
                    return false;
                }
                None => return false,
            }
        }
        true
    }

    /// Whether the server has closed a connection that nobody used.
    pub(super) fn is_closed(&mut self) -> bool {
        loop {
            // An error unasked is the server's good-bye.
            if !matches!(self.buffered(), Ok(None)) {
                self.broken = true;
                return true;
            }
            self.make_room();
            let Some(outcome) = self.stream.try_read(&mut self.input[self.end..]) else { return false };
            if self.arrived(outcome).is_err() {
                return true;
            }
        }
    }

    /// Why the server closed the connection before it was written to.
    fn last_words(&mut self) -> Option<crate::error::Error> {
        self.broken = true;
        loop {
            while let Ok(Some(message)) = self.buffered() {
                if message.tag == backend::ERROR_RESPONSE_TAG {
                    self.goodbye(&message);
                    return Some(error::classify(Report::parse(self.body(&message))));
                }
            }
            self.make_room();
            let read = self.stream.try_read(&mut self.input[self.end..])?.ok().filter(|&read| read > 0)?;
            self.end += read;
            self.received += read as u64;
        }
    }

    /// Reads up to the end of all answers.
    pub(super) async fn drain(&mut self) -> Result<()> {
        if self.unsynced {
            self.sync();
        }
        self.send().await?;
        while self.pending > 0 {
            let message = self.message().await?;
            self.refuse_copy(&message).await?;
        }
        Ok(())
    }

    /// Ends a COPY from the client, for whose data the server would wait.
    pub(super) async fn refuse_copy(&mut self, message: &Message) -> Result<()> {
        if message.tag == backend::COPY_IN_RESPONSE_TAG {
            frontend::copy_fail("COPY FROM STDIN is not supported here", &mut self.output)
                .map_err(|error| self.broke(error))?;
            if !self.simple {
                // The server has passed over the first one.
                frontend::sync(&mut self.output);
            }
            self.send().await?;
        }
        Ok(())
    }

    /// A message that does not belong here.
    #[cold]
    pub(super) fn garbled(&mut self) -> crate::error::Error {
        self.broken = true;
        error::garbled()
    }

    #[cold]
    fn broke(&mut self, error: io::Error) -> crate::error::Error {
        self.broken = true;
        if self.stranger { error::broken_at_the_door(error) } else { error::broken(error) }
    }

    /// The server's last report, after which it closes the connection.
    pub(super) fn goodbye(&mut self, message: &Message) {
        self.broken = true;
        self.goodbye = message.body.len() as u64 + 5;
    }

    /// A request begins whose answer is looked out for: see [`went_before_it_heard`](Self::went_before_it_heard).
    pub(super) fn asks(&mut self) {
        self.asked = self.read();
    }

    /// Whether the server closed the connection before the request that was marked last: nothing came of an answer, but
    /// perhaps why it did.
    #[cold]
    pub(super) fn went_before_it_heard(&self) -> bool {
        self.broken && self.read() - self.goodbye == self.asked
    }

    /// How many bytes have been read as messages.
    fn read(&self) -> u64 {
        self.received - (self.end - self.start) as u64
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if !self.broken && self.output.is_empty() {
            frontend::terminate(&mut self.output);
            self.send_now();
        }
    }
}
