//! INSERT of many rows, without making entities of them.

use std::fmt;
use std::panic::Location;

use uuid::Uuid;

use crate::entity::def::{Generated, RelationshipKind};
use crate::entity::model::Model;
use crate::entity::new::{NewLink, NewRow, Target};
use crate::entity::slot::State;
use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;
use crate::sql::{Dialect, Insert, Statement, Value};

use super::scope::invalid;

/// The most rows of one INSERT: longer statements are no faster, and each length is a statement of its own.
const MAX_ROWS: usize = 500;

/// New rows to be inserted without entities: made by `User::insert_all([User::build()..])`.
///
/// The rows go in as few statements as their number and the columns that they give allow. Defaults of the builder and
/// of the database apply, UUID keys are made here. A row may be linked to an entity that is in the database; rows that
/// are new themselves are added with [`Session::add`].
///
/// Where one of several statements fails, the rows of those before it are in the transaction still: roll it back.
#[must_use = "rows are not inserted until `execute` is called"]
pub struct InsertAll<M: Model> {
    rows: Vec<NewRow<M>>,
}

impl<M: Model> InsertAll<M> {
    pub(super) fn new(rows: Vec<NewRow<M>>) -> Self {
        Self { rows }
    }

    /// Sends the statements, in the session's transaction, and gives the number of rows.
    ///
    /// # Errors
    /// `InvalidStatement` when a row is linked to another new one, `NotNullViolation` when a required column is
    /// missing; `UniqueViolation` and others as the database reports them; those of [`Session::flush`], which
    /// comes first.
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<u64>> + Send {
        let at = Location::caller();
        async move {
            session.autoflush(at).await?;
            let mut inserted = 0;
            for statement in self.prepare(session.dialect())? {
                let executed = session.execute(&statement.sql, &statement.params, Some(M::def().table), at).await?;
                inserted += executed.rows_affected;
            }
            Ok(inserted)
        }
    }

    /// The statements: rows that follow each other and give the same columns are in one.
    fn prepare(self, dialect: Dialect) -> Result<Vec<Statement>> {
        let rows = self.rows.into_iter().map(complete).collect::<Result<Vec<_>>>()?;
        let most = dialect.capabilities().max_parameters;
        let mut statements = Vec::new();
        for same in rows.chunk_by(|a, b| a.columns == b.columns) {
            let columns = &same[0].columns;
            let most = if columns.is_empty() { 1 } else { (most / columns.len()).clamp(1, MAX_ROWS) };
            for chunk in same.chunks(most) {
                let mut statement = Statement::default();
                let insert = Insert {
                    columns: columns.iter().map(|&column| M::def().columns[column].name).collect(),
                    values: chunk.iter().flat_map(|row| row.values.iter().cloned()).collect(),
                    ..Insert::into_table(M::def().table)
                };
                insert.render(dialect, &mut statement);
                statements.push(statement);
            }
        }
        Ok(statements)
    }
}

/// A row's columns that are sent, and their values.
struct Complete {
    columns: Vec<usize>,
    values: Vec<Value<'static>>,
}

fn complete<M: Model>(row: NewRow<M>) -> Result<Complete> {
    let def = M::def();
    let NewRow { value, given, links } = row;
    let mut values: Vec<Option<Value<'static>>> =
        (0..def.columns.len()).map(|column| given.contains(column).then(|| value.value(column).into_owned())).collect();
    for link in links {
        follow::<M>(link, &mut values)?;
    }
    let mut complete = Complete { columns: Vec::with_capacity(values.len()), values: Vec::with_capacity(values.len()) };
    for (position, (value, column)) in values.into_iter().zip(def.columns).enumerate() {
        let value = match (value, column.generated) {
            (Some(value), _) => value,
            (None, Generated::Uuid) => Value::Uuid(Uuid::now_v7()),
            (None, Generated::Autoincrement | Generated::Server) => continue,
            (None, Generated::No) if column.nullable || column.server_default.is_some() => continue,
            (None, Generated::No) => {
                let message = format!(
                    "{}.{} was not given and has no default; set `{}` on the new `{}`",
                    def.table, column.name, column.field, def.name
                );
                let error = Error::new(ErrorKind::NotNullViolation, message);
                return Err(error.with_table(def.table).with_columns(vec![column.name.to_owned()]));
            }
        };
        complete.columns.push(position);
        complete.values.push(value);
    }
    Ok(complete)
}

/// Writes the key of the entity that a row is linked to.
fn follow<M: Model>(link: NewLink, values: &mut [Option<Value<'static>>]) -> Result<()> {
    let def = M::def();
    let relationship = &def.relationships[link.relationship];
    let entity = match link.target.0 {
        Target::None => return Ok(()),
        Target::Entity(entity) if relationship.kind != RelationshipKind::Many => entity,
        Target::Entity(_) | Target::New(_) => return Err(new_link(def.name, relationship.name)),
    };
    let join = relationship.columns(def)?;
    if !join.key_is_local || entity.slot.state() == State::Pending {
        return Err(new_link(def.name, relationship.name));
    }
    for (&local, &remote) in join.local.iter().zip(&join.remote) {
        values[local] = Some(entity.arena.value(entity.slot, remote).into_owned());
    }
    Ok(())
}

#[cold]
fn new_link(model: &str, relationship: &str) -> Error {
    invalid(format!(
        "insert_all: `{model}::{relationship}` links a row to one that is not in the database, or to rows that would have \
         to be changed; use `session.add` for it"
    ))
}

impl<M: Model> fmt::Debug for InsertAll<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsertAll").field("model", &M::def().name).field("rows", &self.rows.len()).finish()
    }
}
