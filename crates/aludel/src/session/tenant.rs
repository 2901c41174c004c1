//! Whose rows a session sees and writes, of the models that have tenants.

use super::{Inner, Session};
use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::entity::new::AnyNew;
use crate::entity::slot::SlotPtr;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ColumnType;
use crate::sql::{Tenant, TenantColumn, Value, no_tenant};

/// What [`Session::set_tenant`] takes: a value of the tenant column's type, or `&str` for a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no tenant",
    label = "not a value that a column could hold",
    note = "give a value of the type that the models' `#[column(tenant)]` have"
)]
pub trait IntoTenant {
    /// The value of the column.
    fn into_tenant(self) -> Value<'static>;
}

impl<T: ColumnType> IntoTenant for T {
    fn into_tenant(self) -> Value<'static> {
        self.to_value().into_owned()
    }
}

impl IntoTenant for &str {
    fn into_tenant(self) -> Value<'static> {
        Value::Text(self.to_owned().into())
    }
}

impl Session {
    /// Whose rows this session sees and writes, of the models that have a `#[column(tenant)]`: from now on every
    /// statement on them has that condition, and new rows get the tenant. A request's session is told once, by whoever
    /// finds out: a middleware, or the handler.
    ///
    /// It holds for queries with all that they join, load along and ask in subqueries, for [`get`](Session::get),
    /// [`refresh`](Session::refresh), lazy loads, bulk writes, upserts and the flush, and for models that inherit from one
    /// with tenants, in whichever table their columns are. A row that was given another tenant is
    /// an error, and so are statements on such a model in a session that was told nothing. SQL that the program writes
    /// itself, and queries on tables without a model ([`select_from`](Session::select_from)), are sent as they are.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct Note {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     #[column(tenant, index)]
    ///     shop: i64,
    ///     text: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// for shop in [1, 2] {
    ///     let session = db.session_for(shop)?;
    ///     session.add(Note::build().text("Hello"));
    ///     session.commit().await?;
    /// }
    /// let session = db.session();
    /// assert!(Note::query().all(&session).await.is_err(), "whose notes?");
    /// session.set_tenant(2)?;
    /// let notes = Note::query().all(&session).await?;
    /// assert_eq!((notes.len(), notes[0].shop), (1, 2));
    /// assert!(session.get::<Note>(1).await?.is_none(), "it is another shop's");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidStatement` when the session has another tenant already, or for NULL or the key of a row that was not
    /// flushed yet.
    pub fn set_tenant(&self, tenant: impl IntoTenant) -> Result<()> {
        let value = tenant.into_tenant();
        if value.is_null() {
            return Err(refused(
                "set_tenant: NULL is no tenant; `session.all_tenants()` spans the rows of all".to_owned(),
            ));
        }
        if stands_for_a_key(&value) {
            return Err(refused(
                "set_tenant: this is the key of a row that is not in the database yet; `session.flush().await` first"
                    .to_owned(),
            ));
        }
        self.settle_tenant(Tenant::One(value))
    }

    /// Lets the session see and write the rows of all tenants: for administration and migrations. New rows have to name
    /// their tenant then.
    ///
    /// # Errors
    /// `InvalidStatement` when the session has a tenant already.
    pub fn all_tenants(&self) -> Result<()> {
        self.settle_tenant(Tenant::All)
    }

    fn settle_tenant(&self, tenant: Tenant) -> Result<()> {
        if *self.inner.tenant.get_or_init(|| tenant.clone()) == tenant {
            return Ok(());
        }
        Err(refused(
            "this session has a tenant already, whose rows it may hold: take a session for each tenant, \
             `db.session_for(tenant)`"
                .to_owned(),
        ))
    }

    /// The only tenant whose rows of a model the session sees; none where it sees all.
    ///
    /// # Errors
    /// `InvalidStatement` when it sees those of none.
    pub(crate) fn tenant_of(&self, def: &'static ModelDef) -> Result<Option<(&'static TenantColumn, &Value<'static>)>> {
        let Some(column) = def.options.tenant() else { return Ok(None) };
        match self.inner.tenant.get() {
            None => Err(refused(no_tenant(def.name)).with_table(def.table)),
            Some(Tenant::All) => Ok(None),
            Some(Tenant::One(value)) => match column.refusal(def.name, value) {
                None => Ok(Some((column, value))),
                Some(refusal) => Err(refused(refusal).with_table(def.table)),
            },
        }
    }

