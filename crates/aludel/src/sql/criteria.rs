//! Which rows of a table a statement sees by itself: those of its model where several share the table, those that are
//! not softly deleted, and those of its tenant.
//!
//! A table that a model declares this of brings it along wherever a statement names it; the renderer writes the condition
//! there. So no statement has to think of it, and none can forget it.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::{BinaryOp, ColumnRef, Dialect, Node, Renderer, TableRef, Value};
use crate::schema::SqlType;

/// Which rows of its table a model lets statements see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// The model's name, for messages.
    pub model: &'static str,
    /// Of a model whose rows are in its parent's table: which are its own.
    pub kinds: Option<Kinds>,
    /// `#[column(soft_delete)]`
    pub soft_delete: Option<SoftDelete>,
    /// `#[column(tenant)]`
    pub tenant: Option<TenantColumn>,
}

/// Which rows of a table that models share are those of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// The discriminator's name.
    pub column: &'static str,
    /// Its values in the model's rows and in those of the models that inherit from it, as they stand in statements.
    pub literals: Vec<String>,
}

/// The column that says whether a row is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftDelete {
    /// The position among the model's columns.
    pub position: usize,
    /// The column's name.
    pub column: &'static str,
    /// Whether it is a truth value; else it is the time of the deletion, or NULL.
    pub is_flag: bool,
}

/// The column that says whose a row is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantColumn {
    /// The position among the model's columns.
    pub position: usize,
    /// The column's name.
    pub column: &'static str,
    /// The name of the struct's field.
    pub field: &'static str,
    /// Its type.
    pub ty: SqlType,
}

/// Whose rows a session sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    One(Value<'static>),
    All,
}

/// Whose rows a statement sees of the tables that have tenants. The default is for a statement's text alone: it has the
/// condition, and would find nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tenancy<'a>(Option<&'a OnceLock<Tenant>>);

impl<'a> Tenancy<'a> {
    /// What a session was told, or was not told yet.
    #[inline]
    pub(crate) const fn of(tenant: &'a OnceLock<Tenant>) -> Self {
        Self(Some(tenant))
    }

    /// The only tenant whose rows are seen, if the statement is a session's, which has one.
    pub(crate) fn one(self) -> Option<&'a Value<'static>> {
        match self.0?.get()? {
            Tenant::One(value) => Some(value),
            Tenant::All => None,
        }
    }
}

impl Criteria {
    /// Whether the condition depends on the session or on the statement: no text with it is kept.
    pub(crate) fn varies(&self) -> bool {
        self.soft_delete.is_some() || self.tenant.is_some()
    }
}

impl Kinds {
    /// `"employee"."kind" IN ('engineer')`, with the table under a name.
    pub(crate) fn condition(&'static self, table: Cow<'static, str>) -> Node {
        let column = Node::Column(ColumnRef::new(table, self.column));
        let list = self.literals.iter().map(|literal| Node::Sql(literal.as_str().into())).collect();
        Node::In { value: Box::new(column), list, negated: false }
    }

    /// Appends the same to another condition, where there is but one table.
    pub(crate) fn write(&self, dialect: Dialect, sql: &mut String) {
        sql.push_str(" AND ");
        dialect.quote(self.column, sql);
        sql.push_str(" IN (");
        sql.push_str(&self.literals.join(", "));
        sql.push(')');
    }
}

impl SoftDelete {
    /// The condition that a row is not deleted, or is.
    pub(crate) fn condition(&self, table: Cow<'static, str>, deleted: bool) -> Node {
        let column = ColumnRef { table, name: self.column.into(), nullable: !self.is_flag };
        if self.is_flag {
            return Node::binary(Node::Column(column), BinaryOp::Eq, Node::Value(Value::Bool(deleted)));
        }
        Node::IsNull { value: Box::new(Node::Column(column)), negated: deleted }
    }

    /// Whether a row with this value is deleted.
    pub(crate) fn is_deleted(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Bool(deleted) => *deleted,
            Value::Int(deleted) => *deleted != 0,
            other => !other.is_null(),
        }
    }
}

impl TenantColumn {
    /// Why a tenant cannot be this column's value.
    pub(crate) fn refusal(&self, model: &str, tenant: &Value<'_>) -> Option<String> {
        use SqlType::{BigInt, Integer, SmallInt, String, Text, TinyInt, Uuid};
        use SqlType::{UnsignedBigInt, UnsignedInteger, UnsignedSmallInt, UnsignedTinyInt};
        let fits = match (&self.ty, tenant) {
            (
                TinyInt | SmallInt | Integer | BigInt | UnsignedTinyInt | UnsignedSmallInt | UnsignedInteger
                | UnsignedBigInt,
                value,
            ) => matches!(value, Value::Int(_) | Value::UInt(_)),
            (String(_) | Text, value) => matches!(value, Value::Text(_)),
            (Uuid, value) => matches!(value, Value::Uuid(_)),
            _ => true,
        };
        (!fits).then(|| {
            format!(
                "the session's tenant is {} value, and `{model}::{}` is of another type: give `set_tenant` a value of that \
                 type",
                match tenant.type_name() {
                    name @ ("integer" | "a new row's key") => format!("an {name}"),
                    name => format!("a {name}"),
                },
                self.field
            )
        })
    }
}

/// What a session is told that has no tenant, and needs one.
#[cold]
pub(crate) fn no_tenant(model: &str) -> String {
    format!(
        "`{model}` has a tenant, and this session has none: take `db.session_for(tenant)`, or call \
         `session.set_tenant(tenant)` before the rows are asked for; `session.all_tenants()` is for work on the rows of all"
    )
}

impl Renderer<'_> {
    /// What the rows of a table have to be, for those that say so.
    #[inline]
    #[must_use = "the rows that nobody may see are left out by this condition"]
    pub(crate) fn confined(&mut self, table: &TableRef) -> Option<Node> {
        match table.criteria {
            None => None,
            Some(criteria) => self.conditions_of(criteria, table.qualifier()),
        }
    }

    #[cold]
    #[allow(clippy::ptr_arg, reason = "a static name is cloned as one, without an allocation")]
    fn conditions_of(&mut self, criteria: &'static Criteria, table: &Cow<'static, str>) -> Option<Node> {
        let kinds = criteria.kinds.as_ref().map(|kinds| kinds.condition(table.clone()));
        let tenant = criteria.tenant.as_ref().and_then(|column| self.tenant_condition(criteria, column, table.clone()));
        let deleted = criteria.soft_delete.as_ref().filter(|_| !self.with_deleted);
        let deleted = deleted.map(|column| column.condition(table.clone(), false));
        [kinds, tenant, deleted].into_iter().flatten().reduce(Node::and)
    }

    /// `tenant_id = ?`; a session that has no tenant sees nothing, and is told so.
    pub(crate) fn tenant_condition(
        &mut self,
        criteria: &'static Criteria,
        column: &'static TenantColumn,
        table: Cow<'static, str>,
    ) -> Option<Node> {
        let value = match self.tenancy.0.map(OnceLock::get) {
            None => Value::Null,
            Some(None) => {
                self.refuse(no_tenant(criteria.model));
                Value::Null
            }
            Some(Some(Tenant::All)) => return None,
            Some(Some(Tenant::One(value))) => {
                if let Some(refusal) = column.refusal(criteria.model, value) {
                    self.refuse(refusal);
                }
                value.clone()
            }
        };
        let column = Node::Column(ColumnRef::new(table, column.column));
        Some(Node::operation(column, BinaryOp::Eq, Node::Value(value)))
    }
}
