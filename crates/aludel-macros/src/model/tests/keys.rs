//! Which foreign key of several columns a relationship has.

use super::*;

/// The mistakes in a model with two keys to one other, of these relationships.
fn with_keys(relationships: TokenStream) -> (Option<Model>, Vec<String>) {
    read(quote! {
        #[model(foreign_key(columns(tenant_id, author_id), references(Author::tenant_id, Author::id)))]
        #[model(foreign_key(columns(tenant_id, editor_id), references(Author::tenant_id, Author::id), name = "fk_editor"))]
        struct Post {
            #[column(primary_key)] id: i64,
            tenant_id: i64,
            author_id: i64,
            editor_id: Option<i64>,
            #relationships
        }
    })
}

fn keys_of(relationships: TokenStream) -> Vec<Vec<usize>> {
    let (model, mistakes) = with_keys(relationships);
    assert_eq!(mistakes, Vec::<String>::new());
    model.expect("a model").relationships.into_iter().map(|relationship| relationship.key).collect()
}

#[test]
fn a_key_is_chosen_by_its_columns_by_the_one_that_is_its_own_or_by_its_name() {
    let by_columns = quote!(#[relationship(foreign_key = (author_id, tenant_id))] author: One<Author>,);
    assert_eq!(keys_of(by_columns), [[1, 2]]);
    let by_one = quote!(#[relationship(foreign_key = Post::editor_id)] editor: One<Option<Author>>,);
    assert_eq!(keys_of(by_one), [[1, 3]]);
    let by_name = quote!(#[relationship(foreign_key = "fk_editor")] editor: One<Option<Author>>,);
    assert_eq!(keys_of(by_name), [[1, 3]]);
    let both = quote! {
        #[relationship(foreign_key = author_id)] author: One<Author>,
        #[relationship(foreign_key = fk_editor)] editor: One<Option<Author>>,
    };
    assert_eq!(keys_of(both), [[1, 2], [1, 3]]);
}

#[test]
fn a_key_that_could_be_several_is_asked_for() {
    let meant = "`(tenant_id, author_id)`, `(tenant_id, editor_id)` are foreign keys to `Author`: say which one is meant, \
                 `#[relationship(foreign_key = (tenant_id, author_id))]`";
    assert_eq!(with_keys(quote!(author: One<Author>,)).1, [meant]);
    assert_eq!(with_keys(quote!(#[relationship(foreign_key = tenant_id)] author: One<Author>,)).1, [meant]);
    let found = with_keys(quote!(#[relationship(foreign_key = (id, author_id))] author: One<Author>,)).1;
    assert_eq!(
        found,
        ["`Post` has no foreign key of the columns (id, author_id) to `Author`: add \
          `#[model(foreign_key(columns(id, author_id), references(Author::..)))]` to it"]
    );
}

#[test]
fn a_key_that_can_be_null_in_part_leads_to_an_option() {
    let found = with_keys(quote!(#[relationship(foreign_key = editor_id)] editor: One<Author>,)).1;
    assert_eq!(
        found,
        ["its key `(tenant_id, editor_id)` can be NULL in part, so there may be no row: write `One<Option<Author>>`"]
    );
    let found = with_keys(quote!(#[relationship(foreign_key = author_id)] author: One<Option<Author>>,)).1;
    assert_eq!(
        found,
        [
            "its key `(tenant_id, author_id)` is never NULL, so there is always a row: write `One<Author>`, or make one of \
          its columns an `Option`"
        ]
    );
}

#[test]
fn one_key_of_several_columns_serves_one_relationship() {
    let found = with_keys(quote! {
        #[relationship(foreign_key = author_id)] author: One<Author>,
        #[relationship(foreign_key = (tenant_id, author_id))] owner: One<Author>,
    });
    assert_eq!(
        found.1,
        [
            "`(tenant_id, author_id)` is the foreign key of `author` already: add `#[relationship(foreign_key = ..)]` to both"
        ]
    );
}
