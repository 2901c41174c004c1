//! Which page is asked for.

use std::num::IntErrorKind;

use crate::error::{Error, Result};

use super::Page;

const DEFAULT_PER_PAGE: u64 = 20;
const DEFAULT_MAX_PER_PAGE: u64 = 100;

/// Which page of a query is asked for, and how large it may be.
///
/// As a handler's argument it comes from the request's `?page=&per_page=`; without them it is page 1 with 20 items. At
/// most [`max_per_page`](PageQuery::max_per_page) items are given, whatever the request says. A page that does not exist
/// (no number, below 1, or empty and not the first) is an error that answers 404; with
/// [`error_out(false)`](PageQuery::error_out) it is the nearest sensible page instead.
///
/// ```
/// use aludel::PageQuery;
///
/// let asked = PageQuery::from_query("page=2&per_page=50")?;
/// assert_eq!(asked, PageQuery::new(2).per_page(50));
/// assert_eq!(PageQuery::default(), PageQuery::new(1).per_page(20));
/// assert!(PageQuery::from_query("page=two").is_err());
/// # Ok::<(), aludel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageQuery {
    page: u64,
    per_page: u64,
    max_per_page: Option<u64>,
    error_out: bool,
    count: bool,
    /// Known from the neighbouring page.
    total: Option<u64>,
}

impl Default for PageQuery {
    fn default() -> Self {
        Self::new(1)
    }
}

impl PageQuery {
    /// Asks for a page, the first being 1, with 20 items.
    pub const fn new(page: u64) -> Self {
        Self {
            page,
            per_page: DEFAULT_PER_PAGE,
            max_per_page: Some(DEFAULT_MAX_PER_PAGE),
            error_out: true,
            count: true,
            total: None,
        }
    }

    /// Reads `page` and `per_page` from a URL's query string. Of a repeated key the first counts; white space around a
    /// number is accepted; other keys are ignored.
    ///
    /// # Errors
    /// `NotFound`, which answers 404, when one of them is no whole number above 0.
    pub fn from_query(query: &str) -> Result<Self> {
        let mut asked = Self::default();
        if let Some(text) = first_value(query, "page") {
            asked.page = number(&text).ok_or_else(|| no_such_page("`page` must be a whole number from 1 on"))?;
        }
        if let Some(text) = first_value(query, "per_page") {
            asked.per_page =
                number(&text).ok_or_else(|| no_such_page("`per_page` must be a whole number from 1 on"))?;
        }
        Ok(asked)
    }

    /// Reads `page` and `per_page` from a URL's query string and takes the default for what is not a whole number above
    /// 0; the result has [`error_out(false)`](PageQuery::error_out).
    pub fn from_query_lenient(query: &str) -> Self {
        let read = |key, default| first_value(query, key).and_then(|text| number(&text)).unwrap_or(default);
        Self { page: read("page", 1), per_page: read("per_page", DEFAULT_PER_PAGE), ..Self::default().error_out(false) }
    }

    /// Asks for another page.
    #[must_use]
    pub const fn page(self, page: u64) -> Self {
        Self { page, ..self }
    }

    /// Asks for so many items a page.
    #[must_use]
    pub const fn per_page(self, per_page: u64) -> Self {
        Self { per_page, ..self }
    }

    /// Gives at most so many items a page, however many are asked for: 100 unless said otherwise, `None` for no limit.
    #[must_use]
    pub fn max_per_page(self, limit: impl Into<Option<u64>>) -> Self {
        Self { max_per_page: limit.into(), ..self }
    }

    /// Whether a page that does not exist is an error, as it is by default. If not, a number below 1 becomes the default,
    /// and a page past the end is empty.
    #[must_use]
    pub const fn error_out(self, error_out: bool) -> Self {
        Self { error_out, ..self }
    }

    /// Whether all items are counted, as they are by default. If not, one statement is saved; the page then knows no
    /// total, no number of pages and no next page.
    #[must_use]
    pub const fn count(self, count: bool) -> Self {
        Self { count, ..self }
    }

    /// The page beside one that is known.
    pub(super) fn beside<T>(known: &Page<T>, page: u64) -> Self {
        Self {
            page,
            per_page: known.per_page,
            max_per_page: known.max_per_page,
            error_out: false,
            count: known.total.is_some(),
            total: known.total,
        }
    }

    /// The rows to fetch: first the limit, then the check of the range, so that a limit of 0 admits nothing.
    ///
    /// # Errors
    /// `NotFound` when the page or its size is 0, unless that is not to be an error.
    pub(crate) fn window(&self) -> Result<PageWindow> {
        let Self { mut page, mut per_page, max_per_page, error_out, count, total } = *self;
        if let Some(limit) = max_per_page {
            per_page = per_page.min(limit);
        }
        if error_out && page == 0 {
            return Err(no_such_page("`page` must be a whole number from 1 on"));
        }
        if error_out && per_page == 0 {
            return Err(no_such_page("`per_page` must be a whole number from 1 on"));
        }
        if page == 0 {
            page = 1;
        }
        if per_page == 0 {
            per_page = DEFAULT_PER_PAGE;
        }
        Ok(PageWindow { page, per_page, max_per_page, error_out, count: count && total.is_none(), total })
    }
}

/// A page's place among the rows, checked.
///
/// A query fetches `limit` rows from `offset` on, asks `found` whether that is an error, counts if `count` says so, and
/// makes the [`Page`]: the count comes last, so that a 404 does not pay for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageWindow {
    pub(crate) page: u64,
    pub(crate) per_page: u64,
    pub(crate) max_per_page: Option<u64>,
    pub(crate) error_out: bool,
    /// Whether the total is to be counted.
    pub(crate) count: bool,
    /// The total, where it is known already.
    pub(crate) total: Option<u64>,
}

impl PageWindow {
    /// How many rows to fetch.
    pub(crate) fn limit(&self) -> u64 {
        self.per_page.min(i64::MAX as u64)
    }

    /// How many rows to skip; never more than a backend's signed 64 bits hold.
    pub(crate) fn offset(&self) -> u64 {
        (self.page - 1).saturating_mul(self.per_page).min(i64::MAX as u64)
    }

    /// # Errors
    /// `NotFound` when a page other than the first is empty, unless that is not to be an error.
    pub(crate) fn found(&self, items: usize) -> Result<()> {
        if items == 0 && self.page != 1 && self.error_out {
            return Err(no_such_page("there is no such page"));
        }
        Ok(())
    }
}

#[cold]
fn no_such_page(description: &'static str) -> Error {
    Error::not_found(description)
}

/// A whole number above 0; one beyond 64 bits is the largest that there is, whose page is empty.
fn number(text: &str) -> Option<u64> {
    match text.trim().parse::<u64>() {
        Ok(number) => (number > 0).then_some(number),
        Err(error) => (*error.kind() == IntErrorKind::PosOverflow).then_some(u64::MAX),
    }
}

/// The first value of a key in a query string, decoded.
pub(crate) fn first_value(query: &str, key: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name) == key).then(|| decode(value))
    })
}

/// Undoes form encoding. A broken escape stays as it is; bytes that are no UTF-8 become the replacement character, and
/// neither is a number.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
