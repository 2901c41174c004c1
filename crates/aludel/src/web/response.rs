//! Errors as responses.

use std::borrow::Cow;
use std::error::Error as _;
use std::fmt::Write;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::error::{Error, ErrorKind};

/// The response is JSON, `{"error": "not_found", "message": ".."}`, and never shows SQL, values or the database's URL:
///
/// | status | for |
/// |---|---|
/// | 400 | input that is not acceptable ([`ErrorKind::BadRequest`]) |
/// | 404 | the `_or_404` family, a page that does not exist, [`Error::not_found`] |
/// | 409 | a unique or foreign-key violation |
/// | 422 | a row that a model's own hook refused ([`ErrorKind::Validation`]): what the hook said of it |
/// | 503, with `Retry-After` | no free connection, or the database stayed locked |
/// | 500 | everything else; it is logged through `tracing` |
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        respond(&self)
    }
}

/// The response of any body that can be made from a text: what the layer answers when a commit fails.
pub(super) fn respond<B: From<String>>(error: &Error) -> http::Response<B> {
    let answer = Answer::of(error);
    answer.log(error);
    let body = serde_json::json!({ "error": answer.code, "message": answer.message }).to_string();
    let mut response = http::Response::new(B::from(body));
    *response.status_mut() = answer.status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if answer.status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// What the client is told.
struct Answer<'a> {
    status: StatusCode,
    code: &'static str,
    message: Cow<'a, str>,
}

impl<'a> Answer<'a> {
    fn of(error: &'a Error) -> Self {
        let (status, code, message) = match error.kind() {
            _ if error.is_404() => {
                let description = error.description().unwrap_or("the requested resource was not found");
                (StatusCode::NOT_FOUND, "not_found", description)
            }
            ErrorKind::BadRequest => (StatusCode::BAD_REQUEST, "bad_request", error.message()),
            ErrorKind::Validation => {
                let description = error.description().unwrap_or("the row is not acceptable");
                (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable_content", description)
            }
            ErrorKind::UniqueViolation => {
                (StatusCode::CONFLICT, "conflict", "a row with the same value exists already")
            }
            ErrorKind::ForeignKeyViolation => (
                StatusCode::CONFLICT,
                "conflict",
                "the row refers to one that does not exist, or others still refer to it",
            ),
            ErrorKind::PoolTimeout | ErrorKind::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the database is busy; try again shortly")
            }
            _ => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal_server_error", "the server could not answer the request")
            }
        };
        Self { status, code, message: message.into() }
    }

    /// A server's fault is logged with all that is known; what the client did is of interest only when looking for it.
    fn log(&self, error: &Error) {
        if self.status.is_server_error() {
            tracing::error!(kind = ?error.kind(), statement = error.statement(), "{}", chain(error));
        } else {
            tracing::debug!(kind = ?error.kind(), status = self.status.as_u16(), "{}", chain(error));
        }
    }
}

/// The error with its sources, in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error: Error) -> (u16, serde_json::Value, Option<String>) {
        let response: http::Response<String> = respond(&error);
        let retry = response.headers().get(RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        (response.status().as_u16(), serde_json::from_str(response.body()).unwrap(), retry)
    }

    fn of_kind(kind: ErrorKind) -> Error {
        Error::new(kind, "INSERT INTO user VALUES ('secret') at postgresql://app:pw@host/db")
            .with_statement("INSERT INTO user (name) VALUES (?)")
            .with_source(Error::new(ErrorKind::Database, "secret"))
    }

    #[test]
    fn each_kind_has_its_status_and_no_body_tells_secrets() {
        let cases = [
            (ErrorKind::UniqueViolation, 409),
            (ErrorKind::ForeignKeyViolation, 409),
            (ErrorKind::PoolTimeout, 503),
            (ErrorKind::Busy, 503),
            (ErrorKind::NotFound, 500),
            (ErrorKind::MultipleFound, 500),
            (ErrorKind::CheckViolation, 500),
            (ErrorKind::Connection, 500),
            (ErrorKind::InvalidStatement, 500),
            (ErrorKind::Config, 500),
            (ErrorKind::Aborted, 500),
        ];
        for (kind, status) in cases {
            let (got, body, retry) = answer(of_kind(kind));
            assert_eq!(got, status, "{kind:?}");
            assert_eq!(retry.is_some(), status == 503, "{kind:?}");
            let text = body.to_string();
            for secret in ["INSERT", "secret", "postgresql", "pw"] {
                assert!(!text.contains(secret), "{kind:?}: {text}");
            }
        }
    }

    #[test]
    fn the_404_family_shows_its_description_or_the_standard_text() {
        let (status, body, _) = answer(Error::not_found("no such album"));
        assert_eq!((status, body), (404, serde_json::json!({ "error": "not_found", "message": "no such album" })));
        let (status, body, _) = answer(of_kind(ErrorKind::MultipleFound).or_404());
        assert_eq!(status, 404);
        assert_eq!(body["message"], "the requested resource was not found");
    }

    #[test]
    fn a_row_that_is_refused_is_told_why_and_nothing_of_the_table() {
        let error = Error::validation("email: is no address")
            .with_message(|_| "user.email: is no address (`User::email`)".to_owned());
        let (status, body, _) = answer(error);
        assert_eq!(status, 422);
        assert_eq!(body, serde_json::json!({ "error": "unprocessable_content", "message": "email: is no address" }));
    }

    #[test]
    fn bad_input_is_told_what_is_wrong_with_it() {
        let (status, body, _) = answer(Error::new(ErrorKind::BadRequest, "`cursor` is not one of ours"));
        assert_eq!((status, &body["message"]), (400, &"`cursor` is not one of ours".into()));
    }

    #[test]
    fn the_log_line_holds_the_sources() {
        let error = Error::new(ErrorKind::Connection, "a").with_source(std::io::Error::other("b"));
        assert_eq!(chain(&error), "a: b");
    }
}