    /// The tenant that a new row gets, where it was not given one.
    ///
    /// # Errors
    /// `InvalidStatement` when it was given another, or the session has none; `NotNullViolation` when nobody says whose it
    /// is.
    pub(crate) fn tenant_of_new(
        &self,
        def: &'static ModelDef,
        given: Option<Value<'_>>,
    ) -> Result<Option<(usize, Value<'static>)>> {
        let Some(column) = def.options.tenant() else { return Ok(None) };
        match (self.tenant_of(def)?, given) {
            (Some((_, tenant)), None) => Ok(Some((column.position, tenant.clone()))),
            (Some((_, tenant)), Some(given)) if given != *tenant => Err(other_tenant(def, column, &given, tenant)),
            (None, None) => Err(Error::new(
                ErrorKind::NotNullViolation,
                format!(
                    "a row of `{}` belongs to a tenant, and this session spans all of them: give `{}` on the new `{}`",
                    def.table, column.field, def.name
                ),
            )
            .with_table(def.table)
            .with_columns(vec![column.column.to_owned()])),
            (_, Some(_)) => Ok(None),
        }
    }

    /// Whether a row that the session has is one that it sees.
    ///
    /// # Errors
    /// `InvalidStatement` when its model has tenants and the session none.
    pub(super) fn sees(&self, arena: &Arena, slot: SlotPtr, deleted: bool) -> Result<bool> {
        let def = slot.def();
        if def.options.criteria.is_none() {
            return Ok(true);
        }
        if let Some((column, tenant)) = self.tenant_of(def)?
            && arena.value(slot, column.position) != *tenant
        {
            return Ok(false);
        }
        Ok(deleted || !is_deleted(arena, slot))
    }

    /// Adds what the rows of a model have to be to a condition on its key, and their values to those of the key.
    pub(super) fn confine_by_key<'k>(
        &self,
        def: &'static ModelDef,
        key: &'k [Value<'_>],
        deleted: bool,
        sql: &mut String,
    ) -> Result<Option<Vec<Value<'k>>>> {
        let Some(criteria) = def.criteria() else { return Ok(None) };
        let dialect = self.dialect_of(def);
        if let Some(kinds) = &criteria.kinds {
            kinds.write(dialect, sql);
        }
        if !criteria.varies() {
            return Ok(None);
        }
        let mut values: Vec<Value<'k>> = key.iter().map(Value::as_borrowed).collect();
        let mut equals = |column: &str, value: Value<'static>, sql: &mut String| {
            sql.push_str(" AND ");
            dialect.quote(column, sql);
            sql.push_str(" = ");
            values.push(value);
            dialect.placeholder(values.len(), sql);
        };
        if let Some((column, tenant)) = self.tenant_of(def)? {
            equals(column.column, tenant.clone(), sql);
        }
        if let Some(column) = def.options.soft_delete().filter(|_| !deleted) {
            if column.is_flag {
                equals(column.column, Value::Bool(false), sql);
            } else {
                sql.push_str(" AND ");
                dialect.quote(column.column, sql);
                sql.push_str(" IS NULL");
            }
        }
        Ok(Some(values))
    }
}

/// Whether a row is softly deleted.
pub(super) fn is_deleted(arena: &Arena, slot: SlotPtr) -> bool {
    let column = slot.def().options.soft_delete();
    column.is_some_and(|column| column.is_deleted(&arena.value(slot, column.position)))
}

/// Gives a row that is added the tenant of its session, so that it shows it at once. The flush looks again.
pub(super) fn stamp_added(arena: &ArenaRef, row: &mut dyn AnyNew) {
    let Some(column) = row.def().options.tenant() else { return };
    if row.given().contains(column.position) {
        return;
    }
    let Some(inner) = arena.session().and_then(|session| session.downcast::<Inner>().ok()) else { return };
    let session = Session { inner: std::mem::ManuallyDrop::new(inner) };
    let Some(Tenant::One(tenant)) = session.inner.tenant.get() else { return };
    row.given().insert(column.position);
    if let Err(error) = row.put(column.position, tenant.clone()) {
        arena.tracker().errors.push(error);
    }
}

/// Numbers from the half of an integer type that is left to rows that have no key yet.
fn stands_for_a_key(value: &Value<'_>) -> bool {
    match value {
        Value::Int(number) => *number < i64::MIN / 2 || (i64::from(i32::MIN)..i64::from(i32::MIN / 2)).contains(number),
        _ => false,
    }
}

#[cold]
fn other_tenant(def: &ModelDef, column: &TenantColumn, given: &Value<'_>, tenant: &Value<'_>) -> Error {
    refused(format!(
        "{}.{}: a row of the tenant {given} is no business of this session, whose tenant is {tenant}; leave `{}::{}` out, \
         or take `db.session_for({given})`",
        def.table, column.column, def.name, column.field
    ))
    .with_table(def.table)
    .with_columns(vec![column.column.to_owned()])
}

#[cold]
pub(super) fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidStatement, message)
}
