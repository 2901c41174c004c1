//! Pagination by page number: what is asked for, what comes back, and the numbers under the list.

mod iter_pages;
mod page_query;

pub use iter_pages::IterPages;
pub use page_query::PageQuery;
pub(crate) use page_query::{PageWindow, first_value};

use serde::Serialize;

/// One page of a query's results, as Flask-SQLAlchemy's `Pagination`.
///
/// Serializes flat: `{"items": [..], "page": 2, "per_page": 20, "total": 250, "pages": 13, "has_next": true, ..}`.
/// Iterating over it yields its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// This page's number, from 1 on.
    pub page: u64,
    /// How many items a full page holds.
    pub per_page: u64,
    /// How many items there are on all pages; `None` when they were not counted ([`PageQuery::count`]).
    pub total: Option<u64>,
    /// How many pages there are; 0 when there is no item, or when they were not counted.
    pub pages: u64,
    /// Whether there is a page after this one.
    pub has_next: bool,
    /// Whether there is a page before this one.
    pub has_prev: bool,
    /// The number of the next page.
    pub next_num: Option<u64>,
    /// The number of the page before.
    pub prev_num: Option<u64>,
    /// The number of the first item on this page, from 1 on; 0 when the page is empty.
    pub first: u64,
    /// The number of the last item on this page; 0 when the page is empty.
    pub last: u64,
    /// The limit that was in force for `per_page`.
    #[serde(skip)]
    pub max_per_page: Option<u64>,
}

impl<T> Page<T> {
    /// A page of what a query found in `window`; `total` is `None` when nobody counted.
    pub(crate) fn new(items: Vec<T>, total: Option<u64>, window: &PageWindow) -> Self {
        let PageWindow { page, per_page, .. } = *window;
        let pages = total.map_or(0, |total| total.div_ceil(per_page));
        let (has_next, has_prev) = (page < pages, page > 1 && pages > 0);
        let (first, last) = if items.is_empty() {
            (0, 0)
        } else {
            let first = window.offset().saturating_add(1);
            (first, window.offset().saturating_add(items.len() as u64))
        };
        Self {
            items,
            page,
            per_page,
            total,
            pages,
            has_next,
            has_prev,
            next_num: has_next.then(|| page + 1),
            prev_num: has_prev.then(|| page - 1),
            first,
            last,
            max_per_page: window.max_per_page,
        }
    }

    /// The same page with its items changed: into the type that the API shows, say.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            page: self.page,
            per_page: self.per_page,
            total: self.total,
            pages: self.pages,
            has_next: self.has_next,
            has_prev: self.has_prev,
            next_num: self.next_num,
            prev_num: self.prev_num,
            first: self.first,
            last: self.last,
            max_per_page: self.max_per_page,
        }
    }

    /// What to ask for to get the next page: same size and limit, and the total is not counted again. After the last
    /// page comes an empty one, not an error.
    pub fn next_query(&self) -> PageQuery {
        PageQuery::beside(self, self.page.saturating_add(1))
    }

    /// What to ask for to get the page before: same size and limit, and the total is not counted again. Before the
    /// first page comes the first one again.
    pub fn prev_query(&self) -> PageQuery {
        PageQuery::beside(self, self.page.saturating_sub(1).max(1))
    }

    /// The page numbers for a row of links, with `None` for a gap.
    ///
    /// With the default [`IterPages`], page 7 of 20 gives `1 2 - 5 6 7 8 9 10 11 - 19 20`.
    pub fn iter_pages(&self, edges: IterPages) -> impl Iterator<Item = Option<u64>> + use<T> {
        edges.numbers(self.page, self.pages)
    }

    /// The items, by reference.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// How many items are on this page.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether this page has no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests;
