//! The commit of several databases at once: all are prepared, and only then is any committed.

use std::panic::Location;
use std::sync::Arc;

use uuid::Uuid;

use super::lock::Turn;
use super::shared::{Bind, DbShared};
use super::{Session, transaction::name_of};
use crate::engine::{Finish, PooledConnection};
use crate::error::{Error, ErrorKind, Result};

/// What the names of prepared transactions begin with.
pub(crate) const GID_PREFIX: &str = "aludel_";

/// One database's part in the transaction.
struct Part {
    bind: Bind,
    gid: String,
    connection: PooledConnection,
}

impl Session {
    /// Prepares the transactions of all binds, and then commits them. It goes on in a task of its own when this future is
    /// dropped: what is prepared has to come to its end.
    pub(super) async fn commit_in_two_phases(&self, turn: &mut Turn<'_>, at: &'static Location<'static>) -> Result<()> {
        let id = Uuid::new_v4().simple();
        let part = |(bind, connection)| Part { bind, gid: format!("{GID_PREFIX}{id}_{bind}"), connection };
        let parts: Vec<Part> = turn.take_all().into_iter().map(part).collect();
        let db = Arc::clone(self.db());
        let committed = tokio::spawn(async move {
            let parts = prepare(&db, parts, at).await?;
            commit(&db, parts, at).await
        });
        committed.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::PartialCommit, "the program ended before the commit had come to its end")
                .with_source(error))
        })
    }
}

/// Prepares all parts; when one cannot be, none is committed.
async fn prepare(db: &DbShared, parts: Vec<Part>, at: &'static Location<'static>) -> Result<Vec<Part>> {
    let mut prepared: Vec<Part> = Vec::with_capacity(parts.len());
    for mut part in parts {
        let Err(error) = part.connection.prepare_transaction(&part.gid).await else {
            prepared.push(part);
            continue;
        };
        let error = db.database(part.bind).explain(error);
        if error.kind() == ErrorKind::Connection {
            // Nobody knows whether it was prepared.
            prepared.push(part);
        }
        // The others roll back as their connections are dropped.
        let left = finish_all(db, prepared, Finish::Rollback, at).await;
        return Err(if left.is_empty() {
            error
        } else {
            stays_prepared(db, &left, "db.rollback_prepared(gid)", error)
        });
    }
    Ok(prepared)
}

/// Commits all parts, whatever becomes of one.
async fn commit(db: &DbShared, parts: Vec<Part>, at: &'static Location<'static>) -> Result<()> {
    let mut left = finish_all(db, parts, Finish::Commit, at).await;
    match left.pop() {
        None => Ok(()),
        Some((bind, gid, error)) => {
            left.push((bind, gid, Error::new(error.kind(), error.to_string())));
            Err(stays_prepared(db, &left, "db.commit_prepared(gid)", error))
        }
    }
}

/// Ends prepared transactions; those that could not be ended.
async fn finish_all(
    db: &DbShared,
    parts: Vec<Part>,
    how: Finish,
    at: &'static Location<'static>,
) -> Vec<(Bind, String, Error)> {
    let mut left = Vec::new();
    for Part { bind, gid, mut connection } in parts {
        let finished = match connection.finish_prepared(&gid, how).await {
            Err(error) if error.kind() == ErrorKind::Connection => finish_anew(db, bind, &gid, how, at).await,
            finished => finished,
        };
        if let Err(error) = finished {
            left.push((bind, gid, error));
        }
    }
    left
}

/// Ends a prepared transaction by another connection, unless the first one had ended it before it broke.
async fn finish_anew(db: &DbShared, bind: Bind, gid: &str, how: Finish, at: &'static Location<'static>) -> Result<()> {
    let engine = db.engine(bind);
    engine.connection_lost();
    let mut connection = engine.acquire(at).await?;
    if connection.prepared_transactions(gid).await?.iter().any(|(known, _)| known == gid) {
        connection.finish_prepared(gid, how).await?;
    }
    Ok(())
}

#[cold]
fn stays_prepared(db: &DbShared, left: &[(Bind, String, Error)], cure: &str, error: Error) -> Error {
    let names: Vec<String> = left.iter().map(|(bind, gid, _)| format!("`{gid}` of {}", name_of(db, *bind))).collect();
    let message = format!(
        "{} may stay prepared, with its locks, until it is ended by `{cure}`, which `db.prepared_transactions()` lists: \
         {error}",
        names.join(" and ")
    );
    Error::new(ErrorKind::PartialCommit, message).with_source(error)
}
