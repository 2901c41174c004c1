//! Work outside of any request: `scope` and `transaction`.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::session::current::{Scope, ScopeGuard};
use crate::session::shared::Teardown;

use super::Db;

/// How often a transaction is run in all.
const RUNS: u32 = 5;

impl Db {
    /// Runs work with a session that ends with it, as a request's does: for a job, a script, a test.
    ///
    /// The work commits when it is done. What it leaves uncommitted is rolled back, or committed if the result is `Ok`
    /// and the database has [`Teardown::CommitOnSuccess`]. [`transaction`](Self::transaction) is the same with a
    /// commit of its own, and runs again where that helps. An application's own reason to give up travels by
    /// [`Error::abort`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// use aludel::{Db, Session};
    ///
    /// let db = Db::connect("sqlite://").await?;
    /// let name = String::from("nightly");
    /// let length = db.scope(async |session| {
    ///     assert!(!session.is_closed());
    ///     Session::current()?;        // found by code that is handed none, too
    ///     Ok(name.len())
    /// }).await?;
    /// assert_eq!(length, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the work returns, and the commit's error with [`Teardown::CommitOnSuccess`].
    pub async fn scope<T, F, Fut>(&self, work: F) -> Result<T>
    where
        F: FnOnce(Session) -> Fut + Send,
        Fut: Future<Output = Result<T>> + Send,
    {
        let (scope, guard) = self.begin_scope();
        let result = async {
            let session = scope.session()?;
            let result = scope.run(scope.enter(|| work(session.clone()))).await?;
            if self.shared.teardown == Teardown::CommitOnSuccess {
                session.commit().await?;
            }
            Ok(result)
        }
        .await;
        guard.close().await;
        result
    }

    /// Runs work in a transaction that is there before its first read: committed at the end, rolled back when the result
    /// is an error.
    ///
    /// It is run again, up to five times in all and after a short pause, when the database could not order it with its
    /// neighbours ([`ErrorKind::Serialization`], [`ErrorKind::Deadlock`]): so what the closure captures is borrowed or
    /// cloned, and what it does outside of the session may happen more than once. A database that stayed locked for the
    /// whole busy timeout is not asked again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// use aludel::{Db, Error};
    ///
    /// let db = Db::connect("sqlite://").await?;
    /// let stock = 0;
    /// let result: aludel::Result<()> = db.transaction(async |_session| {
    ///     if stock == 0 { Err(Error::abort("sold out")) } else { Ok(()) }
    /// }).await;
    /// assert_eq!(result.unwrap_err().downcast::<&str>().unwrap(), "sold out");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the work returns, `Busy` when the database stayed locked, and the commit's error.
    pub async fn transaction<T, F, Fut>(&self, mut work: F) -> Result<T>
    where
        F: FnMut(Session) -> Fut + Send,
        Fut: Future<Output = Result<T>> + Send,
    {
        let mut run = 1;
        loop {
            let (scope, guard) = self.begin_scope();
            let result = async {
                let session = scope.session()?;
                session.begin().await?;
                let result = scope.run(scope.enter(|| work(session.clone()))).await?;
                session.commit().await?;
                Ok(result)
            }
            .await;
            guard.close().await;
            match result {
                Err(error) if run < RUNS && runs_again(&error) => {
                    tracing::debug!(kind = ?error.kind(), run, "the transaction is run again");
                    tokio::time::sleep(pause(run)).await;
                    run += 1;
                }
                result => return result,
            }
        }
    }

    fn begin_scope(&self) -> (Scope, ScopeGuard) {
        let scope = Scope::new(Arc::clone(&self.shared));
        let guard = ScopeGuard::new(&scope);
        (scope, guard)
    }
}

fn runs_again(error: &Error) -> bool {
    error.is_retryable() && error.kind() != ErrorKind::Busy
}

/// 5 ms, doubled each time, and up to as much again by chance, so that two that collided do not do so again.
fn pause(run: u32) -> Duration {
    let base = 5_u64 << run.min(6);
    Duration::from_millis(base + RandomState::new().hash_one(run) % base)
}

#[cfg(test)]
mod tests;
