//! What becomes of inserted rows whose key is taken.

use crate::entity::def::{ConstraintDef, IndexDef, IndexElementDef, IndexKeyDef, ModelDef};
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Assign, Column, ColumnList, ColumnType, Condition, Expr, column_node};
use crate::sql::{EXCLUDED, Node, Nulls, Renderer, Rendering, Statement};

use super::InsertAll;
use super::scope::invalid;

/// The value of a column that was to be inserted, in the assignments and the condition of an upsert:
/// `Post::views.set(Post::views + excluded(Post::views))`.
pub fn excluded<M: Model, T: ColumnType>(column: Column<M, T>) -> Expr<T> {
    let args = vec![column_node(M::def(), column.index())];
    Expr::new(Node::Function { name: EXCLUDED, distinct: false, args, nulls: Nulls::Propagate })
}

/// New rows, and the unique columns of which some may be taken: made by [`InsertAll::on_conflict`].
#[must_use = "say what becomes of rows whose key is taken: `do_nothing` or `do_update`"]
pub struct OnConflict<M: Model> {
    rows: InsertAll<M>,
    target: Vec<usize>,
    filter: Vec<Node>,
}

/// What the INSERT says of taken keys.
pub(super) struct Conflict {
    target: Vec<usize>,
    /// New values for the row that is there; none leaves it.
    set: Vec<(usize, Node)>,
    /// What has to hold for the row that is there.
    filter: Vec<Node>,
}

impl<M: Model> InsertAll<M> {
    /// Says what becomes of rows whose key is taken: the column or columns of a primary key, a unique constraint or a
    /// unique index. Where another key is taken, the statement still fails.
    ///
    /// ```standalone_crate
    /// use aludel::prelude::*;
    ///
    /// #[derive(Model, Clone, Debug)]
    /// struct User {
    ///     #[column(primary_key)]
    ///     id: i64,
    ///     #[column(unique, length = 80)]
    ///     username: String,
    ///     email: String,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> aludel::Result<()> {
    /// # let db = Db::connect("sqlite://").await?;
    /// # db.create_all().await?;
    /// # let session = db.session();
    /// User::insert_all([User::build().username("a").email("a@x")]).execute(&session).await?;
    /// User::insert_all([User::build().username("a").email("new@x"), User::build().username("b").email("b@x")])
    ///     .on_conflict(User::username)
    ///     .do_update(User::email)
    ///     .execute(&session)
    ///     .await?;
    /// let emails: Vec<String> = User::query().order_by(User::id).select(User::email).all(&session).await?;
    /// assert_eq!(emails, ["new@x", "b@x"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// MariaDB and MySQL know no target: there any unique key that is taken counts. So the statement is refused there
    /// where the rows give another unique key too.
    pub fn on_conflict(self, columns: impl ColumnList<M>) -> OnConflict<M> {
        OnConflict { rows: self, target: columns.positions(), filter: Vec::new() }
    }
}

impl<M: Model> OnConflict<M> {
    /// Updates only rows for which the condition holds; others with a taken key stay as they are. The condition may name
    /// the values that were to be inserted, as [`excluded`]. MariaDB and MySQL do not have it.
    pub fn filter(mut self, condition: impl Condition) -> Self {
        self.filter.extend(condition.into_condition());
        self
    }

    /// Leaves rows that are there as they are.
    pub fn do_nothing(self) -> InsertAll<M> {
        let Self { mut rows, target, filter } = self;
        rows.conflict = Some(Conflict { target, set: Vec::new(), filter });
        rows
    }

    /// Updates rows that are there: a column is set to what was to be inserted, `User::email`, or to a value,
    /// `Post::views.set(Post::views + 1)`; several of these are given as a tuple. A version is raised.
    pub fn do_update(self, set: impl UpsertSet<M>) -> InsertAll<M> {
        let Self { mut rows, target, filter } = self;
        let mut assignments = Vec::new();
        set.push_to(&mut assignments);
        rows.conflict = Some(Conflict {
            target,
            set: assignments.into_iter().map(|assign| (assign.column, assign.value)).collect(),
            filter,
        });
        rows.updates = true;
        rows
    }
}

