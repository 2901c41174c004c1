//! The page numbers under a list.

/// How many page numbers [`Page::iter_pages`](super::Page::iter_pages) shows at the edges and around the current page.
///
/// ```
/// use aludel::IterPages;
///
/// let narrow = IterPages { left_current: 1, right_current: 1, ..IterPages::default() };
/// assert_eq!((narrow.left_edge, narrow.right_edge), (2, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IterPages {
    /// How many pages from the first one on: 2 by default.
    pub left_edge: u64,
    /// How many pages before the current one: 2 by default.
    pub left_current: u64,
    /// How many pages after the current one: 4 by default.
    pub right_current: u64,
    /// How many pages up to the last one: 2 by default.
    pub right_edge: u64,
}

impl Default for IterPages {
    fn default() -> Self {
        Self { left_edge: 2, left_current: 2, right_current: 4, right_edge: 2 }
    }
}

impl IterPages {
    /// The numbers shown for a page of so many; `None` is a gap. A gap may stand for a single page, and a page past the
    /// end shows the left edge and a gap: both as in Flask-SQLAlchemy.
    pub(super) fn numbers(self, page: u64, pages: u64) -> impl Iterator<Item = Option<u64>> + use<> {
        let end = pages.saturating_add(1);
        let left_end = self.left_edge.saturating_add(1).min(end);
        let middle_start = page.saturating_sub(self.left_current).max(left_end);
        let middle_end = page.saturating_add(self.right_current).saturating_add(1).min(end);
        let right_start = end.saturating_sub(self.right_edge).max(middle_end);

        let left_gap = left_end < end && middle_start > left_end;
        let right_gap = middle_end < end && right_start > middle_end;
        (1..left_end)
            .map(Some)
            .chain(left_gap.then_some(None))
            .chain((middle_start..middle_end).map(Some))
            .chain(right_gap.then_some(None))
            .chain((right_start.max(left_end)..end).map(Some))
    }
}
