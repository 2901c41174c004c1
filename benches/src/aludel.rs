//! Aludel: tracked entities, in a new session for each operation that reads.

use ::aludel::prelude::*;
use tokio::runtime::Runtime;

use crate::backend::{Backend, Database};
use crate::check::{Contents, Digest};
use crate::contender::{Bench, Contender};
use crate::models::{Comment, Post, User};
use crate::workload::{ADDED, CHANGED, Case, Workload, changed_name, new_user};

crate::check::rows!(User, Post, Comment);

impl<M: Queryable + Contents> Contents for Entity<M> {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        (**self).add_to(digest, parent)
    }
}

/// Users whose posts are loaded, whose comments are loaded.
struct LoadedTree(Vec<Entity<User>>);

impl Contents for LoadedTree {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        for user in &self.0 {
            let user_hash = user.add_to(digest, parent);
            for post in user.posts.get().unwrap() {
                let post_hash = post.add_to(digest, user_hash);
                for comment in post.comments.get().unwrap() {
                    comment.add_to(digest, post_hash);
                }
            }
        }
        parent
    }
}

/// What an operation has loaded, and the session that it belongs to: the entities go first, as those of a request do.
struct Loaded<T> {
    entities: T,
    _session: Session,
}

impl<T: Contents> Contents for Loaded<T> {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        self.entities.add_to(digest, parent)
    }
}

/// Reads with one session, whose transaction keeps the connection, and which forgets what it has loaded after each
/// operation.
async fn read_with_one_session(db: &Db, workload: Workload, bench: &mut Bench) {
    let session = db.session();
    session.begin().await.unwrap();
    match workload {
        Workload::TrivialQuery => {
            bench.run_async(async || Forgotten::after(User::query().all(&session).await.unwrap(), &session)).await;
        }
        Workload::MediumComplexQuery => {
            bench.run_async(async || Forgotten::after(users_with_posts().all(&session).await.unwrap(), &session)).await;
        }
        Workload::LoadingAssociationsSequentially => {
            bench.run_async(async || Forgotten::after(load_tree(&session).await, &session)).await;
        }
        other => unreachable!("{}: it only reads", other.name()),
    }
    session.rollback().await.unwrap();
}

/// What an operation has loaded; when it is dropped the session forgets it.
struct Forgotten<'a, T> {
    entities: T,
    session: &'a Session,
}

impl<'a, T> Forgotten<'a, T> {
    fn after(entities: T, session: &'a Session) -> Self {
        Self { entities, session }
    }
}

impl<T> Drop for Forgotten<'_, T> {
    fn drop(&mut self) {
        self.session.clear();
    }
}

impl<T: Contents> Contents for Forgotten<'_, T> {
    fn add_to(&self, digest: &mut Digest, parent: u64) -> u64 {
        self.entities.add_to(digest, parent)
    }
}

/// Loads into a session of its own.
async fn in_session<T>(db: &Db, load: impl AsyncFnOnce(&Session) -> T) -> Loaded<T> {
    let session = db.session();
    Loaded { entities: load(&session).await, _session: session }
}

/// Which of several ways to do the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Rows inserted without entities, relationships loaded with the query.
    Plain,
    /// Rows read by one session, whose transaction is open and keeps the connection.
    Held,
    /// Rows inserted as entities by a flush.
    UnitOfWork,
    /// Relationships loaded from the entities, afterwards.
    Lazy,
    /// Rows inserted into a table that PostgreSQL's COPY is not taken for.
    #[cfg(feature = "postgres")]
    WithoutCopy,
}

struct Aludel {
    runtime: Runtime,
    db: Db,
    /// The session whose transaction is open.
    transaction: Option<Session>,
    style: Style,
}

/// Connects to an empty database.
pub fn open(database: &Database) -> Box<dyn Contender> {
    open_as(database, Style::Plain)
}

/// Connects to an empty database, whose rows are all read by one session, in one transaction.
pub fn open_held(database: &Database) -> Box<dyn Contender> {
    open_as(database, Style::Held)
}

/// Connects to an empty database, whose rows are inserted by `add_all` and `flush`.
pub fn open_unit_of_work(database: &Database) -> Box<dyn Contender> {
    open_as(database, Style::UnitOfWork)
}

/// Connects to an empty database, whose relationships are loaded by `load` from the entities.
pub fn open_lazy(database: &Database) -> Box<dyn Contender> {
    open_as(database, Style::Lazy)
}

/// Connects to an empty database, whose rows are inserted by INSERT where they would be by COPY.
#[cfg(feature = "postgres")]
pub fn open_without_copy(database: &Database) -> Box<dyn Contender> {
    open_as(database, Style::WithoutCopy)
}

fn open_as(database: &Database, style: Style) -> Box<dyn Contender> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = match database.backend() {
        Backend::Sqlite => String::from("sqlite://"),
        Backend::Postgres | Backend::MariaDb => database.url(),
    };
    let db = runtime.block_on(Db::connect(&url)).unwrap();
    Box::new(Aludel { runtime, db, transaction: None, style })
}

