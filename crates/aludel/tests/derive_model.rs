//! What `#[derive(Model)]` makes of a struct.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(missing_docs, reason = "models of a test")]

use aludel::__private::{ColumnSet, Generated, Model as _, New, RelationshipKind};
use aludel::Model;
use aludel::entity::{Many, One};
use uuid::Uuid;

#[derive(Model, Clone, Debug, Default)]
pub struct User {
    #[column(primary_key)]
    pub id: i64,
    #[column(unique, length = 80)]
    pub username: String,
    pub nick: Option<String>,
    #[relationship(back_populates = author)]
    pub posts: Many<Post>,
}

#[derive(Model, Clone, Debug)]
pub struct Post {
    #[column(primary_key)]
    pub id: Uuid,
    #[column(text)]
    pub title: String,
    #[column(default = "draft")]
    pub state: String,
    #[column(references = User::id, on_delete = cascade)]
    pub user_id: i64,
    #[relationship(back_populates = posts)]
    pub author: One<User>,
}

fn columns(given: &ColumnSet) -> Vec<usize> {
    (0..8).filter(|&column| given.contains(column)).collect()
}

#[test]
fn the_definition_says_what_the_struct_says() {
    let def = User::def();
    assert_eq!((def.name, def.table, def.primary_key), ("User", "user", &[0][..]));
    assert_eq!(def.columns[0].generated, Generated::Autoincrement);
    assert_eq!(def.relationships[0].kind, RelationshipKind::Many);
    assert_eq!((def.relationships[0].inverse.unwrap())(), 0);
    let post = Post::def();
    assert_eq!(post.relationships[0].foreign_key, Some(3));
    assert_eq!(post.columns[0].generated, Generated::Uuid);
}

#[test]
fn a_builder_gives_what_it_was_given() {
    let row = User::build().username("ann").into_row();
    assert_eq!(row.value.username, "ann");
    assert_eq!(columns(&row.given), [1, 2]);
    let row = Post::build().title("one").author(User::build().username("ann")).into_row();
    assert_eq!(columns(&row.given), [1, 2]);
    assert_eq!(row.value.state, "draft");
    assert_eq!(row.links.len(), 1);
    let row = User::build().posts([Post::build().title("one"), Post::build().title("two")]).username("bob").into_row();
    assert_eq!(row.links.len(), 2);
}
