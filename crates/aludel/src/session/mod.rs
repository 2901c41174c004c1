//! The session: a unit of work over one database.

mod add;
pub(crate) mod close;
mod connection;
mod copy;
pub(crate) mod current;
pub(crate) mod cursor;
mod entities;
pub(crate) mod events;
mod flush;
mod get;
pub(crate) mod hooks;
mod links;
mod load;
mod lock;
mod merge;
mod pending_keys;
mod reads;
mod recycle;
mod replicas;
mod sequence;
pub(crate) mod shared;
mod soft_delete;
mod states;
mod tenant;
mod transaction;
pub(crate) mod two_phase;
mod write;

use std::any::Any;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use crate::entity::arena::Arena;
use crate::entity::arena_ref::ArenaRef;
use crate::entity::def::ModelDef;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Rendering, SchemaName, SchemaTranslation, Tenancy, Tenant};

pub(crate) use connection::{Fetched, Unfinished};
use entities::Entities;
pub(crate) use entities::{Statement, StatementTurn};
pub use events::{Flushed, SessionEvents};
pub use hooks::{AsyncHooks, Hooks};
pub(crate) use links::contradiction;
pub use load::LazyLoad;
use lock::Turns;
pub use merge::Merge;
pub use sequence::SequenceRef;
pub(crate) use shared::Bind;
pub use shared::Teardown;
use shared::{DEFAULT, DbShared};
pub(crate) use soft_delete::mark;
pub use tenant::IntoTenant;
pub use transaction::Savepoint;
pub(crate) use transaction::Unsettled;

/// A unit of work: the entities that it has loaded or been given, and the transaction that writes them.
///
/// Cheap to clone: clones are the same session, whose statements run one after another. It takes no connection before
/// its first statement. Outside a transaction a read gives the connection back at once; the first write opens the
/// transaction that [`commit`](Session::commit) or [`rollback`](Session::rollback) ends. What is not committed when
/// the last clone goes, or the request ends, is rolled back.
pub struct Session {
    /// Taken out by the drop alone, which may keep it for another session: see `recycle`.
    inner: ManuallyDrop<Arc<Inner>>,
}

pub(crate) struct Inner {
    /// `None` while it is kept for another session.
    db: Option<Arc<DbShared>>,
    entities: Entities,
    turns: Turns,
    /// What schemas are called in this session, where it is not what its `Db` says.
    schemas: OnceLock<SchemaTranslation>,
    /// Whose rows it sees of the models that have tenants.
    tenant: OnceLock<Tenant>,
    /// Whether there have been entities, without a lock.
    has_arena: AtomicBool,
    /// Who is told of what this session does.
    listeners: Mutex<Vec<events::Listener>>,
    flags: AtomicU32,
}

/// No statement is sent any more.
const CLOSED: u32 = 1;
/// A flush failed or was cut short: only a rollback is possible.
const NEEDS_ROLLBACK: u32 = 2;
/// No read goes to a replica: it has written, or somebody said so.
const ON_PRIMARY: u32 = 4;
/// Somebody listens to this session.
const HAS_LISTENERS: u32 = 8;
/// Autoflush guards that are alive, counted from here on.
const NO_AUTOFLUSH: u32 = 16;

impl Session {
    pub(crate) fn open(db: Arc<DbShared>) -> Self {
        Self { inner: ManuallyDrop::new(recycle::inner(db)) }
    }

    /// The session that an entity belongs to.
    ///
    /// # Errors
    /// `Detached` when it is gone, or has been cleared of the entity.
    pub(crate) fn of(arena: &ArenaRef) -> Result<Self> {
        let inner = arena.session().and_then(|session| session.downcast::<Inner>().ok());
        let session = Self { inner: ManuallyDrop::new(inner.ok_or_else(detached)?) };
        session.inner.turns.wait_for_end();
        let current = session.existing_arena().is_some_and(|current| current.is(arena));
        if current { Ok(session) } else { Err(cleared()) }
    }

    /// The memory of the entities.
    pub(crate) fn arena(&self) -> ArenaRef {
        self.inner.has_arena.store(true, Ordering::Release);
        self.inner.entities.handle()
    }

    /// Whether any entity has been made.
    #[inline]
    fn existing_arena(&self) -> Option<ArenaRef> {
        if !self.inner.has_arena.load(Ordering::Acquire) {
            return None;
        }
        Some(self.inner.entities.handle())
    }

    /// Forgets all entities, and all changes that no flush has sent. Handles that are still held stay readable, as
    /// they were, and belong to no session any more. For long loops: the memory of the entities is freed with the
    /// last handle.
    pub fn clear(&self) {
        let session: Weak<dyn Any + Send + Sync> = Arc::downgrade(&self.inner) as Weak<dyn Any + Send + Sync>;
        let turn = self.inner.try_turn(Location::caller());
        let old = self.inner.entities.exchange(Arena::new(session));
        if turn.is_none() {
            // Whoever has the turn may be using it.
            return self.inner.turns.retire(old);
        }
        drop(turn);
        // What the rows do when they are dropped may ask for the session's arena.
        drop(old);
    }

