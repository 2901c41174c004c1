//! Keys of rows that were new when a query was written: `Post::user_id.eq(user.id)`, where `user` was added and not yet
//! flushed. By the time the query is sent, its own flush has made the real ones.

use std::borrow::Cow;

use super::Session;
use crate::entity::arena_ref::ArenaRef;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{PendingKey, Value};

impl Session {
    /// A statement's values with the real keys in the place of those that may have been pending.
    ///
    /// # Errors
    /// As [`with_keys`].
    pub(super) fn with_keys<'v>(&self, params: &'v [Value<'v>]) -> Result<Cow<'v, [Value<'v>]>> {
        if has_pending_key(params) {
            real_keys(self.existing_arena().as_ref(), params)
        } else {
            Ok(Cow::Borrowed(params))
        }
    }
}

/// A statement's values with the real keys, where the session may be gone.
///
/// # Errors
/// `InvalidStatement` for a key that no flush has made since the last commit.
pub(super) fn with_keys<'v>(arena: Option<&ArenaRef>, params: &'v [Value<'v>]) -> Result<Cow<'v, [Value<'v>]>> {
    if has_pending_key(params) { real_keys(arena, params) } else { Ok(Cow::Borrowed(params)) }
}

#[cold]
fn real_keys<'v>(arena: Option<&ArenaRef>, params: &'v [Value<'v>]) -> Result<Cow<'v, [Value<'v>]>> {
    let real = |value: &'v Value<'v>| match (value, arena) {
        (Value::PendingKey(key), Some(arena)) => real_key(arena, key),
        (Value::PendingKey(key), None) => Ok(key.value.clone()),
        (value, _) => Ok(value.as_borrowed()),
    };
    params.iter().map(real).collect::<Result<Vec<_>>>().map(Cow::Owned)
}

pub(super) fn has_pending_key(params: &[Value<'_>]) -> bool {
    params.iter().any(|value| matches!(value, Value::PendingKey(_)))
}

fn real_key(arena: &ArenaRef, key: &PendingKey) -> Result<Value<'static>> {
    let tracker = arena.tracker();
    if let Some(made) = tracker.made_keys.get(&(key.model, key.value.clone())) {
        return Ok(made.clone());
    }
    if tracker.is_placeholder(key.model, &key.value) {
        return Err(not_made(key));
    }
    // A number like any other.
    Ok(key.value.clone())
}

#[cold]
fn not_made(key: &PendingKey) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "the query asks for the key of a new `{model}` as it was before the database made one, and no flush of this \
             transaction has made it: flush the row before the query, and read the key from the entity afterwards",
            model = key.name
        ),
    )
}
