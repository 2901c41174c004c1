//! All mistakes in the attributes are reported at once.
use aludel::prelude::*;

#[derive(Model, Clone)]
#[model(tabel = "tags")]
struct Tag {
    #[column(primary_key)]
    id: i64,
    #[column(uniqe, lenght = 80)]
    name: String,
    #[column(references = Tag::id, on_delete = nullify)]
    parent_id: Option<i64>,
    #[relationship(lazy = "select")]
    parent: One<Option<Tag>>,
}



fn main() {}
