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
use crate::sql::{Insert, Statement, Value};

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
            let mut rows = self.rows;
            rows.iter_mut().try_for_each(complete)?;
            let dialect = session.dialect_of(M::def());
            let (mut head, mut inserted) = (Statement::default(), 0);
            // Rows that follow each other and give the same columns are in one statement.
            for same in rows.chunk_by(|a, b| a.given == b.given) {
                let columns = columns::<M>(&same[0])?;
                let most = dialect.capabilities().max_parameters.checked_div(columns.len()).unwrap_or(1);
                for chunk in same.chunks(most.clamp(1, MAX_ROWS)) {
                    let insert = Insert {
                        columns: columns.iter().map(|&column| M::def().columns[column].name).collect(),
                        ..Insert::into_table(M::def().table)
                    };
                    head.clear();
                    insert.render_head(dialect, chunk.len(), &mut head);
                    let mut params: Vec<Value<'_>> = Vec::with_capacity(chunk.len() * columns.len());
                    for row in chunk {
                        params.extend(columns.iter().map(|&column| row.value.value(column)));
                    }
                    let executed = session
                        .execute(session.bind_of(M::def())?, &head.sql, &params, Some(M::def().table), at)
                        .await?;
                    inserted += executed.rows_affected;
                }
            }
            Ok(inserted)
        }
    }
}

/// The columns that a row gives, and so those of all rows of its statement.
fn columns<M: Model>(row: &NewRow<M>) -> Result<Vec<usize>> {
    let def = M::def();
    let mut columns = Vec::with_capacity(def.columns.len());
    for (position, column) in def.columns.iter().enumerate() {
        if row.given.contains(position) {
            columns.push(position);
            continue;
        }
        let made = matches!(column.generated, Generated::Autoincrement | Generated::Server);
        if made || column.nullable || column.server_default.is_some() {
            continue;
        }
        let message = format!(
            "{}.{} was not given and has no default; set `{}` on the new `{}`",
            def.table, column.name, column.field, def.name
        );
        let error = Error::new(ErrorKind::NotNullViolation, message);
        return Err(error.with_table(def.table).with_columns(vec![column.name.to_owned()]));
    }
    Ok(columns)
}

/// Makes a row's UUID keys, and copies the keys of what it is linked to.
fn complete<M: Model>(row: &mut NewRow<M>) -> Result<()> {
    for (position, column) in M::def().columns.iter().enumerate() {
        if column.generated == Generated::Uuid && !row.given.contains(position) {
            row.value.put(position, Value::Uuid(Uuid::now_v7()))?;
            row.given.insert(position);
        }
    }
    std::mem::take(&mut row.links).into_iter().try_for_each(|link| follow(link, row))
}

/// Writes the key of the entity that a row is linked to.
fn follow<M: Model>(link: NewLink, row: &mut NewRow<M>) -> Result<()> {
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
        row.value.put(local, entity.arena.value(entity.slot, remote))?;
        row.given.insert(local);
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