/// What `do_update` takes: a column, an assignment, or a tuple of these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` says nothing of what to update in a row of `{M}`",
    label = "neither a column of `{M}` nor an assignment to one",
    note = "give `{M}::column` for the value that was to be inserted, `{M}::column.set(value)`, or a tuple of these"
)]
pub trait UpsertSet<M> {
    /// Appends the assignments.
    fn push_to(self, assignments: &mut Vec<Assign<M>>);
}

impl<M: Model, T: ColumnType> UpsertSet<M> for Column<M, T> {
    fn push_to(self, assignments: &mut Vec<Assign<M>>) {
        assignments.push(self.set(excluded(self)));
    }
}

impl<M: Model> UpsertSet<M> for Assign<M> {
    fn push_to(self, assignments: &mut Vec<Self>) {
        assignments.push(self);
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<M, $($name: UpsertSet<M>),+> UpsertSet<M> for ($($name,)+) {
            fn push_to(self, assignments: &mut Vec<Assign<M>>) {
                #[allow(non_snake_case, reason = "the macro names the fields as their types")]
                let ($($name,)+) = self;
                $($name.push_to(assignments);)+
            }
        }
    };
}

crate::tuples::each_tuple!(tuples);

impl Conflict {
    /// Checks what the types do not: the target is a unique key, the expressions are of the model's own table, and the
    /// backend can do it for rows that give these columns.
    ///
    /// # Errors
    /// `InvalidStatement`, or `Unsupported` where it is the backend that cannot.
    pub(super) fn check(
        &self,
        def: &'static ModelDef,
        given: &[usize],
        to: Rendering<'_>,
        returns: bool,
    ) -> Result<()> {
        let dialect = to.dialect;
        super::bulk::check_tenant(def, "insert_all", to, self.set.iter().map(|(column, _)| *column))?;
        let keys = unique_keys(def);
        if !keys.iter().any(|key| same_columns(key, &self.target)) {
            return Err(invalid(format!(
                "insert_all of {}: on_conflict({}): no primary key, unique constraint or unique index has just these columns",
                def.table,
                names(def, &self.target)
            )));
        }
        let nodes = self.set.iter().map(|(_, node)| node).chain(&self.filter);
        nodes.into_iter().try_for_each(|node| super::bulk::check_own("insert_all", def.table, node))?;
        if !dialect.is_mysql() {
            return Ok(());
        }
        if let Some(tenant) = def.options.tenant()
            && returns
            && !self.target.contains(&tenant.position)
        {
            return Err(unsupported(format!(
                "insert_all of {}: this database returns rows that are left as they are, and they may be another tenant's; \
                 put `{}` into the key that on_conflict names, or leave `returning` out",
                def.table, tenant.field
            )));
        }
        if !self.filter.is_empty() {
            return Err(unsupported(format!(
                "insert_all of {}: this database has no condition for taken keys; write it into the values, or choose the \
                 rows before",
                def.table
            )));
        }
        let mut others = keys.iter().filter(|key| !same_columns(key, &self.target));
        match others.find(|key| key.iter().all(|column| given.contains(column))) {
            None => Ok(()),
            Some(other) => Err(unsupported(format!(
                "insert_all of {}: this database cannot tell whether ({}) or ({}) is taken; leave the columns of one of them \
                 out of the rows",
                def.table,
                names(def, &self.target),
                names(def, other)
            ))),
        }
    }

