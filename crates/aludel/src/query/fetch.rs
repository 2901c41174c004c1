//! What a query's rows are read into.

use crate::engine::row::Row;
use crate::entity::Entity;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::loader::RowLoader;
use crate::entity::model::Model;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ColumnType;
use crate::schema::SqlType;

use super::eager::Eager;

/// What a query's rows are read into: the types of columns, entities, `Option` of entities, tuples of these, and structs
/// with `#[derive(Projection)]`.
#[diagnostic::on_unimplemented(
    message = "rows cannot be read into `{Self}`",
    label = "neither a column's type, an entity, a projection nor a tuple of them",
    note = "add `#[derive(Projection)]` to a struct of your own, or `#[derive(DbType)]` to a type of a single value"
)]
pub trait Fetch: Sized + Send + 'static {
    /// What a stream yields in place of it: for entities the plain rows, of which the session keeps nothing.
    type Streamed: Send + 'static;

    /// Whether NULL has a place in it.
    #[doc(hidden)]
    const MAY_BE_NULL: bool = false;

    /// What is kept from row to row.
    type Reader<'a>: Send;

    /// How many columns it takes.
    fn width() -> usize;

    /// The reader for a statement's rows.
    fn reader<'a>(source: &mut Source<'a>) -> Self::Reader<'a>;

    /// Reads the columns from position `at` on.
    ///
    /// # Errors
    /// `Decode` when a value does not fit its type.
    fn read(reader: &mut Self::Reader<'_>, row: &Row<'_>, at: usize) -> Result<Self>;

    /// Reads the columns without a session.
    ///
    /// # Errors
    /// As [`read`](Fetch::read); `InvalidStatement` where there is an entity in it, which no session would own.
    fn detached(row: &Row<'_>, at: usize) -> Result<Self>;

    /// Reads what a stream yields.
    ///
    /// # Errors
    /// As [`detached`](Fetch::detached).
    fn streamed(row: &Row<'_>, at: usize) -> Result<Self::Streamed>;

    /// Reads a row and adds it to those before, unless it is one of them.
    #[doc(hidden)]
    #[inline]
    fn push(reader: &mut Self::Reader<'_>, row: &Row<'_>, rows: &mut Vec<Self>) -> Result<()> {
        rows.push(Self::read(reader, row, 0)?);
        Ok(())
    }

    /// What is left to load after the last row.
    #[doc(hidden)]
    fn finish<'a>(_reader: Self::Reader<'a>) -> Option<Box<Eager<'a>>> {
        None
    }
}

/// Where a statement's rows come from: what entities are made with.
pub struct Source<'a> {
    /// Where all entities of the statement lie, whatever becomes of the session meanwhile.
    pub(super) arena: &'a ArenaRef,
    /// Whether no row of a model can come twice.
    pub(super) alone: bool,
    pub(super) populate_existing: bool,
    pub(super) eager: Option<Box<Eager<'a>>>,
    /// The types of the values that follow the columns of a row.
    pub(super) keys: &'a [SqlType],
}

impl<'a> Source<'a> {
    #[inline]
    fn loader<M: Model>(&self) -> RowLoader<'a> {
        RowLoader::with(self.arena, M::def(), self.alone, self.populate_existing, None)
    }
}

impl<T: ColumnType> Fetch for T {
    type Streamed = T;
    type Reader<'a> = ();

    const MAY_BE_NULL: bool = T::NULLABLE;

    #[inline]
    fn width() -> usize {
        1
    }

    fn reader(_source: &mut Source<'_>) {}

    #[inline]
    fn read((): &mut (), row: &Row<'_>, at: usize) -> Result<Self> {
        T::decode(row, at)
    }

    #[inline]
    fn detached(row: &Row<'_>, at: usize) -> Result<Self> {
        T::decode(row, at)
    }

    #[inline]
    fn streamed(row: &Row<'_>, at: usize) -> Result<Self> {
        T::decode(row, at)
    }
}

/// Reads entities, and what is loaded along with them.
#[doc(hidden)]
pub struct EntityReader<'a> {
    loader: RowLoader<'a>,
    eager: Option<Box<Eager<'a>>>,
}

impl<M: Model> Fetch for Entity<M> {
    type Streamed = M;
    type Reader<'a> = EntityReader<'a>;

    fn width() -> usize {
        M::def().columns.len()
    }

