//! Queries for the rows of a hierarchy of models, each as its own model.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Weak;

use crate::engine::row::Row;
use crate::entity::arena::Arena;
use crate::entity::def::ModelDef;
use crate::entity::identity_map::IdentityKey;
use crate::entity::inherit::{Level, literal};
use crate::entity::loader::RowLoader;
use crate::entity::model::Model;
use crate::entity::{AnyEntity, Entity};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Hierarchy, column_of, is_one_of};
use crate::session::Session;
use crate::sql::{ColumnRef, JoinKind, Node, Value};

use super::Query;
use super::draft::Lazy;
use super::fetch::{Fetch, Source};
use super::selection::Item;
use super::source::{self, JoinTo, Joined, On, Table};

/// An enum with a variant for each model of a hierarchy, which the rows of a query are read into: made by
/// [`#[derive(Polymorphic)]`](crate::Polymorphic), and comes with the prelude.
pub trait Polymorphic: Fetch {
    /// The model that the others inherit from.
    type Root: Hierarchy;

    /// The enum's name.
    #[doc(hidden)]
    const NAME: &'static str;

    /// The models, in the order of the variants.
    #[doc(hidden)]
    const MODELS: &'static [fn() -> &'static ModelDef];

    /// The variant at a position.
    #[doc(hidden)]
    fn variant(position: usize, entity: AnyEntity) -> Option<Self>;

    /// The entity, whatever its model.
    fn entity(&self) -> AnyEntity;

    /// A query for the rows of all models of the hierarchy, in one statement: columns of models with tables of their own
    /// are left-joined. Its filters and orders name columns of the root and of the models that inherit:
    /// `AnyEmployee::query().filter(Employee::name.starts_with("a")).order_by(Engineer::language)`. Columns that a model
    /// has from its parent are named as the parent's.
    ///
    /// The entities are the session's, the same that a query of their own model gives; those of a
    /// [`stream`](Query::stream) are no session's.
    ///
    /// # Errors
    /// A row whose discriminator is that of no variant is an error of the kind `Decode`.
    fn query() -> Query<Self::Root, Self> {
        let root = Self::Root::def();
        let mut draft = Lazy::new(root);
        let edit = draft.edit();
        edit.filter.extend(problem::<Self>());
        edit.items = Some(items::<Self>().collect());
        for level in levels::<Self>() {
            let joined = level.join(root, JoinKind::Left);
            let source = source::Source { name: level.def.table.into(), table: Table::Own(level.def) };
            let join = JoinTo { kind: JoinKind::Left, source, on: On::Condition(Some(joined.on)) };
            edit.joins.push(Joined::To(Box::new(join)));
        }
        Query { draft, types: std::marker::PhantomData }
    }

    /// The rows of entities of the root, each as its own model and in their order, in one statement (for each 4096 rows):
    /// for what a relationship to the root leads to, `AnyEmployee::of(&session, tasks.iter().map(..))`.
    ///
    /// # Errors
    /// `NotFound` for a row that is gone; otherwise those of a query.
    #[track_caller]
    fn of(
        session: &Session,
        entities: impl IntoIterator<Item = Entity<Self::Root>>,
    ) -> impl Future<Output = Result<Vec<Self>>> + Send
    where
        Self: Clone,
    {
        let (at, session) = (Location::caller(), session.clone());
        let entities: Vec<Entity<Self::Root>> = entities.into_iter().collect();
        async move {
            // New rows have their keys afterwards.
            session.autoflush(at).await?;
            let root = Self::Root::def();
            let key = |entity: &Entity<Self::Root>| IdentityKey::of(root, |column| entity.value(column));
            let keys: Vec<IdentityKey> = entities.iter().map(key).collect();
            let columns: Vec<Node> =
                root.primary_key.iter().map(|&column| column_of(root, root.table.into(), column)).collect();
            let mut found: HashMap<IdentityKey, Self> = HashMap::with_capacity(keys.len());
            for keys in keys.chunks(MAX_KEYS) {
                let mut query = Self::query();
                let is_one = is_one_of(columns.clone(), keys.iter().map(IdentityKey::values));
                let draft = query.draft.edit();
                draft.filter.push(is_one);
                // The rows are at hand, deleted or not.
                draft.with_deleted = true;
                for variant in query.all(&session).await? {
                    let AnyEntity { arena, slot } = variant.entity();
                    let key = IdentityKey::of(slot.def(), |column| arena.value(slot, column));
                    found.insert(key, variant);
                }
            }
            let variant = |key: &IdentityKey| found.get(key).cloned().ok_or_else(|| gone(root, key));
            keys.iter().map(variant).collect()
        }
    }
}

/// How many keys one statement asks for.
const MAX_KEYS: usize = 4096;

#[cold]
fn gone(root: &ModelDef, key: &IdentityKey) -> Error {
    let key = key.values().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::new(ErrorKind::NotFound, format!("no row of `{}` has the key {key}", root.table)).with_table(root.table)
}

fn models<P: Polymorphic>() -> impl Iterator<Item = &'static ModelDef> {
    P::MODELS.iter().map(|model| model())
}

/// The column that tells the rows apart.
fn discriminator<P: Polymorphic>() -> &'static crate::entity::def::ColumnDef {
    &P::Root::def().columns[P::Root::DISCRIMINATOR]
}

/// The tables beside the root's, each once.
fn levels<P: Polymorphic>() -> Vec<&'static Level> {
    let mut levels: Vec<&'static Level> = Vec::new();
    for inheritance in models::<P>().filter_map(ModelDef::inheritance) {
        for level in &inheritance.levels[1..] {
            if !levels.iter().any(|known| known.def.is(level.def)) {
                levels.push(level);
            }
        }
    }
    levels
}

