//! Both sides of a many-to-many relationship name the link model.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Article {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = ArticleTag, back_populates = articles)]
    tags: Many<Tag>,
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
    #[relationship(back_populates = tags)]
    articles: Many<Article>,
}

fn main() {}
