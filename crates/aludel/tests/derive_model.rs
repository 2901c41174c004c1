//! What `#[derive(Model)]` makes of a struct.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "models of a test")]

use aludel::__private::{ColumnSet, Generated, Model as _, New, RelationshipKind};
use aludel::model::Json;
use aludel::prelude::*;
use aludel::schema::{Action, SqlType};
use aludel::sql::Value;

#[derive(Model, Clone, Debug, Default)]
#[model(index(columns(username, nick), name = "by_names"), unique(columns(nick)), check(sql = "username <> ''"))]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 80)]
    pub username: String,
    pub nick: Option<String>,
    #[relationship(back_populates = author, cascade = "all, delete-orphan", order_by = (Post::state, desc(Post::id)))]
    pub posts: Many<Post>,
    #[relationship(back_populates = user)]
    pub address: One<Option<Address>>,
}

#[derive(Model, Clone, Debug)]
#[model(table = "articles")]
pub struct Post {
    #[column(primary_key)]
    pub id: Uuid,
    #[column(text, name = "headline", comment = "what it is called")]
    pub title: String,
    #[column(default = "draft", index)]
    pub state: String,
    #[column(references = User::id, on_delete = cascade)]
    pub user_id: i64,
    #[column(server_default = "7")]
    pub weight: i16,
    #[column(default = 0, on_update = Self::next())]
    pub changes: i64,
    pub tags: Json<Vec<String>>,
    #[column(references = Self::id)]
    pub answers_id: Option<Uuid>,
    #[relationship(back_populates = posts, serialize = never)]
    pub author: One<User>,
    #[relationship()]
    pub question: One<Option<Self>>,
}

impl Post {
    fn next() -> i64 {
        7
    }
}

#[derive(Model, Clone, Debug)]
pub struct Address {
    #[column(primary_key, references = User::id, on_key_update = cascade)]
    pub user_id: i64,
    pub town: String,
    #[relationship(back_populates = address)]
    pub user: One<User>,
}

#[derive(Model, Clone, Debug)]
pub struct Vote {
    #[column(primary_key)]
    pub country: String,
    #[column(primary_key)]
    pub number: u32,
    #[column(const = query_)]
    pub query: bool,
    pub r#type: f32,
}

#[derive(Model, Clone, Debug)]
struct Legacy {
    #[column(primary_key, autoincrement = false)]
    number: i32,
}

fn columns(given: &ColumnSet) -> Vec<usize> {
    (0..16).filter(|&column| given.contains(column)).collect()
}

#[test]
fn the_definition_says_what_the_attributes_say() {
    let user = User::def();
    assert_eq!((user.name, user.table, user.primary_key), ("User", "user", &[0][..]));
    assert_eq!(user.columns[0].generated, Generated::Autoincrement);
    assert_eq!((&user.columns[1].ty, user.columns[1].unique), (&SqlType::String(Some(80)), true));
    assert!(user.columns[2].nullable && !user.columns[1].nullable);
    assert_eq!(user.constraints.len(), 3);

    let post = Post::def();
    assert_eq!(post.table, "articles");
    assert_eq!(post.columns[0].generated, Generated::Uuid);
    let title = &post.columns[1];
    assert_eq!((title.name, title.field, &title.ty), ("headline", "title", &SqlType::Text));
    assert_eq!(title.comment, Some("what it is called"));
    assert!(post.columns[2].index);
    assert_eq!((post.columns[4].generated, post.columns[4].server_default), (Generated::Server, Some("7")));
    assert_eq!(post.columns[5].on_update.map(|value| value()), Some(Value::Int(7)));
    let reference = post.columns[3].references.expect("a foreign key");
    assert!((reference.target)().0.is(user) && (reference.target)().1 == 0);
    assert_eq!((reference.on_delete, reference.on_update), (Action::Cascade, Action::NoAction));
    assert_eq!(Vote::def().columns[3].name, "type");
    assert_eq!(Legacy::def().columns[0].generated, Generated::No);
}

#[test]
fn relationships_know_their_keys_and_their_other_sides() {
    let [posts, address] = User::def().relationships else { panic!("two relationships") };
    assert_eq!((posts.owner, posts.name, posts.kind), ("User", "posts", RelationshipKind::Many));
    assert!((posts.target)().is(Post::def()) && posts.foreign_key.is_empty());
    assert_eq!(posts.inverse.map(|inverse| inverse()), Some(0));
    assert!(posts.cascade.delete && posts.cascade.delete_orphan && !posts.passive_deletes);
    let order: Vec<_> = posts.order_by.iter().map(|(column, descending)| (column(), *descending)).collect();
    assert_eq!(order, [(2, false), (0, true)]);
    assert_eq!((address.kind, address.foreign_key), (RelationshipKind::OptionalOne, &[][..]));

    let [author, question] = Post::def().relationships else { panic!("two relationships") };
    assert_eq!((author.kind, author.foreign_key, author.serialize), (RelationshipKind::One, &[3][..], false));
    assert_eq!((question.kind, question.foreign_key), (RelationshipKind::OptionalOne, &[7][..]));
    assert!((question.target)().is(Post::def()) && question.inverse.is_none());
}