/// What is selected: the discriminator, and the columns of each model.
fn items<P: Polymorphic>() -> impl Iterator<Item = Item> {
    let value = |table: &'static str, name: &'static str| Item::Value {
        node: Node::Column(ColumnRef::new(table, name).nullable()),
        nullable: true,
    };
    let first = value(P::Root::def().table, discriminator::<P>().name);
    let columns = models::<P>().flat_map(move |def| {
        let inheritance = def.inheritance();
        (0..def.columns.len()).map(move |column| match inheritance {
            _ if def.is_deferred(column) => Item::Value { node: Node::Sql("NULL".into()), nullable: true },
            None => value(def.table, def.columns[column].name),
            Some(inheritance) => {
                let home = inheritance.homes[column];
                value(inheritance.levels[home].def.table, inheritance.name_in(def, home, column))
            }
        })
    });
    std::iter::once(first).chain(columns)
}

/// What keeps the enum from being asked for.
fn problem<P: Polymorphic>() -> Option<Node> {
    let wrong = |def: &'static ModelDef| match (def.check_inheritance(), def.options.identity) {
        (Err(error), _) => Some(error.to_string()),
        (Ok(()), Some(_)) => None,
        (Ok(()), None) => Some(format!(
            "`{}` has a variant for `{}`, whose own rows nothing tells from others: add `#[model(identity = \"..\")]` to it",
            P::NAME,
            def.name
        )),
    };
    models::<P>().find_map(wrong).map(|reason| Node::Invalid(reason.into()))
}

/// Reads rows as the models of a hierarchy.
#[doc(hidden)]
pub struct PolymorphicReader<'a> {
    variants: Vec<Variant<'a>>,
}

struct Variant<'a> {
    identity: Option<Value<'static>>,
    /// Where the model's columns begin, after the discriminator.
    at: usize,
    loader: RowLoader<'a>,
}

impl<'a> PolymorphicReader<'a> {
    /// How many columns the rows have.
    pub fn width<P: Polymorphic>() -> usize {
        1 + models::<P>().map(|def| def.columns.len()).sum::<usize>()
    }

    /// The reader for a statement's rows.
    pub fn new<P: Polymorphic>(source: &mut Source<'a>) -> Self {
        let mut at = 1;
        let variants = models::<P>().map(|def| {
            let loader = RowLoader::with(source.arena, def, source.alone, source.populate_existing, None);
            let variant = Variant { identity: def.options.identity.map(|identity| identity()), at, loader };
            at += def.columns.len();
            variant
        });
        Self { variants: variants.collect() }
    }

    /// The row as the model that its discriminator says.
    ///
    /// # Errors
    /// `Decode` when it is that of no variant.
    pub fn read<P: Polymorphic>(&mut self, row: &Row<'_>, at: usize) -> Result<P> {
        let is_it = |variant: &Variant<'_>| match &variant.identity {
            _ if row.is_null(at) => Ok(false),
            Some(Value::Text(text)) => Ok(row.text(at)? == &**text),
            Some(Value::Int(number)) => Ok(row.integer(at)? == *number),
            Some(Value::UInt(number)) => Ok(row.unsigned(at)? == *number),
            _ => Ok(false),
        };
        for (position, variant) in self.variants.iter_mut().enumerate() {
            if is_it(variant)? {
                let slot = variant.loader.slot(row, at + variant.at)?;
                let entity = AnyEntity { arena: variant.loader.handle(), slot };
                return P::variant(position, entity).ok_or_else(|| unknown::<P>(row, at));
            }
        }
        Err(unknown::<P>(row, at))
    }

    /// A row as the model that its discriminator says, in memory of its own, of which no session knows.
    ///
    /// # Errors
    /// As [`read`](PolymorphicReader::read).
    pub fn streamed<P: Polymorphic>(row: &Row<'_>, at: usize) -> Result<P> {
        let arena = Arena::new(Weak::<()>::new());
        let mut source = Source { arena: &arena, alone: true, populate_existing: false, eager: None, keys: &[] };
        PolymorphicReader::new::<P>(&mut source).read(row, at)
    }

    /// # Errors
    /// `InvalidStatement`: nothing says which columns are whose.
    pub fn without_columns<P: Polymorphic>() -> Result<P> {
        Err(Error::new(
            ErrorKind::InvalidStatement,
            format!(
                "the entities of `{name}` cannot be made here, where no query says which columns are whose: use \
                 `{name}::query()`",
                name = P::NAME
            ),
        ))
    }
}

#[cold]
fn unknown<P: Polymorphic>(row: &Row<'_>, at: usize) -> Error {
    let (root, column) = (P::Root::def(), discriminator::<P>());
    let shown = |value: &Value<'_>| literal(value).unwrap_or_else(|| value.to_string());
    let value = crate::entity::value_of_type(row, at, &column.ty).unwrap_or(Value::Null);
    let known: Vec<String> =
        models::<P>().filter_map(|def| def.options.identity).map(|identity| shown(&identity())).collect();
    let heir = std::iter::once(root)
        .chain(root.heirs())
        .find(|def| def.options.identity.is_some_and(|identity| identity() == value));
    let cure = match heir {
        Some(heir) => format!("add the variant `{0}(Entity<{0}>)`, or leave these rows out with a filter", heir.name),
        None => "no model of the program has this identity".to_owned(),
    };
    let message = format!(
        "{}.{}: {} is the discriminator of no variant of `{}`, which knows {} (`{}::{}`); {cure}",
        root.table,
        column.name,
        shown(&value),
        P::NAME,
        known.join(", "),
        root.name,
        column.field
    );
    Error::new(ErrorKind::Decode, message).with_table(root.table).with_columns(vec![column.name.to_owned()])
}