    /// `ON CONFLICT (..) DO UPDATE SET ..`, or what MariaDB and MySQL have for it.
    pub(super) fn render(&self, def: &'static ModelDef, to: Rendering<'_>, out: &mut Statement) {
        let dialect = to.dialect;
        let mut to = Renderer::new(to, out);
        let set = self.assignments(def);
        if dialect.is_mysql() {
            to.push(" ON DUPLICATE KEY UPDATE ");
            if set.is_empty() {
                // IGNORE would take all other errors for warnings too.
                let key = def.columns[def.primary_key[0]].name;
                to.quote(key);
                to.push(" = ");
                to.quote(def.table_name());
                to.push(".");
                return to.quote(key);
            }
            return self.write_own_assignments(&mut to, def, set);
        }
        to.push(" ON CONFLICT (");
        for (at, &column) in self.target.iter().enumerate() {
            to.push(if at == 0 { "" } else { ", " });
            to.quote(def.columns[column].name);
        }
        if set.is_empty() {
            return to.push(") DO NOTHING");
        }
        to.push(") DO UPDATE SET ");
        write_assignments(&mut to, def, set);
        let mut filter = self.filter.clone();
        filter.extend(is_own(&mut to, def));
        to.conditions(" WHERE ", filter);
    }

    /// The assignments where a taken key has no condition: another tenant's row gets the values that it has.
    fn write_own_assignments(&self, to: &mut Renderer<'_>, def: &'static ModelDef, set: Vec<(usize, Node)>) {
        for (at, (column, value)) in set.into_iter().enumerate() {
            to.push(if at == 0 { "" } else { ", " });
            to.quote(def.columns[column].name);
            to.push(" = ");
            let Some(own) = is_own(to, def) else {
                to.node(value);
                continue;
            };
            to.push("IF(");
            to.node(own);
            to.push(", ");
            to.node(value);
            to.push(", ");
            to.quote(def.table_name());
            to.push(".");
            to.quote(def.columns[column].name);
            to.push(")");
        }
    }

    /// The assignments, with what an UPDATE of the row writes by itself.
    fn assignments(&self, def: &'static ModelDef) -> Vec<(usize, Node)> {
        let mut set = self.set.clone();
        if set.is_empty() {
            return set;
        }
        set.extend(super::bulk::written_by_itself(def, |column| self.set.iter().any(|(given, _)| *given == column)));
        set
    }
}

/// That the row which is there is the session's own, where its model has tenants.
fn is_own(to: &mut Renderer<'_>, def: &'static ModelDef) -> Option<Node> {
    let criteria = def.options.criteria.as_ref()?;
    to.tenant_condition(criteria, criteria.tenant.as_ref()?, def.table_name().into())
}

fn write_assignments(to: &mut Renderer<'_>, def: &'static ModelDef, set: Vec<(usize, Node)>) {
    for (at, (column, value)) in set.into_iter().enumerate() {
        to.push(if at == 0 { "" } else { ", " });
        to.quote(def.columns[column].name);
        to.push(" = ");
        to.node(value);
    }
}

/// The columns of all keys of a model of which a value may be taken.
fn unique_keys(def: &'static ModelDef) -> Vec<Vec<usize>> {
    let mut keys = vec![def.primary_key.to_vec()];
    keys.extend(def.columns.iter().enumerate().filter(|(_, column)| column.unique).map(|(column, _)| vec![column]));
    keys.extend(def.constraints.iter().filter_map(|constraint| match constraint {
        ConstraintDef::Unique { columns, .. } => Some(columns.to_vec()),
        ConstraintDef::Index(index) => key_of(index),
        ConstraintDef::Check { .. } | ConstraintDef::ForeignKey(_) => None,
    }));
    keys
}

/// The columns of an index that is a key: unique, over whole columns, of all rows.
fn key_of(index: &IndexDef) -> Option<Vec<usize>> {
    if !index.unique || index.predicate.is_some() {
        return None;
    }
    let column = |element: &IndexElementDef| match element.key {
        IndexKeyDef::Column(column) if element.length.is_none() => Some(column),
        _ => None,
    };
    index.elements.iter().map(column).collect()
}

fn same_columns(a: &[usize], b: &[usize]) -> bool {
    a.len() == b.len() && a.iter().all(|column| b.contains(column))
}

fn names(def: &ModelDef, columns: &[usize]) -> String {
    columns.iter().map(|&column| def.columns[column].name).collect::<Vec<_>>().join(", ")
}

#[cold]
fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
