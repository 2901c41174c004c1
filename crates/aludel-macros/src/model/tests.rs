//! What the first two stages make of a struct, and the mistakes that they find. How the compiler shows the mistakes is
//! tested with whole programs in the suite.

use proc_macro2::TokenStream;
use quote::quote;

mod keys;

use super::spec::{Kind, Model, Origin};
use super::{parse, resolve};
use crate::errors::Errors;

fn read(input: TokenStream) -> (Option<Model>, Vec<String>) {
    let input = syn::parse2(input).expect("a struct");
    let mut errors = Errors::default();
    let mut model = parse::model(&input, &[], &mut errors);
    if let Some(model) = &mut model {
        resolve::model(model, &mut errors);
    }
    (model, errors.messages())
}

fn model(input: TokenStream) -> Model {
    let (model, errors) = read(input);
    assert_eq!(errors, Vec::<String>::new());
    model.expect("a model")
}

/// The mistakes in a model of these fields.
fn mistakes(fields: TokenStream) -> Vec<String> {
    read(quote!(struct Post { #[column(primary_key)] id: i64, #fields })).1
}

fn origins(model: &Model) -> Vec<Origin> {
    model.columns.iter().map(|column| column.origin).collect()
}

#[test]
fn a_single_key_is_made_by_itself_where_its_type_can_be() {
    let keys = model(quote!(
        struct A {
            #[column(primary_key)]
            id: i64,
        }
    ));
    assert!(origins(&keys) == [Origin::GeneratedKey]);
    let keys = model(quote!(
        struct A {
            #[column(primary_key)]
            id: uuid::Uuid,
        }
    ));
    assert!(origins(&keys) == [Origin::GeneratedKey]);
    let keys = model(quote!(
        struct A {
            #[column(primary_key, autoincrement = false)]
            id: i64,
        }
    ));
    assert!(origins(&keys) == [Origin::Given]);
    let keys = model(quote!(
        struct A {
            #[column(primary_key)]
            id: AccountId,
        }
    ));
    assert!(origins(&keys) == [Origin::Key]);
    let keys = model(quote!(
        struct A {
            #[column(primary_key)]
            a: i64,
            #[column(primary_key)]
            b: i64,
        }
    ));
    assert!(origins(&keys) == [Origin::Given, Origin::Given]);
    let keys = model(quote!(
        struct A {
            #[column(primary_key, references = B::id)]
            id: i64,
        }
    ));
    assert!(origins(&keys) == [Origin::Given]);
}

#[test]
fn what_a_new_row_needs_follows_from_the_column() {
    let fields = model(quote! {
        struct A {
            #[column(primary_key)] id: i64,
            a: String,
            b: Option<String>,
            #[column(default = 1)] c: i64,
            #[column(server_default = "now()")] d: Timestamp,
        }
    });
    let wanted = [Origin::GeneratedKey, Origin::Given, Origin::Null, Origin::Default, Origin::Server];
    assert!(origins(&fields) == wanted);
}

#[test]
fn a_relationship_finds_its_only_key() {
    let post = model(quote! {
        struct Post {
            #[column(primary_key)] id: i64,
            #[column(references = crate::User::id)] user_id: i64,
            author: One<User>,
            comments: Many<Comment>,
            cover: One<Option<Image>>,
        }
    });
    assert_eq!(post.relationships.iter().map(|found| &found.key[..]).collect::<Vec<_>>(), [&[1][..], &[], &[]]);
    assert!(post.relationships[2].kind == Kind::OptionalOne);
    assert_eq!(post.columns[1].links, [0]);
}

#[test]
fn one_side_of_a_one_to_one_with_itself_has_the_key() {
    let node = model(quote! {
        struct Node {
            #[column(primary_key)] id: i64,
            #[column(references = Self::id)] next_id: Option<i64>,
            #[relationship(back_populates = previous, foreign_key = next_id)] next: One<Option<Self>>,
            #[relationship(back_populates = next)] previous: One<Option<Self>>,
        }
    });
    assert_eq!(node.relationships.iter().map(|found| &found.key[..]).collect::<Vec<_>>(), [&[1][..], &[]]);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = mistakes(quote! {
        #[column(uniqe)] a: String,
        #[column(length = "80")] b: String,
        #[relationship(lazy = true)] c: Many<Comment>,
    });
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("`#[column(..)]` has no `uniqe`; did you mean `unique`?\nit knows `primary_key`"));
    assert_eq!(found[1], "write `length = 80`");
    assert!(found[2].starts_with("`#[relationship(..)]` has no `lazy`\nit knows `back_populates`"));
}

#[test]
fn a_model_without_a_key_is_refused() {
    let (_, found) = read(quote!(
        struct Tag {
            name: String,
        }
    ));
    assert_eq!(found, ["could not assemble any primary key for `Tag`: mark a field `#[column(primary_key)]`"]);
}

#[test]
fn what_is_no_struct_with_named_fields_is_refused() {
    assert_eq!(
        read(quote!(
            enum A {
                B,
            }
        ))
        .1,
        ["only a struct can be a model: its fields are the table's columns"]
    );
    assert_eq!(
        read(quote!(
            struct A(i64);
        ))
        .1,
        ["a model's fields need names: they are the names of its columns"]
    );
    assert_eq!(
        read(quote!(
            struct A<T> {
                a: T,
            }
        ))
        .1,
        ["a model cannot have generic parameters: it is one table"]
    );
}

#[test]
fn names_that_every_model_has_are_refused_with_the_cure() {
    let found = mistakes(quote!(query: String, #[column(const = build_)] build: String, #[column(const = id)] x: i64));
    assert_eq!(
        found,
        [
            "`Post::query` is a name that every model has: add `#[column(const = query_)]` and write `Post::query_` in \
             queries; the name in the database stays",
            "`Post::id` is there already",
        ]
    );
}

#[test]
fn two_columns_of_one_name_in_the_database_are_refused() {
    let found = mistakes(quote!(a: i64, #[column(name = "A")] b: i64));
    assert_eq!(found, ["the table has a column `A` already"]);
}

#[test]
fn what_a_link_model_cannot_do_is_refused() {
    let found = mistakes(quote! {
        #[relationship(secondary = PostTag)] tag: One<Option<Tag>>,
        #[relationship(secondary = PostTag, cascade = "all, delete-orphan")] tags: Many<Tag>,
        #[relationship(secondary = PostPost, back_populates = near)] near: Many<Post>,
    });
    assert_eq!(
        found,
        [
            "`secondary` leads to many rows by way of a link model: write `Many<Tag>`",
            "`delete-orphan` needs a row with one parent, and by a link model it may have several: write \
             `cascade = \"all\"`, or let go of the row and delete it yourself",
            "a relationship is not its own other side: write two, each with the `foreign_key` of the link model that is \
             its own",
        ]
    );
}

#[test]
fn what_rows_are_seen_by_is_one_column_each_that_the_session_writes() {
    let found = mistakes(quote! {
        #[column(primary_key, soft_delete)] other: i64,
        #[column(soft_delete, default = false)] deleted: bool,
        #[column(tenant)] shop: Option<i64>,
        #[column(tenant, server_default = "1")] owner: i64,
    });
    assert_eq!(
        found,
        [
            "this column says whether the row is deleted, so that it can be no key",
            "`session.delete` writes this column: it takes no `default`, `server_default`, `on_update`, `computed` or `version`",
            "a model has one column that says whether a row is deleted",
            "every row has a tenant: the type is no `Option`",
            "the session fills this column in: it takes no `default`, `server_default`, `on_update`, `computed`, `version` \
             or `soft_delete`",
            "a model has one tenant column",
        ]
    );
}

#[test]
fn a_deferred_column_says_so_in_its_type() {
    let found = mistakes(quote! {
        #[column(primary_key, deferred)] other: Deferred<i64>,
        #[column(deferred)] body: Option<String>,
        text: Deferred<String>,
    });
    assert_eq!(
        found,
        [
            "a deferred column may not be loaded, and its type says so: write `Deferred<Option<String>>`",
            "add `#[column(deferred)]`: queries leave the column out",
            "keys, versions, tenants and marks of deletion are always loaded: remove `deferred`, and write the type itself",
        ]
    );
}

#[test]
fn a_version_is_one_integer_that_the_flush_counts() {
    let found = mistakes(quote! {
        #[column(version)] name: String,
        #[column(version, on_update = 3)] version: i64,
    });
    assert_eq!(
        found,
        [
            "a version counts the row's updates: its type is an integer, such as `i32`",
            "a version is counted by the flush: it takes no `on_update` and no `server_default`",
            "a model has one version column",
        ]
    );
    let (_, found) = read(quote!(
        #[model(optimistic = "all")]
        struct A {
            #[column(primary_key)]
            id: i64,
        }
    ));
    assert_eq!(found, ["write `optimistic = \"dirty\"`; a counter is a column with `#[column(version)]`"]);
}

#[test]
fn of_two_keys_to_one_model_the_relationship_names_its_own() {
    let found = mistakes(quote! {
        #[column(references = User::id)] author_id: i64,
        #[column(references = User::id)] editor_id: i64,
        author: One<User>,
    });
    assert_eq!(
        found,
        ["`author_id`, `editor_id` are foreign keys to `User`: say which one is meant, \
             `#[relationship(foreign_key = author_id)]`"]
    );
}

#[test]
fn a_relationship_whose_key_is_elsewhere_may_have_no_row() {
    let found = mistakes(quote!(cover: One<Image>));
    assert_eq!(
        found,
        [
            "`Post` has no foreign key to `Image`: add a column `#[column(references = Image::id)]`; or, when the key is in \
             `Image`, there may be no row, so write `One<Option<Image>>`"
        ]
    );
}

#[test]
fn a_relationship_may_be_empty_when_its_key_may() {
    let found = mistakes(quote!(#[column(references = User::id)] user_id: Option<i64>, author: One<User>));
    assert_eq!(found, ["its key `user_id` can be NULL, so there may be no row: write `One<Option<User>>`"]);
    let found = mistakes(quote!(#[column(references = User::id)] user_id: i64, author: One<Option<User>>));
    assert_eq!(
        found,
        ["its key `user_id` is never NULL, so there is always a row: write `One<User>`, or make the key an `Option`"]
    );
}

#[test]
fn a_foreign_key_that_is_named_has_to_be_one() {
    let found = mistakes(quote!(user_id: i64, #[relationship(foreign_key = user_id)] author: One<User>));
    assert_eq!(found, ["`user_id` is no foreign key: add `#[column(references = Model::column)]` to it"]);
    let found = mistakes(quote! {
        #[column(references = User::id)] user_id: i64,
        #[relationship(foreign_key = usr_id)] author: One<User>,
    });
    assert_eq!(found, ["`Post` has no column `usr_id`; did you mean `user_id`?"]);
}

#[test]
fn one_key_serves_one_relationship() {
    let found = mistakes(quote! {
        #[column(references = User::id)] user_id: i64,
        author: One<User>,
        owner: One<User>,
    });
    assert_eq!(
        found,
        ["`user_id` is the foreign key of `author` already: add `#[relationship(foreign_key = ..)]` to both"]
    );
}

#[test]
fn actions_of_a_key_are_known_and_possible() {
    let found = mistakes(quote! {
        #[column(references = User::id, on_delete = set_null)] a: i64,
        #[column(references = User::id, on_delete = nullify)] b: Option<i64>,
        #[column(on_delete = cascade)] c: i64,
        #[column(references = User::id, on_update = cascade)] d: i64,
        #[column(references = User::id, on_key_update = set_default)] e: i64,
    });
    assert_eq!(
        found,
        [
            "`nullify` is no action of a foreign key: they are `cascade`, `set_null`, `set_default`, `restrict`, \
             `no_action`",
            "`on_delete` needs `references = Model::column`",
            "`on_update` is the value that an UPDATE writes; the foreign key's is `on_key_update = cascade`",
            "`on_delete = set_null` needs a column that can be NULL: make `a` an `Option`",
            "`on_key_update = set_default` needs `server_default = \"..\"`",
        ]
    );
}

#[test]
fn sizes_exclude_each_other() {
    let found = mistakes(quote! {
        #[column(text, length = 80)] a: String,
        #[column(scale = 2)] b: Decimal,
        #[column(precision = 2, scale = 3)] c: Decimal,
        #[column(length = 0)] d: String,
    });
    assert_eq!(
        found,
        [
            "`length`, `text` and `precision` with `scale` exclude each other",
            "a length is at least 1",
            "`scale` needs `precision`: the number of digits in all",
            "`scale` counts some of the digits of `precision`, so it cannot be greater",
        ]
    );
}

#[test]
fn primary_keys_are_never_null_and_only_single_integers_count_up() {
    let (_, found) = read(quote!(
        struct A {
            #[column(primary_key)]
            id: Option<i64>,
        }
    ));
    assert_eq!(found, ["a primary key is never NULL: its type cannot be an `Option`"]);
    let (_, found) = read(quote!(
        struct A {
            #[column(primary_key, autoincrement = true)]
            id: String,
        }
    ));
    assert_eq!(found, ["only integers are counted up"]);
    let (_, found) = read(quote! {
        struct A {
            #[column(primary_key, autoincrement = true)] a: i64,
            #[column(primary_key)] b: i64,
            #[column(autoincrement = true)] c: i64,
        }
    });
    assert_eq!(found, ["only a primary key of one column is counted up", "`autoincrement` belongs to a primary key"]);
}

#[test]
fn constraints_name_columns_that_are_there() {
    let (_, found) = read(quote! {
        #[model(index(columns(id, nmae)), unique, check(sql = 1), table = "")]
        struct A { #[column(primary_key)] id: i64, name: String }
    });
    assert_eq!(
        found,
        [
            "`nmae` is not a column of `A`: it has `id`, `name`",
            "write `unique(columns(a, b))`; for one column write `#[column(unique)]` at its field",
            "write `sql = \"..\"`",
            "write `check(sql = \"..\")`",
            "a name cannot be empty",
        ]
    );
}

#[test]
fn cascades_are_known_and_stand_on_the_side_without_the_key() {
    let found = mistakes(quote! {
        #[relationship(cascade = "all, delete_orphan")] comments: Many<Comment>,
        #[column(references = User::id)] user_id: i64,
        #[relationship(cascade = "all, delete-orphan", passive_deletes, order_by = User::id)] author: One<User>,
    });
    assert_eq!(
        found,
        [
            "`delete_orphan` does not cascade; did you mean `delete-orphan`?\nit knows `all`, `save-update`, `delete`, \
             `delete-orphan`",
            "`order_by` orders many rows, and this relationship leads to one",
            "`delete-orphan` belongs to the side that has no foreign key: the parent's",
            "`passive_deletes` belongs to the side that has no foreign key: the parent's",
        ]
    );
}

#[test]
fn an_order_is_one_column_or_several_up_or_down() {
    let post = model(quote! {
        struct Post {
            #[column(primary_key)] id: i64,
            #[relationship(order_by = (Comment::day, desc(Comment::id), Comment::text.desc()))] comments: Many<Comment>,
        }
    });
    let order = post.relationships[0].order_by.iter().map(|(_, descending)| *descending);
    assert_eq!(order.collect::<Vec<_>>(), [false, true, true]);
    let found = mistakes(quote!(#[relationship(order_by = "id")] comments: Many<Comment>));
    assert_eq!(found, ["write `order_by = Model::column`, `order_by = desc(Model::column)`, or several in a tuple"]);
}

#[test]
fn attributes_stand_where_they_belong() {
    let found = mistakes(quote! {
        #[relationship(foreign_key = a)] a: i64,
        #[column(index)] b: Many<Comment>,
        #[model(table = "x")] c: i64,
        #[column(nullable)] d: String,
        #[column(unique, unique)] e: String,
        #[column(unique = true)] f: String,
        #[column(references = user_id)] g: i64,
    });
    assert_eq!(
        found,
        [
            "a relationship's field has the type `One<T>`, `One<Option<T>>` or `Many<T>`",
            "a relationship is not a column",
            "`#[model(..)]` belongs to the struct; a field has `#[column(..)]`",
            "the type says it: write `Option<String>`",
            "`unique` is given twice",
            "`unique` takes no value: write `unique`",
            "name the model too: write `references = Model::column`",
        ]
    );
}

#[test]
fn a_child_whose_key_leads_to_its_parent_has_a_table_of_its_own() {
    let child = |key: TokenStream| {
        model(quote! {
            #[model(inherits = crate::Employee, identity = "engineer")]
            struct Engineer {
                #[column(#key)] id: i64,
                #[column(references = Employee::id)] boss_id: Option<i64>,
                boss: One<Option<Employee>>,
            }
        })
    };
    let single = child(quote!(primary_key));
    assert!(!single.inheritance.joined && single.columns[0].origin == Origin::GeneratedKey);
    let joined = child(quote!(primary_key, references = Employee::id));
    assert!(joined.inheritance.joined && joined.columns[0].origin == Origin::GeneratedKey);
    // The key to the parent's table is no relationship's.
    assert_eq!(joined.relationships[0].key, [1]);
}

#[test]
fn what_a_child_lacks_is_named() {
    let found = read(quote! {
        #[model(inherits = Employee)]
        struct Engineer { #[column(primary_key)] id: i64 }
    })
    .1;
    assert!(
        found[0].starts_with("nothing tells the rows of `Engineer` from others of `Employee`: add `identity = "),
        "{found:?}"
    );
    let found = read(quote! {
        #[model(inherits = Employee, identity = "engineer", table = "engineers", bind = "audit")]
        struct Engineer { #[column(primary_key)] id: i64 }
    })
    .1;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("`#[column(primary_key, references = Employee::id)]`"), "{found:?}");
    assert!(found[1].contains("in the database of its parent"), "{found:?}");
    let found = read(quote! {
        #[model(identity = "engineer")]
        struct Engineer { #[column(primary_key)] id: i64 }
    })
    .1;
    assert!(found[0].contains("mark the column that has it `#[column(discriminator)]`"), "{found:?}");
    let found = read(quote! {
        struct Engineer {
            #[column(primary_key)] id: i64,
            #[column(discriminator)] kind: Option<String>,
            #[column(discriminator)] other: String,
        }
    })
    .1;
    assert_eq!(found.len(), 2, "{found:?}");
}
