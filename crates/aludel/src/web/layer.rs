//! The layer that gives each request a session and ends it with the request.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::error::{Error, ErrorKind, Result};
use crate::session::close::Ending;
use crate::session::current::{Scope, ScopeGuard};
use crate::session::shared::{DbShared, Teardown};

use super::response::respond;

/// Puts a session into each request: see [`Db::layer`](crate::Db::layer).
#[derive(Clone)]
pub struct SessionLayer {
    db: Arc<DbShared>,
    teardown: Teardown,
}

impl SessionLayer {
    pub(crate) fn new(db: Arc<DbShared>, teardown: Teardown) -> Self {
        Self { db, teardown }
    }

    /// Ends requests otherwise than the database's setting says: for one group of routes, say.
    #[must_use]
    pub fn teardown(self, teardown: Teardown) -> Self {
        Self { teardown, ..self }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, layer: self.clone() }
    }
}

/// A service whose requests have a session: made by [`SessionLayer`].
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    layer: SessionLayer,
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send,
    // the body of the answer when the commit fails
    R: From<String> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let scope = Scope::new(Arc::clone(&self.layer.db));
        request.extensions_mut().insert(scope.clone());
        let answer = scope.enter(|| self.inner.call(request));
        let teardown = self.layer.teardown;
        Box::pin(async move {
            let guard = ScopeGuard::new(&scope);
            let response = scope.run(answer).await?;
            match end(guard, teardown, response.status()).await {
                Ok(()) => Ok(response),
                Err(error) => Ok(respond(&error)),
            }
        })
    }
}

/// Ends a request that has been answered.
async fn end(guard: ScopeGuard, teardown: Teardown, status: StatusCode) -> Result<()> {
    let Some(ending) = guard.end() else { return Ok(()) };
    let at = Location::caller();
    let uncommitted = status.as_u16() < 400 && ending.session().has_uncommitted(at).await;
    if uncommitted && teardown == Teardown::CommitOnSuccess {
        return commit(ending).await;
    }
    if uncommitted {
        tracing::warn!(
            status = status.as_u16(),
            "the request ended with changes that nobody committed, and they are rolled back: call \
             `session.commit().await?` in the handler, or choose Teardown::CommitOnSuccess"
        );
    }
    ending.close(at).await;
    Ok(())
}

/// Commits in a task of its own, which a client that goes away cannot cut in the middle.
async fn commit(ending: Ending) -> Result<()> {
    let task = tokio::spawn(async move {
        let committed = ending.session().commit().await;
        ending.close(Location::caller()).await;
        committed
    });
    task.await.unwrap_or_else(|stopped| {
        Err(Error::new(ErrorKind::Database, "the commit at the end of the request did not finish").with_source(stopped))
    })
}

#[cfg(test)]
mod tests;