#[test]
fn every_field_is_read_and_written_by_its_column() {
    let mut vote = Vote::build().country("de").number(7_u32).query(true).r#type(0.5_f32).into_row().value;
    let values: Vec<_> = (0..4).map(|column| vote.value(column).into_owned()).collect();
    assert_eq!(values, [Value::Text("de".into()), Value::Int(7), Value::Bool(true), Value::Float(0.5)]);
    vote.put(1, Value::Int(8)).expect("it fits");
    assert_eq!(vote.number, 8);
    assert_eq!(vote.put(1, Value::Int(-1)).map_err(|error| error.kind()), Err(ErrorKind::Decode));
}

#[test]
fn a_builder_gives_what_it_was_given_its_defaults_and_null() {
    let row = User::build().username("ann").into_row();
    assert_eq!(row.value.username, "ann");
    assert_eq!(columns(&row.given), [1, 2]);
    let row = User::build().id(7).nick("a").username("ann").into_row();
    assert_eq!((row.value.id, row.value.nick.as_deref()), (7, Some("a")));
    assert_eq!(columns(&row.given), [0, 1, 2]);
    let row = Post::build().title("one").tags(Json(vec!["x".to_owned()])).user_id(5).into_row();
    assert_eq!((row.value.state.as_str(), row.value.user_id), ("draft", 5));
    // Not the key, which is made later, nor the server's default, nor the optional key of a relationship.
    assert_eq!(columns(&row.given), [1, 2, 3, 5, 6]);
    assert!(row.links.is_empty());
}

#[test]
fn of_a_relationship_and_its_key_the_later_one_counts() {
    let post = || Post::build().title("one").tags(Vec::new());
    let ann = || User::build().username("ann");
    let row = post().user_id(5).author(ann()).into_row();
    assert_eq!((row.links.len(), row.given.contains(3)), (1, false));
    let row = post().author(ann()).user_id(5).into_row();
    assert_eq!((row.links.len(), row.given.contains(3)), (0, true));
    let row = post().author(ann()).author(ann()).into_row();
    assert_eq!(row.links.len(), 1);
}

#[test]
fn children_lack_the_key_that_their_parent_gives() {
    let post = |title: &str| Post::build().title(title).tags(Vec::new());
    let row = User::build()
        .posts([post("one"), post("two").state("published")])
        .username("bob")
        .address(Address::build().town("Rome"))
        .into_row();
    assert_eq!(row.links.len(), 3);
}

#[test]
fn a_literal_gives_all_but_the_key_that_is_to_be_made() {
    let row = User { username: "ann".into(), ..Default::default() }.into_row();
    assert_eq!(columns(&row.given), [1, 2]);
    let row = User { id: 7, username: "ann".into(), ..Default::default() }.into_row();
    assert_eq!(columns(&row.given), [0, 1, 2]);
}

#[tokio::test]
async fn all_of_it_is_stored_and_comes_back() -> Result<()> {
    let db = Db::test().await?;
    let session = db.session();
    let ann = session.add(
        User::build()
            .username("ann")
            .address(Address::build().town("Rome"))
            .posts([Post::build().title("one").tags(vec!["x".to_owned()])]),
    );
    session.add(Vote { country: "de".into(), number: 7, query: true, r#type: 0.1 });
    session.add(Legacy::build().number(7));
    session.commit().await?;

    let other = db.session();
    let post = Post::query().with(Post::author).one(&other).await?;
    assert_eq!((post.title.as_str(), post.state.as_str(), post.weight), ("one", "draft", 7));
    assert_eq!((&*post.tags, post.author.get()?.id), (&vec!["x".to_owned()], ann.id));
    assert_eq!(post.id.get_version_num(), 7);
    let user = other.get_one::<User>(ann.id).await?;
    assert_eq!(user.load(User::address).await?.map(|address| address.town.clone()).as_deref(), Some("Rome"));
    let vote = other.get_one::<Vote>(("de".to_owned(), 7)).await?;
    assert_eq!((vote.query, vote.r#type), (true, 0.1));
    let found = Vote::query().filter(Vote::query_.eq(true) & Vote::r#type.gt(0.05)).count(&other).await?;
    assert_eq!(found, 1);

    post.set(Post::title, "two");
    other.commit().await?;
    assert_eq!(post.changes, 7);
    Ok(())
}

#[tokio::test]
async fn a_value_that_its_type_cannot_express_is_refused_with_the_reason() -> Result<()> {
    #[derive(Model, Clone)]
    struct Odd {
        #[column(primary_key)]
        id: i64,
        map: Json<std::collections::HashMap<Vec<i32>, i32>>,
    }
    let db = Db::test().await?;
    let session = db.session();
    session.add(Odd::build().map(std::collections::HashMap::from([(vec![1], 2)])));
    let error = session.commit().await.expect_err("no JSON");
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("the value cannot be written as JSON: key must be a string"), "{error}");
    Ok(())
}