impl Contender for Aludel {
    /// A session takes one statement at a time; there is no other semicolon in those of the harness.
    fn execute(&mut self, sql: &str) {
        let session = self.db.session();
        self.runtime.block_on(async {
            for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
                session.sql(statement).execute().await.unwrap();
            }
            #[cfg(feature = "postgres")]
            if self.style == Style::WithoutCopy && sql.contains("CREATE TABLE") {
                // COPY would pass by rules, be they for INSERT or not.
                let rule = "CREATE RULE nothing AS ON DELETE TO users DO ALSO NOTHING";
                session.sql(rule).execute().await.unwrap();
            }
            session.commit().await.unwrap();
        });
    }

    fn begin(&mut self) {
        let session = self.db.session();
        self.runtime.block_on(session.begin()).unwrap();
        self.transaction = Some(session);
    }

    fn rollback(&mut self) {
        let session = self.transaction.take().unwrap();
        self.runtime.block_on(session.rollback()).unwrap();
    }

    fn run(&mut self, case: Case, bench: &mut Bench) {
        let Self { runtime, db, transaction, style } = self;
        runtime.block_on(async {
            if *style == Style::Held {
                return read_with_one_session(db, case.workload, bench).await;
            }
            match (case.workload, transaction) {
                (Workload::TrivialQuery, None) => {
                    bench
                        .run_async(async || {
                            let session = db.session();
                            Loaded { entities: User::query().all(&session).await.unwrap(), _session: session }
                        })
                        .await;
                }
                // The harness looks at what was inserted; entities that the session has would not be read again.
                (Workload::TrivialQuery, Some(session)) => {
                    session.clear();
                    bench.run_async(async || load_users(session).await).await;
                }
                (Workload::MediumComplexQuery, _) => {
                    bench
                        .run_async(async || {
                            let session = db.session();
                            Loaded { entities: users_with_posts().all(&session).await.unwrap(), _session: session }
                        })
                        .await;
                }
                (Workload::Insert, Some(session)) if *style == Style::UnitOfWork => {
                    bench.run_async(async || flush_users(session, case.size).await).await;
                }
                (Workload::UnitOfWork, Some(session)) => {
                    bench.run_async(async || change_users(session, case.size).await).await;
                }
                (Workload::Insert | Workload::InsertMany, Some(session)) => {
                    bench.run_async(async || insert_users(session, case.size).await).await;
                }
                (Workload::Insert | Workload::InsertMany | Workload::UnitOfWork, None) => {
                    unreachable!("writes run in a transaction")
                }
                (Workload::LoadingAssociationsSequentially, _) if *style == Style::Lazy => {
                    bench.run_async(async || in_session(db, load_tree_lazily).await).await;
                }
                (Workload::LoadingAssociationsSequentially | Workload::ThreeLevels, _) => {
                    bench.run_async(async || in_session(db, load_tree).await).await;
                }
            }
        });
    }
}

async fn load_users(session: &Session) -> Vec<Entity<User>> {
    User::query().all(session).await.unwrap()
}

fn users_with_posts() -> Query<User, (Entity<User>, Option<Entity<Post>>)> {
    User::query()
        .left_join(User::posts)
        .filter(User::hair_color.eq("black"))
        .select((User::entity, Post::entity.optional()))
}

/// Loads users, changes some and adds others; the flush writes all that, and gives the new ones their keys. Forgets them
/// at the end, as [`flush_users`] does.
async fn change_users(session: &Session, size: usize) {
    let users = User::query().filter(User::id.le(i32::try_from(size).unwrap())).all(session).await.unwrap();
    for user in users.iter().take(CHANGED) {
        user.set(User::name, changed_name(&user.name));
    }
    session.add_all((0..ADDED).map(|index| {
        let (name, hair_color) = new_user(index);
        User::build().name(name).hair_color(hair_color)
    }));
    session.flush().await.unwrap();
    session.clear();
}

async fn insert_users(session: &Session, size: usize) {
    let rows = (0..size).map(|index| {
        let (name, hair_color) = new_user(index);
        User::build().name(name).hair_color(hair_color)
    });
    User::insert_all(rows).execute(session).await.unwrap();
}

/// Forgets the entities at the end: else they would fill the session that all operations of a sample share.
async fn flush_users(session: &Session, size: usize) {
    let rows = (0..size).map(|index| {
        let (name, hair_color) = new_user(index);
        User::build().name(name).hair_color(hair_color)
    });
    session.add_all(rows);
    session.flush().await.unwrap();
    session.clear();
}

async fn load_tree(session: &Session) -> LoadedTree {
    let users = User::query().with(User::posts.with(Post::comments)).all(session).await.unwrap();
    LoadedTree(users)
}

/// Each `load` loads for all entities of the query.
async fn load_tree_lazily(session: &Session) -> LoadedTree {
    let users = load_users(session).await;
    let posts = users[0].load(User::posts).await.unwrap();
    posts[0].load(Post::comments).await.unwrap();
    LoadedTree(users)
}
