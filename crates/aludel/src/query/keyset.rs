//! Keyset pagination: pages that begin after a row, and not after a number of rows.

mod cursor;
mod cursor_query;
mod keyed;
mod terms;
mod walk;

use std::panic::Location;

use serde::Serialize;

use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::sql::Value;

pub(crate) use cursor::signing_key;
pub use cursor_query::CursorQuery;
pub(crate) use walk::Walk;

use super::Query;
use super::draft::{Draft, Prepared};
use super::fetch::Fetch;
use super::scope::invalid;
use super::source::Root;
use super::terminal::rows;
use cursor::{Cursor, Seal};
use keyed::Keyed;
use terms::Terms;

/// A part of a query's rows, and the cursors of its neighbours: what [`Query::paginate_by_key`] gives.
///
/// Serializes as `{"items": [..], "per_page": 20, "next": "..", "prev": null}`. Iterating over it yields its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CursorPage<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// How many items a full page holds.
    pub per_page: u64,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// The cursor of the page before, if there is one.
    pub prev: Option<String>,
}

impl<T> CursorPage<T> {
    /// The same page with its items changed: into the type that the API shows, say.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> CursorPage<U> {
        let Self { items, per_page, next, prev } = self;
        CursorPage { items: items.into_iter().map(change).collect(), per_page, next, prev }
    }

    /// The items, by reference.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
}

impl<T> IntoIterator for CursorPage<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a CursorPage<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<M: Model, R: Fetch> Query<M, R> {
    /// One page of the rows, beginning after the row that a cursor names: keyset pagination. A page costs the same
    /// however far it is from the beginning, and rows that come or go meanwhile neither repeat nor hide others.
    ///
    /// The order is the query's [`order_by`](Query::order_by), of columns alone, some ascending, some descending, NULL
    /// where the database or `nulls_first` and `nulls_last` put it. The primary keys are added at its end, so that it is
    /// certain. Without an order they alone are it.
    ///
    /// The cursors of a page are text for a URL. They hold the order's values of a row, for everyone to read, and are
    /// signed with the program's secret key ([`Config::secret_key`](crate::Config::secret_key)), so that nobody can
    /// change them. A cursor is good for every query with the same tables and the same order, whatever its filters.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    /// use aludel::CursorQuery;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     karma: i64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// let db = Db::builder().uri("sqlite://").secret_key("0123456789abcdef").connect().await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// session.add_all([7, 7, 9].map(|karma| User::build().karma(karma)));
    ///
    /// let best = || User::query().order_by(User::karma.desc());
    /// let page = best().paginate_by_key(&session, CursorQuery::new().per_page(2)).await?;
    /// assert_eq!(page.iter().map(|user| user.karma).collect::<Vec<_>>(), [9, 7]);
    ///
    /// let next = CursorQuery::at(page.next.unwrap()).per_page(2);
    /// let page = best().paginate_by_key(&session, next).await?;
    /// assert_eq!(page.iter().map(|user| user.karma).collect::<Vec<_>>(), [7]);
    /// assert!(page.next.is_none() && page.prev.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BadRequest`, which answers 400, for a cursor that was changed or belongs to another query; `Config` where no
    /// secret key is set; `InvalidStatement` for a query that is gathered, cut or ordered by more than columns;
    /// otherwise as [`all`](Query::all).
    #[track_caller]
    pub fn paginate_by_key(
        self,
        session: &Session,
        asked: CursorQuery,
    ) -> impl Future<Output = Result<CursorPage<R>>> + Send {
        let at = Location::caller();
        let prepared = self.prepare_by_key(session, asked);
        async move {
            let (prepared, window) = prepared?;
            let found = rows::<Keyed<R>>(session, M::def(), Ok(prepared), at).await?;
            window.page(found)
        }
    }

    fn prepare_by_key(self, session: &Session, asked: CursorQuery) -> Result<(Prepared, Window)> {
        let to = session.rendering_of(M::def());
        let per_page = asked.size()?;
        let mut draft = self.draft.into_draft();
        draft.check_keyset()?;
        draft.name_own_columns();
        let terms = Terms::of(&draft, to.dialect)?;
        let seal = Seal::new(session.db().secret_key()?, terms.fingerprint(&draft));
        let cursor = asked.cursor.as_deref().map(|text| seal.open(text, terms.len())).transpose()?;
        let backward = cursor.as_ref().is_some_and(|cursor| cursor.backward);
        let terms = if backward { terms.reversed() } else { terms };
        if let Some(cursor) = &cursor {
            draft.filter.push(terms.after(&cursor.values, cursor.inclusive));
        }
        // One more than a page: whether there is another one.
        let prepared = terms.prepare(draft, per_page + 1, to)?;
        Ok((prepared, Window { per_page, backward, cursor, seal }))
    }
}

impl Draft {
    /// # Errors
    /// `InvalidStatement` for a query whose rows are no rows of tables, or are cut already.
    fn check_keyset(&self) -> Result<()> {
        let rare = self.rare.as_deref();
        let other = [
            ("group_by", !self.group_by.is_empty() || !self.having.is_empty()),
            ("distinct", self.distinct || rare.is_some_and(|rare| !rare.distinct_on.is_empty())),
            ("limit or offset", self.limit.is_some() || self.offset.is_some()),
            (
                "a union, or a query with a name",
                rare.is_some_and(|rare| matches!(rare.root, Root::Named(_) | Root::Compound(_))),
            ),
        ];
        match other.into_iter().find(|(_, said)| *said) {
            None => Ok(()),
            Some((what, _)) => Err(invalid(format!(
                "paginate_by_key: this query has {what}, and no key that tells its rows apart; use `.paginate(..)`"
            ))),
        }
    }
}

/// Where a page begins, and what its cursors are made with.
struct Window {
    per_page: u64,
    backward: bool,
    cursor: Option<Cursor>,
    seal: Seal,
}

impl Window {
    /// The page of the rows that were found.
    fn page<R>(self, mut found: Vec<Keyed<R>>) -> Result<CursorPage<R>> {
        let Self { per_page, backward, cursor, seal } = self;
        let size = usize::try_from(per_page).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        if backward {
            found.reverse();
        }
        let key = |row: Option<&Keyed<R>>| row.map(|row| row.key.clone());
        let (first, last) = (key(found.first()), key(found.last()));
        // A page that is empty leads back to where its cursor was, with the row there.
        let turn = |values: Option<Vec<Value<'static>>>, backward| match (values, &cursor) {
            (Some(values), _) => Some(Cursor { backward, inclusive: false, values }),
            (None, Some(cursor)) => {
                Some(Cursor { backward, inclusive: !cursor.inclusive, values: cursor.values.clone() })
            }
            (None, None) => None,
        };
        let (ahead, behind) = if backward { (true, more) } else { (more, cursor.is_some()) };
        let seal = |cursor: Cursor| seal.close(&cursor);
        Ok(CursorPage {
            next: if ahead { turn(last, false) } else { None }.map(seal).transpose()?,
            prev: if behind { turn(first, true) } else { None }.map(seal).transpose()?,
            items: found.into_iter().map(|row| row.row).collect(),
            per_page,
        })
    }
}

#[cold]
fn bad_cursor(message: &'static str) -> Error {
    Error::new(ErrorKind::BadRequest, message)
}
