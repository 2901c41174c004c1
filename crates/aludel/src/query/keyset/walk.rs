//! A query's rows page by page, from the first to the last.

use std::panic::Location;

use crate::entity::model::Model;
use crate::error::Result;
use crate::query::Query;
use crate::query::fetch::Fetch;
use crate::query::scope::invalid;
use crate::query::terminal::rows;
use crate::session::Session;
use crate::sql::Value;

use super::keyed::Keyed;
use super::terms::Terms;

/// Where a walk over a query's rows stands.
pub(crate) struct Walk {
    size: u64,
    /// The order's values of the last row.
    last: Option<Vec<Value<'static>>>,
    ended: bool,
}

impl Walk {
    pub(crate) fn new(size: u64) -> Self {
        Self { size, last: None, ended: false }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.last.is_some()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next rows.
    pub(crate) async fn next<M: Model, R: Fetch>(
        &mut self,
        query: Query<M, R>,
        session: &Session,
        at: &'static Location<'static>,
    ) -> Result<Vec<R>> {
        if self.size == 0 {
            return Err(invalid("stream_entities: a chunk has at least one row".to_owned()));
        }
        let to = session.rendering_of(M::def());
        let mut draft = query.draft.into_draft();
        draft.check_keyset()?;
        draft.name_own_columns();
        let terms = Terms::of(&draft, to.dialect)?;
        if let Some(last) = &self.last {
            draft.filter.push(terms.after(last, false));
        }
        let prepared = terms.prepare(draft, self.size, to)?;
        let found = rows::<Keyed<R>>(session, M::def(), Ok(prepared), at).await?;
        self.ended = (found.len() as u64) < self.size;
        if let Some(last) = found.last() {
            self.last = Some(last.key.clone());
        }
        Ok(found.into_iter().map(|row| row.row).collect())
    }
}
