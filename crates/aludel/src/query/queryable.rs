//! What every model can be asked for.

use std::borrow::Cow;

use crate::entity::model::Model;
use crate::entity::new::New;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Alias, DynColumn, ModelTable};

use super::Query;
use super::insert_all::InsertAll;
use super::selection::EntityOf;
use super::sortable::Sortable;

/// What every model can be asked for; it comes with the prelude.
pub trait Queryable: Model {
    /// The model's rows as entities, in a `select` of several things.
    #[allow(non_upper_case_globals, reason = "it stands beside the columns, which are named as their fields")]
    const entity: EntityOf<Self> = EntityOf::NEW;

    /// The model's table, for a list of models: [`DbBuilder::models`](crate::DbBuilder::models).
    const TABLE: ModelTable = ModelTable(Self::def);

    /// A query for the model's rows.
    fn query() -> Query<Self> {
        Query::new()
    }

    /// The model's table under another name, for a query that has it twice: see [`Alias`].
    fn alias(name: impl Into<Cow<'static, str>>) -> Alias<Self> {
        Alias::new(name.into())
    }

    /// A column by the name of its field or in the database, for an order that is chosen at run time. Only this
    /// model's columns are found, so that the name may come from a request.
    ///
    /// # Errors
    /// `BadRequest` when the model has no such column, naming those that it has.
    fn column(name: &str) -> Result<DynColumn<Self>> {
        let def = Self::def();
        def.column_index(name).map(DynColumn::new).ok_or_else(|| {
            let columns: Vec<_> = def.columns.iter().map(|column| column.field).collect();
            Error::new(
                ErrorKind::BadRequest,
                format!("`{}` has no column `{name}`; it has {}", def.name, columns.join(", ")),
            )
        })
    }

    /// The columns, by name, that an order chosen at run time may have, for models of which not all columns are everybody's
    /// matter: see [`Sortable`].
    fn sortable<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Sortable<Self> {
        Sortable::new(names.into_iter().map(Into::into).collect())
    }

    /// Inserts rows without making entities of them: see [`InsertAll`].
    fn insert_all<I>(rows: I) -> InsertAll<Self>
    where
        I: IntoIterator,
        I::Item: New<Model = Self>,
    {
        InsertAll::new(rows.into_iter().map(New::into_row).collect())
    }
}

impl<M: Model> Queryable for M {}
