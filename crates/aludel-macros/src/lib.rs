//! The derive macros of Aludel. Use them through the `aludel` crate, which documents them where they are re-exported.
//!
//! Each works in three stages: attributes are parsed, a plain description is made of them and checked, and that is
//! expanded. All mistakes are reported at once, each at its token. The output names everything by full paths through
//! `::aludel::__private`.

mod attributes;
mod db_enum;
mod db_type;
mod errors;
mod mixin;
mod model;
mod names;
mod output;
mod polymorphic;
mod projection;
mod types;

use proc_macro::TokenStream;

/// Makes a struct the row of a table.
#[proc_macro_derive(Model, attributes(model, column, relationship))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    model::derive(input.into()).into()
}

/// Makes a struct columns that several models have.
#[proc_macro_derive(Mixin, attributes(model, column, relationship))]
pub fn derive_mixin(input: TokenStream) -> TokenStream {
    mixin::derive(input.into()).into()
}

/// A model with the fields of its mixins, which their macros bring: `{struct} {fields} {fields} ..`.
#[doc(hidden)]
#[proc_macro]
pub fn model_with_mixins(input: TokenStream) -> TokenStream {
    model::derive_with_mixins(input.into()).into()
}

/// Makes a struct what the rows of a query are read into, field by field.
#[proc_macro_derive(Projection)]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    projection::derive(input.into()).into()
}

/// Makes an enum what the rows of a hierarchy of models are read into, each as its own model.
#[proc_macro_derive(Polymorphic, attributes(polymorphic))]
pub fn derive_polymorphic(input: TokenStream) -> TokenStream {
    polymorphic::derive(input.into()).into()
}

/// Makes an enum a column's type, stored as the names of its variants.
#[proc_macro_derive(DbEnum, attributes(db_enum))]
pub fn derive_db_enum(input: TokenStream) -> TokenStream {
    db_enum::derive(input.into()).into()
}

/// Makes a newtype a column's type, stored as the type that it wraps.
#[proc_macro_derive(DbType)]
pub fn derive_db_type(input: TokenStream) -> TokenStream {
    db_type::derive(input.into()).into()
}
