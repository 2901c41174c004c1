//! The session's statements run one after another.

use std::ops::{Deref, DerefMut};
use std::panic::Location;

use super::connection::Link;
use super::shared::DEFAULT;
use super::{Inner, Session};
use crate::engine::Gate;
use crate::error::{Error, ErrorKind, Result};

/// The session's connection, for one statement at a time.
pub(super) struct Turns(Gate<Place>);

/// What is lent to whose turn it is.
struct Place {
    /// `None` while it is lent.
    link: Option<Link>,
    /// Who took it last, for the message to those who wait too long.
    holder: Option<&'static Location<'static>>,
}

impl Place {
    fn take(&mut self, at: &'static Location<'static>) -> Link {
        self.holder = Some(at);
        self.link.take().unwrap_or_default()
    }
}

impl Turns {
    pub(super) fn new() -> Self {
        Self(Gate::new(Place { link: Some(Link::default()), holder: None }, 1))
    }
}

/// The turn of one statement, or of a flush.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    link: Link,
}

impl Inner {
    /// The turn, where nobody has it: for what does not wait.
    #[inline]
    pub(super) fn try_turn(&self, at: &'static Location<'static>) -> Option<Turn<'_>> {
        let link = self.turns.0.try_take(|place| place.take(at))?;
        Some(Turn { turns: &self.turns, link })
    }
}

impl Session {
    /// Waits for the session's other statements to end.
    ///
    /// # Errors
    /// `PoolTimeout`, naming the holder, when they do not end in the pool's time limit.
    #[inline]
    pub(super) async fn turn(&self, at: &'static Location<'static>) -> Result<Turn<'_>> {
        match self.inner.try_turn(at) {
            Some(turn) => Ok(turn),
            // In a box, which few need: else the future of every statement would be larger.
            None => Box::pin(self.wait_for_turn(at)).await,
        }
    }

    #[cold]
    async fn wait_for_turn(&self, at: &'static Location<'static>) -> Result<Turn<'_>> {
        let turns = &self.inner.turns;
        let limit = self.inner.db.engine(DEFAULT).pool_timeout();
        match turns.0.wait(limit, |place| place.take(at)).await {
            Ok(link) => Ok(Turn { turns, link }),
            Err(_) => Err(self.stuck()),
        }
    }

    #[cold]
    fn stuck(&self) -> Error {
        let holder = self.inner.turns.0.with(|place| place.holder).map_or_else(
            || "another statement".to_owned(),
            |at| format!("the statement begun at {}:{}", at.file(), at.line()),
        );
        Error::new(
            ErrorKind::PoolTimeout,
            format!(
                "this session is still busy with {holder}; a future of it that is no longer polled (as in `select!`) \
                 keeps its turn until it is dropped"
            ),
        )
    }
}

impl Deref for Turn<'_> {
    type Target = Link;

    #[inline]
    fn deref(&self) -> &Link {
        &self.link
    }
}

impl DerefMut for Turn<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        let link = std::mem::take(&mut self.link);
        self.turns.0.give(|place| place.link = Some(link));
    }
}
