//! Orders that are chosen at run time, out of a list.

use std::marker::PhantomData;

use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{DynColumn, Order};
use crate::sql::OrderBy;

use super::Queryable;

/// The columns that a request may sort by: made by [`User::sortable`](Queryable::sortable).
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// struct User {
///     #[column(primary_key)]
///     id: i64,
///     username: String,
///     karma: i64,
///     password_hash: String,
/// }
///
/// # fn main() -> aludel::Result<()> {
/// let sortable = User::sortable(["username", "karma"]);
/// let query = User::query().order_by(sortable.order("-karma,username")?);
/// assert!(query.to_sql(aludel::sql::Dialect::Sqlite)?.ends_with(r#"ORDER BY "user"."karma" DESC, "user"."username""#));
///
/// let error = sortable.order("password_hash").unwrap_err();
/// assert_eq!(error.to_string(), "cannot sort by `password_hash`: choose among username, karma");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sortable<M> {
    names: Vec<String>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Sortable<M> {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self { names, model: PhantomData }
    }

    /// A column of the list.
    ///
    /// # Errors
    /// `BadRequest`, which answers 400, when the name is not on the list; `Config` when the list has a name that is no
    /// column of the model.
    pub fn column(&self, name: &str) -> Result<DynColumn<M>> {
        if !self.names.iter().any(|known| known == name) {
            let message = format!("cannot sort by `{name}`: choose among {}", self.names.join(", "));
            return Err(Error::new(ErrorKind::BadRequest, message));
        }
        M::column(name).map_err(|error| Error::new(ErrorKind::Config, format!("sortable(..): {error}")))
    }

    /// The order that a text asks for: names of the list with commas between them, `-` before one for the greatest first.
    /// An empty text asks for none.
    ///
    /// # Errors
    /// As [`column`](Sortable::column).
    pub fn order(&self, text: &str) -> Result<Vec<OrderBy>> {
        let mut order = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.strip_prefix('-') {
                Some(name) => order.push(self.column(name)?.desc()),
                None => self.column(name)?.push_to(&mut order),
            }
        }
        Ok(order)
    }
}
