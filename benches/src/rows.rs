//! The rows as plain structs, for contenders that derive nothing.

/// A user.
pub struct User {
    /// The primary key.
    pub id: i32,
    /// What they are called.
    pub name: String,
    /// NULL in the trivial query.
    pub hair_color: Option<String>,
}

/// A post of a user.
pub struct Post {
    /// The primary key.
    pub id: i32,
    /// Who wrote it.
    pub user_id: i32,
    /// The title.
    pub title: String,
    /// The text.
    pub body: Option<String>,
}

/// A comment on a post.
pub struct Comment {
    /// The primary key.
    pub id: i32,
    /// What it is about.
    pub post_id: i32,
    /// The text.
    pub text: String,
}

crate::check::rows!(User, Post, Comment);