    fn reader<'a>(source: &mut Source<'a>) -> EntityReader<'a> {
        let (eager, def) = (source.eager.take(), M::def());
        let also = eager.as_ref().and_then(|eager| RowLoader::columns(eager.undeferred(), def.columns.len()));
        // In one expression: a reader is large, and should be made where it stays.
        EntityReader { loader: RowLoader::with(source.arena, def, source.alone, source.populate_existing, also), eager }
    }

    #[inline]
    fn read(reader: &mut EntityReader<'_>, row: &Row<'_>, at: usize) -> Result<Self> {
        let slot = reader.loader.slot(row, at)?;
        Ok(Self::new(reader.loader.handle(), slot))
    }

    fn detached(_row: &Row<'_>, _at: usize) -> Result<Self> {
        Err(no_session(M::def().name))
    }

    fn streamed(row: &Row<'_>, at: usize) -> Result<M> {
        M::decode(row, at).map_err(|error| crate::entity::loader::explain(error, M::def(), at))
    }

    #[inline]
    fn push(reader: &mut EntityReader<'_>, row: &Row<'_>, rows: &mut Vec<Self>) -> Result<()> {
        let slot = reader.loader.slot(row, 0)?;
        if let Some(eager) = &mut reader.eager
            && !eager.row(slot, row)?
        {
            return Ok(());
        }
        rows.push(Self::new(reader.loader.handle(), slot));
        Ok(())
    }

    fn finish<'a>(reader: Self::Reader<'a>) -> Option<Box<Eager<'a>>> {
        reader.eager
    }
}

impl<M: Model> Fetch for Option<Entity<M>> {
    type Streamed = Option<M>;
    type Reader<'a> = EntityReader<'a>;

    fn width() -> usize {
        M::def().columns.len()
    }

    fn reader<'a>(source: &mut Source<'a>) -> EntityReader<'a> {
        EntityReader { loader: source.loader::<M>(), eager: None }
    }

    fn read(reader: &mut EntityReader<'_>, row: &Row<'_>, at: usize) -> Result<Self> {
        let slot = reader.loader.optional(row, at)?;
        Ok(slot.map(|slot| Entity::new(reader.loader.handle(), slot)))
    }

    fn detached(_row: &Row<'_>, _at: usize) -> Result<Self> {
        Err(no_session(M::def().name))
    }

    fn streamed(row: &Row<'_>, at: usize) -> Result<Option<M>> {
        if M::def().primary_key.iter().all(|&column| row.is_null(at + column)) {
            return Ok(None);
        }
        Entity::<M>::streamed(row, at).map(Some)
    }
}

#[cold]
fn no_session(model: &str) -> Error {
    Error::new(
        ErrorKind::InvalidStatement,
        format!(
            "an entity of `{model}` cannot be made here, where no query says which columns are whose: select its columns, \
             or use `{model}::query()`"
        ),
    )
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Fetch),+> Fetch for ($($name,)+) {
            type Streamed = ($($name::Streamed,)+);
            type Reader<'a> = ($($name::Reader<'a>,)+);

            fn width() -> usize {
                0 $(+ $name::width())+
            }

            fn reader<'a>(source: &mut Source<'a>) -> Self::Reader<'a> {
                ($($name::reader(source),)+)
            }

            #[inline]
            #[allow(non_snake_case, unused_assignments, reason = "the macro names the fields as their types")]
            fn read(reader: &mut Self::Reader<'_>, row: &Row<'_>, mut at: usize) -> Result<Self> {
                let ($($name,)+) = reader;
                Ok(($({
                    let value = $name::read($name, row, at)?;
                    at += $name::width();
                    value
                },)+))
            }

            #[allow(unused_assignments, reason = "the last one is the macro's")]
            fn detached(row: &Row<'_>, mut at: usize) -> Result<Self> {
                Ok(($({
                    let value = $name::detached(row, at)?;
                    at += $name::width();
                    value
                },)+))
            }

            #[allow(unused_assignments, reason = "the last one is the macro's")]
            fn streamed(row: &Row<'_>, mut at: usize) -> Result<Self::Streamed> {
                Ok(($({
                    let value = $name::streamed(row, at)?;
                    at += $name::width();
                    value
                },)+))
            }
        }
    };
}

crate::tuples::each_tuple!(tuples);
