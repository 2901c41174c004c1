//! A link model leads to many rows.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Article {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = ArticleTag)]
    tags: One<Tag>,
}

#[derive(Model, Clone)]
struct ArticleTag {
    #[column(primary_key, references = Article::id)]
    article_id: i64,
    #[column(primary_key, references = Tag::id)]
    tag_id: i64,
}

#[derive(Model, Clone)]
struct Tag {
    #[column(primary_key)]
    id: i64,
}

fn main() {}
