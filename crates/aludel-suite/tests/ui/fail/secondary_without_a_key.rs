//! A link model has a foreign key to each side.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Article {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = ArticleTag)]
    tags: Many<Tag>,
}

#[derive(Model, Clone)]
struct ArticleTag {
    #[column(primary_key, references = Article::id)]
    article_id: i64,
    #[column(primary_key)]
    tag_id: i64,
}

#[derive(Model, Clone)]
struct Tag {
    #[column(primary_key)]
    id: i64,
}

fn main() {}
