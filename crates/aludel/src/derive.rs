//! The derives, documented where their users find them.
//!
//! Examples with models stand each in a program of their own: the tables of one program have different names.

/// Makes a struct the row of a table: its fields are columns and relationships.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone, Debug)]
/// pub struct User {
///     #[column(primary_key)]
///     pub id: i64,
///     #[column(unique, length = 80)]
///     pub username: String,
///     #[relationship(back_populates = author)]
///     pub posts: Many<Post>,
/// }
///
/// #[derive(Model, Clone, Debug)]
/// pub struct Post {
///     #[column(primary_key)]
///     pub id: i64,
///     pub title: String,
///     #[column(references = User::id)]
///     pub user_id: i64,
///     #[relationship(back_populates = posts)]
///     pub author: One<User>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::test().await?;
/// let session = db.session();
/// let ann = session.add(User::build().username("ann").posts([Post::build().title("one")]));
/// session.add(Post::build().title("two").author(&ann));
/// session.commit().await?;
/// assert_eq!(Post::query().filter(Post::user_id.eq(ann.id)).count(&session).await?, 2);
/// # Ok(())
/// # }
/// ```
///
/// # What it makes
///
/// - For each field an associated constant of the same name: [`Column`](crate::model::Column),
///   [`ToOne`](crate::model::ToOne) or [`ToMany`](crate::model::ToMany), which queries are written with.
/// - `User::build()`, a builder. It can be given to `session.add` when all required fields are set: those that are no
///   `Option`, have no default, and are no key that is made by itself. A relationship stands in for its key:
///   `.author(&ann)` for `.user_id(..)`. Other new rows can be built along: `.author(User::build()..)`, `.posts([..])`,
///   where the children lack nothing but their parent. What is missing is an error of the compiler's that names it.
/// - What makes the struct itself a new row: `User { username: "ann".into(), ..Default::default() }`. All its columns
///   are written, but not a key that is to be made and still is its type's default.
/// - The registration by which [`Db::create_all`](crate::Db::create_all) knows of it.
///
/// The struct needs `Clone`, for a changed row is a copy, and is `Send` and `Sync`.
///
/// # `#[model(..)]`, on the struct
///
/// | attribute | meaning |
/// |---|---|
/// | `table = "people"` | the table's name; else the struct's in snake case: `HTTPResponse` is `http_response` |
/// | `schema = "tenant"` | the schema that the table is in, where it is not the connection's own: a database of MariaDB's. [`Db::translate_schemas`](crate::Db::translate_schemas) and [`Session::translate_schemas`](crate::Session::translate_schemas) call it otherwise; SQLite has none |
/// | `bind = "audit"` | the database that the table is in, where it is not the default one: see [`DbBuilder::bind`](crate::DbBuilder::bind) |
/// | `comment = ".."` | a comment of the table in the database; SQLite has none |
/// | `primary_key(columns(b, a), name = "..")` | the order of the key's columns, where it is not that of the fields, and its name |
/// | `index(columns(a, b), name = "..", unique)` | an index over several columns; its name is optional, and `unique` |
/// | `index(.., predicate = "a > 0")` | a partial index, of the rows that fulfil a condition: SQLite, PostgreSQL |
/// | `index(.., using = "gin", include(c))` | the index's method; columns that it only carries along: PostgreSQL |
/// | `unique(columns(a, b), name = "..")` | a unique constraint over several columns |
/// | `check(sql = "a < b", name = "..")` | a condition that every row fulfils |
/// | `foreign_key(columns(a, b), references(Other::a, Other::b), on_delete = cascade, name = "..")` | a foreign key of several columns, which relationships have like one of a column: see below |
/// | `inherits = Employee`, `identity = "engineer"` | the model's rows are a kind of another model's, told apart by the value of its discriminator: see below |
/// | `optimistic = "dirty"` | an UPDATE of the row asks that the columns that it changes are still as they were read (but for JSON and `f32`, which not every database compares); else the flush fails with `StaleData` |
/// | `hooks` | the model implements [`Hooks`](crate::Hooks): what is done before and after its rows are written, and what is not |
/// | `flatten`, on a field | the field is a struct with `#[derive(Mixin)]`, whose columns are the model's: see [`Mixin`](crate::Mixin) |
/// | `async_hooks` | the model implements [`AsyncHooks`](crate::AsyncHooks), which send statements of their own |
///
/// The columns of an index are fields, `desc(a)` for the greatest value first, and `expr("lower(a)")` for an
/// expression, which MariaDB does not have; on PostgreSQL also `nulls_first(a)`, `nulls_last(desc(a))` and
/// `operator_class(a, "text_pattern_ops")`, on MariaDB and MySQL `prefix(a, 20)` for the first characters. What a
/// backend does not have is an error of `create_all` that names the index.
///
/// Clippy takes a column of two indexes or keys for an attribute given twice; `#[allow(clippy::duplicated_attributes)]` on the
/// struct tells it otherwise.
///
/// # `#[column(..)]`, on a field
///
/// | attribute | meaning |
/// |---|---|
/// | `primary_key` | the key, or one of its columns. A single integer is counted up by the database, a single `Uuid` is made by the program (version 7) |
/// | `autoincrement = false` | the single key is not made but given |
/// | `unique`, `index` | a unique constraint or an index of the column alone |
/// | `length = 80`, `text` | the most characters or bytes; text without a limit |
/// | `precision = 10, scale = 2` | the digits of a decimal in all, and after the point |
/// | `sequence = ".."`, `sequence(name = "..", start = 1000, increment = 10)` | the sequence that a row's number comes from where it gives none; on PostgreSQL and MariaDB. Columns that name one share it |
/// | `identity(always, start = 100, increment = 10)` | how a key is counted up: `always` refuses given keys. SQLite knows none of these options, MariaDB `start` |
/// | `name = ".."` | the name in the database |
/// | `const = name_` | the name of the constant, where `User::name` is taken |
/// | `references = User::id` | a foreign key |
/// | `on_delete = cascade` | what happens to this row when the other is deleted: `cascade`, `set_null`, `set_default`, `restrict`, `no_action` |
/// | `on_key_update = cascade` | the same when the other's key changes |
/// | `foreign_key_name = ".."` | the name of that constraint |
/// | `default = expression` | what the builder writes where it is given no value |
/// | `server_default = "SQL"` | what the database writes; until the flush the field holds its type's default |
/// | `computed = "price * quantity"`, `stored` | the database computes the value, when the row is read or, `stored`, when it is written. PostgreSQL has the latter only. A builder has no method for it; the field holds its type's default until the flush |
/// | `on_update = expression` | what an UPDATE of the row writes that does not set the column |
/// | `version` | an integer that counts the row's updates, from 1 on. An UPDATE or DELETE of the row asks that it is still the one that was read, and the flush fails with `StaleData` when somebody else has written the row since |
/// | `discriminator` | the column that says of which model a row is, where others inherit from this one; a text, an integer or a type with `#[derive(DbEnum)]` |
/// | `soft_delete` | says whether a row is deleted: an `Option<Timestamp>` that is set to the time, or a `bool`. [`Session::delete`](crate::Session::delete) sets it, and queries leave such rows out that do not say [`with_deleted`](crate::query::Query::with_deleted) |
/// | `tenant` | says whose a row is: a session sees and writes the rows of its own tenant, and fills the column in. See [`Session::set_tenant`](crate::Session::set_tenant); an index is worth its place |
/// | `deferred` | left out by queries until it is asked for: a field of type [`Deferred<T>`](crate::entity::Deferred) |
/// | `comment = ".."` | a comment in the database |
///
/// Whether a column may be NULL is said by its type: `Option<String>`.
///
/// # `#[relationship(..)]`, on a field of type `One<T>`, `One<Option<T>>` or `Many<T>`
///
/// | attribute | meaning |
/// |---|---|
/// | `back_populates = author` | the other side, a field of the other model, which names this one in turn |
/// | `foreign_key = user_id`, `foreign_key = (tenant_id, user_id)` | the key, where there are several between the two models: its columns, a column that no other of them has, or, at the `One`, its constraint's name |
/// | `secondary = ArticleTag` | the link model of a many-to-many relationship: one row for each pair, see below |
/// | `cascade = "all, delete-orphan"` | `all` or `delete`: deleted with this row; `delete-orphan`: deleted when taken out |
/// | `passive_deletes` | leaves rows that are not loaded to the database's `on_delete` |
/// | `order_by = desc(Post::id)` | the order of a loaded collection; several in a tuple |
/// | `serialize = never` | never in serialized output |
/// | `const = name_` | the name of the constant |
///
/// A `One<T>` has its key in this model; it is `One<Option<T>>` where the key may be NULL. A `One<Option<T>>` whose key
/// is in the other model is the other side of a one-to-one relationship.
///
/// A key of several columns stands on the struct. It leads nowhere where one of its columns is NULL; keys may share
/// columns. What is linked takes them all from the other row, and what is let go has NULL in those that can be NULL:
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone)]
/// #[model(unique(columns(tenant, id)))]
/// struct Author {
///     #[column(primary_key)]
///     id: i64,
///     tenant: i32,
///     #[relationship(back_populates = author)]
///     written: Many<Post>,
///     #[relationship(back_populates = editor)]
///     edited: Many<Post>,
/// }
///
/// /// A post, its author and its editor are of one tenant.
/// #[derive(Model, Clone)]
/// #[model(foreign_key(columns(tenant, author_id), references(Author::tenant, Author::id)))]
/// #[model(foreign_key(columns(tenant, editor_id), references(Author::tenant, Author::id)))]
/// struct Post {
///     #[column(primary_key)]
///     id: i64,
///     tenant: i32,
///     author_id: i64,
///     editor_id: Option<i64>,
///     #[relationship(foreign_key = (tenant, author_id), back_populates = written)]
///     author: One<Author>,
///     #[relationship(foreign_key = editor_id, back_populates = edited)]
///     editor: One<Option<Author>>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// let ann = session.add(Author::build().tenant(7));
/// let post = session.add(Post::build().author(&ann).editor(&ann));
/// session.commit().await?;
/// assert_eq!((post.tenant, post.author_id, post.editor_id), (7, ann.id, Some(ann.id)));
/// post.set(Post::editor, None);
/// assert_eq!((post.tenant, post.editor_id), (7, None));
/// # Ok(())
/// # }
/// ```
///
/// A `Many<T>` has its key in `T`, or, with `secondary`, the rows of a link model link both sides. The link model has a
/// foreign key to each side and no other column that a new row has to give: with more, it is a model in its own right,
/// with a `One` to each side. Where it has several keys to one side, as when a model is linked with itself,
/// `foreign_key` names the one that leads to this side.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone)]
/// struct Article {
///     #[column(primary_key)]
///     id: i64,
///     title: String,
///     #[relationship(secondary = ArticleTag, back_populates = articles)]
///     tags: Many<Tag>,
/// }
///
/// #[derive(Model, Clone)]
/// struct ArticleTag {
///     #[column(primary_key, references = Article::id)]
///     article_id: i64,
///     #[column(primary_key, references = Tag::id)]
///     tag_id: i64,
/// }
///
/// #[derive(Model, Clone)]
/// struct Tag {
///     #[column(primary_key)]
///     id: i64,
///     name: String,
///     #[relationship(secondary = ArticleTag, back_populates = tags)]
///     articles: Many<Article>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// let article = session.add(Article::build().title("On vessels").tags([Tag::build().name("glass")]));
/// let heat = article.push(Article::tags, Tag::build().name("heat"));
/// assert_eq!(heat.articles.get()?[0].title, "On vessels");
/// session.commit().await?;
///
/// let hot = Article::query().filter(Article::tags.any(Tag::name.eq("heat"))).with(Article::tags).one(&session).await?;
/// assert_eq!(hot.tags.get()?.len(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Inheritance
///
/// A model that inherits is a struct of its own, with the columns of its parent (all but the discriminator, which is
/// written by itself) and more. Its parent has a column with `discriminator`, and each of the models the value that
/// stands there in its rows, its `identity`.
///
/// - **In one table**: where the child says nothing of a table, its rows are in the parent's, which gets its columns. They
///   may be NULL there, whatever the struct says: other rows have none.
/// - **In a table of its own**: where the child's key `references` the parent's, it has a table of its own columns, and a
///   row is in both. INSERT and DELETE go to both, UPDATE to the one that has a changed column, and a query of the child
///   joins them.
///
/// Both can be mixed, and a child can have children. Queries, `get`, relationships and statements on many rows of a child
/// concern its rows and those of its children alone; those of the root concern all rows, as rows of the root. What does
/// not fit between the definitions is an error of the kind `Config` when the database is connected to.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone)]
/// #[model(identity = "employee")]
/// struct Employee {
///     #[column(primary_key)]
///     id: i64,
///     name: String,
///     #[column(discriminator)]
///     kind: String,
/// }
///
/// #[derive(Model, Clone)]
/// #[model(inherits = Employee, identity = "engineer")]
/// struct Engineer {
///     #[column(primary_key)]
///     id: i64,
///     name: String,
///     language: String,
/// }
///
/// #[derive(Model, Clone)]
/// #[model(inherits = Employee, identity = "manager")]
/// struct Manager {
///     #[column(primary_key, references = Employee::id)]
///     id: i64,
///     name: String,
///     budget: i64,
/// }
///
/// #[derive(Polymorphic, Clone)]
/// #[polymorphic(on = Employee::kind)]
/// enum AnyEmployee {
///     Employee(Entity<Employee>),
///     Engineer(Entity<Engineer>),
///     Manager(Entity<Manager>),
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> aludel::Result<()> {
/// # let db = Db::connect("sqlite://").await?;
/// # db.create_all().await?;
/// # let session = db.session();
/// session.add(Engineer::build().name("ann").language("Rust"));
/// session.add(Manager::build().name("bob").budget(100));
/// session.commit().await?;
///
/// assert_eq!(Engineer::query().filter(Engineer::name.eq("ann")).one(&session).await?.language, "Rust");
/// // All kinds in one statement, each row as its own model.
/// let all = AnyEmployee::query().order_by(Employee::name).all(&session).await?;
/// assert!(matches!(&all[..], [AnyEmployee::Engineer(ann), AnyEmployee::Manager(bob)] if bob.budget == 100));
/// # Ok(())
/// # }
/// ```
///
/// One row may be two entities in a session, one of the root and one of the child. A flush keeps them in step: what it has
/// written of one shows on the other; it refuses a column that was given two values; a delete of one is a delete of
/// both. Between flushes each shows what was set on itself. Cascades of relationships are those of the model that is
/// deleted.
///
/// Columns with `soft_delete` and `tenant` belong to the root, and hold for all rows of the hierarchy: whatever a row is read
/// as, and in whichever table its columns are, it is seen where the root's would be. Each model that inherits has the
/// column too, with the same mark; the compiler refuses one that has not, and a mark that the parent has not. A column with
/// `deferred` may be any model's; those that inherit it say so too.
///
/// Of rows in several tables, updates of many rows write the child's own table alone. `insert_all` sends a statement for each
/// table, and knows no `on_conflict`. A delete of many rows first finds their keys, and locks them, and then takes the rows
/// out of each table; it returns nothing of them. Where one of these statements fails the session needs a rollback.
/// MariaDB and MySQL lock no rows of such a model with `for_update`.
pub use aludel_macros::Model;

/// Makes a struct what the rows of a query are read into, and makes a second struct of its name and `Columns`, which is
/// given to `select` and says what is selected for each field.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Model, Clone)]
/// struct Sale {
///     #[column(primary_key)]
///     id: i64,
///     region: String,
///     amount: i64,
/// }
///
/// #[derive(Projection, Debug, PartialEq)]
/// struct PerRegion {
///     region: String,
///     sales: i64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::test().await?;
/// let session = db.session();
/// session.add_all([Sale::build().region("north").amount(3), Sale::build().region("north").amount(4)]);
/// let found = Sale::query()
///     .group_by(Sale::region)
///     .select(PerRegionColumns { region: Sale::region, sales: count(Sale::id) })
///     .all(&session)
///     .await?;
/// assert_eq!(found, [PerRegion { region: "north".into(), sales: 2 }]);
/// # Ok(())
/// # }
/// ```
///
/// Fields are of the types of columns, entities, `Option`s of entities, or other projections. Rows of raw SQL are read
/// into it in the order of its fields.
pub use aludel_macros::Projection;

/// Makes an enum what the rows of a hierarchy of models are read into, in one statement and each as its own model. It has
/// a variant with an entity for each of the models, and says by `on` which column tells their rows apart: see
/// [`Polymorphic`](trait@crate::Polymorphic), and [`Model`](derive@crate::Model) on inheritance.
///
/// ```standalone_crate
/// use aludel::prelude::*;
/// use serde::Serialize;
///
/// #[derive(Model, Clone, Serialize)]
/// struct Shape {
///     #[column(primary_key)]
///     id: i64,
///     #[column(discriminator)]
///     #[serde(skip)]
///     kind: String,
/// }
///
/// #[derive(Model, Clone, Serialize)]
/// #[model(inherits = Shape, identity = "circle")]
/// struct Circle {
///     #[column(primary_key)]
///     id: i64,
///     radius: f64,
/// }
///
/// #[derive(Model, Clone, Serialize)]
/// #[model(inherits = Shape, identity = "square")]
/// struct Square {
///     #[column(primary_key)]
///     id: i64,
///     side: f64,
/// }
///
/// #[derive(Polymorphic, Clone, Serialize)]
/// #[polymorphic(on = Shape::kind)]
/// #[serde(tag = "kind", rename_all = "snake_case")]
/// enum AnyShape {
///     Circle(Entity<Circle>),
///     Square(Entity<Square>),
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::test().await?;
/// let session = db.session();
/// session.add(Circle::build().radius(1.5));
/// session.add(Square::build().side(2.0));
/// let found = AnyShape::query().filter(Circle::radius.gt(1.0)).one(&session).await?;
/// assert_eq!(serde_json::to_string(&found).unwrap(), r#"{"kind":"circle","id":1,"radius":1.5}"#);
/// # Ok(())
/// # }
/// ```
///
/// A row of a model without a variant is an error of the kind `Decode`, which names its discriminator; a filter on the
/// discriminator leaves such rows out. A stream, which has no session, yields no entities.
pub use aludel_macros::Polymorphic;

/// Makes an enum a column's type, stored as the names of its variants in snake case.
///
/// ```
/// use aludel::DbEnum;
/// use aludel::model::ColumnType;
/// use aludel::sql::Value;
///
/// #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
/// #[db_enum(name = "post_state")]
/// enum State {
///     Draft,
///     InReview,
///     #[db_enum(rename = "live")]
///     Published,
/// }
///
/// assert_eq!(State::InReview.to_value(), Value::Text("in_review".into()));
/// let error = State::from_value(Value::Text("gone".into())).unwrap_err();
/// assert_eq!(error.to_string(), "`gone` is no `State`, which is one of `draft`, `in_review`, `live`");
/// ```
///
/// `#[db_enum(rename_all = "..")]` writes the names in another way (as serde's attribute of that name does),
/// `#[db_enum(rename = "..")]` gives one variant its name, and `#[db_enum(name = "..")]` the type, where the database
/// has such names.
pub use aludel_macros::DbEnum;

/// Makes a newtype a column's type, stored as what it wraps: keys of a type of their own, checked addresses, amounts.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(DbType, Clone, Copy, Debug, PartialEq)]
/// struct UserId(i64);
///
/// #[derive(Model, Clone)]
/// struct User {
///     #[column(primary_key)]
///     id: UserId,
///     name: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::test().await?;
/// let session = db.session();
/// let ann = session.add(User::build().name("ann"));
/// session.commit().await?;
/// assert_eq!(ann.id, UserId(1));
/// assert!(User::query().filter(User::id.eq(UserId(1))).exists(&session).await?);
/// # Ok(())
/// # }
/// ```
///
/// It is a key where the wrapped type is one (and counted up where that is), and text where that is text.
pub use aludel_macros::DbType;

/// Makes a struct columns that several models have: `#[model(flatten)]` puts them into a model, as serde's attribute of that
/// name puts fields into a map.
///
/// ```standalone_crate
/// use aludel::prelude::*;
///
/// #[derive(Mixin, Clone, Debug)]
/// pub struct Timestamps {
///     #[column(default = Timestamp::now())]
///     pub created_at: Timestamp,
///     #[column(default = Timestamp::now(), on_update = Timestamp::now())]
///     pub updated_at: Timestamp,
/// }
///
/// #[derive(Model, Clone, Debug)]
/// #[model(index(columns(created_at)))]
/// pub struct Post {
///     #[column(primary_key)]
///     pub id: i64,
///     pub title: String,
///     #[model(flatten)]
///     pub stamps: Timestamps,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let db = Db::test().await?;
/// let session = db.session();
/// let first: Timestamp = "2024-05-06T07:08:09Z".parse().unwrap();
/// session.add(Post::build().title("old").created_at(first));
/// session.add(Post::build().title("new"));
/// session.commit().await?;
/// let newest = Post::query().order_by(Post::created_at.desc()).first(&session).await?.unwrap();
/// assert_eq!(newest.title, "new");
/// assert!(newest.stamps.created_at > first);
/// # Ok(())
/// # }
/// ```
///
/// Its columns are the model's own in every way: constants (`Post::created_at`), setters of the builder, indexes, the struct's
/// attributes; only in the struct do they stand together (`post.stamps.created_at`). They are as public as the field in the model. They take all attributes of a model's
/// columns. A mixin has no relationships, no mixins of its own and no type parameters, and it is used by models of its own crate.
///
/// How it works shows in one place: beside the struct stands a macro of the same name, by which the model learns of the
/// fields. `use crate::stamps::Timestamps` brings both. Of a struct that is no mixin the compiler says that there is no such
/// macro. The paths of `references` are looked up where the model is: write them so that they hold there.
pub use aludel_macros::Mixin;
