//! The session as a handler's argument.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::session::current::Scope;

/// The request's session: one for the whole request, however many handlers and extractors ask for it.
///
/// Without the layer the answer is 500, and the log names the cure.
impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        match parts.extensions.get::<Scope>() {
            Some(scope) => scope.session(),
            None => Err(Error::new(
                ErrorKind::Config,
                format!("no session for {} {}: add `.layer(db.layer())` to the router", parts.method, parts.uri.path()),
            )),
        }
    }
}
