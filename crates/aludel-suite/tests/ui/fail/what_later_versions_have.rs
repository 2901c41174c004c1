//! What this version does not have is refused as such.
use aludel::prelude::*;

#[derive(Model, Clone)]
struct Article {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = ArticleTag)]
    tags: Many<Article>,
}



fn main() {}
