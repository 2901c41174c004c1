//! Which page is asked for, by a cursor.

use crate::error::{Error, ErrorKind, Result};
use crate::query::page::first_value;

const DEFAULT_PER_PAGE: u64 = 20;
const DEFAULT_MAX_PER_PAGE: u64 = 100;

/// Which page of a query is asked for by [`paginate_by_key`](crate::query::Query::paginate_by_key), and how large it may
/// be.
///
/// As a handler's argument it comes from the request's `?cursor=&per_page=`; without them it is the first page with 20
/// items. At most [`max_per_page`](CursorQuery::max_per_page) items are given, whatever the request says.
///
/// ```
/// use aludel::CursorQuery;
///
/// assert_eq!(CursorQuery::from_query("cursor=abc&per_page=5")?, CursorQuery::at("abc").per_page(5));
/// assert_eq!(CursorQuery::from_query("")?, CursorQuery::new().per_page(20));
/// assert!(CursorQuery::from_query("per_page=many").is_err());
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorQuery {
    pub(super) cursor: Option<String>,
    per_page: u64,
    max_per_page: Option<u64>,
}

impl Default for CursorQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl CursorQuery {
    /// Asks for the first page, with 20 items.
    pub const fn new() -> Self {
        Self { cursor: None, per_page: DEFAULT_PER_PAGE, max_per_page: Some(DEFAULT_MAX_PER_PAGE) }
    }

    /// Asks for the page of a cursor: the `next` or `prev` of another page.
    pub fn at(cursor: impl Into<String>) -> Self {
        Self { cursor: Some(cursor.into()), ..Self::new() }
    }

    /// Reads `cursor` and `per_page` from a URL's query string. An empty cursor is none; other keys are ignored.
    ///
    /// # Errors
    /// `BadRequest`, which answers 400, when `per_page` is no whole number above 0.
    pub fn from_query(query: &str) -> Result<Self> {
        let mut asked = Self { cursor: first_value(query, "cursor").filter(|text| !text.is_empty()), ..Self::new() };
        if let Some(text) = first_value(query, "per_page") {
            asked.per_page = text.trim().parse().ok().filter(|&size| size > 0).ok_or_else(no_size)?;
        }
        Ok(asked)
    }

    /// Asks for so many items a page.
    #[must_use]
    pub fn per_page(self, per_page: u64) -> Self {
        Self { per_page, ..self }
    }

    /// Gives at most so many items a page, however many are asked for: 100 unless said otherwise, `None` for no limit.
    #[must_use]
    pub fn max_per_page(self, limit: impl Into<Option<u64>>) -> Self {
        Self { max_per_page: limit.into(), ..self }
    }

    /// How many items the page may have.
    ///
    /// # Errors
    /// `BadRequest` when it may have none.
    pub(super) fn size(&self) -> Result<u64> {
        let size = self.max_per_page.map_or(self.per_page, |most| self.per_page.min(most));
        // One more than a page is asked for.
        if size == 0 { Err(no_size()) } else { Ok(size.min(i64::MAX as u64 - 1)) }
    }
}

#[cold]
fn no_size() -> Error {
    Error::new(ErrorKind::BadRequest, "`per_page` must be a whole number from 1 on")
}
