//! What this version does not have is refused as such.
use aludel::prelude::*;

#[derive(Model, Clone)]
#[model(optimistic = "dirty")]
struct Article {
    #[column(primary_key)]
    id: i64,
    #[column(version)]
    version: i32,
    #[relationship(secondary = ArticleTag)]
    tags: Many<Article>,
}



fn main() {}
