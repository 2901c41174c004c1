//! What the derives write has no warnings in a crate that denies them all, asks for documentation and forbids unsafe
//! code.
#![deny(warnings, missing_docs, unreachable_pub, dead_code, unused, rust_2018_idioms, missing_debug_implementations)]
#![forbid(unsafe_code)]

use aludel::prelude::*;

/// Somebody.
#[derive(Model, Clone, Debug, Default)]
#[model(table = "people", index(columns(username, email), unique), check(sql = "username <> ''"))]
pub struct User {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// The name.
    #[column(unique, length = 80)]
    pub username: String,
    /// The address.
    #[column(index, comment = "where mail goes")]
    pub email: Option<String>,
    /// Kept up by the library.
    #[column(default = Timestamp::now(), on_update = Timestamp::now())]
    pub updated_at: Timestamp,
    /// What they wrote.
    #[relationship(back_populates = author, cascade = "all, delete-orphan", order_by = desc(Post::id))]
    pub posts: Many<Post>,
    /// Where they live.
    #[relationship(back_populates = user)]
    pub address: One<Option<Address>>,
}

/// When it was written.
#[derive(Mixin, Clone, Debug)]
pub struct Stamps {
    /// At first.
    #[column(default = Timestamp::now())]
    pub created_at: Timestamp,
    /// A word of the language.
    #[column(on_update = Some(Timestamp::now()))]
    pub r#move: Option<Timestamp>,
}

/// Nobody's.
#[derive(Mixin, Clone, Debug)]
pub struct Unused {
    /// A field.
    pub field: String,
}

/// With all that a model can declare.
#[derive(Model, Clone, Debug)]
#[model(hooks, async_hooks, unique(columns(created_at)))]
pub struct Watched {
    /// The key.
    #[column(primary_key)]
    pub id: i64,
    /// When it was written.
    #[model(flatten)]
    pub stamps: Stamps,
}

impl Hooks for Watched {}

impl AsyncHooks for Watched {
    async fn after_insert(_row: &Entity<Self>, _session: &Session) -> Result<()> {
        Ok(())
    }
}

/// A text.
#[derive(Model, Clone, Debug)]
pub struct Post {
    /// The key.
    #[column(primary_key)]
    pub id: Uuid,
    /// What it is called.
    #[column(text, name = "headline")]
    pub title: String,
    /// A name that every model has.
    #[column(const = query_)]
    pub query: Option<String>,
    /// A word of the language.
    pub r#type: State,
    /// Who wrote it.
    #[column(references = User::id, on_delete = cascade)]
    pub user_id: i64,
    /// What it answers.
    #[column(references = Self::id, on_delete = set_null)]
    pub parent_id: Option<Uuid>,
    /// Who wrote it.
    #[relationship(back_populates = posts)]
    pub author: One<User>,
    /// What it answers.
    #[relationship(back_populates = answers)]
    pub parent: One<Option<Self>>,
    /// What answers it.
    #[relationship(back_populates = parent, serialize = never)]
    pub answers: Many<Self>,
}

/// Where somebody lives: a one-to-one relationship.
#[derive(Model, Clone, Debug)]
pub struct Address {
    /// The key, which is the user's.
    #[column(primary_key, references = User::id)]
    pub user_id: i64,
    /// The town.
    #[column(server_default = "'unknown'")]
    pub town: String,
    /// Who lives there.
    #[relationship(back_populates = address)]
    pub user: One<User>,
}

/// Whether a text is to be seen.
#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// Not yet.
    Draft,
    /// It is.
    Published,
}

/// A key of its own type.
#[derive(DbType, Clone, Copy, Debug, PartialEq)]
pub struct TagId(pub i64);

/// A model that is used by nothing.
#[derive(Model, Clone, Debug)]
pub(crate) struct Tag {
    #[column(primary_key)]
    id: TagId,
}

/// A private model in a function's scope.
pub fn scope() {
    #[derive(Model, Clone)]
    struct Inner {
        #[column(primary_key)]
        id: i64,
    }
    let _ = Inner::build().id(7);
}

/// What rows are read into.
#[derive(Projection, Debug)]
pub struct PerAuthor {
    /// The name.
    pub username: String,
    /// How many.
    pub posts: i64,
}

fn main() {
    let _ = User::build()
        .username("ann")
        .posts([Post::build().title("one").r#type(State::Draft).query("x")])
        .address(Address::build());
    let _ = Post::build().title("two").r#type(State::Published).author(User::build().username("bob").email("b@x"));
    let _ = User { username: "c".into(), ..Default::default() };
    let _ = Post::query().filter(Post::query_.eq("x") & Post::r#type.eq(State::Draft)).order_by(Post::title);
    let _ = User::query().join(User::posts).select(PerAuthorColumns { username: User::username, posts: count(Post::id) });
    let _ = Tag::query().filter(Tag::id.eq(TagId(1)));
    scope();
}
