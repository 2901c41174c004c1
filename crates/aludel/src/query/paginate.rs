//! Pages of a query.

use std::panic::Location;

use crate::entity::model::Model;
use crate::error::Result;
use crate::session::Session;

use super::Query;
use super::fetch::Fetch;
use super::page::{Page, PageQuery};
use super::terminal::{count, rows};

impl<M: Model, R: Fetch> Query<M, R> {
    /// One page of the rows, and how many there are in all.
    ///
    /// The items come first; the count, a second statement, is saved where there is nothing to count: see
    /// [`PageQuery`]. Without an [`order_by`](Query::order_by) the pages are not certain to be disjoint. A limit or
    /// offset of the query's own gives way to the page's.
    ///
    /// # Errors
    /// `NotFound`, which answers 404, for a page that does not exist; otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn paginate(self, session: &Session, page: PageQuery) -> impl Future<Output = Result<Page<R>>> + Send {
        let at = Location::caller();
        let prepared = self.prepare_page(session, page);
        async move {
            let (window, items, counted) = prepared?;
            let items = rows(session, M::def(), Ok(items), at).await?;
            window.found(items.len())?;
            let total = match counted {
                Some(statement) => Some(count(session, M::def(), statement, at).await?),
                None => window.total,
            };
            Ok(Page::new(items, total, &window))
        }
    }

    fn prepare_page(self, session: &Session, page: PageQuery) -> Result<PreparedPage> {
        let window = page.window()?;
        let mut draft = self.draft.into_draft();
        (draft.limit, draft.offset) = (None, None);
        let counted =
            if window.count { Some(draft.clone().prepare_count(session.rendering_of(M::def()))?) } else { None };
        (draft.limit, draft.offset) = (Some(window.limit()), Some(window.offset()));
        Ok((window, draft.prepare(session.rendering_of(M::def()))?, counted))
    }
}

/// The page asked for, the statement for its items, and the one that counts all rows.
type PreparedPage = (super::page::PageWindow, super::draft::Prepared, Option<crate::sql::Statement>);
