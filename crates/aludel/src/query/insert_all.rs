//! INSERT of many rows, without making entities of them.

use std::fmt;
use std::panic::Location;

use smallvec::SmallVec;
use uuid::Uuid;

use crate::engine::CopyIn;
use crate::entity::def::{Generated, RelationshipKind};
use crate::entity::identity_map::IdentityKey;
use crate::entity::inherit::Inheritance;
use crate::entity::model::Model;
use crate::entity::new::{AnyNew, NewLink, NewRow, Target};
use crate::entity::slot::State;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{Session, contradiction};
use crate::sql::{Insert, Statement, Value};

use super::returning::Returned;
use super::scope::invalid;
use super::shape;
use super::upsert::Conflict;

/// The most rows of one INSERT: longer statements are no faster, and each length is a statement of its own.
const MAX_ROWS: usize = 500;

/// New rows to be inserted without entities: made by `User::insert_all([User::build()..])`.
///
/// The rows go in as few statements as their number and the columns that they give allow; on PostgreSQL many rows go in a
/// COPY, unless the table has rules, row-level security or columns that COPY takes otherwise. Defaults of the builder and
/// of the database apply, UUID keys are made here. A row may be linked to an entity that is in the database; rows that
/// are new themselves are added with [`Session::add`].
///
/// Where one of several statements fails, the rows of those before it are in the transaction still: roll it back.
/// Rows of a model with several tables go into each of these as a flush sends them, and a failure leaves the session in
/// need of a rollback.
#[must_use = "rows are not inserted until `execute` is called"]
pub struct InsertAll<M: Model> {
    rows: Vec<NewRow<M>>,
    pub(super) conflict: Option<Conflict>,
    /// Whether rows whose key is taken are updated.
    pub(super) updates: bool,
}

impl<M: Model> InsertAll<M> {
    pub(super) fn new(rows: Vec<NewRow<M>>) -> Self {
        Self { rows, conflict: None, updates: false }
    }

    /// Sends the statements, in the session's transaction, and gives the number of rows.
    ///
    /// With `on_conflict` that is the number of rows that were inserted or updated; on MariaDB and MySQL those are
    /// counted too that were left as they are.
    ///
    /// # Errors
    /// `InvalidStatement` when a row is linked to another new one, `NotNullViolation` when a required column is
    /// missing; `UniqueViolation` and others as the database reports them; `Unsupported` where it does not have what
    /// `on_conflict` asks for; those of [`Session::flush`], which comes first.
    #[track_caller]
    pub fn execute(self, session: &Session) -> impl Future<Output = Result<u64>> + Send {
        let at = Location::caller();
        async move { self.send(session, None, at).await }
    }

    /// Sends the statements, and hands over what they return.
    pub(super) async fn send(
        self,
        session: &Session,
        mut returned: Option<&mut dyn Returned>,
        at: &'static Location<'static>,
    ) -> Result<u64> {
        let def = M::def();
        if def.joined_inheritance().is_some() {
            return Ok(self.insert_apart(session, at).await?.len() as u64);
        }
        session.autoflush(at).await?;
        let Self { mut rows, conflict, updates } = self;
        rows.iter_mut().try_for_each(|row| complete(row, session))?;
        let to = session.rendering_of(def);
        let dialect = to.dialect;
        let most_parameters = dialect.capabilities().max_parameters;
        let (mut head, mut tail, mut inserted) = (Statement::default(), Statement::default(), 0);
        // Rows that follow each other and give the same columns are in one statement.
        for same in rows.chunk_by(|a, b| a.given == b.given) {
            let plain = conflict.is_none() && returned.is_none();
            if plain && let Some(sql) = shape::insert_text(def, &same[0].given, same.len(), to) {
                // Checked when it was sent for the first time.
                let columns = (0..def.columns.len()).filter(|&column| same[0].given.contains(column));
                inserted += send_rows(session, same, &columns.collect::<SmallVec<[usize; 16]>>(), sql, at).await?;
                continue;
            }
            let columns = columns::<M>(&same[0])?;
            let insert = Insert {
                columns: columns.iter().map(|&column| def.columns[column].name).collect(),
                stamp: def.inheritance().and_then(Inheritance::stamp),
                ..Insert::into_table(def.own_table())
            };
            if plain
                && dialect.capabilities().copy_rows.is_some_and(|least| same.len() >= least)
                && let Some(copied) = copy(session, same, &columns, &insert, at).await?
            {
                inserted += copied;
                continue;
            }
            if let Some(conflict) = &conflict {
                conflict.check(def, &columns, to, returned.is_some())?;
                tail.clear();
                conflict.render(def, to, &mut tail);
                tail.check()?;
            }
            let most =
                (most_parameters - tail.params.len().min(most_parameters)).checked_div(columns.len()).unwrap_or(1);
            for chunk in same.chunks(most.clamp(1, MAX_ROWS)) {
                head.clear();
                insert.render_head(to, chunk.len(), &mut head);
                if plain {
                    // The rest of many rows is not looked up, and so not remembered either.
                    if chunk.len() == same.len() {
                        shape::remember_insert(def, &same[0].given, chunk.len(), to, &head.sql);
                    }
                    inserted += send_rows(session, chunk, &columns, &head.sql, at).await?;
                    continue;
                }
                // What follows numbers its values after those of the rows.
                for row in chunk {
                    head.params.extend(columns.iter().map(|&column| row.value.value(column).into_owned()));
                }
                if let Some(conflict) = &conflict {
                    conflict.render(def, to, &mut head);
                }
                inserted += match &mut returned {
                    Some(returned) => {
                        returned.render(to, &mut head);
                        returned.fetch(session, def, &head.sql, &head.params, at).await?
                    }
                    None => {
                        let bind = session.bind_of(def)?;
                        let executed = session.execute(bind, &head.sql, &head.params, Some(def.table), at).await?;
                        // MariaDB and MySQL count an updated row twice.
                        if updates && dialect.is_mysql() { chunk.len() as u64 } else { executed.rows_affected }
                    }
                };
            }
        }
        Ok(inserted)
    }