    /// What a statement needs: the turn, where nobody has it, and the arena.
    #[inline]
    pub(crate) fn statement(&self, at: &'static Location<'static>) -> Statement<'_> {
        let used = self.inner.has_arena.load(Ordering::Acquire);
        if !used {
            self.inner.has_arena.store(true, Ordering::Release);
        }
        Statement::new(&self.inner.entities, self.inner.try_turn(at), used)
    }

    /// Whether the two are clones of one session.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Whether the session is closed: its request or scope has ended.
    pub fn is_closed(&self) -> bool {
        self.has(CLOSED)
    }

    pub(crate) fn db(&self) -> &Arc<DbShared> {
        self.inner.db()
    }

    /// The database that a model's rows are in.
    ///
    /// # Errors
    /// `Config` when the model names a bind that is not set.
    #[inline]
    pub(crate) fn bind_of(&self, def: &ModelDef) -> Result<Bind> {
        self.inner.db().bind_of(def)
    }

    /// The SQL of the database that a model's rows are in; where that is not set, which whoever asks for the rows is
    /// told, it is the default one's.
    #[inline]
    pub(crate) fn dialect_of(&self, def: &ModelDef) -> crate::sql::Dialect {
        self.inner.db().engine(self.bind_of(def).unwrap_or(DEFAULT)).dialect()
    }

    /// What the statements on a model's rows are rendered for.
    #[inline]
    pub(crate) fn rendering_of(&self, def: &ModelDef) -> Rendering<'_> {
        let tenancy = Tenancy::of(&self.inner.tenant);
        Rendering { dialect: self.dialect_of(def), schemas: self.schemas(), tenancy }
    }

    /// What schemas are called in this session.
    #[inline]
    pub(crate) fn schemas(&self) -> Option<&SchemaTranslation> {
        self.inner.schemas.get().or(self.inner.db().schemas.as_ref())
    }

    /// What schemas are called in this session: `session.translate_schemas([("tenant", "acme")])` sends the statements
    /// on models of the schema `tenant` to the tables of `acme`. `None` in place of a name is the connection's own
    /// schema. The names are part of each statement's text, so that prepared statements of one tenant are never
    /// another's. SQL that the program writes is sent as it is.
    ///
    /// It is said before the session does anything else: what it knows of one tenant's rows would be taken for
    /// another's. [`Db::translate_schemas`](crate::Db::translate_schemas) does the same for all sessions of a handle.
    ///
    /// # Errors
    /// `InvalidStatement` when the session has entities already, or was told other names before.
    pub fn translate_schemas<K: Into<String>, V: SchemaName>(
        &self,
        names: impl IntoIterator<Item = (K, V)>,
    ) -> Result<()> {
        let used = self.inner.has_arena.load(Ordering::Acquire);
        if used || self.inner.schemas.set(SchemaTranslation::new(names)).is_err() {
            return Err(Error::new(
                ErrorKind::InvalidStatement,
                "the schemas of this session are settled: translate them before anything else, and take a session for \
                 each translation",
            ));
        }
        Ok(())
    }

    fn has(&self, flag: u32) -> bool {
        self.inner.flags.load(Ordering::Acquire) & flag != 0
    }

    fn set(&self, flag: u32) {
        self.inner.flags.fetch_or(flag, Ordering::AcqRel);
    }

    fn unset(&self, flag: u32) {
        self.inner.flags.fetch_and(!flag, Ordering::AcqRel);
    }

    /// Whether statements may be sent.
    ///
    /// # Errors
    /// `Detached` when the session is closed, `NeedsRollback` after a failed flush.
    fn check(&self) -> Result<()> {
        let flags = self.inner.flags.load(Ordering::Acquire);
        if flags & (CLOSED | NEEDS_ROLLBACK) == 0 {
            return Ok(());
        }
        if flags & CLOSED != 0 {
            return Err(detached());
        }
        Err(Error::new(
            ErrorKind::NeedsRollback,
            "a flush of this session failed or was cut short, or the database ended its transaction, so that what was \
             done since the last commit is not known; call `session.rollback().await` first",
        ))
    }

    /// Turns autoflush off while the guard lives: queries do not send pending changes first.
    pub fn no_autoflush(&self) -> NoAutoflush {
        self.inner.flags.fetch_add(NO_AUTOFLUSH, Ordering::AcqRel);
        NoAutoflush { session: self.clone() }
    }

    fn autoflushes(&self) -> bool {
        self.inner.flags.load(Ordering::Acquire) < NO_AUTOFLUSH
    }
}

/// Keeps autoflush off: see [`Session::no_autoflush`].
#[must_use = "autoflush is off only as long as this guard lives"]
pub struct NoAutoflush {
    session: Session,
}

impl Drop for NoAutoflush {
    fn drop(&mut self) {
        self.session.inner.flags.fetch_sub(NO_AUTOFLUSH, Ordering::AcqRel);
    }
}

#[cold]
fn detached() -> Error {
    Error::new(
        ErrorKind::Detached,
        "the session is closed; what it had loaded stays readable, but nothing more can be loaded or written: take \
         `db.session()` or `db.scope(..)` for work that outlives the request",
    )
}

#[cold]
fn cleared() -> Error {
    Error::new(
        ErrorKind::Detached,
        "the session was cleared and does not have this entity any more; get it by its key again",
    )
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Session {}>", self.inner.db().database(DEFAULT).label)
    }
}
