//! The page that a request asks for.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::{Error, Result};
use crate::query::keyset::CursorQuery;
use crate::query::page::PageQuery;

/// `?page=&per_page=` of the request. What is no whole number above 0 is 404; a handler that wants it otherwise takes
/// `Result<PageQuery, aludel::Error>`, or reads the query string with [`PageQuery::from_query_lenient`].
impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        PageQuery::from_query(parts.uri.query().unwrap_or_default())
    }
}

/// `?cursor=&per_page=` of the request. A size that is no whole number above 0 is 400, and so is, when the query is sent, a
/// cursor that was changed or belongs to another query.
impl<S: Send + Sync> FromRequestParts<S> for CursorQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        CursorQuery::from_query(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;

    async fn strict(page: PageQuery) -> String {
        format!("{page:?}")
    }

    async fn forgiving(page: Result<PageQuery>) -> String {
        format!("{:?}", page.unwrap_or_default())
    }

    async fn ask(uri: &str) -> (StatusCode, String) {
        let app = Router::new()
            .route("/strict", get(strict))
            .route("/forgiving", get(forgiving))
            .route("/cursor", get(async |asked: CursorQuery| format!("{asked:?}")));
        let response = app.oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_handler_gets_the_page_of_the_query_string() {
        assert_eq!(ask("/strict").await, (StatusCode::OK, format!("{:?}", PageQuery::default())));
        let expected = format!("{:?}", PageQuery::new(3).per_page(7));
        assert_eq!(ask("/strict?page=3&per_page=7").await, (StatusCode::OK, expected));
    }

    #[tokio::test]
    async fn a_handler_gets_the_cursor_of_the_query_string() {
        let expected = format!("{:?}", CursorQuery::at("a-b_c").per_page(5));
        assert_eq!(ask("/cursor?per_page=5&cursor=a-b_c").await, (StatusCode::OK, expected));
        assert_eq!(ask("/cursor").await, (StatusCode::OK, format!("{:?}", CursorQuery::new())));
        let (status, body) = ask("/cursor?per_page=0").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body, r#"{"error":"bad_request","message":"`per_page` must be a whole number from 1 on"}"#);
    }

    #[tokio::test]
    async fn a_page_that_is_no_number_is_404_unless_the_handler_takes_the_result() {
        let (status, body) = ask("/strict?page=abc").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(body, r#"{"error":"not_found","message":"`page` must be a whole number from 1 on"}"#);
        assert_eq!(ask("/forgiving?page=abc").await, (StatusCode::OK, format!("{:?}", PageQuery::default())));
    }
}