    /// Inserts rows that are in several tables, and gives their keys.
    pub(super) async fn insert_apart(
        self,
        session: &Session,
        at: &'static Location<'static>,
    ) -> Result<Vec<IdentityKey>> {
        let Self { mut rows, conflict, .. } = self;
        if conflict.is_some() {
            return Err(super::inherit::on_conflict(M::def()));
        }
        session.autoflush(at).await?;
        rows.iter_mut().try_for_each(|row| complete(row, session))?;
        let rows = rows.into_iter().map(|row| Box::new(row) as Box<dyn AnyNew>);
        Box::pin(session.insert_apart(rows, at)).await
    }
}

/// Sends an INSERT of rows that give these columns.
async fn send_rows<M: Model>(
    session: &Session,
    rows: &[NewRow<M>],
    columns: &[usize],
    sql: &str,
    at: &'static Location<'static>,
) -> Result<u64> {
    let mut params: Vec<Value<'_>> = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        params.extend(columns.iter().map(|&column| row.value.value(column)));
    }
    let bind = session.bind_of(M::def())?;
    let executed = session.execute(bind, sql, &params, Some(M::def().table), at).await?;
    Ok(executed.rows_affected)
}

/// Inserts rows by COPY; none where their table or their values are for INSERT alone.
async fn copy<M: Model>(
    session: &Session,
    rows: &[NewRow<M>],
    columns: &[usize],
    insert: &Insert,
    at: &'static Location<'static>,
) -> Result<Option<u64>> {
    if columns.is_empty() || insert.stamp.is_some() {
        return Ok(None);
    }
    let to = session.rendering_of(M::def());
    let (mut one, mut sql, mut table) = (Statement::default(), String::new(), String::new());
    insert.render_head(to, 1, &mut one);
    insert.render_copy(to, &mut sql);
    to.quote_table(insert.table.schema.as_deref(), &insert.table.name, &mut table);
    let copy = CopyIn {
        table: &table,
        sql: &sql,
        insert: &one.sql,
        columns: columns.len(),
        rows: rows.len(),
        value: &|row, column| rows[row].value.value(columns[column]),
    };
    let executed = session.copy_in(session.bind_of(M::def())?, &copy, M::def().table, at).await?;
    Ok(executed.map(|executed| executed.rows_affected))
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
        let made = matches!(column.generated, Generated::Autoincrement | Generated::Server | Generated::Computed);
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

/// Makes a row's UUID keys, copies the keys of what it is linked to, and says whose it is.
fn complete<M: Model>(row: &mut NewRow<M>, session: &Session) -> Result<()> {
    for (position, column) in M::def().columns.iter().enumerate() {
        if column.generated == Generated::Uuid && !row.given.contains(position) {
            row.value.put(position, Value::Uuid(Uuid::now_v7()))?;
            row.given.insert(position);
        }
    }
    if let Some(version) = M::def().options.version
        && !row.given.contains(version)
    {
        row.value.put(version, Value::Int(1))?;
        row.given.insert(version);
    }
    std::mem::take(&mut row.links).into_iter().try_for_each(|link| follow(link, row))?;
    if let Some(column) = M::def().options.tenant() {
        let given = row.given.contains(column.position).then(|| row.value.value(column.position));
        if let Some((column, tenant)) = session.tenant_of_new(M::def(), given)? {
            row.value.put(column, tenant)?;
            row.given.insert(column);
        }
    }
    Ok(())
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
        if link.given.contains(local) && row.value.value(local) != entity.arena.value(entity.slot, remote) {
            return Err(contradiction(def, relationship, local));
        }
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
