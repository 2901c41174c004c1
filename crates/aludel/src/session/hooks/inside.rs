//! Whether code runs inside of a session's hook.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;

thread_local! {
    /// The sessions whose hooks are running on this thread, by address, the innermost last.
    static INSIDE: RefCell<Vec<(usize, Of)>> = const { RefCell::new(Vec::new()) };
}

/// What called the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Of {
    Flush,
    Commit,
}

/// Runs inside of a hook as long as it lives.
pub(in crate::session) struct Inside(());

pub(in crate::session) fn enter(session: &Session, of: Of) -> Inside {
    INSIDE.with_borrow_mut(|inside| inside.push((address(session), of)));
    Inside(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(Vec::pop);
    }
}

/// A hook's future: inside whenever it is polled, and when it is dropped.
pub(in crate::session) struct InHook<'a, F> {
    session: &'a Session,
    of: Of,
    future: Option<Pin<Box<F>>>,
}

impl<'a, F: Future> InHook<'a, F> {
    pub(in crate::session) fn new(session: &'a Session, of: Of, future: F) -> Self {
        Self { session, of, future: Some(Box::pin(future)) }
    }
}

impl<F: Future<Output = Result<()>>> Future for InHook<'_, F> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let _inside = enter(this.session, this.of);
        match &mut this.future {
            Some(future) => future.as_mut().poll(context),
            None => unreachable!("it is there until the drop"),
        }
    }
}

impl<F> Drop for InHook<'_, F> {
    fn drop(&mut self) {
        let _inside = enter(self.session, self.of);
        self.future = None;
    }
}

fn address(session: &Session) -> usize {
    Arc::as_ptr(&session.inner).addr()
}

fn innermost(session: &Session) -> Option<Of> {
    let address = address(session);
    INSIDE.with_borrow(|inside| inside.iter().rev().find(|(known, _)| *known == address).map(|(_, of)| *of))
}

/// Whether a hook of the session's flush is running here.
pub(in crate::session) fn is_in_flush(session: &Session) -> bool {
    innermost(session) == Some(Of::Flush)
}

impl Session {
    /// # Errors
    /// `InvalidStatement` inside of a hook of this session's flush.
    pub(in crate::session) fn refuse_in_flush(&self, what: &str) -> Result<()> {
        if is_in_flush(self) { Err(refused(what, "the flush")) } else { Ok(()) }
    }

    /// # Errors
    /// `InvalidStatement` inside of a hook of this session's flush, or of its commit.
    pub(in crate::session) fn refuse_in_hook(&self, what: &str) -> Result<()> {
        match innermost(self) {
            None => Ok(()),
            Some(Of::Flush) => Err(refused(what, "the flush")),
            Some(Of::Commit) => Err(refused(what, "the commit")),
        }
    }
}

#[cold]
fn refused(what: &str, under_way: &str) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "`{what}` was called in a hook of this session, and {under_way} that called the hook is not over: change rows \
             and send statements there, return an error to stop it, and leave `{what}` to the one who called"
        ),
    )
}
