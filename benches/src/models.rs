//! Aludel's models of the tables.

use aludel::prelude::*;

/// A user.
#[derive(Model, Clone, Debug)]
#[model(table = "users")]
pub struct User {
    /// The primary key.
    #[column(primary_key)]
    pub id: i32,
    /// What they are called.
    pub name: String,
    /// NULL in the trivial query.
    pub hair_color: Option<String>,
    /// What they wrote.
    #[relationship(back_populates = user)]
    pub posts: Many<Post>,
}

/// A post of a user.
#[derive(Model, Clone, Debug)]
#[model(table = "posts")]
pub struct Post {
    /// The primary key.
    #[column(primary_key)]
    pub id: i32,
    /// Who wrote it.
    #[column(references = User::id)]
    pub user_id: i32,
    /// The title.
    pub title: String,
    /// The text.
    pub body: Option<String>,
    /// Who wrote it.
    #[relationship(back_populates = posts)]
    pub user: One<User>,
    /// What was said about it.
    #[relationship(back_populates = post)]
    pub comments: Many<Comment>,
}

/// A comment on a post.
#[derive(Model, Clone, Debug)]
#[model(table = "comments")]
pub struct Comment {
    /// The primary key.
    #[column(primary_key)]
    pub id: i32,
    /// What it is about.
    #[column(references = Post::id)]
    pub post_id: i32,
    /// The text.
    pub text: String,
    /// What it is about.
    #[relationship(back_populates = comments)]
    pub post: One<Post>,
}
