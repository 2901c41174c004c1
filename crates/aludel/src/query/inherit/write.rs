//! INSERT and DELETE of rows that are in several tables: a statement for each table, which succeed or fail together.

use std::panic::Location;

use smallvec::SmallVec;

use crate::engine::row::Row;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::value_of_type;
use crate::error::Result;
use crate::model::{column_of, is_one_of};
use crate::query::bulk::written_by_itself;
use crate::query::draft::Draft;
use crate::query::fetch::Fetch;
use crate::query::selection::Item;
use crate::query::source::{JoinTo, Joined, On, Source, Table};
use crate::query::terminal::rows;
use crate::session::{Session, Unsettled, mark};
use crate::sql::{Delete, Dialect, JoinKind, Lock, LockStrength, LockWait, Node, Rendering, Statement, Update};

/// How many rows one statement names by their keys: with keys of six columns, which is the most, fewer values than any
/// database refuses.
const MAX_KEYS: usize = 4096;

/// Deletes the rows that a query's filters find from all of their tables, or marks them as deleted, and gives their number.
///
/// Which rows these are is asked first, and they are locked: when the first table has lost them, the filters do not find
/// them any more.
pub(in crate::query) async fn delete(
    draft: Box<Draft>,
    hard: bool,
    session: &Session,
    at: &'static Location<'static>,
) -> Result<u64> {
    session.autoflush(at).await?;
    let (def, with_deleted) = (draft.def, draft.with_deleted);
    let keys = keys(draft, session, at).await?;
    // Parts of rows must not stay: where a statement fails, the session needs a rollback.
    let pieces = Unsettled::new(session);
    let to = session.rendering_of(def);
    let root = def.root();
    let mut found = 0;
    for keys in keys.chunks(MAX_KEYS) {
        let these = |table: &'static ModelDef| vec![is_one_of(key_of(table), keys.iter().map(IdentityKey::values))];
        if let Some(column) = root.options.soft_delete().filter(|_| !hard) {
            let mut set = vec![(column.column, Node::Value(mark(root, column.position)))];
            let touched = written_by_itself(root, |given| given == column.position);
            set.extend(touched.into_iter().map(|(column, value)| (root.columns[column].name, value)));
            let update = Update { set, filter: these(root), ..Update::table(root.own_table()) };
            found += send(session, root, at, to, |to, statement| update.render(to, statement)).await?;
            continue;
        }
        for table in def.row_tables() {
            let delete = Delete { filter: these(table), with_deleted, ..Delete::from_table(table.own_table()) };
            let deleted = send(session, table, at, to, |to, statement| delete.render(to, statement)).await?;
            // The root's table is the last one, and has all of the rows.
            found += if table.is(root) { deleted } else { 0 };
        }
    }
    pieces.settle();
    let arena = session.arena();
    def.row_tables().into_iter().for_each(|table| arena.tracker().raise_followers(table));
    Ok(found)
}

async fn send(
    session: &Session,
    table: &'static ModelDef,
    at: &'static Location<'static>,
    to: Rendering<'_>,
    render: impl FnOnce(Rendering<'_>, &mut Statement),
) -> Result<u64> {
    let mut statement = Statement::default();
    render(to, &mut statement);
    let bind = session.bind_of(table)?;
    let executed = session.execute(bind, &statement.sql, &statement.params, Some(table.table), at).await?;
    Ok(executed.rows_affected)
}

fn key_of(def: &'static ModelDef) -> Vec<Node> {
    def.primary_key.iter().map(|&column| column_of(def, def.table.into(), column)).collect()
}

/// The keys of the rows that a query's filters find, which are locked where the database locks rows.
async fn keys(draft: Box<Draft>, session: &Session, at: &'static Location<'static>) -> Result<Vec<IdentityKey>> {
    let (def, root) = (draft.def, draft.def.root());
    let to = session.rendering_of(def);
    // From the tables themselves, for MariaDB does not lock what a subquery reads.
    let mut of_root = Draft::new(root);
    of_root.filter = draft.filter;
    of_root.with_deleted = draft.with_deleted;
    of_root.items = Some(key_of(root).into_iter().map(|node| Item::Value { node, nullable: false }).collect());
    if let Some(inheritance) = def.inheritance() {
        for level in &inheritance.levels[1..] {
            let source = Source { name: level.def.table.into(), table: Table::Own(level.def) };
            let on = On::Condition(Some(level.join(root, JoinKind::Inner).on));
            of_root.joins.push(Joined::To(Box::new(JoinTo { kind: JoinKind::Inner, source, on })));
        }
        of_root.filter.extend(inheritance.kinds().map(|kinds| kinds.condition(root.table.into())));
    }
    if to.dialect != Dialect::Sqlite {
        let lock = Lock { strength: LockStrength::Update, of: Vec::new(), wait: LockWait::Wait };
        of_root.rare().lock = Some(lock);
    }
    let prepared = Box::new(of_root).prepare(to)?;
    let bind = session.bind_of(def)?;
    // SQLite lets nobody else write from here on.
    session.begin_of(bind, at).await?;
    let mut keys = Vec::new();
    let mut sink = |row: &Row<'_>| {
        let values = root.primary_key.iter().enumerate();
        let values = values.map(|(at, &column)| value_of_type(row, at, &root.columns[column].ty));
        keys.push(IdentityKey::new(values.collect::<Result<Vec<_>>>()?.into_iter()));
        Ok(())
    };
    session.fetch(bind, &prepared.sql, &prepared.params, at, &mut sink).await?;
    Ok(keys)
}

/// A query for something of rows that are not there yet.
///
/// # Errors
/// `InvalidStatement` for what the types do not check.
pub(in crate::query) fn selection(def: &'static ModelDef, items: SmallVec<[Item; 3]>) -> Result<Draft> {
    let draft = Draft { items: Some(items), with_deleted: true, ..Draft::new(def) };
    draft.check()?;
    Ok(draft)
}

/// What the query gives of the rows with these keys.
pub(in crate::query) async fn select<R: Fetch>(
    selection: &Draft,
    keys: &[IdentityKey],
    session: &Session,
    at: &'static Location<'static>,
) -> Result<Vec<R>> {
    let def = selection.def;
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(MAX_KEYS) {
        let mut draft = selection.clone();
        draft.filter.push(is_one_of(key_of(def), keys.iter().map(IdentityKey::values)));
        let prepared = Box::new(draft).prepare(session.rendering_of(def))?;
        found.extend(rows::<R>(session, def, Ok(prepared), at).await?);
    }
    Ok(found)
}
