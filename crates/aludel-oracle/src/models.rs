//! The five models, as `python/models.py` has them too, and the link model between two of them.
//!
//! Every row has a `label` that no program changes: keys are the database's own, so that rows are compared by it.

use aludel::prelude::*;

/// Its articles lose their author with it; its comments do so by the database's own ON DELETE SET NULL.
#[derive(Model, Clone, Debug)]
#[model(table = "person")]
pub(crate) struct Person {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    #[column(length = 40, unique)]
    pub(crate) name: String,
    pub(crate) n: Option<i64>,
    #[relationship(back_populates = author)]
    pub(crate) articles: Many<Article>,
    #[relationship(back_populates = writer, passive_deletes)]
    pub(crate) comments: Many<Comment>,
}

/// A tree, whose branches go with what they hang on, and the articles with them.
#[derive(Model, Clone, Debug)]
#[model(table = "category")]
pub(crate) struct Category {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    #[column(length = 40)]
    pub(crate) name: String,
    pub(crate) n: Option<i64>,
    #[column(references = Category::id)]
    pub(crate) parent_id: Option<i64>,
    #[relationship(back_populates = children)]
    pub(crate) parent: One<Option<Category>>,
    #[relationship(back_populates = parent, cascade = "all")]
    pub(crate) children: Many<Category>,
    #[relationship(back_populates = category, cascade = "all")]
    pub(crate) articles: Many<Article>,
}

/// Has a version, owns its comments, and is linked with tags.
#[derive(Model, Clone, Debug)]
#[model(table = "article")]
pub(crate) struct Article {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    #[column(length = 40)]
    pub(crate) name: String,
    pub(crate) n: Option<i64>,
    #[column(version)]
    pub(crate) version: i64,
    #[column(references = Person::id)]
    pub(crate) author_id: Option<i64>,
    #[column(references = Category::id)]
    pub(crate) category_id: Option<i64>,
    #[relationship(back_populates = articles)]
    pub(crate) author: One<Option<Person>>,
    #[relationship(back_populates = articles)]
    pub(crate) category: One<Option<Category>>,
    #[relationship(back_populates = article, cascade = "all, delete-orphan")]
    pub(crate) comments: Many<Comment>,
    #[relationship(secondary = ArticleTag, back_populates = articles)]
    pub(crate) tags: Many<Tag>,
}

/// Cannot be without its article.
#[derive(Model, Clone, Debug)]
#[model(table = "comment")]
pub(crate) struct Comment {
    #[column(primary_key)]
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    #[column(length = 40)]
    pub(crate) name: String,
    pub(crate) n: Option<i64>,
    #[column(references = Article::id)]
    pub(crate) article_id: i64,
    #[column(references = Person::id, on_delete = set_null)]
    pub(crate) writer_id: Option<i64>,
    #[relationship(back_populates = comments)]
    pub(crate) article: One<Article>,
    #[relationship(back_populates = comments)]
    pub(crate) writer: One<Option<Person>>,
}

/// Its label is its key, which the program gives: a deleted row's key may be a new row's.
#[derive(Model, Clone, Debug)]
#[model(table = "tag")]
pub(crate) struct Tag {
    #[column(primary_key, length = 40)]
    pub(crate) label: String,
    #[column(length = 40)]
    pub(crate) name: String,
    pub(crate) n: Option<i64>,
    #[relationship(secondary = ArticleTag, back_populates = tags)]
    pub(crate) articles: Many<Article>,
}

/// Which article has which tag.
#[derive(Model, Clone, Debug)]
#[model(table = "article_tag")]
pub(crate) struct ArticleTag {
    #[column(primary_key, references = Article::id)]
    pub(crate) article_id: i64,
    #[column(primary_key, references = Tag::label, length = 40)]
    pub(crate) tag_label: String,
}
